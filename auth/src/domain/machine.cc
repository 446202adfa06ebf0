// What this machine says it is.
#include <fmt/format.h>
#include <sys/utsname.h>

#include <asl/auth/env_claim.h>
#include <asl/auth/files.h>
#include <asl/auth/text_rules.h>
#include <asl/engine/hash.h>
#include <asl/engine/io.h>

namespace asl::auth {
namespace {

constexpr std::size_t kProcFileMax = 64 << 10;
constexpr std::size_t kToolMax = std::size_t{1} << 30;  // bytes: programs are a few megabytes

// A kernel's command line is whatever a boot loader was given.
std::string as_free_text(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  std::string out(text.substr(0, kClaimTextMax));
  if (is_free_text(out)) return out;
  out.clear();
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte >= 0x20 && byte < 0x7F ? std::string(1, c) : fmt::format("\\x{:02x}", byte);
  }
  out.resize(std::min(out.size(), kClaimTextMax));
  return out;
}

std::string read_or_nothing(const std::string& path) {
  const auto text = read_text_file(path, kProcFileMax);
  return text ? *text : std::string();
}

// The root hash that dm-verity was given, by any of the names in use.
std::optional<Digest> root_hash_of(std::string_view command_line) {
  for (const std::string_view name : {"roothash=", "systemd.verity_root_hash=", "verity.roothash="}) {
    std::size_t at = command_line.find(name);
    if (at == command_line.npos || (at > 0 && command_line[at - 1] != ' ')) continue;
    at += name.size();
    return digest_from_hex(command_line.substr(at, command_line.find(' ', at) - at));
  }
  return std::nullopt;
}

Result<Digest> hash_file(const std::string& path) {
  const auto io = io::make_plain_io();
  ASL_ASSIGN(const Bytes bytes, io::read_file(*io, path, kToolMax));
  return sha256(bytes);
}

std::string system_name() {
  const std::string text = read_or_nothing("/etc/os-release");
  const std::size_t at = text.find("PRETTY_NAME=\"");
  if (at == text.npos) return "unknown";
  const std::size_t begin = at + 13;
  return as_free_text(text.substr(begin, text.find('"', begin) - begin));
}

}  // namespace

Result<EnvClaim> describe_machine(const std::vector<ClaimTool>& tools) {
  EnvClaim claim;
  struct utsname name{};
  const bool known = ::uname(&name) == 0;
  claim.kernel =
      known ? as_free_text(fmt::format("{} {} {}", name.sysname, name.release, name.version)) : "unknown";
  claim.command_line = as_free_text(read_or_nothing("/proc/cmdline"));
  claim.root_hash = root_hash_of(claim.command_line);
  claim.facts.emplace("machine", known ? as_free_text(name.machine) : "unknown");
  claim.facts.emplace("system", system_name());
  for (const ClaimTool& tool : tools) {
    ASL_ASSIGN(const Digest digest, hash_file(tool.path));
    claim.tools.push_back({.name = tool.name, .version = tool.version, .sha256 = digest});
  }
  return claim;
}

}  // namespace asl::auth
