// SHA-256, as fast as the processor allows: one stream, two at once, or many messages.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include <asl/engine/bytes.h>

namespace asl {

// An incremental SHA-256. Copyable (a copy continues independently); not thread-safe.
// With SHA-NI it runs this project's kernel, otherwise OpenSSL's; both are compared in tests.
class Sha256 {
 public:
  Sha256();
  void update(ByteSpan bytes);
  // The digest of everything so far. The object must not be used afterwards, except by assignment.
  Digest finish();

  // Feeds `a_bytes` to `a` and `b_bytes` to `b`. On processors with SHA-NI the two streams are interleaved in
  // one kernel and together cost about as much as one: a file's hash and its extents' hashes are made this
  // way.
  static void update_pair(Sha256& a, ByteSpan a_bytes, Sha256& b, ByteSpan b_bytes);

 private:
  std::array<std::uint32_t, 8> state_;
  std::uint64_t length_ = 0;           // bytes so far
  std::array<std::byte, 64> pending_;  // length_ % 64 bytes are in use
};

Digest sha256(ByteSpan bytes);

// digests[i] = SHA-256 of messages[i], for messages that do not depend on each other: a window of small
// files, the extents of a run. On processors with AVX-512 sixteen at a time, which is more than twice as fast
// as one after the other (a few messages gain less; one, nothing). Lengths may differ. Both spans have the
// same size.
void sha256_many(std::span<const ByteSpan> messages, std::span<Digest> digests);

// XXH3-64: the page sums of segments.
std::uint64_t xxh3(ByteSpan bytes);

}  // namespace asl
