// Snapshots as they are named on the command line.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <asl/engine/domain.h>
#include <asl/engine/error.h>

namespace asl::cli {

// A number, "latest" or a label. kUsage if a path follows, kNotFound if there is no such snapshot.
Result<std::uint64_t> snapshot_id(const Domain& domain, const std::string& text);
Result<std::vector<std::uint64_t>> snapshot_ids(const Domain& domain, const std::vector<std::string>& texts);

// "3", "3 and 4", "3, 4 and 5".
std::string id_list(const std::vector<std::uint64_t>& ids);

}  // namespace asl::cli
