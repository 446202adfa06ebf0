#include "mount_options.h"

#include <algorithm>
#include <string_view>

namespace asl::fusefs {
namespace {

// Passed on as they are.
constexpr std::string_view kPassedOn[] = {"noexec", "exec", "noatime", "atime", "sync", "async", "dirsync"};

}  // namespace

Result<ParsedMountOptions> parse_mount_options(const std::vector<std::string>& given, bool is_root) {
  ParsedMountOptions parsed;
  bool devices = false;
  bool set_user_id = false;
  bool others = is_root;
  for (const std::string& list : given) {
    for (std::string_view rest = list; !rest.empty();) {
      const std::string_view option = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(option.size() + 1, rest.size()));
      if (option.empty() || option == "ro" || option == "default_permissions") continue;
      if (option == "dev" || option == "nodev") {
        devices = option == "dev";
      } else if (option == "suid" || option == "nosuid") {
        set_user_id = option == "suid";
      } else if (option == "allow_other") {
        others = true;
      } else if (option == "bad=zero" || option == "bad=error") {
        parsed.bad_ranges = option == "bad=zero" ? BadRanges::kZero : BadRanges::kError;
      } else if (std::ranges::find(kPassedOn, option) != std::end(kPassedOn)) {
        parsed.kernel.emplace_back(option);
      } else {
        return fail(ErrorCode::kUsage, "unknown mount option '" + std::string(option) + "'");
      }
    }
  }
  parsed.kernel.insert(parsed.kernel.end(), {"ro", "default_permissions", devices ? "dev" : "nodev",
                                             set_user_id ? "suid" : "nosuid"});
  if (others) parsed.kernel.emplace_back("allow_other");
  return parsed;
}

}  // namespace asl::fusefs
