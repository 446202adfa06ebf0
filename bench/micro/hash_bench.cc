// Bytes per second of the hash functions. "same data" counts the data once, as a file's digest and its
// extents' are made of it.
#include <benchmark/benchmark.h>
#include <random>
#include <string>
#include <vector>

#include <asl/engine/hash.h>

#include "base/sha256_kernel.h"

namespace asl {
namespace {

constexpr std::size_t kBufferSize = 1U << 20;

AlignedBuffer random_buffer(std::size_t size) {
  AlignedBuffer buffer(size);
  std::mt19937_64 random(1);
  for (std::size_t i = 0; i < buffer.size(); i += 8) store_le<std::uint64_t>(buffer.data() + i, random());
  return buffer;
}

void count_bytes(benchmark::State& state, std::size_t each_round) {
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(each_round));
}

void one_stream(benchmark::State& state, const Sha256Kernel* kernel) {
  if (kernel == nullptr) return state.SkipWithError("this processor has no such instructions");
  const AlignedBuffer buffer = random_buffer(kBufferSize);
  Sha256State hash = kSha256Initial;
  for (auto _ : state) kernel->one(hash, buffer.data(), buffer.size() / kSha256BlockSize);
  benchmark::DoNotOptimize(hash);
  count_bytes(state, buffer.size());
}
BENCHMARK_CAPTURE(one_stream, openssl, &sha256_kernel_openssl());
BENCHMARK_CAPTURE(one_stream, sha_ni, sha256_kernel_sha_ni());

void two_streams_same_data(benchmark::State& state, const Sha256Kernel* kernel) {
  if (kernel == nullptr) return state.SkipWithError("this processor has no such instructions");
  const AlignedBuffer buffer = random_buffer(kBufferSize);
  Sha256State a = kSha256Initial;
  Sha256State b = kSha256Initial;
  for (auto _ : state) kernel->two(a, buffer.data(), b, buffer.data(), buffer.size() / kSha256BlockSize);
  benchmark::DoNotOptimize(a);
  benchmark::DoNotOptimize(b);
  count_bytes(state, buffer.size());
}
BENCHMARK_CAPTURE(two_streams_same_data, openssl, &sha256_kernel_openssl());
BENCHMARK_CAPTURE(two_streams_same_data, sha_ni, sha256_kernel_sha_ni());

// range(0) messages of range(1) bytes each.
void many_messages(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const auto size = static_cast<std::size_t>(state.range(1));
  const AlignedBuffer buffer = random_buffer(count * size);
  std::vector<ByteSpan> messages;
  for (std::size_t i = 0; i < count; ++i) messages.push_back(buffer.span().subspan(i * size, size));
  std::vector<Digest> digests(count);
  for (auto _ : state) sha256_many(messages, digests);
  benchmark::DoNotOptimize(digests);
  count_bytes(state, count * size);
}
BENCHMARK(many_messages)
    ->Args({2, 65536})
    ->Args({16, 1024})
    ->Args({16, 4096})
    ->Args({64, 65536})
    ->Args({16, 524288});

void page_sums(benchmark::State& state) {
  const AlignedBuffer buffer = random_buffer(kPageSize);
  for (auto _ : state) benchmark::DoNotOptimize(xxh3(buffer.span()));
  count_bytes(state, buffer.size());
}
BENCHMARK(page_sums);

void zeros(benchmark::State& state) {
  AlignedBuffer buffer(kBufferSize);
  std::memset(buffer.data(), 0, buffer.size());
  for (auto _ : state) benchmark::DoNotOptimize(all_zero(buffer.span()));
  count_bytes(state, buffer.size());
}
BENCHMARK(zeros);

}  // namespace
}  // namespace asl

BENCHMARK_MAIN();
