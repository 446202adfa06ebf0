// Writes a tar archive in the pax interchange format (POSIX.1-2001), with the additions that GNU tar and
// others share: extended attributes and ACLs as SCHILY.*, sparse files as GNU.sparse 1.0 (doc/tar.md).
//
// Written here and not by libarchive because its writer lets the locale decide how names are written, marks
// every other name with a keyword that GNU tar warns about, and would have to be fed the zeros of every hole.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <asl/engine/bytes.h>
#include <asl/engine/error.h>

namespace asl {

inline constexpr std::size_t kTarBlockBytes = 512;
// The end of an archive is filled up to this, as tar does: tapes and old programs read in such records.
inline constexpr std::size_t kTarRecordBytes = 20 * kTarBlockBytes;
// All pax records of one member together: libarchive reads no more than 1 MiB of them.
inline constexpr std::size_t kPaxRecordsMax = 1 << 20;

enum class TarType : char {
  kFile = '0',
  kHardLink = '1',
  kSymlink = '2',
  kCharDevice = '3',
  kBlockDevice = '4',
  kDirectory = '5',
  kFifo = '6',
};

struct TarRun {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  bool operator==(const TarRun&) const = default;
};

struct TarMember {
  std::string name;  // directories end in '/'
  TarType type = TarType::kFile;
  std::uint16_t mode = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::string user{};  // empty where not known
  std::string group{};
  std::int64_t mtime_s = 0;
  std::uint32_t mtime_ns = 0;
  std::uint64_t size_bytes = 0;  // of a file's content, holes included
  std::string link_target{};     // of symlinks and hard links
  std::uint32_t device_major = 0;
  std::uint32_t device_minor = 0;
  // A file that is sparse: where its data lies, ascending; only these bytes are then written.
  bool sparse = false;
  std::vector<TarRun> data_runs{};
  // Pax records beyond those that follow from the fields above, in the order to be written.
  std::vector<std::pair<std::string, Bytes>> extra{};
};

// The bytes that one more pax record takes.
std::size_t pax_record_size(std::string_view key, std::size_t value_size);
// How an extended attribute's name stands in a record's key: '=' and '%' escaped as GNU tar does.
std::string xattr_record_key(std::string_view xattr_name);
// Seconds with their fraction, as POSIX has it: the fraction of a negative time makes it more negative.
std::string pax_time(std::int64_t seconds, std::uint32_t nanoseconds);

// One archive. Not thread-safe. After an error it must not be used further.
class PaxWriter {
 public:
  using Sink = std::function<Result<void>(ByteSpan)>;
  explicit PaxWriter(Sink sink);

  // Ends the member before. For a file, content() follows, in all as many bytes as were promised.
  Result<void> begin(const TarMember& member);
  Result<void> content(ByteSpan bytes);
  // That many zeros of content.
  Result<void> zeros(std::uint64_t length);
  Result<void> finish();
  std::uint64_t bytes_written() const { return written_; }

 private:
  Result<void> end_member();
  Result<void> put(ByteSpan bytes);
  Result<void> flush();
  Result<void> pad(std::uint64_t multiple);

  Sink sink_;
  Bytes buffer_;
  std::uint64_t written_ = 0;
  std::uint64_t promised_ = 0;  // content of the open member still to come
};

}  // namespace asl
