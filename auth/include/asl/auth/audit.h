// Everything that a domain's log says about authority, checked again from the first record to the last.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <asl/auth/authority.h>
#include <asl/auth/log_head.h>
#include <asl/engine/domain.h>
#include <asl/engine/error.h>

namespace asl::auth {

struct AuditReport {
  LogPoint head;
  std::map<std::string, std::uint64_t> bound;  // kind -> how many objects count
  std::uint64_t signatures = 0;                // on them
  std::uint64_t publications = 0;
  std::uint64_t dates = 0;
  std::vector<AuthorityProblem> problems;  // by log record
  bool sound() const { return problems.empty(); }
};
// Reads the whole log and every object that it binds. What cannot be read is an error; what breaks a rule is
// a problem.
Result<AuditReport> audit_domain(const Domain& domain);

}  // namespace asl::auth
