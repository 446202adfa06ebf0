// Scans a directory source: lists, stats, decides what must be read, and builds trees bottom-up as contents
// arrive.
#pragma once

#include <memory>
#include <string>

#include <asl/engine/error.h>
#include <asl/engine/tree.h>

#include "ingest/ingest_run.h"
#include "ingest/scan_node.h"
#include "ingest/work_queue.h"

namespace asl {

// The number of names worked off at a time in one directory, and how many such chunks may wait for an earlier
// one: together they bound what a directory of any size holds in memory (about 20 MiB).
inline constexpr std::size_t kChunkNames = 1024;
inline constexpr std::size_t kChunksWaitingMax = 16;
// A batch of files that one reader takes at once: a directory's worth of small files, or one larger file.
inline constexpr std::size_t kBatchFilesMax = 128;
inline constexpr std::uint64_t kBatchBytesMax = 16 << 20;
// Files waiting to be read. Keeps the scan a little ahead of the readers and no further.
inline constexpr std::size_t kQueuedFilesMax = 4096;
// Directories nested deeper are not entered: each level keeps a descriptor open.
inline constexpr unsigned kDepthMax = 4096;

// One directory source. scan() runs in several threads at once; readers take batches() and report each with
// batch_done(). All threads end when the root's tree is finished or the run is aborted.
class TreeScanner {
 public:
  // `root_path` is where to look, `snapshot_prefix` where the source stands inside the snapshot ("" if it is
  // the snapshot itself). `root` is filled when the scan ends.
  TreeScanner(IngestRun& run, StatCache* stat_cache, std::string root_path, std::string snapshot_prefix,
              Entry& root);

  void scan();
  BoundedQueue<FileBatch>& batches() { return batches_; }
  // Ends every wait, of scans and of readers. Thread-safe.
  void close();
  // Every file of the batch has its content, or its problem.
  void batch_done(const FileBatch& batch);

  // The path by which people know an entry: below the root as given.
  std::string shown_path(const ScanNode& node, std::string_view name) const;
  // Where it stands in the snapshot.
  std::string snapshot_path(const ScanNode& node, std::string_view name) const;
  StatCache* stat_cache() const { return stat_cache_; }

 private:
  struct Task {
    ScanNode* node = nullptr;
    bool open = false;  // the directory is yet to be opened and listed
  };

  // What one chunk gives others to do.
  struct HandOut {
    std::vector<Task> directories;
    std::vector<FileBatch> batches;
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;
    void add_file(ScanChunk& chunk, std::size_t index, RereadReason reason);
  };

  Result<void> open_directory(ScanNode& node);
  Result<void> list(ScanNode& node);
  Result<bool> keep_only_marker(ScanNode& node);
  Result<void> scan_chunk(ScanNode& node);
  void stat_names(ScanNode& node, ScanChunk& chunk, std::size_t first, std::size_t count);
  Result<void> sort_out(ScanNode& node, ScanChunk& chunk, HandOut& work);
  Result<bool> enter_directory(ScanNode& node, ScanChunk& chunk, std::size_t index, HandOut& work);
  void add_directory(ScanNode& node, ScanChunk& chunk, std::size_t index, std::vector<Task>& tasks);
  void hand_out(ScanNode& node, ScanChunk& chunk, HandOut& work);
  Result<void> scan_entry(ScanNode& node, ScanChunk& chunk, std::size_t index);
  bool take_unchanged(const ScanNode& node, ScanEntry& item, const std::optional<StatRow>& row,
                      RereadReason& reason);
  bool row_still_holds(const ScanNode& node, const ScanEntry& item, const StatRow& row);
  void chunk_part_done(ScanChunk* chunk);
  ScanNode* emit_ready_chunks(ScanNode& node);
  ScanChunk* finish_node(ScanNode& node);
  Result<void> run_task(const Task& task);

  IngestRun& run_;
  StatCache* stat_cache_;
  const std::string root_path_;
  const std::string snapshot_prefix_;
  Entry& root_entry_;
  std::unique_ptr<ScanNode> root_;
  WorkStack<Task> stack_;
  BoundedQueue<FileBatch> batches_{kQueuedFilesMax};
  std::uint64_t excluded_device_ = 0;  // the host root, which never holds itself
  std::uint64_t excluded_inode_ = 0;
};

}  // namespace asl
