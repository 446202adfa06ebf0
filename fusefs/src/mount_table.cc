#include "mount_table.h"

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>

namespace asl::fusefs {
namespace {

// Spaces, tabs, newlines and backslashes stand as "\040" in the table.
std::string unescaped(const std::string& text) {
  constexpr std::size_t kEscapeSize = 4;
  std::string plain;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '\\' && at + kEscapeSize <= text.size()) {
      plain += static_cast<char>(std::stoi(text.substr(at + 1, kEscapeSize - 1), nullptr, 8));
      at += kEscapeSize;
    } else {
      plain += text[at++];
    }
  }
  return plain;
}

}  // namespace

Result<std::optional<MountEntry>> find_mount(const std::string& directory) {
  const char* path = "/proc/self/mountinfo";
  std::ifstream table(path);
  if (!table) return fail(system_error(errno, "cannot read the list of mounts", path));
  std::optional<MountEntry> found;
  for (std::string line; std::getline(table, line);) {
    std::istringstream words(line);
    std::string id;
    std::string parent;
    std::string device;
    std::string root;
    std::string place;
    words >> id >> parent >> device >> root >> place;
    if (unescaped(place) != directory) continue;
    // Options of varying number, then a dash, then the type. Later lines lie over earlier ones.
    for (std::string word; words >> word && word != "-";) {
    }
    MountEntry entry{.type = {}, .device = device};
    words >> entry.type;
    found = std::move(entry);
  }
  return found;
}

Result<std::string> settled_path(const std::string& path) {
  std::string trimmed = path;
  while (trimmed.size() > 1 && trimmed.back() == '/') trimmed.pop_back();
  const std::size_t slash = trimmed.rfind('/');
  std::string parent = slash == std::string::npos ? "." : trimmed.substr(0, slash);
  if (parent.empty()) parent = "/";
  const std::string last = slash == std::string::npos ? trimmed : trimmed.substr(slash + 1);
  // "." and ".." have no name of their own: then the whole path must be there.
  const bool whole = last.empty() || last == "." || last == "..";
  const std::unique_ptr<char, decltype(&std::free)> real(
      ::realpath(whole ? trimmed.c_str() : parent.c_str(), nullptr), &std::free);
  if (!real) return fail(system_error(errno, "cannot find the directory", path));
  std::string settled = real.get();
  if (whole) return settled;
  if (settled.back() != '/') settled += '/';
  return settled + last;
}

}  // namespace asl::fusefs
