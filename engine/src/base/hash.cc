#include <asl/engine/hash.h>

#define XXH_INLINE_ALL
#include <algorithm>
#include <cstring>
#include <xxhash.h>

#include "base/sha256_kernel.h"

namespace asl {
namespace {

std::size_t pending_size(std::uint64_t length) {
  return length % kSha256BlockSize;
}

// Completes a partly filled block from the front of `bytes`, so that the rest can be taken in place.
ByteSpan fill_pending(Sha256State& state, std::uint64_t& length, std::array<std::byte, 64>& pending,
                      ByteSpan bytes) {
  const std::size_t used = pending_size(length);
  if (used == 0) return bytes;
  const std::size_t taken = std::min(bytes.size(), kSha256BlockSize - used);
  // memcpy wants valid pointers even for nothing.
  if (taken == 0) return bytes;
  std::memcpy(pending.data() + used, bytes.data(), taken);
  length += taken;
  if (used + taken == kSha256BlockSize) sha256_kernel_best().one(state, pending.data(), 1);
  return bytes.subspan(taken);
}

}  // namespace

std::size_t sha256_pad(Sha256Tail& tail, ByteSpan rest, std::uint64_t length) {
  constexpr std::size_t kLengthSize = 8;  // the message's length in bits ends the padding
  constexpr std::byte kEndMark{0x80};
  tail.fill(std::byte{0});
  std::ranges::copy(rest, tail.begin());
  tail[rest.size()] = kEndMark;
  const std::size_t blocks = rest.size() + 1 + kLengthSize <= kSha256BlockSize ? 1 : 2;
  store_be(tail.data() + blocks * kSha256BlockSize - kLengthSize, length * 8);
  return blocks;
}

Digest sha256_digest_of(const Sha256State& state) {
  Digest digest;
  for (std::size_t i = 0; i < state.size(); ++i) store_be(digest.data() + 4 * i, state[i]);
  return digest;
}

Sha256::Sha256() : state_(kSha256Initial) {}

void Sha256::update(ByteSpan bytes) {
  bytes = fill_pending(state_, length_, pending_, bytes);
  if (bytes.empty()) return;
  const std::size_t blocks = bytes.size() / kSha256BlockSize;
  if (blocks != 0) sha256_kernel_best().one(state_, bytes.data(), blocks);
  const ByteSpan rest = bytes.subspan(blocks * kSha256BlockSize);
  if (!rest.empty()) std::memcpy(pending_.data(), rest.data(), rest.size());
  length_ += bytes.size();
}

void Sha256::update_pair(Sha256& a, ByteSpan a_bytes, Sha256& b, ByteSpan b_bytes) {
  a_bytes = fill_pending(a.state_, a.length_, a.pending_, a_bytes);
  b_bytes = fill_pending(b.state_, b.length_, b.pending_, b_bytes);
  const std::size_t blocks = std::min(a_bytes.size(), b_bytes.size()) / kSha256BlockSize;
  const std::size_t size = blocks * kSha256BlockSize;
  if (blocks != 0) {
    sha256_kernel_best().two(a.state_, a_bytes.data(), b.state_, b_bytes.data(), blocks);
    a.length_ += size;
    b.length_ += size;
  }
  a.update(a_bytes.subspan(size));
  b.update(b_bytes.subspan(size));
}

Digest Sha256::finish() {
  Sha256Tail tail;
  const std::size_t blocks = sha256_pad(tail, ByteSpan(pending_).first(pending_size(length_)), length_);
  sha256_kernel_best().one(state_, tail.data(), blocks);
  return sha256_digest_of(state_);
}

Digest sha256(ByteSpan bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

void sha256_many(std::span<const ByteSpan> messages, std::span<Digest> digests) {
  sha256_many_with(sha256_kernel_best(), sha256_kernel_avx512(), messages, digests);
}

std::uint64_t xxh3(ByteSpan bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

}  // namespace asl
