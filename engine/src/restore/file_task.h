// Files on their way from the scan to the threads that write them.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include <asl/engine/tree.h>

#include "ingest/work_queue.h"
#include "restore/content_map.h"
#include "restore/entry_placer.h"
#include "restore/target_tree.h"

namespace asl {

// Files that are longer than this by half and more are written by several threads, a chunk each. A multiple
// of the page size, so that no two threads write one page.
inline constexpr std::uint64_t kRestoreChunkBytes = 32 << 20;
static_assert(kRestoreChunkBytes % kPageSize == 0);
// What one thread takes at once: enough that the order on disk can be followed, and little enough that all
// threads have some.
inline constexpr std::uint64_t kRestoreBatchBytes = 16 << 20;
inline constexpr std::size_t kRestoreBatchFiles = 512;

// One entry that is no directory. Shared by its chunks; the last one finishes it.
struct RestoreTask {
  RestoreTask(EntryPlacer& entry_placer, std::shared_ptr<TargetDirectory> in, const Entry& of)
      : placer(entry_placer), directory(std::move(in)), entry(of) {}
  RestoreTask(const RestoreTask&) = delete;
  RestoreTask& operator=(const RestoreTask&) = delete;
  // Only a run that ends early leaves a file unfinished.
  ~RestoreTask() {
    if (placed.file) placer.abandon(placed);
  }

  EntryPlacer& placer;
  const std::shared_ptr<TargetDirectory> directory;
  const Entry entry;
  std::atomic<std::uint32_t> chunks_left{1};

  std::mutex mutex;  // guards what follows
  enum class State : std::uint8_t { kNew, kPlaced, kDropped } state = State::kNew;
  PlacedFile placed;
  bool size_set = false;
  std::optional<ContentMap> content;
  std::vector<LostPart> lost;
  std::uint64_t written_end = 0;
  std::optional<Error> write_error;
};

// A part of a file, or a whole small one.
struct RestoreChunk {
  std::shared_ptr<RestoreTask> task;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

using RestoreBatch = std::vector<RestoreChunk>;
using RestoreQueue = BoundedQueue<RestoreBatch>;

}  // namespace asl
