// What lies beside the truth, for people and other tools.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <asl/auth/authority.h>
#include <asl/engine/history.h>

namespace asl::auth {

// Files in dam/, policies/, certs/, admission/, leases/ of the domain and in env-claims/ of the host. What
// cannot be written, or is there with other content, is a notice.
void write_authority_copies(const Domain& domain, const std::string& host_directory,
                            std::span<const BoundObject> objects, Notices& notices);

// The date of the newest DATE record, of these or of the log; 0 where none was ever confirmed.
std::int64_t last_date_of(const Domain& domain, std::span<const NewRecord> records);

}  // namespace asl::auth
