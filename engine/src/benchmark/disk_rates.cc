#include "benchmark/disk_rates.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <vector>

#include <asl/engine/bytes.h>

namespace asl {
namespace {

using Clock = std::chrono::steady_clock;

// Long and several at once: what the store's own block writer and readers do at their best.
constexpr std::size_t kPieceBytes = 8 << 20;
constexpr std::size_t kPieces = 4;
constexpr std::size_t kSyncedBytes = 4096;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// splitmix64 (Steele, Lea, Flood 2014): fast, and no two pages alike.
void fill(MutableByteSpan page, std::uint64_t number) {
  std::uint64_t state = number * 0x9E3779B97F4A7C15ULL;
  for (std::size_t at = 0; at < page.size(); at += 8) {
    state += 0x9E3779B97F4A7C15ULL;
    std::uint64_t mixed = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9ULL;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBULL;
    store_le(page.data() + at, mixed ^ (mixed >> 31));
  }
}

// Every page differs from every other by its number; the rest of it may repeat from piece to piece.
void stamp(MutableByteSpan piece, std::uint64_t first_page) {
  for (std::size_t at = 0; at < piece.size(); at += kPageSize)
    fill(piece.subspan(at, 64), first_page + at / kPageSize);
}

// Runs pieces of a file through a queue, a few at a time, in order.
template <typename Start>
Result<void> transfer(io::Queue& queue, std::uint64_t size_bytes, ProgressCounters& progress,
                      const StopToken& stop, const Start& start) {
  std::uint64_t next = 0;
  std::uint64_t done = 0;
  std::vector<std::size_t> idle;
  for (std::size_t k = 0; k < kPieces; ++k) idle.push_back(k);
  std::array<io::Completion, kPieces> finished;
  while (done < size_bytes) {
    ASL_TRY(stop.check());
    while (!idle.empty() && next < size_bytes) {
      ASL_TRY(start(idle.back(), next));
      idle.pop_back();
      next += kPieceBytes;
    }
    ASL_ASSIGN(const std::size_t count, queue.reap(finished, true));
    for (std::size_t k = 0; k < count; ++k) {
      if (finished[k].result < 0)
        return fail(system_error(static_cast<int>(-finished[k].result), "cannot transfer"));
      if (static_cast<std::uint64_t>(finished[k].result) != kPieceBytes)
        return fail(ErrorCode::kIo, "the disk transferred less than it was asked for");
      idle.push_back(finished[k].token);
      done += kPieceBytes;
      progress_add(progress.bytes_done, kPieceBytes);
    }
  }
  return {};
}

}  // namespace

Result<BenchmarkRate> measure_write(io::Io& io, const std::string& path, std::uint64_t size_bytes,
                                    ProgressCounters& progress, const StopToken& stop) {
  std::vector<AlignedBuffer> pieces;
  for (std::size_t k = 0; k < kPieces; ++k) {
    pieces.emplace_back(kPieceBytes);
    for (std::size_t at = 0; at < kPieceBytes; at += kPageSize)
      fill(pieces[k].span().subspan(at, kPageSize), ~(k * kPieceBytes + at));
  }
  ASL_ASSIGN(const io::File file, io.open(path, {.write = true, .create_new = true, .direct = true}));
  // As blocks are: the disk is measured, not the file system's way of finding room.
  if (auto room = io.allocate(file, size_bytes); !room && room.error().code != ErrorCode::kUnsupported)
    return fail(std::move(room).error());
  ASL_ASSIGN(const auto queue, io.make_queue(kPieces));
  const auto began = Clock::now();
  ASL_TRY(transfer(*queue, size_bytes, progress, stop, [&](std::size_t piece, std::uint64_t offset) {
    stamp(pieces[piece].span(), offset / kPageSize);
    return queue->write(file, pieces[piece].span(), offset, piece);
  }));
  ASL_TRY(io.sync(file));
  return BenchmarkRate{size_bytes, seconds_since(began)};
}

Result<BenchmarkRate> measure_read(io::Io& io, const std::string& path, ProgressCounters& progress,
                                   const StopToken& stop) {
  std::vector<AlignedBuffer> pieces;
  for (std::size_t k = 0; k < kPieces; ++k) pieces.emplace_back(kPieceBytes);
  ASL_ASSIGN(const io::File file, io.open(path, {.direct = true}));
  ASL_ASSIGN(const struct stat status, io.status(file));
  const auto size_bytes = static_cast<std::uint64_t>(status.st_size);
  ASL_ASSIGN(const auto queue, io.make_queue(kPieces));
  const auto began = Clock::now();
  ASL_TRY(transfer(*queue, size_bytes, progress, stop, [&](std::size_t piece, std::uint64_t offset) {
    return queue->read(file, pieces[piece].span(), offset, piece);
  }));
  return BenchmarkRate{size_bytes, seconds_since(began)};
}

Result<SyncTimes> measure_syncs(io::Io& io, const std::string& path, std::uint32_t count,
                                const StopToken& stop) {
  AlignedBuffer page(kSyncedBytes);
  ASL_ASSIGN(const io::File file, io.open(path, {.write = true, .create_new = true, .direct = true}));
  ASL_TRY(io.write(file, page.span(), 0));
  ASL_TRY(io.sync(file));
  std::vector<double> times;
  for (std::uint32_t k = 0; k < count; ++k) {
    ASL_TRY(stop.check());
    fill(page.span(), k);
    const auto began = Clock::now();
    ASL_TRY(io.write(file, page.span(), 0));
    ASL_TRY(io.sync_data(file));
    times.push_back(seconds_since(began));
  }
  if (times.empty()) return SyncTimes{};
  std::ranges::sort(times);
  return SyncTimes{.median_s = times[times.size() / 2], .worst_s = times.back()};
}

}  // namespace asl
