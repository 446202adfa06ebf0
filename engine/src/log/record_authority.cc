// Payloads of records that authority, program runs and exchange write.
#include <algorithm>
#include <bit>

#include <asl/engine/log_record.h>

#include "log/payload_codec.h"

namespace asl {

Bytes AuthorityBindRecord::encode() const {
  return PayloadWriter().number(type_tag).reference(reference).take();
}
Result<AuthorityBindRecord> AuthorityBindRecord::decode(ByteSpan payload) {
  PayloadReader in(payload);
  AuthorityBindRecord record;
  record.type_tag = in.number<std::uint32_t>();
  record.reference = in.reference();
  ASL_TRY(in.finish(kType));
  return record;
}

Bytes ExecutionRecord::encode() const {
  return PayloadWriter().reference(receipt).put(request_id).put(request_hash).take();
}
Result<ExecutionRecord> ExecutionRecord::decode(ByteSpan payload) {
  PayloadReader in(payload);
  ExecutionRecord record;
  record.receipt = in.reference();
  in.array(record.request_id);
  in.array(record.request_hash);
  ASL_TRY(in.finish(kType));
  return record;
}

Bytes RequestRecord::encode() const {
  return PayloadWriter().put(requester_key_id).put(request_id).put(request_hash).take();
}
Result<RequestRecord> RequestRecord::decode(ByteSpan payload) {
  PayloadReader in(payload);
  RequestRecord record;
  in.array(record.requester_key_id);
  in.array(record.request_id);
  in.array(record.request_hash);
  ASL_TRY(in.finish(kType));
  return record;
}

Bytes RefusalRecord::encode() const {
  return PayloadWriter()
      .put(requester_key_id)
      .put(request_id)
      .put(request_hash)
      .number(reason)
      .reference(refusal)
      .take();
}
Result<RefusalRecord> RefusalRecord::decode(ByteSpan payload) {
  PayloadReader in(payload);
  RefusalRecord record;
  in.array(record.requester_key_id);
  in.array(record.request_id);
  in.array(record.request_hash);
  record.reason = in.number<std::uint32_t>();
  record.refusal = in.reference();
  ASL_TRY(in.finish(kType));
  return record;
}

Bytes ResponseRecord::encode() const {
  return PayloadWriter().number(sequence).put(response_hash).text(medium).take();
}
Result<ResponseRecord> ResponseRecord::decode(ByteSpan payload) {
  PayloadReader in(payload);
  ResponseRecord record;
  record.sequence = in.number<std::uint64_t>();
  in.array(record.response_hash);
  record.medium = in.text();
  in.require(std::ranges::count(record.medium, '\n') == 1, "the medium is not two lines");
  ASL_TRY(in.finish(kType));
  return record;
}

Bytes DomainStateRecord::encode() const {
  return PayloadWriter()
      .put(domain_id)
      .number(static_cast<std::uint32_t>(standing))
      .reference(reference)
      .take();
}
Result<DomainStateRecord> DomainStateRecord::decode(ByteSpan payload) {
  PayloadReader in(payload);
  DomainStateRecord record;
  in.array(record.domain_id);
  const auto standing = in.number<std::uint32_t>();
  in.require(standing <= 4, "an unknown state");
  record.standing = static_cast<DomainStanding>(standing);
  record.reference = in.reference();
  ASL_TRY(in.finish(kType));
  return record;
}

Bytes DateRecord::encode() const {
  return PayloadWriter()
      .number(std::bit_cast<std::uint64_t>(unix_seconds))
      .number<std::uint32_t>(correction ? 1 : 0)
      .text(words)
      .take();
}
Result<DateRecord> DateRecord::decode(ByteSpan payload) {
  PayloadReader in(payload);
  DateRecord record;
  record.unix_seconds = std::bit_cast<std::int64_t>(in.number<std::uint64_t>());
  const auto kind = in.number<std::uint32_t>();
  in.require(kind <= 1, "an unknown kind");
  record.correction = kind == 1;
  record.words = in.text();
  ASL_TRY(in.finish(kType));
  return record;
}

Bytes BundleRecord::encode() const {
  return PayloadWriter().put(bundle_id).put(object_hash).take();
}
Result<BundleRecord> BundleRecord::decode(ByteSpan payload) {
  PayloadReader in(payload);
  BundleRecord record;
  in.array(record.bundle_id);
  in.array(record.object_hash);
  ASL_TRY(in.finish(kType));
  return record;
}

}  // namespace asl
