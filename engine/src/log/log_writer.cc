#include "log/log_writer.h"

#include <algorithm>
#include <cerrno>
#include <fmt/format.h>
#include <utility>

namespace asl {
namespace {

constexpr std::size_t kCopySize = 1 << 20;

// Copies [begin, end) of `from` to the same bytes at `to_offset` of `to`, in pieces.
Result<void> copy_range(io::Io& io, const io::File& from, std::uint64_t begin, std::uint64_t end,
                        const io::File& to, std::uint64_t to_offset, const std::string& path) {
  Bytes buffer(kCopySize);
  while (begin < end) {
    const auto piece = static_cast<std::size_t>(std::min<std::uint64_t>(kCopySize, end - begin));
    const MutableByteSpan bytes = MutableByteSpan(buffer).first(piece);
    ASL_ASSIGN(const std::size_t got, io.read(from, bytes, begin));
    if (got != piece) return fail(integrity_error("the log file became shorter", path, begin + got));
    ASL_TRY(io.write(to, bytes, to_offset));
    begin += piece;
    to_offset += piece;
  }
  return {};
}

Result<void> ensure_log_directory(io::Io& io, const LogFiles& files) {
  if (io::exists(io, files.directory())) return {};
  ASL_TRY(io.make_directory(files.directory()));
  return io.sync_directory(files.domain_directory());
}

}  // namespace

Result<LogWriter> LogWriter::create(io::Io& io, const LogFiles& files, const DomainId& domain_id,
                                    const LogWriterOptions& options) {
  ASL_TRY(ensure_log_directory(io, files));
  const auto ignore = [](const LogGroup&) { return Result<void>{}; };
  ASL_ASSIGN(const ReplayOutcome found, replay_log(io, files, {}, ignore));
  // A first file without a group is what an interrupted creation leaves.
  const bool fresh = found.files.empty() || (found.files.size() == 1 && found.files.front() == 1);
  if (!fresh || found.end.logseq != 0 || !found.damage.empty()) {
    Error error;
    error.code = ErrorCode::kRefused;
    error.message = "the domain has a log already";
    error.path = files.directory();
    return fail(std::move(error));
  }
  LogWriter writer(io, files, domain_id, options);
  ASL_TRY(writer.start_file(1));
  return writer;
}

Result<LogWriter> LogWriter::open(io::Io& io, const LogFiles& files, const ReplayOutcome& outcome,
                                  const LogWriterOptions& options) {
  if (std::optional<Error> corruption = outcome.corruption()) return fail(std::move(*corruption));
  if (outcome.end.logseq == 0) {
    Error error;
    error.code = ErrorCode::kNotFound;
    error.message = "the domain has no log";
    error.path = files.directory();
    return fail(std::move(error));
  }
  LogWriter writer(io, files, outcome.domain_id, options);
  writer.end_ = outcome.end;
  if (outcome.torn_tail) ASL_TRY(writer.keep_tail(*outcome.torn_tail));
  for (const LogRange& range : outcome.beyond_head) ASL_TRY(writer.rewrite(range));
  ASL_TRY(io.sync_directory(files.directory()));
  if (outcome.empty_newest) {
    ASL_TRY(writer.start_file(*outcome.empty_newest));
  } else {
    const std::string path = files.file_path(outcome.end.file_first_logseq);
    ASL_ASSIGN(writer.file_, io.open(path, io::OpenOptions{.write = true, .no_follow = true}));
    ASL_ASSIGN(const struct stat status, io.status(writer.file_));
    writer.file_first_logseq_ = outcome.end.file_first_logseq;
    writer.file_end_ = outcome.end.end_offset;
    if (static_cast<std::uint64_t>(status.st_size) != writer.file_end_)
      return fail(integrity_error("the log file changed since it was replayed", path, writer.file_end_));
  }
  // Not being able to write the hint stops nobody here; the next append tries again and reports it.
  writer.write_head();
  return writer;
}

Result<void> LogWriter::keep_tail(const LogRange& tail) {
  const std::string path = files_.file_path(tail.file_first_logseq);
  ASL_ASSIGN(const io::File log, io_->open(path, io::OpenOptions{.write = true, .no_follow = true}));
  io::File torn;
  for (unsigned copy = 1; !torn; ++copy) {
    tail_kept_ = files_.torn_path(next_logseq(), copy);
    Result<io::File> made = io_->open(tail_kept_, io::OpenOptions{.write = true, .create_new = true});
    if (made)
      torn = std::move(*made);
    else if (made.error().sys_errno != EEXIST || copy == kTornCopiesMax)
      return std::unexpected(std::move(made).error());
  }
  ASL_TRY(copy_range(*io_, log, tail.begin, tail.end, torn, 0, path));
  ASL_TRY(io_->sync(torn));
  ASL_TRY(io_->sync_directory(files_.directory()));
  ASL_TRY(io_->truncate(log, tail.begin));
  return io_->sync(log);
}

// A sync that failed before a crash or under another writer may have left clean pages in memory over nothing
// on the medium: only writing them again makes the kernel write them at all.
Result<void> LogWriter::rewrite(const LogRange& range) {
  const std::string path = files_.file_path(range.file_first_logseq);
  ASL_ASSIGN(const io::File log, io_->open(path, io::OpenOptions{.write = true, .no_follow = true}));
  ASL_TRY(copy_range(*io_, log, range.begin, range.end, log, range.begin, path));
  return io_->sync(log);
}

Result<void> LogWriter::start_file(std::uint64_t first_logseq) {
  const std::string path = files_.file_path(first_logseq);
  const bool anew = io::exists(*io_, path);
  ASL_ASSIGN(file_, io_->open(path, io::OpenOptions{.write = true, .create_new = !anew, .no_follow = true}));
  if (anew) ASL_TRY(io_->truncate(file_, 0));
  const Bytes header = encode_log_header({first_logseq, domain_id_, end_.record_hash});
  ASL_TRY(io_->write(file_, header, 0));
  ASL_TRY(io_->sync(file_));
  ASL_TRY(io_->sync_directory(files_.directory()));
  file_first_logseq_ = first_logseq;
  file_end_ = kLogHeaderSize;
  return {};
}

Result<AppendedGroup> LogWriter::append(std::span<const NewRecord> records) {
  if (broken_) {
    Error error = *broken_;
    error.message = "the log takes nothing more after a failure: " + error.message;
    return fail(std::move(error));
  }
  AppendedGroup appended;
  appended.first_logseq = next_logseq();
  ASL_ASSIGN(const Bytes group,
             build_group(appended.first_logseq, end_.record_hash, records, appended.record_hash));
  Result<void> written;
  if (file_end_ > kLogHeaderSize && file_end_ + group.size() > options_.rotate_bytes)
    written = start_file(appended.first_logseq);
  if (written) written = write_group(group);
  if (!written) {
    broken_ = written.error();
    return std::unexpected(std::move(written).error());
  }
  appended.last_logseq = end_.logseq + records.size() + 1;
  file_end_ += group.size();
  end_ = {appended.last_logseq, appended.record_hash, file_first_logseq_, file_end_};
  appended.end = end_;
  appended.head_error = write_head();
  return appended;
}

Result<void> LogWriter::write_group(ByteSpan group) {
  Result<void> written = io_->write(file_, group, file_end_);
  if (written) written = io_->sync_data(file_);
  if (written) return {};
  // Nobody may find half of this group, or all of it: the caller is told that it failed.
  Result<void> cut = io_->truncate(file_, file_end_);
  if (cut) cut = io_->sync(file_);
  if (!cut)
    written.error().message += fmt::format(" (and cutting it off again failed: {})", cut.error().to_string());
  return written;
}

std::optional<Error> LogWriter::write_head() {
  if (end_.logseq == 0) return std::nullopt;
  if (!head_) {
    const bool there = io::exists(*io_, files_.head_path());
    Result<io::File> opened = io_->open(
        files_.head_path(), io::OpenOptions{.write = true, .create_new = !there, .no_follow = true});
    if (!opened) return std::move(opened).error();
    // Whatever was longer than a head is none.
    if (Result<void> cut = there ? io_->truncate(*opened, kLogHeadSize) : Result<void>{}; !cut)
      return std::move(cut).error();
    head_ = std::move(*opened);
  }
  const auto bytes =
      encode_log_head({end_.logseq, end_.file_first_logseq, end_.end_offset, end_.record_hash});
  Result<void> written = io_->write(head_, bytes, 0);
  if (!written) return std::move(written).error();
  return std::nullopt;
}

}  // namespace asl
