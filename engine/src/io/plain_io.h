// Synchronous system calls behind the I/O seam; also the base of the io_uring implementation.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <asl/engine/io.h>

namespace asl::io {

// Stateless, and so thread-safe.
class PlainIo : public Io {
 public:
  Result<File> open(const std::string& path, const OpenOptions& options) override;
  Result<File> open_at(const File& directory, const std::string& name, const OpenOptions& options) override;
  Result<std::size_t> read(const File& file, MutableByteSpan into, std::uint64_t offset) override;
  Result<void> write(const File& file, ByteSpan from, std::uint64_t offset) override;
  Result<void> truncate(const File& file, std::uint64_t length) override;
  Result<void> allocate(const File& file, std::uint64_t length) override;
  Result<void> sync_data(const File& file) override;
  Result<void> sync(const File& file) override;
  Result<struct stat> status(const File& file) override;
  Result<struct stat> status(const std::string& path) override;
  Result<std::vector<ListedEntry>> list(const std::string& path) override;
  Result<void> make_directory(const std::string& path) override;
  Result<void> rename(const std::string& from, const std::string& to, bool replace) override;
  Result<void> link(const std::string& from, const std::string& to) override;
  Result<void> remove(const std::string& path) override;
  Result<void> remove_directory(const std::string& path) override;
  Result<void> sync_directory(const std::string& path) override;
  Result<std::unique_ptr<Lock>> lock(const std::string& path, std::uint32_t wait_ms) override;
  Result<std::unique_ptr<Queue>> make_queue(std::size_t capacity) override;

 protected:
  void close(int fd) override;
};

}  // namespace asl::io
