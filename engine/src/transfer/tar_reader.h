// Reads tar archives as they come: ustar, pax, GNU (long names, sparse files of every format) and the old
// form without a magic (doc/tar.md).
//
// Read here and not by libarchive because its reader lets the locale decide what names are, gives times
// before 1970 with the wrong fraction, and leaves the names of extended attributes escaped.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <asl/engine/bytes.h>
#include <asl/engine/error.h>

#include "transfer/pax_writer.h"

namespace asl {

// What one member's pax records, or a long name, may take: room for every attribute a file can have.
inline constexpr std::uint64_t kTarExtraBytesMax = 16 << 20;
// Data runs of one sparse file; they are held in memory, 16 bytes each.
inline constexpr std::size_t kTarSparseRunsMax = 4'000'000;

struct TarTime {
  std::int64_t seconds = 0;
  std::uint32_t nanoseconds = 0;  // counted up from `seconds`, also before 1970
  bool operator==(const TarTime&) const = default;
};

// A member as the archive has it: names are not judged.
struct TarInput {
  enum class Type : std::uint8_t {
    kFile,
    kHardLink,
    kSymlink,
    kCharDevice,
    kBlockDevice,
    kDirectory,
    kFifo,
    kUnknown,  // vendors' types, parts of multi-volume archives; their data is passed over
  };
  Type type = Type::kFile;
  char type_flag = '0';  // as it stands in the header
  std::string name;
  std::string link_target;  // of symlinks and hard links
  std::uint16_t mode = 0;
  std::int64_t uid = 0;  // may be beyond what a file system knows
  std::int64_t gid = 0;
  std::string user;
  std::string group;
  TarTime mtime;
  std::optional<TarTime> birth_time;
  std::uint64_t size_bytes = 0;  // of a file's content, holes included
  std::uint32_t device_major = 0;
  std::uint32_t device_minor = 0;
  std::vector<TarRun> data_runs;                      // ascending; what is in none of them is zeros
  std::vector<std::pair<std::string, Bytes>> xattrs;  // in archive order, names decoded; may repeat
  std::string acl_access;                             // as text
  std::string acl_default;
  std::uint64_t archive_offset = 0;  // of its first header
};

// Not thread-safe. After an error it must not be used further. All errors but the source's are kMalformed
// with the offset in the (decompressed) archive.
class TarReader {
 public:
  // Gives some bytes, 0 at the end.
  using Source = std::function<Result<std::size_t>(MutableByteSpan)>;
  explicit TarReader(Source source);

  // The next member, after passing over what is left of the one before. False at the end mark. An archive
  // that ends without one was cut short.
  Result<bool> next(TarInput& member);
  // Content of the member's data runs, one after the other: fills `into`, which must not ask for more than is
  // left.
  Result<void> read(MutableByteSpan into);
  // After the end mark: reads the source to its end. True if there was anything but zeros.
  Result<bool> drain();
  std::uint64_t position() const { return position_; }

 private:
  struct Extra;  // what pax records and long names say of the member that follows

  Result<std::size_t> take(MutableByteSpan into);
  Result<void> take_exactly(MutableByteSpan into);
  Result<bool> take_header(MutableByteSpan header);
  Result<void> skip(std::uint64_t length);
  Result<std::string> take_text(std::uint64_t size);
  Result<void> take_records(std::uint64_t size, std::vector<std::pair<std::string, std::string>>& records);
  Result<void> describe(ByteSpan header, Extra& extra, TarInput& member);
  Result<void> place_data(ByteSpan header, Extra& extra, TarInput& member);
  Result<void> take_old_sparse_map(ByteSpan header, Extra& extra);
  Result<void> take_sparse_map_in_data(Extra& extra);
  std::unexpected<Error> malformed(std::string message) const;

  Source source_;
  AlignedBuffer buffer_;
  std::size_t buffer_at_ = 0;
  std::size_t buffer_end_ = 0;
  std::uint64_t position_ = 0;
  std::uint64_t data_left_ = 0;  // of the open member, without padding
  std::uint64_t padding_left_ = 0;
  std::vector<std::pair<std::string, std::string>> global_records_;
};

}  // namespace asl
