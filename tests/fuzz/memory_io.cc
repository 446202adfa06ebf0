#include "memory_io.h"

#include <algorithm>
#include <cerrno>
#include <dirent.h>

namespace asl::fuzz {
namespace {

// No file of a target is larger: a decoder that asks for more has believed a length it was given.
constexpr std::uint64_t kFileSizeMax = 256 << 20;

struct stat status_of(const Bytes& content) {
  struct stat status = {};
  status.st_mode = S_IFREG | 0600;
  status.st_nlink = 1;
  status.st_size = static_cast<off_t>(content.size());
  return status;
}

}  // namespace

const Bytes* MemoryIo::find(const std::string& path) const {
  const auto found = files_.find(path);
  return found == files_.end() ? nullptr : &found->second;
}

Bytes& MemoryIo::content(const io::File& file) {
  return files_.at(opened_.at(static_cast<std::size_t>(file.fd())));
}

Result<io::File> MemoryIo::open(const std::string& path, const io::OpenOptions& options) {
  const bool there = files_.contains(path);
  if (!there && !options.create_new) return fail(system_error(ENOENT, "cannot open", path));
  if (there && options.create_new) return fail(system_error(EEXIST, "cannot create", path));
  files_[path];
  opened_.push_back(path);
  return io::File(this, static_cast<int>(opened_.size() - 1));
}

Result<io::File> MemoryIo::open_at(const io::File&, const std::string& name, const io::OpenOptions&) {
  return fail(system_error(ENOTSUP, "cannot open", name));
}

Result<std::size_t> MemoryIo::read(const io::File& file, MutableByteSpan into, std::uint64_t offset) {
  const Bytes& from = content(file);
  if (offset >= from.size()) return std::size_t{0};
  const std::size_t count = std::min<std::uint64_t>(into.size(), from.size() - offset);
  std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(offset), count, into.begin());
  return count;
}

Result<void> MemoryIo::write(const io::File& file, ByteSpan from, std::uint64_t offset) {
  Bytes& to = content(file);
  if (offset + from.size() > kFileSizeMax) return fail(system_error(EFBIG, "cannot write"));
  if (to.size() < offset + from.size()) to.resize(offset + from.size());
  std::ranges::copy(from, to.begin() + static_cast<std::ptrdiff_t>(offset));
  return {};
}

Result<void> MemoryIo::truncate(const io::File& file, std::uint64_t length) {
  if (length > kFileSizeMax) return fail(system_error(EFBIG, "cannot truncate"));
  content(file).resize(length);
  return {};
}

Result<void> MemoryIo::allocate(const io::File& file, std::uint64_t length) {
  if (content(file).size() < length) return truncate(file, length);
  return {};
}

Result<struct stat> MemoryIo::status(const io::File& file) {
  return status_of(content(file));
}

Result<struct stat> MemoryIo::status(const std::string& path) {
  const Bytes* found = find(path);
  if (found == nullptr) return fail(system_error(ENOENT, "cannot look at", path));
  return status_of(*found);
}

Result<std::vector<io::ListedEntry>> MemoryIo::list(const std::string& path) {
  std::vector<io::ListedEntry> entries;
  const std::string prefix = path + "/";
  for (const auto& [file, content] : files_) {
    if (!file.starts_with(prefix) || file.find('/', prefix.size()) != std::string::npos) continue;
    entries.push_back({.name = file.substr(prefix.size()), .inode = entries.size() + 1, .type = DT_REG});
  }
  return entries;
}

Result<void> MemoryIo::rename(const std::string& from, const std::string& to, bool replace) {
  const auto found = files_.find(from);
  if (found == files_.end()) return fail(system_error(ENOENT, "cannot rename", from));
  if (!replace && files_.contains(to)) return fail(system_error(EEXIST, "cannot rename", to));
  files_[to] = std::move(found->second);
  files_.erase(from);
  return {};
}

Result<void> MemoryIo::remove(const std::string& path) {
  if (files_.erase(path) == 0) return fail(system_error(ENOENT, "cannot remove", path));
  return {};
}

}  // namespace asl::fuzz
