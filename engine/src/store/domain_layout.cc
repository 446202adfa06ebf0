#include "store/domain_layout.h"

#include <cerrno>
#include <charconv>
#include <fmt/format.h>
#include <set>
#include <string_view>

namespace asl {
namespace {

constexpr std::size_t kLayoutFileMax = 256;  // one short line
constexpr std::string_view kLayoutName = "asl-layout ";
constexpr unsigned kLayoutMajor = 1;
constexpr unsigned kLayoutMinor = 0;

constexpr std::string_view kDirectories[] = {
    "store",     "store/blocks", "store/index", "store/cache", "store/tmp", "store/lost", "log",
    "snapshots", "certs",        "policies",    "dam",         "admission", "leases",
};

bool parse_number(std::string_view& text, unsigned& value) {
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || (text.front() == '0' && end - text.data() > 1)) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

}  // namespace

std::string DomainLayout::snapshot_file(std::uint64_t id) const {
  return fmt::format("{}/snapshots/snapshot-{}.meta", directory_, id);
}

Result<void> DomainLayout::create_directories(io::Io& io) const {
  ASL_TRY(io.make_directory(directory_));
  for (const std::string_view name : kDirectories)
    ASL_TRY(io.make_directory(directory_ + "/" + std::string(name)));
  for (unsigned prefix = 0; prefix < 256; ++prefix)
    ASL_TRY(io.make_directory(fmt::format("{}/store/blocks/{:02x}", directory_, prefix)));
  ASL_TRY(io.sync_directory(directory_ + "/store/blocks"));
  return io.sync_directory(store());
}

Result<void> DomainLayout::write_layout_file(io::Io& io) const {
  // The line must not be there before what it vouches for: the name of log/, for one.
  ASL_TRY(io.sync_directory(directory_));
  return io::replace_file(io, layout_file(), as_bytes(std::string(kLayoutLine) + "\n"));
}

Result<void> DomainLayout::make_missing_directories(io::Io& io) const {
  for (const std::string_view name : kDirectories) {
    const std::string path = directory_ + "/" + std::string(name);
    if (!io::exists(io, path)) ASL_TRY(io.make_directory(path));
  }
  const std::string blocks = store() + "/blocks";
  ASL_ASSIGN(const std::vector<io::ListedEntry> listed, io.list(blocks));
  std::set<std::string> present;
  for (const io::ListedEntry& entry : listed) present.insert(entry.name);
  bool made = false;
  for (unsigned prefix = 0; prefix < 256; ++prefix) {
    const std::string name = fmt::format("{:02x}", prefix);
    if (present.contains(name)) continue;
    ASL_TRY(io.make_directory(blocks + "/" + name));
    made = true;
  }
  if (!made) return {};
  ASL_TRY(io.sync_directory(blocks));
  return io.sync_directory(store());
}

Result<void> DomainLayout::fill_reserve(io::Io& io, std::uint64_t bytes) const {
  if (io::exists(io, reserve_file())) {
    ASL_ASSIGN(const struct stat status, io.status(reserve_file()));
    const auto size_bytes = static_cast<std::uint64_t>(status.st_size);
    if (size_bytes >= bytes && size_bytes <= 2 * bytes) return {};
    ASL_TRY(io.remove(reserve_file()));
  }
  // A disk that is nearly full gives less: what a small commit took is not worth losing the rest for. One
  // part is left free then, for those who come next.
  for (std::uint64_t part = kReserveParts; part > 0; --part) {
    const std::uint64_t wanted = bytes / kReserveParts * part;
    const std::uint64_t spare = part == kReserveParts ? 0 : bytes / kReserveParts;
    ASL_ASSIGN(const io::File file, io.open(reserve_file(), {.write = true, .create_new = true}));
    auto reserved = io.allocate(file, wanted + spare);
    if (reserved) reserved = io.truncate(file, wanted);
    if (reserved) return {};
    ASL_TRY(io.remove(reserve_file()));
    if (reserved.error().code == ErrorCode::kUnsupported) return {};
    if (reserved.error().code != ErrorCode::kNoSpace) return fail(std::move(reserved).error());
  }
  return {};
}

Result<bool> check_layout_file(io::Io& io, const std::string& path) {
  ASL_ASSIGN(const Bytes bytes, io::read_file(io, path, kLayoutFileMax));
  std::string_view text = as_text(bytes);
  unsigned major = 0;
  unsigned minor = 0;
  bool good = text.starts_with(kLayoutName);
  if (good) {
    text.remove_prefix(kLayoutName.size());
    good = parse_number(text, major) && text.starts_with('.');
  }
  if (good) {
    text.remove_prefix(1);
    good = parse_number(text, minor) && text == "\n";
  }
  if (!good) return fail(integrity_error("not a layout line", path, 0));
  if (major != kLayoutMajor) {
    Error error;
    error.code = ErrorCode::kUnsupported;
    error.message = fmt::format("store layout {}.{} is not known to this version", major, minor);
    error.path = path;
    error.hint = "open it with the version of asl that wrote it, or a newer one";
    return fail(std::move(error));
  }
  return minor > kLayoutMinor;
}

}  // namespace asl
