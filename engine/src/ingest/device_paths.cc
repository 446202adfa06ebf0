#include "ingest/device_paths.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>
#include <sstream>
#include <string_view>
#include <sys/sysmacros.h>

#include <asl/engine/tree.h>

namespace asl {
namespace {

// Spaces, tabs, line feeds and backslashes in mountinfo paths are written as \ooo.
std::string unescape_mount_path(const std::string& text) {
  std::string path;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto is_octal = [&](std::size_t k) { return text[k] >= '0' && text[k] <= '7'; };
    if (text[at] == '\\' && at + 3 < text.size() && is_octal(at + 1) && is_octal(at + 2) &&
        is_octal(at + 3)) {
      path += static_cast<char>((text[at + 1] - '0') * 64 + (text[at + 2] - '0') * 8 + (text[at + 3] - '0'));
      at += 3;
    } else {
      path += text[at];
    }
  }
  return path;
}

// "major:minor" as a device number.
std::optional<std::uint64_t> parse_device(std::string_view text) {
  unsigned major_number = 0;
  unsigned minor_number = 0;
  const char* const end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, major_number);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != ':') return std::nullopt;
  const auto second = std::from_chars(first.ptr + 1, end, minor_number);
  if (second.ec != std::errc() || second.ptr != end) return std::nullopt;
  return makedev(major_number, minor_number);
}

}  // namespace

bool before_in_tree_order(const std::string& a, const std::string& b) {
  // '/' sorts before every byte of a name, and a shorter path before what lies below it.
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    const int left = x == '/' ? -1 : static_cast<unsigned char>(x);
    const int right = y == '/' ? -1 : static_cast<unsigned char>(y);
    return left < right;
  });
}

void DevicePaths::add_mounts_below(const std::string& source, const std::string& prefix_in_snapshot) {
  std::ifstream mounts("/proc/self/mountinfo");
  const std::string below = source.ends_with('/') ? source : source + "/";
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream fields(line);
    std::string mount_id, parent_id, device, root, point;
    fields >> mount_id >> parent_id >> device >> root >> point;
    const auto number = parse_device(device);
    if (!number) continue;
    point = unescape_mount_path(point);
    if (!point.starts_with(below)) continue;
    const std::string relative = point.substr(below.size());
    std::string path = prefix_in_snapshot;
    if (!path.empty()) path += '/';
    path += relative;
    enter(*number, path);
  }
}

void DevicePaths::enter(std::uint64_t device, const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto [at, is_new] = first_path_.try_emplace(device, path);
  if (!is_new && before_in_tree_order(path, at->second)) at->second = path;
}

std::uint64_t DevicePaths::link_id(std::uint64_t device, std::uint64_t inode) const {
  const std::lock_guard lock(mutex_);
  const auto at = first_path_.find(device);
  return hardlink_id(at == first_path_.end() ? std::string_view() : std::string_view(at->second), inode);
}

}  // namespace asl
