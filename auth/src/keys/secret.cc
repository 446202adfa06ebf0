#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <sodium.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <asl/auth/secret.h>

namespace asl::auth {

void start_crypto() {
  if (sodium_init() >= 0) return;
  std::fputs("asl: libsodium cannot start\n", stderr);
  std::abort();
}

Result<void> protect_process() {
  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
  if (::setrlimit(RLIMIT_CORE, &none) != 0) return fail(system_error(errno, "cannot turn core dumps off"));
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
    return fail(system_error(errno, "cannot close this process to debuggers"));
  start_crypto();
  return {};
}

SecretBytes::SecretBytes(std::size_t size) : size_(size) {
  start_crypto();
  data_ = static_cast<std::byte*>(sodium_malloc(size == 0 ? 1 : size));
  if (data_ == nullptr) throw std::bad_alloc();
  if (size > 0) sodium_memzero(data_, size);
}

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

SecretBytes::~SecretBytes() {
  sodium_free(data_);
}

SecretBytes SecretBytes::clone() const {
  SecretBytes copy(size_);
  if (size_ > 0) std::memcpy(copy.data(), data_, size_);
  return copy;
}

void SecretBytes::shrink(std::size_t size) {
  if (size >= size_) return;
  sodium_memzero(data_ + size, size_ - size);
  size_ = size;
}

bool equal_secrets(ByteSpan a, ByteSpan b) {
  return a.size() == b.size() && (a.empty() || sodium_memcmp(a.data(), b.data(), a.size()) == 0);
}

SecretBytes random_secret(std::size_t size) {
  SecretBytes bytes(size);
  randombytes_buf(bytes.data(), bytes.size());
  return bytes;
}

}  // namespace asl::auth
