#include "restore/read_back.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "io/tree_fs.h"

namespace asl {

using Kind = RestoreProblemKind;

void ReadBackVisitor::entry(const std::shared_ptr<TargetDirectory>& directory, const Entry& entry) {
  if (entry.type != EntryType::kFile) return;
  progress_add(run_.progress.files_total, 1);
  progress_add(run_.progress.bytes_total, entry.size_bytes);
  tree_.hold(*directory);
  batch_.push_back({directory, entry});
  batch_bytes_ += entry.size_bytes;
  if (batch_bytes_ >= kRestoreBatchBytes || batch_.size() >= kRestoreBatchFiles) flush();
}

void ReadBackVisitor::flush() {
  if (!batch_.empty()) queue_.push(std::move(batch_), 1);
  batch_.clear();
  batch_bytes_ = 0;
}

Result<std::unique_ptr<ReadBackWorker>> ReadBackWorker::create(RestoreRun& run, TargetTree& tree) {
  std::unique_ptr<ReadBackWorker> worker(new ReadBackWorker(run, tree));
  for (std::size_t i = 0; i < kReads; ++i) worker->buffers_.emplace_back(kReadBytes);
  ASL_ASSIGN(worker->queue_, run.target_io.make_queue(kReads));
  return worker;
}

Result<void> ReadBackWorker::work(ReadBackQueue& queue) {
  while (!run_.must_stop()) {
    const auto batch = queue.pop(true);
    if (!batch) return {};
    for (const ReadBackItem& item : *batch) {
      if (run_.must_stop()) return {};
      check(item);
      progress_add(run_.progress.files_done, 1);
      tree_.release(item.directory);
    }
  }
  return {};
}

void ReadBackWorker::check(const ReadBackItem& item) {
  const auto report = [&](Error error) {
    run_.problem(Kind::kMismatch, path_of(*item.directory, item.entry.name), std::move(error).with_path(""));
  };
  const DirectoryHandle directory = tree_.open(*item.directory);
  if (directory == nullptr)
    return report(Error{.code = ErrorCode::kNotFound, .message = "its directory is not there"});
  const auto now = io::stat_at(directory->fd(), item.entry.name.c_str());
  if (!now) return report(now.error());
  // One that was not to be touched is nobody's promise.
  if (run_.options.overwrite == Overwrite::kNever &&
      (now->size != item.entry.size_bytes ||
       now->mtime != io::FileTime{item.entry.mtime_s, item.entry.mtime_ns}))
    return;
  const auto file = run_.target_io.open_at(
      *directory, item.entry.name, {.direct = true, .no_follow = true, .no_atime = true, .no_wait = true});
  if (!file) return report(file.error());
  auto same = compare(item, *file);
  if (same)
    run_.files_verified.fetch_add(1, std::memory_order_relaxed);
  else
    report(std::move(same).error());
}

Result<void> ReadBackWorker::compare(const ReadBackItem& item, const io::File& file) {
  const Entry& entry = item.entry;
  ASL_ASSIGN(const io::SourceStat status, io::stat_fd(file.fd()));
  if (status.size != entry.size_bytes) return fail(ErrorCode::kIntegrity, "read back, it has another length");
  const auto check_range = [&](std::uint64_t begin, std::uint64_t end, const Reference& ref) -> Result<void> {
    ASL_ASSIGN(const Digest digest, hash(file, begin, end));
    if (digest == ref.digest) return {};
    Error error;
    error.code = ErrorCode::kIntegrity;
    error.message = "read back, it does not have its hash";
    error.object = to_text(ref);
    return fail(std::move(error));
  };
  if ((entry.flags & kEntryPartial) == 0) return check_range(0, entry.size_bytes, entry.content);
  ASL_ASSIGN(const ContentMap content, ContentMap::open(run_.domain, entry));
  for (const PartialPiece& piece : content.pieces())
    ASL_TRY(check_range(piece.offset_bytes, piece.offset_bytes + piece.length_bytes, piece.ref));
  return {};
}

Result<Digest> ReadBackWorker::hash(const io::File& file, std::uint64_t begin, std::uint64_t end) {
  Sha256 sha;
  std::array<std::optional<std::int64_t>, kReads> results;
  io::Transfers reads(*queue_);
  std::uint64_t next_read = begin / kPageSize * kPageSize;
  for (std::uint64_t at = next_read; at < end; at += kReadBytes) {
    for (; next_read < end && next_read < at + kReads * kReadBytes; next_read += kReadBytes) {
      const std::size_t slot = next_read / kReadBytes % kReads;
      results[slot].reset();
      ASL_TRY(reads.read(file, buffers_[slot].span(), next_read, slot));
    }
    const std::size_t slot = at / kReadBytes % kReads;
    while (!results[slot]) {
      ASL_ASSIGN(const auto completion, reads.next(true));
      if (!completion) return fail(ErrorCode::kIo, "a read was lost");
      results[completion->token] = completion->result;
    }
    const std::int64_t got = *results[slot];
    if (got < 0) return fail(system_error(static_cast<int>(-got), "cannot read back"));
    const std::uint64_t from = std::max(at, begin);
    const std::uint64_t to = std::min(at + kReadBytes, end);
    if (at + static_cast<std::uint64_t>(got) < to)
      return fail(ErrorCode::kIntegrity, "read back, it ends too early");
    sha.update(buffers_[slot].span().subspan(from - at, to - from));
    progress_add(run_.progress.bytes_done, to - from);
    if (run_.must_stop()) return fail(*run_.failure());
  }
  return sha.finish();
}

}  // namespace asl
