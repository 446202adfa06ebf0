// Whether a log is still the one that somebody saw before.
#pragma once

#include <optional>

#include <asl/auth/authority.h>
#include <asl/auth/envelope.h>
#include <asl/auth/log_head.h>
#include <asl/engine/domain.h>
#include <asl/engine/error.h>

namespace asl::auth {

struct HeadCheck {
  LogHead head;
  PublicKey signer;
  std::uint32_t dam_version = 0;    // the newest manifest that lists the signer with the role execute
  bool current = false;             // that is the domain's newest
  std::uint64_t records_since = 0;  // that the log has beyond it
};
// A signed head against today's log: the domain's, by a principal of some version of its manifest who held
// the role execute, and the log has that very record (rule head-continues, kIntegrity). Reads the whole log.
Result<HeadCheck> check_log_head(const Domain& domain, const Authority& authority, const Envelope& envelope);

// The same for a point that was written down.
Result<void> check_log_point(const Domain& domain, const LogPoint& point);

}  // namespace asl::auth
