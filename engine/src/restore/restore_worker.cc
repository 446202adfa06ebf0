#include "restore/restore_worker.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "io/target_fs.h"

namespace asl {
namespace {

using Kind = RestoreProblemKind;
using State = RestoreTask::State;

// The one attribute of ours that lies on a restored file: ranges that were not read, as "0x<offset>
// 0x<length> <status>" lines, status as in a ddrescue mapfile. One block of ext4 must hold it.
constexpr const char* kBadRangesXattr = "user.asl.bad_ranges";
constexpr std::size_t kBadRangesBytesMax = 3500;

struct BadRange {
  std::uint64_t offset;
  std::uint64_t length;
  char status;
};

std::string bad_ranges_text(const std::vector<BadRange>& ranges) {
  std::string text;
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    const BadRange& range = ranges[i];
    if (text.size() > kBadRangesBytesMax) {
      text += fmt::format("# and {} more\n", ranges.size() - i);
      break;
    }
    text += fmt::format("{:#x} {:#x} {}\n", range.offset, range.length, range.status);
  }
  return text;
}

// Where to begin reading; by it the files of a batch are sorted.
bool lies_before(const ContentPart& a, const ContentPart& b) {
  return std::tie(a.location.block, a.location.offset_bytes) <
         std::tie(b.location.block, b.location.offset_bytes);
}

}  // namespace

Result<std::unique_ptr<RestoreWorker>> RestoreWorker::create(RestoreRun& run, TargetTree& tree,
                                                             EntryPlacer& placer) {
  std::unique_ptr<RestoreWorker> worker(new RestoreWorker(run, tree, placer));
  BatchReaderOptions options;
  options.verify = run.domain.options().verify != VerifyReads::kNever;
  ASL_ASSIGN(worker->reader_, BatchReader::create(run.domain.blocks(), options));
  ASL_ASSIGN(worker->writer_, OutputWriter::create(run.target_io));
  return worker;
}

Result<void> RestoreWorker::work(RestoreQueue& queue) {
  while (!run_.must_stop()) {
    auto batch = queue.pop(false);
    if (!batch) {
      // Nothing to read for the moment: time to finish what is being written.
      ASL_TRY(finish_done(true));
      batch = queue.pop(true);
      if (!batch) return {};
    }
    ASL_TRY(process(*batch));
  }
  return finish_done(true);
}

Result<void> RestoreWorker::process(const RestoreBatch& batch) {
  batch_.clear();
  for (const RestoreChunk& chunk : batch) {
    if (run_.must_stop()) return {};
    if (chunk.task->entry.type != EntryType::kFile) {
      placer_.place_other(*chunk.task->directory, chunk.task->entry);
      progress_add(run_.progress.files_done, 1);
      tree_.release(chunk.task->directory);
    } else if (auto planned = plan(chunk)) {
      if (planned->parts.empty())
        ASL_TRY(end_chunk(std::move(planned)));
      else
        batch_.push_back(std::move(planned));
    }
  }
  std::ranges::stable_sort(
      batch_, [](const auto& a, const auto& b) { return lies_before(a->parts.front(), b->parts.front()); });
  return copy();
}

// What of a chunk is to be read. Null if its file is not to be written (and then it is done).
std::unique_ptr<RestoreWorker::Active> RestoreWorker::plan(const RestoreChunk& chunk) {
  RestoreTask& task = *chunk.task;
  if (!begin_task(task)) {
    if (task.chunks_left.fetch_sub(1) == 1) drop_task(task);
    return nullptr;
  }
  auto active = std::make_unique<Active>();
  active->task = chunk.task;
  active->stream.owner = active.get();
  std::vector<LostPart> lost;
  task.content->parts(chunk.begin, chunk.end, active->parts, lost);
  std::uint64_t data = 0;
  std::uint64_t holes = 0;
  for (const ContentPart& part : active->parts) (part.hole ? holes : data) += part.length;
  std::erase_if(active->parts, [](const ContentPart& part) { return part.hole; });
  run_.bytes_holes.fetch_add(holes, std::memory_order_relaxed);
  progress_add(run_.progress.bytes_done, chunk.end - chunk.begin - data);
  if (!lost.empty()) {
    const std::lock_guard lock(task.mutex);
    std::ranges::move(lost, std::back_inserter(task.lost));
  }
  return active;
}

// Looks up the content, unless the file that is there may stay. False if there is nothing to write.
bool RestoreWorker::begin_task(RestoreTask& task) {
  const std::lock_guard lock(task.mutex);
  if (task.state == State::kDropped) return false;
  if (task.content) return true;
  // In a new directory there is nothing to look at.
  if (task.state == State::kNew && tree_.open(*task.directory) != nullptr && tree_.existed(*task.directory) &&
      placer_.look(*task.directory, task.entry) != Placement::kWrite &&
      placer_.place_file(*task.directory, task.entry, task.placed) != Placement::kWrite) {
    task.state = State::kDropped;
    return false;
  }
  if (task.placed.file) task.state = State::kPlaced;
  auto content = ContentMap::open(run_.domain, task.entry);
  if (content) {
    task.content = std::move(*content);
    return true;
  }
  run_.problem(kind_of_loss(content.error()), path_of(*task.directory, task.entry.name),
               std::move(content).error());
  task.state = State::kDropped;
  return false;
}

// Makes the file when its first bytes are there, so that few are open at a time.
bool RestoreWorker::place(RestoreTask& task) {
  const std::lock_guard lock(task.mutex);
  if (task.state == State::kDropped) return false;
  if (task.state == State::kNew) {
    const Placement placement = placer_.place_file(*task.directory, task.entry, task.placed);
    if (placement != Placement::kWrite) {
      task.state = State::kDropped;
      return false;
    }
    task.state = State::kPlaced;
  }
  if (!task.size_set && task.entry.size_bytes > kRestoreChunkBytes) {
    // Writes inside a file's size do not wait for each other. A failure comes up again at the end.
    task.size_set = run_.target_io.truncate(task.placed.file, task.entry.size_bytes).has_value();
  }
  return true;
}

Result<void> RestoreWorker::copy() {
  struct Source {
    std::size_t chunk;
    std::size_t part;
  };
  std::vector<ExtentLocation> locations;
  std::vector<Source> sources;
  for (std::size_t chunk = 0; chunk < batch_.size(); ++chunk) {
    for (std::size_t part = 0; part < batch_[chunk]->parts.size(); ++part) {
      locations.push_back(batch_[chunk]->parts[part].location);
      sources.push_back({chunk, part});
    }
  }
  return reader_->run(locations, [&](std::size_t index, Result<ByteSpan> raw) -> Result<void> {
    if (run_.must_stop()) return fail(*run_.failure());
    std::unique_ptr<Active>& current = batch_[sources[index].chunk];
    const std::size_t number = sources[index].part;
    ASL_TRY(take_part(*current, current->parts[number], std::move(raw)));
    if (number + 1 == current->parts.size()) ASL_TRY(end_chunk(std::move(current)));
    return {};
  });
}

Result<void> RestoreWorker::take_part(Active& active, const ContentPart& part, Result<ByteSpan> raw) {
  RestoreTask& task = *active.task;
  progress_add(run_.progress.bytes_done, part.length);
  if (active.dropped) return {};
  if (active.stream.file == nullptr) {
    active.dropped = !place(task);
    if (active.dropped) return {};
    active.stream.file = &task.placed.file;
  }
  Bytes other;
  ByteSpan bytes;
  if (raw) {
    bytes = raw->subspan(part.skip, part.length);
  } else {
    auto elsewhere = task.content->read_elsewhere(part);
    if (!elsewhere) {
      const std::lock_guard lock(task.mutex);
      task.lost.push_back({part.offset, part.length, std::move(elsewhere).error()});
      return {};
    }
    other = std::move(*elsewhere);
    bytes = other;
  }
  run_.bytes_written.fetch_add(bytes.size(), std::memory_order_relaxed);
  return writer_->append(active.stream, part.offset, bytes);
}

Result<void> RestoreWorker::end_chunk(std::unique_ptr<Active> active) {
  Active* const key = active.get();
  // Nothing but holes, or nothing at all.
  if (key->stream.file == nullptr && !key->dropped) key->dropped = !place(*key->task);
  ended_.emplace(key, std::move(active));
  ASL_TRY(writer_->end(key->stream));
  return finish_done(false);
}

Result<void> RestoreWorker::finish_done(bool wait) {
  for (;;) {
    ASL_ASSIGN(OutputStream* const stream, writer_->next_done(wait));
    if (stream == nullptr) return {};
    const auto found = ended_.find(static_cast<Active*>(stream->owner));
    finish_chunk(*found->second);
    ended_.erase(found);
  }
}

void RestoreWorker::finish_chunk(Active& active) {
  RestoreTask& task = *active.task;
  {
    const std::lock_guard lock(task.mutex);
    task.written_end = std::max(task.written_end, active.stream.written_end);
    if (active.stream.error && !task.write_error) task.write_error = std::move(active.stream.error);
  }
  if (task.chunks_left.fetch_sub(1) != 1) return;
  if (task.state == State::kPlaced)
    finish_task(task);
  else
    drop_task(task);
}

// Cuts off what whole pages wrote too much, and ends a hole at the end.
Result<void> RestoreWorker::set_size(RestoreTask& task) {
  const std::uint64_t size = task.entry.size_bytes;
  const std::uint64_t now = task.size_set ? std::max(size, task.written_end) : task.written_end;
  if (now == size) return {};
  return run_.target_io.truncate(task.placed.file, size);
}

// By the thread that was the last to work on the file.
void RestoreWorker::finish_task(RestoreTask& task) {
  const auto path = [&] { return path_of(*task.directory, task.entry.name); };
  if (auto sized = set_size(task); !sized && !task.write_error) task.write_error = std::move(sized).error();
  if (task.write_error) {
    placer_.abandon(task.placed);
    run_.problem(Kind::kNotMade, path(), std::move(*task.write_error).with_path(""));
    return drop_task(task);
  }
  const bool complete = task.lost.empty();
  report_missing(task);
  if (placer_.finish_file(*task.directory, task.entry, task.placed, complete))
    run_.files_written.fetch_add(1, std::memory_order_relaxed);
  drop_task(task);
}

void RestoreWorker::drop_task(RestoreTask& task) {
  progress_add(run_.progress.files_done, 1);
  tree_.release(task.directory);
}

// Bytes that are holes now and were not holes in the source.
void RestoreWorker::report_missing(RestoreTask& task) {
  const auto& gaps = task.content->gaps();
  if (gaps.empty() && task.lost.empty()) return;
  const std::string path = path_of(*task.directory, task.entry.name);
  std::vector<BadRange> ranges;
  std::uint64_t unread = 0;
  std::uint64_t damaged = 0;
  for (const PartialGap& gap : gaps) {
    ranges.push_back({gap.offset_bytes, gap.length_bytes, static_cast<char>(gap.status)});
    unread += gap.length_bytes;
  }
  for (const LostPart& part : task.lost) {
    ranges.push_back({part.offset, part.length, static_cast<char>(GapStatus::kBad)});
    damaged += part.length;
  }
  std::ranges::sort(ranges, {}, &BadRange::offset);
  auto noted = io::set_xattr(task.placed.file.fd(), kBadRangesXattr, as_bytes(bad_ranges_text(ranges)));
  if (!noted) run_.problem(Kind::kXattr, path, std::move(noted).error());
  if (!gaps.empty())
    run_.problem(Kind::kPartial, path,
                 Error{.code = ErrorCode::kIo,
                       .message = fmt::format("{} bytes in {} ranges were never read from the source", unread,
                                              gaps.size())});
  if (!task.lost.empty()) {
    Error error = std::move(task.lost.front().error);
    error.message = fmt::format("{} bytes could not be read from the store: {}", damaged, error.message);
    run_.problem(Kind::kDamaged, path, std::move(error));
  }
}

}  // namespace asl
