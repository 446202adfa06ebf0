// Environment claims: what a machine says it was when it signed (doc/format-env-claim.md). A claim is worth
// what its signer is worth; it lets an auditor compare images, kernels and tools over the years.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <asl/auth/log_head.h>
#include <asl/auth/value.h>
#include <asl/engine/bytes.h>
#include <asl/engine/domain_id.h>
#include <asl/engine/error.h>

namespace asl::auth {

inline constexpr std::size_t kClaimToolsMax = 256;
inline constexpr std::size_t kClaimFactsMax = 256;
inline constexpr std::size_t kClaimTextMax = 4096;  // bytes; a kernel's command line has at most 4096

struct ClaimedTool {
  std::string name;
  std::string version;
  Digest sha256{};
  bool operator==(const ClaimedTool&) const = default;
};

struct EnvClaim {
  std::optional<Digest> image_sha256;  // of the image that was booted
  std::string kernel;
  std::string command_line;
  std::optional<Digest> root_hash;  // dm-verity's, of the root file system
  std::vector<ClaimedTool> tools;   // sorted by name, each once
  DomainId domain_id{};
  std::uint64_t snapshot_id = 0;             // the newest; 0 if there is none
  LogPoint log_head;                         // when the claim was made
  std::map<std::string, std::string> facts;  // keys as in canonical JSON
  std::optional<Digest> previous;            // object hash of the claim before
  bool operator==(const EnvClaim&) const = default;
};
Value to_value(const EnvClaim& claim);
Result<EnvClaim> env_claim_of(const Value& value);

// What this machine and program are now: kernel, command line, its root hash, the programs named by `tools`
// (paths; each is hashed), machine and system as facts. Text that a claim cannot hold is escaped. kNotFound
// or kIo for a tool.
struct ClaimTool {
  std::string path;
  std::string name;
  std::string version;
};
Result<EnvClaim> describe_machine(const std::vector<ClaimTool>& tools);

}  // namespace asl::auth
