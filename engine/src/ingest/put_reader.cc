#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/stat.h>
#include <unistd.h>

#include "ingest/put_work.h"
#include "io/tree_fs.h"

namespace asl {
namespace {

constexpr std::size_t kReadBytes = 1 << 20;
// Holes shorter than this are read: asking for them costs more.
constexpr std::uint64_t kHoleMin = 256 << 10;
// Zeros are hashed at about a GiB a second: between two looks at the stop token.
constexpr std::uint64_t kHoleStep = 64ULL << 20;

Error cannot_read(int failed) {
  return system_error(failed, "cannot read");
}

Error too_long_for_type() {
  return {.code = ErrorCode::kUsage,
          .message = "a typed artifact holds at most 64 MiB",
          .hint = "store it without --type"};
}

bool same_state(const struct stat& a, const struct stat& b) {
  return a.st_size == b.st_size && a.st_mtim.tv_sec == b.st_mtim.tv_sec &&
         a.st_mtim.tv_nsec == b.st_mtim.tv_nsec && a.st_ctim.tv_sec == b.st_ctim.tv_sec &&
         a.st_ctim.tv_nsec == b.st_ctim.tv_nsec;
}

}  // namespace

// A tombstone is about this one artifact; every other failure of the store ends the work.
Result<void> PutReader::keep(Result<WrittenArtifact> written, PutOutcome& outcome) const {
  if (written) {
    outcome.written = std::move(*written);
    progress_add(progress_.files_done, 1);
    return {};
  }
  if (written.error().code != ErrorCode::kRefused) return fail(std::move(written).error());
  outcome.error = std::move(written).error();
  return {};
}

Result<void> PutReader::put_bytes(ByteSpan bytes, PutOutcome& outcome) {
  if (!options_.type_tag) return keep(lane_.put(bytes, true), outcome);
  auto reference = writer_.put_typed(type_tag(), bytes, true);
  if (!reference) return keep(fail(std::move(reference).error()), outcome);
  return keep(WrittenArtifact{.reference = *reference, .length = bytes.size()}, outcome);
}

Result<void> PutReader::put_pieces(const PutWork& work, std::vector<PutOutcome>& outcomes) {
  outcomes.resize(work.pieces.size());
  std::vector<ByteSpan> artifacts;
  artifacts.reserve(work.pieces.size());
  std::uint64_t bytes = 0;
  for (const auto& [offset, length] : work.pieces) {
    artifacts.push_back(ByteSpan(work.buffer).subspan(offset, length));
    bytes += length;
  }
  if (options_.type_tag) {
    for (std::size_t k = 0; k < artifacts.size(); ++k) ASL_TRY(put_bytes(artifacts[k], outcomes[k]));
  } else {
    std::vector<Result<WrittenArtifact>> written(artifacts.size());
    ASL_TRY(lane_.put_many(artifacts, written, true));
    for (std::size_t k = 0; k < artifacts.size(); ++k) ASL_TRY(keep(std::move(written[k]), outcomes[k]));
  }
  progress_add(progress_.bytes_done, bytes);
  return {};
}

Result<void> PutReader::put_file(const std::string& path, PutOutcome& outcome) {
  const auto file = io_.open(path, {});
  const auto opened = file ? io_.status(*file) : Result<struct stat>(fail(file.error()));
  if (!opened) {
    outcome.error = opened.error();
    return {};
  }
  const struct stat& before = *opened;
  if (S_ISDIR(before.st_mode)) {
    outcome.error = Error{.code = ErrorCode::kUsage,
                          .message = "a directory is not an artifact",
                          .path = path,
                          .hint = "asl ingest stores directories"};
    return {};
  }
  const bool regular = S_ISREG(before.st_mode);
  ASL_TRY(put_open(file->fd(), regular, static_cast<std::uint64_t>(before.st_size), outcome));
  if (outcome.error && outcome.error->path.empty()) outcome.error->path = path;
  if (!regular) return {};
  // Where nobody can tell whether it changed, it is not said to be as it was.
  const auto after = io_.status(*file);
  outcome.changed = !after || !same_state(before, *after);
  return {};
}

Result<void> PutReader::put_stream(int fd, PutOutcome& outcome) {
  struct stat status{};
  const bool regular = ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && ::lseek(fd, 0, SEEK_CUR) == 0;
  return put_open(fd, regular, regular ? static_cast<std::uint64_t>(status.st_size) : 0, outcome);
}

Result<void> PutReader::put_open(int fd, bool regular, std::uint64_t size, PutOutcome& outcome) {
  if (regular && size <= kPutWholeMax) {
    bool grown = false;
    ASL_TRY(put_whole(fd, size, outcome, grown));
    if (!grown) return {};
    // Longer than it says (a file in /proc, or one that is being written): to its end, whatever that is.
    if (::lseek(fd, 0, SEEK_SET) < 0) {
      outcome.error = cannot_read(errno);
      return {};
    }
    regular = false;
  }
  return options_.type_tag ? put_long_typed(fd, outcome) : put_long(fd, regular, size, outcome);
}

Result<void> PutReader::put_whole(int fd, std::uint64_t size, PutOutcome& outcome, bool& grown) {
  if (buffer_.empty()) buffer_.resize(kPutWholeMax + 1);
  std::size_t filled = 0;
  while (filled <= size) {
    const auto got = io::read_pipe(fd, MutableByteSpan(buffer_).subspan(filled, size + 1 - filled));
    if (!got) {
      outcome.error = cannot_read(got.error().sys_errno);
      return {};
    }
    if (*got == 0) break;
    filled += *got;
  }
  grown = filled > size;
  if (grown) return {};
  progress_add(progress_.bytes_done, filled);
  return put_bytes(ByteSpan(buffer_).first(filled), outcome);
}

Result<void> PutReader::put_long(int fd, bool regular, std::uint64_t size, PutOutcome& outcome) {
  ASL_ASSIGN(const auto stream, ArtifactStream::open(lane_));
  std::uint64_t at = 0;
  std::uint64_t data_end = 0;
  while (true) {
    ASL_TRY(stop_.check());
    if (regular && at < size && at >= data_end) {
      auto range = io::next_data_range(fd, at, size);
      // A file system that cannot answer costs only speed: all is data then.
      if (!range) range = io::DataRange{at, size - at};
      const std::uint64_t data_start = *range ? (*range)->offset : size;
      data_end = *range ? (*range)->offset + (*range)->length : size;
      for (; data_start - at >= kHoleMin || (data_start == size && at < size);) {
        ASL_TRY(stop_.check());
        const std::uint64_t step = std::min(data_start - at, kHoleStep);
        ASL_TRY(stream->zeros(step));
        at += step;
        progress_add(progress_.bytes_done, step);
      }
      if (::lseek(fd, static_cast<off_t>(at), SEEK_SET) < 0) {
        outcome.error = cannot_read(errno);
        return {};
      }
    }
    stream->wait_for_space(at + 1);
    const auto room = static_cast<std::size_t>(std::min<std::uint64_t>(stream->limit() - at, kReadBytes));
    const auto got = io::read_pipe(fd, {stream->space(at), room});
    if (!got) {
      outcome.error = cannot_read(got.error().sys_errno).with_offset(at);
      if (regular) outcome.error->hint = "asl ingest keeps the parts of a file that can be read";
      return {};
    }
    if (*got == 0) break;
    at += *got;
    ASL_TRY(stream->filled_to(at));
    progress_add(progress_.bytes_done, *got);
  }
  return keep(stream->finish(true), outcome);
}

Result<void> PutReader::put_long_typed(int fd, PutOutcome& outcome) {
  Bytes bytes;
  while (true) {
    ASL_TRY(stop_.check());
    const std::size_t filled = bytes.size();
    bytes.resize(filled + kReadBytes);
    const auto got = io::read_pipe(fd, MutableByteSpan(bytes).subspan(filled));
    if (!got) {
      outcome.error = cannot_read(got.error().sys_errno).with_offset(filled);
      return {};
    }
    bytes.resize(filled + *got);
    if (*got == 0) break;
    progress_add(progress_.bytes_done, *got);
    if (bytes.size() > kPutTypedMax) {
      outcome.error = too_long_for_type();
      return {};
    }
  }
  return put_bytes(bytes, outcome);
}

Result<bool> PutReader::put_begun(ByteSpan begun, int fd, std::uint64_t length, PutOutcome& outcome) {
  Bytes typed;
  std::unique_ptr<ArtifactStream> stream;
  if (options_.type_tag) {
    if (length > kPutTypedMax) return fail(too_long_for_type());
    typed.resize(static_cast<std::size_t>(length));
  } else {
    ASL_ASSIGN(stream, ArtifactStream::open(lane_));
  }
  for (std::uint64_t at = 0; at < length;) {
    ASL_TRY(stop_.check());
    std::uint64_t room = length - at;
    if (stream) {
      stream->wait_for_space(at + 1);
      room = std::min(room, stream->limit() - at);
    }
    const MutableByteSpan into((stream ? stream->space(at) : typed.data() + at),
                               static_cast<std::size_t>(std::min<std::uint64_t>(room, kReadBytes)));
    std::size_t got = std::min(into.size(), begun.size());
    if (got > 0) {
      std::memcpy(into.data(), begun.data(), got);
      begun = begun.subspan(got);
    } else {
      ASL_ASSIGN(got, io::read_pipe(fd, into));
      if (got == 0) return false;
    }
    at += got;
    if (stream) ASL_TRY(stream->filled_to(at));
    progress_add(progress_.bytes_done, got);
  }
  ASL_TRY(stream ? keep(stream->finish(true), outcome) : put_bytes(typed, outcome));
  return true;
}

}  // namespace asl
