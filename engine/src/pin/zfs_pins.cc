#include "pin/zfs_pins.h"

#include <algorithm>
#include <charconv>

namespace asl {
namespace {

constexpr std::size_t kNamesPerCall = 500;  // far below the kernel's limit on the length of arguments

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::string first_line(std::string_view text) {
  return std::string(text.substr(0, text.find('\n')));
}

std::string permission_hint(const std::string& data_set) {
  if (io::is_superuser()) return "";
  return "run it as root, or let root run: zfs allow USER snapshot,hold,release,destroy,mount " + data_set;
}

}  // namespace

bool is_data_set_name(std::string_view name) {
  return !name.empty() && name.front() != '-' && name.front() != '/' &&
         name.find_first_of("@#%,\n\t") == std::string_view::npos;
}

Result<std::string> ZfsPins::zfs(const std::vector<std::string>& arguments, std::string_view what,
                                 const std::string& object) {
  auto outcome = programs_->run("zfs", arguments);
  if (!outcome) {
    Error error = std::move(outcome).error();
    if (error.code == ErrorCode::kUnsupported)
      error.hint = "install the tools of ZFS (Debian: zfsutils-linux, or zfs-fuse)";
    return fail(std::move(error));
  }
  if (outcome->exit_status == 0) return std::move(outcome->out);
  Error error{.code = ErrorCode::kIo, .message = std::string(what), .object = object};
  const std::string reason = first_line(outcome->err);
  error.message += ": zfs " + arguments.front() + " says: " +
                   (reason.empty() ? "exit status " + std::to_string(outcome->exit_status) : reason);
  error.hint = permission_hint(data_set_);
  return fail(std::move(error));
}

// Without -p, which the oldest zfs(8) does not know for lists: neither column is a size.
Result<std::vector<HeldPin>> ZfsPins::list() {
  ASL_ASSIGN(const std::string text,
             zfs({"list", "-H", "-t", "snapshot", "-o", "name,userrefs", "-r", "-d", "1", data_set_},
                 "cannot list the file-system snapshots", data_set_));
  std::vector<HeldPin> pins;
  for (const std::string_view line : split(text, '\n')) {
    const std::vector<std::string_view> columns = split(line, '\t');
    const std::string prefix = full_name("");
    if (columns.size() != 2 || !columns[0].starts_with(prefix))
      return fail(Error{.code = ErrorCode::kUnsupported,
                        .message = "cannot understand what zfs list prints",
                        .object = std::string(line.substr(0, 200))});
    // "-" where a pool is too old to know holds; it can have none then.
    pins.push_back({.name = std::string(columns[0].substr(prefix.size())), .held = columns[1] != "0"});
  }
  return pins;
}

Result<void> ZfsPins::make(const std::string& name) {
  ASL_TRY(zfs({"snapshot", full_name(name)}, "cannot make the file-system snapshot", full_name(name)));
  return hold(name);
}

Result<void> ZfsPins::hold(const std::string& name) {
  ASL_TRY(zfs({"hold", std::string(kZfsHoldTag), full_name(name)}, "cannot hold the file-system snapshot",
              full_name(name)));
  return {};
}

// A hold that is not ours keeps it, and destroy says so.
Result<void> ZfsPins::remove(const HeldPin& pin) {
  const std::string object = full_name(pin.name);
  const auto released = pin.held
                            ? zfs({"release", std::string(kZfsHoldTag), object}, "cannot release", object)
                            : Result<std::string>();
  auto destroyed = zfs({"destroy", object}, "cannot remove the file-system snapshot", object);
  if (destroyed) return {};
  Error error = std::move(destroyed).error();
  if (!released) error.message += "; " + released.error().message;
  if (error.hint.empty())
    error.hint = "zfs list -o name,origin shows clones, zfs holds who else holds " + object;
  return fail(std::move(error));
}

Result<std::map<std::string, std::uint64_t>> ZfsPins::numbers(const std::string& property,
                                                              std::span<const std::string> objects) {
  std::vector<std::string> arguments{"get", "-H", "-p", "-o", "name,value", property};
  arguments.insert(arguments.end(), objects.begin(), objects.end());
  ASL_ASSIGN(const std::string text, zfs(arguments, "cannot ask for sizes", data_set_));
  std::map<std::string, std::uint64_t> found;
  for (const std::string_view line : split(text, '\n')) {
    const std::vector<std::string_view> columns = split(line, '\t');
    std::uint64_t value = 0;
    if (columns.size() != 2) continue;
    const auto [end, error] =
        std::from_chars(columns[1].data(), columns[1].data() + columns[1].size(), value);
    if (error == std::errc() && end == columns[1].data() + columns[1].size())
      found.emplace(std::string(columns[0]), value);
  }
  return found;
}

Result<PinSizes> ZfsPins::sizes(std::span<const std::string> names) {
  PinSizes sizes;
  for (std::size_t first = 0; first < names.size(); first += kNamesPerCall) {
    std::vector<std::string> objects;
    for (const std::string& name : names.subspan(first, std::min(kNamesPerCall, names.size() - first)))
      objects.push_back(full_name(name));
    ASL_ASSIGN(const auto found, numbers("used", objects));
    const std::size_t prefix = full_name("").size();
    for (const auto& [name, bytes] : found) sizes.alone_bytes.emplace(name.substr(prefix), bytes);
  }
  const std::vector<std::string> whole{data_set_};
  ASL_ASSIGN(const auto together, numbers("usedbysnapshots", whole));
  if (const auto at = together.find(data_set_); at != together.end()) sizes.held_back_bytes = at->second;
  return sizes;
}

}  // namespace asl
