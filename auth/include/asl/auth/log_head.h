// Where a domain's log stands, signed: whoever keeps one can tell later whether the log was rolled back or
// exchanged (doc/format-log-head.md).
#pragma once

#include <cstdint>

#include <asl/auth/value.h>
#include <asl/engine/bytes.h>
#include <asl/engine/domain_id.h>
#include <asl/engine/error.h>

namespace asl::auth {

// One record of a log: its number and the chain value there.
struct LogPoint {
  std::uint64_t logseq = 0;
  Digest record_hash{};
  bool operator==(const LogPoint&) const = default;
};
Value to_value(const LogPoint& point);

struct LogHead {
  DomainId domain_id{};
  LogPoint point;
};
Value to_value(const LogHead& head);
Result<LogHead> log_head_of(const Value& value);

}  // namespace asl::auth
