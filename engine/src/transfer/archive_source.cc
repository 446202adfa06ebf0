#include "transfer/archive_source.h"

#include <archive.h>
#include <cerrno>
#include <unistd.h>
#include <utility>

namespace asl {
namespace {

constexpr std::size_t kReadBytes = 1 << 20;

}  // namespace

void ArchiveSource::Free::operator()(struct archive* reader) const {
  archive_read_free(reader);
}

ArchiveSource::ArchiveSource(int fd, ProgressCounters& progress, const StopToken& stop)
    : fd_(fd), progress_(progress), stop_(stop), buffer_(kReadBytes), reader_(archive_read_new()) {}

ArchiveSource::~ArchiveSource() = default;

long ArchiveSource::read_some(struct archive* reader, void* self, const void** bytes) {
  ArchiveSource& source = *static_cast<ArchiveSource*>(self);
  ssize_t got = -1;
  do {
    // Also after a signal: a pipe may stay silent for long.
    source.last_read_ = source.stop_.check();
    if (source.last_read_) got = ::read(source.fd_, source.buffer_.data(), source.buffer_.size());
  } while (source.last_read_ && got < 0 && errno == EINTR);
  if (got < 0) {
    if (source.last_read_) source.last_read_ = fail(system_error(errno, "cannot read the input"));
    archive_set_error(reader, EIO, "the source cannot be read");
    return ARCHIVE_FATAL;
  }
  source.bytes_read_ += static_cast<std::uint64_t>(got);
  progress_add(source.progress_.bytes_done, static_cast<std::uint64_t>(got));
  *bytes = source.buffer_.data();
  return got;
}

Error ArchiveSource::failure(const char* what) const {
  if (!last_read_) return last_read_.error();
  const char* const reason = archive_error_string(reader_.get());
  Error error{.code = ErrorCode::kMalformed, .message = what};
  if (reason != nullptr) error.message += std::string(" (") + reason + ")";
  return error;
}

// Only the filters: what is inside is read by TarReader, whose header says why. Programs that libarchive
// would run for other filters are not wanted.
Result<std::unique_ptr<ArchiveSource>> ArchiveSource::open(int fd, ProgressCounters& progress,
                                                           const StopToken& stop) {
  std::unique_ptr<ArchiveSource> source(new ArchiveSource(fd, progress, stop));
  struct archive* const reader = source->reader_.get();
  if (reader == nullptr) throw std::bad_alloc();
  constexpr int (*kFilters[])(struct archive*) = {
      archive_read_support_filter_none,    archive_read_support_filter_gzip,
      archive_read_support_filter_bzip2,   archive_read_support_filter_xz,
      archive_read_support_filter_lzma,    archive_read_support_filter_lzip,
      archive_read_support_filter_lz4,     archive_read_support_filter_zstd,
      archive_read_support_filter_compress};
  for (const auto add : kFilters) {
    if (add(reader) < ARCHIVE_WARN) return fail(source->failure("a decompressor cannot be set up"));
  }
  archive_read_support_format_raw(reader);
  archive_read_support_format_empty(reader);
  struct archive_entry* entry = nullptr;
  if (archive_read_open(reader, source.get(), nullptr, read_some, nullptr) != ARCHIVE_OK)
    return fail(source->failure("the archive cannot be decompressed"));
  const int begun = archive_read_next_header(reader, &entry);
  if (begun == ARCHIVE_EOF) return fail(ErrorCode::kMalformed, "the archive is empty: there is not one byte");
  if (begun < ARCHIVE_WARN) return fail(source->failure("the archive cannot be decompressed"));
  return source;
}

Result<std::size_t> ArchiveSource::read(MutableByteSpan into) {
  const auto got = archive_read_data(reader_.get(), into.data(), into.size());
  if (got < 0) return fail(failure("the archive cannot be decompressed further"));
  return static_cast<std::size_t>(got);
}

}  // namespace asl
