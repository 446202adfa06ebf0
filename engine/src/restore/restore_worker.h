// One of the threads that write files: takes batches, reads their extents in the order they lie in the store,
// and writes.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include <asl/engine/error.h>

#include "block/batch_reader.h"
#include "restore/file_task.h"
#include "restore/output_writer.h"
#include "restore/restore_run.h"

namespace asl {

class RestoreWorker {
 public:
  static Result<std::unique_ptr<RestoreWorker>> create(RestoreRun& run, TargetTree& tree,
                                                       EntryPlacer& placer);

  // Until the queue is closed and empty, or the run must stop. Fails only where the thread itself cannot go
  // on.
  Result<void> work(RestoreQueue& queue);

 private:
  // A chunk of the batch at hand, or one whose writes are not done yet.
  struct Active {
    std::shared_ptr<RestoreTask> task;
    OutputStream stream;
    std::vector<ContentPart> parts;  // with data
    bool dropped = false;            // nothing is to be written after all
  };
  using ActiveList = std::vector<std::unique_ptr<Active>>;

  RestoreWorker(RestoreRun& run, TargetTree& tree, EntryPlacer& placer)
      : run_(run), tree_(tree), placer_(placer) {}

  Result<void> process(const RestoreBatch& batch);
  std::unique_ptr<Active> plan(const RestoreChunk& chunk);
  bool begin_task(RestoreTask& task);
  bool place(RestoreTask& task);
  Result<void> copy();
  Result<void> take_part(Active& active, const ContentPart& part, Result<ByteSpan> raw);
  Result<void> end_chunk(std::unique_ptr<Active> active);
  Result<void> finish_done(bool wait);
  void finish_chunk(Active& active);
  void finish_task(RestoreTask& task);
  void drop_task(RestoreTask& task);
  Result<void> set_size(RestoreTask& task);
  void report_missing(RestoreTask& task);

  RestoreRun& run_;
  TargetTree& tree_;
  EntryPlacer& placer_;
  std::unique_ptr<BatchReader> reader_;
  ActiveList batch_;                                            // the batch at hand
  std::unordered_map<Active*, std::unique_ptr<Active>> ended_;  // writes in flight
  // Last: it waits for its writes, and until then nobody may close their files.
  std::unique_ptr<OutputWriter> writer_;
};

}  // namespace asl
