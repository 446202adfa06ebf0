// Reads the groups of one log file in pieces.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include <asl/engine/bytes.h>
#include <asl/engine/io.h>

#include "log/log_format.h"

namespace asl {

// One thread. Holds at most two groups' worth of bytes (kLogGroupMax).
class LogScanner {
 public:
  // Takes the file's length as it is now; refresh() takes it again.
  static Result<LogScanner> open(io::Io& io, std::string path);

  const std::string& path() const { return path_; }
  const io::File& file() const { return file_; }
  std::uint64_t size() const { return size_; }
  // Every byte handed out so far lies before this offset.
  std::uint64_t read_end() const { return read_end_; }

  Result<void> refresh();
  // The header page; shorter if the file is.
  Result<Bytes> header();
  // The group at `offset`; its payloads are valid until the next call. An I/O error is the outer Result;
  // a group that is cut off by the end of the file is kBroken.
  Result<std::expected<ParsedGroup, GroupProblem>> group_at(std::uint64_t offset);
  // The first multiple of kLogAlignment at or after `offset` that holds a group which verifies from its own
  // previous hash (kInvalid ones count), if any.
  Result<std::optional<std::uint64_t>> find_group(std::uint64_t offset);

 private:
  LogScanner(io::Io& io, io::File file, std::string path)
      : io_(&io), file_(std::move(file)), path_(std::move(path)) {}
  Result<void> fill(std::uint64_t offset, std::size_t length);
  ByteSpan window(std::uint64_t offset) const;

  io::Io* io_;
  io::File file_;
  std::string path_;
  std::uint64_t size_ = 0;
  std::uint64_t read_end_ = 0;
  Bytes buffer_;
  std::uint64_t buffer_offset_ = 0;
};

}  // namespace asl
