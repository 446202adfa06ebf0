// Memory for secrets, and a process that does not leak them.
#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include <asl/engine/bytes.h>
#include <asl/engine/error.h>

namespace asl::auth {

// Starts libsodium; every function here that needs it calls this by itself. Aborts the process if libsodium
// cannot start: nothing it would then do could be trusted.
void start_crypto();

// Keeps the secrets of this process out of core files and away from other processes of the same user: no
// core dumps, not dumpable (so no ptrace and no /proc/PID/mem without privileges). Call before the first
// secret is read. kRefused if the kernel declines.
Result<void> protect_process();

// Bytes that are locked into memory, fenced by guard pages, kept out of core files, and wiped when freed
// (sodium_malloc). Zero-filled at first. Movable, not copyable. Throws std::bad_alloc.
// Where RLIMIT_MEMLOCK is used up the bytes are not locked, and may reach swap space.
class SecretBytes {
 public:
  SecretBytes() = default;
  explicit SecretBytes(std::size_t size);
  SecretBytes(SecretBytes&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  SecretBytes& operator=(SecretBytes&& other) noexcept;
  ~SecretBytes();

  std::byte* data() { return data_; }
  const std::byte* data() const { return data_; }
  unsigned char* raw() { return reinterpret_cast<unsigned char*>(data_); }
  const unsigned char* raw() const { return reinterpret_cast<const unsigned char*>(data_); }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  ByteSpan span() const { return {data_, size_}; }
  MutableByteSpan span() { return {data_, size_}; }

  SecretBytes clone() const;
  // The first `size` bytes; what follows is wiped.
  void shrink(std::size_t size);

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

// Constant time for equal sizes.
bool equal_secrets(ByteSpan a, ByteSpan b);
SecretBytes random_secret(std::size_t size);

}  // namespace asl::auth
