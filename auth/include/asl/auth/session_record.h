// What happened in a session at an authority host: who was there, which commands ran, what was bound
// (doc/format-session-record.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <asl/auth/log_head.h>
#include <asl/auth/value.h>
#include <asl/engine/bytes.h>
#include <asl/engine/error.h>

namespace asl::auth {

inline constexpr std::size_t kSessionPeopleMax = 64;
inline constexpr std::size_t kSessionCommandsMax = 4096;
inline constexpr std::size_t kSessionArgumentsMax = 1024;
inline constexpr std::size_t kSessionTextMax = 4096;  // bytes of one name or argument
inline constexpr std::size_t kSessionHashesMax = 8192;

struct SessionCommand {
  std::vector<std::string> argv;
  std::int64_t exit = 0;
  bool operator==(const SessionCommand&) const = default;
};

struct SessionRecord {
  std::int64_t date = 0;  // unix seconds, as the operator confirmed it
  std::vector<std::string> operators;
  std::vector<std::string> witnesses;
  std::vector<SessionCommand> commands;
  std::vector<Digest> hashes_bound;  // sorted
  LogPoint log_head_before;
  LogPoint log_head_after;
  std::optional<Digest> previous;  // object hash of the record before
  bool operator==(const SessionRecord&) const = default;
};
Value to_value(const SessionRecord& record);
Result<SessionRecord> session_record_of(const Value& value);

}  // namespace asl::auth
