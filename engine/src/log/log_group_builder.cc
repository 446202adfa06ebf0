#include <algorithm>
#include <fmt/format.h>

#include "log/log_format.h"

namespace asl {
namespace {

void append_record(Bytes& out, std::uint64_t logseq, std::uint32_t type, ByteSpan payload, Digest& chain) {
  const std::size_t at = out.size();
  out.resize(at + kLogRecordHeadSize);
  store_le<std::uint64_t>(&out[at], logseq);
  store_le<std::uint32_t>(&out[at + 8], type);
  store_le<std::uint32_t>(&out[at + 12], static_cast<std::uint32_t>(payload.size()));
  out.insert(out.end(), payload.begin(), payload.end());
  chain = chain_hash(chain, ByteSpan(out).subspan(at));
  out.insert(out.end(), chain.begin(), chain.end());
}

// The caller's mistakes; the log is not touched.
Result<void> check_new_record(const NewRecord& record, std::uint64_t logseq) {
  if (!log_type_known(record.type) || record.type == kLogCommit)
    return fail(ErrorCode::kUsage, fmt::format("records of type 0x{:02x} cannot be appended", record.type));
  if ((record.type == kLogGenesis) != (logseq == 1))
    return fail(ErrorCode::kUsage, "genesis is the first record of a log and no other");
  if (Result<void> checked = check_payload(record.type, record.payload); !checked)
    return fail(ErrorCode::kUsage, checked.error().message);
  return {};
}

}  // namespace

Result<Bytes> build_group(std::uint64_t first_logseq, const Digest& previous_hash,
                          std::span<const NewRecord> records, Digest& hash_out) {
  if (records.empty()) return fail(ErrorCode::kUsage, "a commit without records");
  if (records.size() >= kLogseqMax - first_logseq)
    return fail(ErrorCode::kUnsupported, "the log has no numbers left for this commit");
  CommitRecord commit;
  std::size_t size = kLogRecordOverhead + commit.encode().size();
  std::uint64_t logseq = first_logseq;
  for (const NewRecord& record : records) {
    ASL_TRY(check_new_record(record, logseq++));
    size += kLogRecordOverhead + record.payload.size();
  }
  const std::size_t padded = round_up(size, kLogAlignment);
  if (padded > kLogGroupMax)
    return fail(ErrorCode::kUsage, fmt::format("a commit of {} bytes is too large for the log", padded));

  Bytes out;
  out.reserve(padded);
  Digest chain = previous_hash;
  logseq = first_logseq;
  for (const NewRecord& record : records) append_record(out, logseq++, record.type, record.payload, chain);
  commit.records = static_cast<std::uint32_t>(records.size() + 1);
  commit.previous_hash = previous_hash;
  commit.padding_bytes = static_cast<std::uint32_t>(padded - size);
  append_record(out, logseq, kLogCommit, commit.encode(), chain);
  hash_out = chain;
  return out;
}

}  // namespace asl
