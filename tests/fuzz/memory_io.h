// A file system of a few files in memory, so that readers of files can be given a hundred thousand of them a
// minute.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "io/plain_io.h"

namespace asl::fuzz {

// Files by path; directories are what their paths say. Everything is durable at once. Not thread-safe.
class MemoryIo final : public io::PlainIo {
 public:
  void put(const std::string& path, ByteSpan bytes) { files_[path] = Bytes(bytes.begin(), bytes.end()); }
  // Null if there is none.
  const Bytes* find(const std::string& path) const;

  Result<io::File> open(const std::string& path, const io::OpenOptions& options) override;
  Result<io::File> open_at(const io::File& directory, const std::string& name,
                           const io::OpenOptions& options) override;
  Result<std::size_t> read(const io::File& file, MutableByteSpan into, std::uint64_t offset) override;
  Result<void> write(const io::File& file, ByteSpan from, std::uint64_t offset) override;
  Result<void> truncate(const io::File& file, std::uint64_t length) override;
  Result<void> allocate(const io::File& file, std::uint64_t length) override;
  Result<void> sync_data(const io::File&) override { return {}; }
  Result<void> sync(const io::File&) override { return {}; }
  Result<struct stat> status(const io::File& file) override;
  Result<struct stat> status(const std::string& path) override;
  Result<std::vector<io::ListedEntry>> list(const std::string& path) override;
  Result<void> rename(const std::string& from, const std::string& to, bool replace) override;
  Result<void> remove(const std::string& path) override;
  Result<void> sync_directory(const std::string&) override { return {}; }

 protected:
  void close(int) override {}

 private:
  Bytes& content(const io::File& file);

  std::map<std::string, Bytes> files_;
  std::vector<std::string> opened_;  // by descriptor
};

}  // namespace asl::fuzz
