#include "ingest/content_stream.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "io/tree_fs.h"

namespace asl {
namespace {

// Pieces planned ahead: those in flight and as many behind them.
constexpr std::size_t kPiecesPlanned = 2 * kStreamReadsInFlight;
// A hole costs hashing, about a second a GiB: it is taken in pieces, so that nobody waits long for the end of
// one, neither a commit nor someone who asked to stop.
constexpr std::uint64_t kHolePieceMax = 64ULL << 20;
// How long an idle pipe is waited for before somebody who asked to stop is looked for again.
constexpr int kStopLookMs = 100;

}  // namespace

Result<std::unique_ptr<ContentStream>> ContentStream::make(IngestRun& run, Lane& lane) {
  std::unique_ptr<ContentStream> stream(new ContentStream(run, lane));
  ASL_ASSIGN(stream->queue_, run.source_io.make_queue(kStreamReadsInFlight));
  return stream;
}

void ContentStream::reset(const io::File& file, std::uint64_t size, bool sparse, std::uint32_t sector_bytes) {
  file_ = &file;
  size_ = size;
  sparse_ = sparse;
  sector_bytes_ = sector_bytes;
  pieces_.clear();
  issued_ = 0;
  planned_ = 0;
  data_end_ = sparse ? 0 : size;
  position_ = 0;
  at_end_ = false;
  stream_.reset();
  stream_start_ = 0;
  partial_ = {};
  hole_bytes_ = 0;
  first_read_errno_ = 0;
}

Result<StreamedContent> ContentStream::read_file(const io::File& file, std::uint64_t size, bool sparse,
                                                 std::uint32_t sector_bytes) {
  reset(file, size, sparse, sector_bytes);
  auto content = [&]() -> Result<StreamedContent> {
    while (position_ < size_ && !at_end_) {
      ASL_TRY(run_.stop.check());
      ASL_TRY(plan_more());
      ASL_TRY(ensure_stream(position_));
      ASL_TRY(issue());
      ASL_TRY(wait_for_front());
      ASL_TRY(consume_front());
    }
    return finish();
  }();
  ASL_TRY(drain());
  stream_.reset();
  return content;
}

// Appends pieces behind the last one: reads of data, and the holes the file system knows of.
Result<void> ContentStream::plan_more() {
  while (pieces_.size() < kPiecesPlanned && planned_ < size_) {
    if (planned_ >= data_end_) {
      auto range = io::next_data_range(file_->fd(), planned_, size_);
      // A file system that cannot answer costs only speed: all is data then.
      if (!range) range = io::DataRange{planned_, size_ - planned_};
      const std::uint64_t data_start = *range ? (*range)->offset : size_;
      data_end_ = *range ? std::min(size_, (*range)->offset + (*range)->length) : size_;
      if (data_start - planned_ >= kSourceHoleMin || data_start == size_) {
        const std::uint64_t hole = std::min(data_start - planned_, kHolePieceMax);
        pieces_.push_back({.offset = planned_, .length = hole, .hole = true, .done = true});
        planned_ += hole;
        if (planned_ < data_start) data_end_ = planned_;  // ask again for the rest
        continue;
      }
    }
    const std::uint64_t length = std::min<std::uint64_t>(kStreamReadBytes, data_end_ - planned_);
    pieces_.push_back({.offset = planned_, .length = length});
    planned_ += length;
  }
  return {};
}

Result<void> ContentStream::issue() {
  for (; issued_ < pieces_.size(); ++issued_) {
    const Piece& piece = pieces_[issued_];
    if (piece.hole) continue;
    if (queue_->in_flight() == queue_->capacity()) break;
    const std::uint64_t at = piece.offset - stream_start_;
    // Whole pages: direct I/O wants them, and only the file's last read ends inside one.
    const std::size_t space = round_up(piece.length, kPageSize);
    // Only for what is needed next: room further on comes with the pieces before it.
    if (issued_ == 0) stream_->wait_for_space(at + space);
    if (at + space > stream_->limit()) break;
    ASL_TRY(queue_->read(*file_, {stream_->space(at), space}, piece.offset, first_piece_ + issued_));
  }
  return queue_->submit();
}

Result<void> ContentStream::wait_for_front() {
  std::array<io::Completion, kStreamReadsInFlight> completions;
  while (!pieces_.front().done) {
    ASL_ASSIGN(const std::size_t count, queue_->reap(completions, true));
    for (const io::Completion& completion : std::span(completions).first(count)) {
      Piece& piece = pieces_[completion.token - first_piece_];
      piece.done = true;
      piece.result = completion.result;
    }
  }
  return {};
}

Result<void> ContentStream::drain() {
  std::array<io::Completion, kStreamReadsInFlight> completions;
  while (queue_->in_flight() > 0) ASL_TRY(queue_->reap(completions, true));
  return {};
}

Result<void> ContentStream::consume_front() {
  const Piece piece = pieces_.front();
  if (piece.hole) {
    ASL_TRY(stream_->zeros(piece.length));
    position_ = piece.offset + piece.length;
  } else if (piece.result >= 0 && static_cast<std::uint64_t>(piece.result) >= piece.length) {
    position_ = piece.offset + piece.length;
    ASL_TRY(stream_->filled_to(position_ - stream_start_));
  } else {
    // A short or failed read: everything behind it is read again after it was looked at closely, since gaps
    // move where bytes go.
    ASL_TRY(drain());
    for (Piece& other : pieces_) other.done = other.hole;
    issued_ = 0;
    ASL_TRY(probe(piece.offset, piece.offset + piece.length));
  }
  progress_add(run_.progress.bytes_done, piece.length);
  pieces_.pop_front();
  ++first_piece_;
  if (issued_ > 0) --issued_;
  return {};
}

// Reads [from, to) again in small steps; what stays unreadable becomes a gap.
Result<void> ContentStream::probe(std::uint64_t from, std::uint64_t to) {
  std::uint64_t step = kProbeBytes;
  std::uint64_t coarse_end = 0;  // up to here steps are sectors
  for (std::uint64_t at = from; at < to && !at_end_;) {
    ASL_TRY(run_.stop.check());
    step = at < coarse_end ? sector_bytes_ : kProbeBytes;
    const std::uint64_t length = std::min(step, to - at);
    ASL_TRY(ensure_stream(at));
    const std::uint64_t place = at - stream_start_;
    const MutableByteSpan into{stream_->space(place), round_up(length, sector_bytes_)};
    const auto got = run_.source_io.read(*file_, into, at);
    if (!got && step > sector_bytes_) {
      coarse_end = at + length;
      continue;
    }
    if (!got) {
      if (first_read_errno_ == 0) first_read_errno_ = got.error().sys_errno;
      ASL_TRY(end_piece(at));
      add_gap(at, at + length, GapStatus::kBad);
    } else {
      ASL_TRY(stream_->filled_to(place + std::min<std::uint64_t>(*got, length)));
      at_end_ = *got < length;
      if (at_end_) {
        position_ = at + *got;
        return {};
      }
    }
    at += length;
    position_ = at;
    if (partial_.gaps.size() >= kGapsMax) {
      ASL_TRY(end_piece(at));
      if (at < size_) add_gap(at, size_, GapStatus::kNotTried);
      position_ = size_;
      return {};
    }
  }
  return {};
}

Result<void> ContentStream::ensure_stream(std::uint64_t offset) {
  if (stream_ != nullptr) return {};
  ASL_ASSIGN(stream_, ArtifactStream::open(lane_));
  stream_start_ = offset;
  return {};
}

Result<void> ContentStream::end_piece(std::uint64_t end) {
  if (stream_ == nullptr) return {};
  if (end > stream_start_) {
    ASL_ASSIGN(const WrittenArtifact written, stream_->finish());
    hole_bytes_ += written.hole_bytes;
    partial_.pieces.push_back({stream_start_, written.length, written.reference});
  }
  stream_.reset();
  return {};
}

void ContentStream::add_gap(std::uint64_t from, std::uint64_t to, GapStatus status) {
  if (!partial_.gaps.empty()) {
    PartialGap& last = partial_.gaps.back();
    if (last.status == status && last.offset_bytes + last.length_bytes == from) {
      last.length_bytes += to - from;
      return;
    }
  }
  partial_.gaps.push_back({from, to - from, status});
}

Result<StreamedContent> ContentStream::finish() {
  StreamedContent content;
  content.length = position_;
  if (partial_.gaps.empty()) {
    ASL_TRY(ensure_stream(0));
    ASL_ASSIGN(const WrittenArtifact written, stream_->finish());
    content.content = written.reference;
    content.hole_bytes = written.hole_bytes;
    return content;
  }
  ASL_TRY(end_piece(position_));
  partial_.length_bytes = position_;
  ASL_ASSIGN(const Bytes bytes, encode_partial(partial_));
  ASL_ASSIGN(content.content, run_.writer.put_typed(kTagPartial, bytes));
  content.hole_bytes = hole_bytes_;
  content.partial = true;
  return content;
}

// A signal that comes between the look at the stop flag and the wait wakes nobody: the wait ends by itself
// too.
Result<void> ContentStream::wait_for_input(int fd) const {
  while (true) {
    ASL_TRY(run_.stop.check());
    ASL_ASSIGN(const bool ready, io::wait_readable(fd, kStopLookMs));
    if (ready) return {};
  }
}

Result<StreamedContent> ContentStream::read_pipe(int fd) {
  reset(io::File(), 0, false, 1);
  ASL_TRY(ensure_stream(0));
  while (true) {
    ASL_TRY(wait_for_input(fd));
    stream_->wait_for_space(position_ + 1);
    const std::uint64_t room = std::min<std::uint64_t>(stream_->limit() - position_, kStreamReadBytes);
    ASL_ASSIGN(const std::size_t got, io::read_pipe(fd, {stream_->space(position_), room}));
    if (got == 0) break;
    position_ += got;
    ASL_TRY(stream_->filled_to(position_));
    progress_add(run_.progress.bytes_done, got);
  }
  auto content = finish();
  stream_.reset();
  return content;
}

}  // namespace asl
