#include <asl/auth/session_record.h>

#include "objects/log_point.h"

namespace asl::auth {
namespace {

Value::Array values_of(const std::vector<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

}  // namespace

Value to_value(const SessionRecord& record) {
  Value::Array commands;
  for (const SessionCommand& command : record.commands)
    commands.push_back(Value::Object{{"argv", values_of(command.argv)}, {"exit", command.exit}});
  Value::Array hashes;
  for (const Digest& hash : record.hashes_bound) hashes.emplace_back(to_hex(hash));
  Value::Object fields{{"kind", "session-record"},
                       {"v", 1},
                       {"date", record.date},
                       {"operators", values_of(record.operators)},
                       {"witnesses", values_of(record.witnesses)},
                       {"commands", std::move(commands)},
                       {"hashes_bound", std::move(hashes)},
                       {"log_head_before", to_value(record.log_head_before)},
                       {"log_head_after", to_value(record.log_head_after)}};
  if (record.previous) fields.emplace("previous", to_hex(*record.previous));
  return fields;
}

Result<SessionRecord> session_record_of(const Value& value) {
  ObjectReader reader(value, "session-record");
  SessionRecord record;
  reader.names_itself("session-record");
  record.date = reader.integer("date", 0, kCanonicalIntegerMax);
  record.operators = reader.texts("operators", kSessionPeopleMax, kSessionTextMax);
  record.witnesses = reader.texts("witnesses", kSessionPeopleMax, kSessionTextMax);
  for (ObjectReader& item : reader.objects("commands", kSessionCommandsMax)) {
    record.commands.push_back({.argv = item.texts("argv", kSessionArgumentsMax, kSessionTextMax),
                               .exit = item.integer("exit", 0, 255)});
    static_cast<void>(item.finish());
  }
  record.hashes_bound = reader.digests("hashes_bound", kSessionHashesMax);
  record.log_head_before = read_log_point(reader, "log_head_before");
  record.log_head_after = read_log_point(reader, "log_head_after");
  record.previous = reader.optional_digest("previous");
  ASL_TRY(reader.finish());
  reader.require(record.log_head_before.logseq <= record.log_head_after.logseq, "object-value",
                 "ends before it began");
  ASL_TRY(reader.finish());
  return record;
}

}  // namespace asl::auth
