#include "objects/log_point.h"

namespace asl::auth {

Value to_value(const LogPoint& point) {
  return Value::Object{{"logseq", point.logseq}, {"record_hash", to_hex(point.record_hash)}};
}

LogPoint read_log_point(ObjectReader& reader, std::string_view name) {
  ObjectReader point = reader.object(name);
  LogPoint read{.logseq = static_cast<std::uint64_t>(point.integer("logseq", 1, kCanonicalIntegerMax)),
                .record_hash = point.digest("record_hash")};
  // What is wrong is remembered, and the outer reader's finish() says it.
  static_cast<void>(point.finish());
  return read;
}

Value to_value(const LogHead& head) {
  return Value::Object{{"kind", "log-head"},
                       {"v", 1},
                       {"domain_id", to_hex(head.domain_id)},
                       {"logseq", head.point.logseq},
                       {"record_hash", to_hex(head.point.record_hash)}};
}

Result<LogHead> log_head_of(const Value& value) {
  ObjectReader reader(value, "log-head");
  LogHead head;
  reader.names_itself("log-head");
  reader.hex("domain_id", head.domain_id);
  head.point.logseq = static_cast<std::uint64_t>(reader.integer("logseq", 1, kCanonicalIntegerMax));
  head.point.record_hash = reader.digest("record_hash");
  ASL_TRY(reader.finish());
  return head;
}

}  // namespace asl::auth
