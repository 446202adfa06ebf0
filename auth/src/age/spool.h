// Where bytes wait: in memory while they are few, then in an unnamed file.
#pragma once

#include <string>

#include <asl/auth/age.h>

namespace asl::auth {

class Spool {
 public:
  explicit Spool(std::string directory) : directory_(std::move(directory)) {}
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;
  ~Spool();

  Result<void> write(ByteSpan bytes);
  // From the beginning; nothing may be written any more.
  ByteSource reader();

 private:
  Result<void> open();
  Result<void> append(ByteSpan bytes);
  Result<std::size_t> read_at(MutableByteSpan into, std::uint64_t offset) const;

  std::string directory_;
  Bytes memory_;
  std::uint64_t size_ = 0;
  int fd_ = -1;
};

}  // namespace asl::auth
