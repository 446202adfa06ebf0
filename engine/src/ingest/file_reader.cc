#include "ingest/file_reader.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <utility>

namespace asl {
namespace {

constexpr std::size_t kReadBytes = 1 << 20;  // one read of a file in the ring
constexpr std::size_t kPiecesPerFileMax = kReadAheadFileMax / kReadBytes + 2;
constexpr unsigned kPieceBits = 8;  // of a token; the rest is the slot's number
static_assert(kPiecesPerFileMax < (1U << kPieceBits));
constexpr std::size_t kReadsInFlight = 128;

// File systems stamp changes with the time of the last timer tick or coarser: a file changed this recently
// could change again without a new stamp, so it is not entered in the stat cache. FAT's two seconds are the
// coarsest.
constexpr std::int64_t kRacySeconds = 2;

bool same_state(const io::SourceStat& a, const io::SourceStat& b) {
  return a.size == b.size && a.mtime == b.mtime && a.ctime == b.ctime && a.inode == b.inode &&
         a.device == b.device;
}

bool is_sparse(const io::SourceStat& stat) {
  return stat.blocks_512 * 512 + kSourceHoleMin <= stat.size;
}

std::int64_t now_seconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

Result<std::unique_ptr<FileReader>> FileReader::make(IngestRun& run, TreeScanner& scanner) {
  std::unique_ptr<FileReader> reader(new FileReader(run, scanner));
  ASL_ASSIGN(reader->lane_, run.writer.make_lane());
  ASL_ASSIGN(reader->stream_, ContentStream::make(run, *reader->lane_));
  ASL_ASSIGN(reader->ring_, RingBuffer::make(kReadAheadBytes));
  ASL_ASSIGN(reader->queue_, run.source_io.make_queue(kReadsInFlight));
  return reader;
}

void FileReader::run() {
  while (!run_.must_stop()) {
    while (start_next_file()) {
    }
    if (slots_.empty()) break;
    if (auto done = finish_front(); !done) {
      run_.abort(std::move(done).error());
      break;
    }
  }
  // Nobody takes batches any more: a scan that waits for room, or for directories whose files will never be
  // read (a full disk, Ctrl-C), must not wait for ever.
  if (run_.aborted()) scanner_.close();
}

// Opens the next file and starts reading it. False if there is no room, or nothing to be had without waiting.
bool FileReader::start_next_file() {
  if (slots_.size() >= kReadAheadFilesMax) return false;
  if (batch_ == nullptr) {
    auto next = scanner_.batches().pop(slots_.empty());
    if (!next) return false;
    batch_ = std::make_shared<FileBatch>(std::move(*next));
    batch_next_ = 0;
  }
  ScanEntry& item = batch_->chunk->entries[batch_->files[batch_next_]];
  Slot slot;
  slot.streamed = item.stat.size > kReadAheadFileMax;
  // One byte more than the file has, to see whether it grew.
  slot.space = slot.streamed ? 0 : round_up(item.stat.size + 1, kPageSize);
  const std::size_t pieces = (slot.space + kReadBytes - 1) / kReadBytes;
  if (ring_tail_ - ring_head_ + slot.space > ring_.size() ||
      queue_->in_flight() + pieces > queue_->capacity())
    return false;
  slot.item = &item;
  slot.reason = batch_->reasons[batch_next_];
  slot.batch = batch_;
  if (++batch_next_ == batch_->files.size()) {
    slot.last_of_batch = true;
    batch_.reset();
  }
  slot.ring_offset = ring_tail_;
  ring_tail_ += slot.space;
  slots_.push_back(std::move(slot));
  start_reads(slots_.back());
  return true;
}

void FileReader::start_reads(Slot& slot) {
  if (slot.item->stat.nlink > 1 && take_from_link(slot)) return;
  const io::OpenOptions how{.direct = true, .no_follow = true, .no_atime = true};
  auto file = run_.source_io.open_at(slot.batch->chunk->node->directory, slot.item->entry.name, how);
  if (!file) {
    slot.open_error = std::move(file).error();
    return;
  }
  slot.file = std::move(*file);
  const std::uint64_t number = first_slot_ + slots_.size() - 1;
  for (std::size_t at = 0; at < slot.space; at += kReadBytes) {
    const MutableByteSpan into{ring_.at(slot.ring_offset + at), std::min(kReadBytes, slot.space - at)};
    const std::uint64_t token = number << kPieceBits | at / kReadBytes;
    if (auto queued = queue_->read(slot.file, into, at, token); !queued) {
      slot.read_errno = queued.error().sys_errno == 0 ? EIO : queued.error().sys_errno;
      return;
    }
    ++slot.reads_pending;
  }
}

Result<void> FileReader::wait_for_front() {
  std::array<io::Completion, kReadsInFlight> completions;
  while (slots_.front().reads_pending > 0) {
    ASL_ASSIGN(const std::size_t count, queue_->reap(completions, true));
    for (const io::Completion& completion : std::span(completions).first(count)) {
      Slot& slot = slots_[(completion.token >> kPieceBits) - first_slot_];
      --slot.reads_pending;
      if (completion.result < 0) {
        slot.read_errno = static_cast<int>(-completion.result);
        continue;
      }
      const std::uint64_t offset = (completion.token & ((1U << kPieceBits) - 1)) * kReadBytes;
      const std::uint64_t left = slot.item->stat.size > offset ? slot.item->stat.size - offset : 0;
      const std::uint64_t expected = std::min<std::uint64_t>(left, kReadBytes);
      if (static_cast<std::uint64_t>(completion.result) != expected) slot.unexpected_length = true;
    }
  }
  return {};
}

Result<void> FileReader::finish_front() {
  ASL_TRY(queue_->submit());
  ASL_TRY(wait_for_front());
  Slot& slot = slots_.front();
  ASL_TRY(take_content(slot));
  if (slot.last_of_batch) scanner_.batch_done(*slot.batch);
  ring_head_ += slot.space;
  slots_.pop_front();
  ++first_slot_;
  return {};
}

Result<void> FileReader::take_content(Slot& slot) {
  progress_add(run_.progress.files_done, 1);
  if (slot.open_error) return take_unopened(slot);
  if (!slot.file) {  // another link of it was read before
    remember_row(slot);
    return {};
  }
  bool taken = false;
  if (!slot.streamed && slot.read_errno == 0 && !slot.unexpected_length) {
    ASL_ASSIGN(taken, take_whole(slot));
  }
  if (!taken) ASL_TRY(take_streamed(slot));
  return finish_entry(slot);
}

// The bytes are in the ring. False if the file changed meanwhile: they may be a mixture.
Result<bool> FileReader::take_whole(Slot& slot) {
  const auto after = io::stat_fd(slot.file.fd());
  if (!after || !same_state(*after, slot.item->stat)) {
    slot.changed_before = true;
    return false;
  }
  const std::uint64_t size_bytes = slot.item->stat.size;
  ASL_ASSIGN(const WrittenArtifact written, lane_->put({ring_.at(slot.ring_offset), size_bytes}));
  slot.item->entry.content = written.reference;
  slot.item->entry.hole_bytes = written.hole_bytes;
  run_.count_read(slot.reason, size_bytes);
  progress_add(run_.progress.bytes_done, size_bytes);
  return true;
}

// Reads the file as a stream; once more if it changed while it was read.
Result<void> FileReader::take_streamed(Slot& slot) {
  Entry& entry = slot.item->entry;
  slot.changed_before = slot.changed_before || slot.unexpected_length;
  for (unsigned attempt = slot.changed_before ? 1 : 0; attempt < 2; ++attempt) {
    const auto before = io::stat_fd(slot.file.fd());
    if (!before || !before->is_regular()) {
      slot.open_error = before ? system_error(EINVAL, "no longer a regular file") : before.error();
      return take_unopened(slot);
    }
    ASL_ASSIGN(const StreamedContent content,
               stream_->read_file(slot.file, before->size, is_sparse(*before), kPageSize));
    run_.count_read(slot.reason, content.length);
    const auto after = io::stat_fd(slot.file.fd());
    const bool changed = !after || !same_state(*before, *after) || content.length != before->size;
    if (changed && attempt == 0) continue;
    slot.item->stat = *before;
    fill_entry(entry, *before);
    entry.content = content.content;
    entry.hole_bytes = content.hole_bytes;
    entry.size_bytes = content.length;
    if (content.partial) {
      entry.flags |= kEntryPartial;
      run_.add_problem(path_of(slot), "read", stream_->first_read_errno());
    }
    if (changed) {
      entry.flags |= kEntryChanged;
      run_.count_changed_while_read();
      run_.add_problem(path_of(slot), "changed while read", 0);
    }
    return {};
  }
  return {};
}

bool FileReader::take_from_link(Slot& slot) {
  const auto known = run_.find_link(slot.item->stat.device, slot.item->stat.inode);
  if (!known || !same_state(known->stat, slot.item->stat)) return false;
  std::string name = std::move(slot.item->entry.name);
  const std::uint64_t nlink = slot.item->entry.nlink;
  slot.item->entry = known->entry;
  slot.item->entry.name = std::move(name);
  slot.item->entry.nlink = nlink;
  progress_add(run_.progress.bytes_done, slot.item->stat.size);
  return true;
}

// It stays in the snapshot as a file of which nothing could be read, unless it is simply gone.
Result<void> FileReader::take_unopened(Slot& slot) {
  Entry& entry = slot.item->entry;
  run_.add_problem(path_of(slot), "open", slot.open_error->sys_errno);
  if (slot.open_error->sys_errno == ENOENT) {
    slot.item->dropped = true;
    return {};
  }
  Partial nothing;
  nothing.length_bytes = slot.item->stat.size;
  if (nothing.length_bytes > 0) nothing.gaps.push_back({0, nothing.length_bytes, GapStatus::kNotTried});
  ASL_ASSIGN(const Bytes bytes, encode_partial(nothing));
  ASL_ASSIGN(entry.content, run_.writer.put_typed(kTagPartial, bytes));
  entry.size_bytes = nothing.length_bytes;
  entry.flags |= kEntryPartial;
  slot.file.close();
  const auto& directory = slot.batch->chunk->node->directory;
  return add_xattrs(run_, entry, io::read_xattrs_at(directory.fd(), entry.name.c_str()), path_of(slot));
}

Result<void> FileReader::finish_entry(Slot& slot) {
  Entry& entry = slot.item->entry;
  if (!slot.file) return {};
  ASL_TRY(add_xattrs(run_, entry, io::read_xattrs(slot.file.fd()), path_of(slot)));
  const io::SourceStat& stat = slot.item->stat;
  if (stat.nlink > 1) run_.remember_link(stat, entry);
  remember_row(slot);
  return {};
}

void FileReader::remember_row(const Slot& slot) {
  const Entry& entry = slot.item->entry;
  const io::SourceStat& stat = slot.item->stat;
  const bool trusted = (entry.flags & (kEntryChanged | kEntryPartial | kEntryMetadataIncomplete)) == 0;
  if (scanner_.stat_cache() == nullptr || !trusted || stat.ctime.seconds + kRacySeconds > now_seconds())
    return;
  StatRow row;
  row.device = stat.device;
  row.inode = stat.inode;
  row.size_bytes = stat.size;
  row.mtime = stat.mtime;
  row.ctime = stat.ctime;
  row.content = entry.content;
  row.hole_bytes = entry.hole_bytes;
  row.epoch = scanner_.stat_cache()->epoch();
  row.has_xattrs = !entry.xattrs.empty();
  scanner_.stat_cache()->put(slot.batch->chunk->node->path, entry.name, row);
}

std::string FileReader::path_of(const Slot& slot) const {
  return scanner_.shown_path(*slot.batch->chunk->node, slot.item->entry.name);
}

}  // namespace asl
