// The structures of a segment file as they lie on disk, and the rules they must keep (doc/format-segment.md).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <asl/engine/bytes.h>
#include <asl/engine/error.h>

#include "index/artifact_record.h"

namespace asl {

inline constexpr std::string_view kSegmentMagic = "ASLSEG01";
inline constexpr std::string_view kSegmentFooterMagic = "ASLSEGF1";
inline constexpr std::uint16_t kSegmentVersion = 1;

struct SegmentHeader {
  std::array<char, 8> magic;
  std::uint16_t version;
  std::uint16_t shard_id;
  std::uint32_t header_size;
  std::uint64_t snapshot_min;
  std::uint64_t snapshot_max;
  std::uint64_t record_count;
  std::uint64_t records_offset;
  std::uint64_t digests_offset;
  std::uint64_t digests_size;
  std::uint64_t blocks_offset;
  std::uint32_t block_count;
  std::uint32_t flags;
  std::uint64_t extents_offset;
  std::uint64_t extent_count;
  std::array<std::byte, 20> domain_id;
  std::uint8_t visibility;
  std::uint8_t federation_version;
  std::array<std::uint8_t, 2> zero;
  std::uint64_t page_sums_offset;
};
static_assert(sizeof(SegmentHeader) == 128);
static_assert(offsetof(SegmentHeader, page_sums_offset) == 120);

struct SegmentRecord {
  std::uint16_t hash_id;
  std::uint16_t digest_len;
  std::uint32_t flags;
  std::uint64_t digest_offset;
  std::uint64_t length;
  std::uint32_t type_tag;
  std::uint8_t has_type_tag;
  std::uint8_t visibility;
  std::uint16_t zero;
  std::uint64_t extent_first;
  std::uint32_t extent_count;
  std::uint32_t zero2;
};
static_assert(sizeof(SegmentRecord) == 48);
static_assert(offsetof(SegmentRecord, extent_first) == 32);

struct SegmentExtent {
  std::uint64_t artifact_offset;
  std::uint64_t raw_length;
  std::uint32_t block_index;
  std::uint32_t block_offset;
  std::uint32_t stored_length;
  std::uint8_t codec;
  std::uint8_t flags;
  std::uint16_t zero;
  Digest digest;
};
static_assert(sizeof(SegmentExtent) == 64);
static_assert(offsetof(SegmentExtent, digest) == 32);

struct SegmentFooter {
  std::array<char, 8> magic;
  std::uint64_t file_size;
  Digest sha256;  // of all bytes before the footer
};
static_assert(sizeof(SegmentFooter) == 48);

inline constexpr std::uint64_t kSegmentBlockIdSize = 32;
static_assert(sizeof(BlockId) == kSegmentBlockIdSize);
inline constexpr std::uint64_t kPageSumSize = 8;

// The larger counts would not fit a file of 2^62 bytes; checking them first keeps every product below 2^64.
inline constexpr std::uint64_t kSegmentRecordsMax = 1ULL << 40;
inline constexpr std::uint64_t kSegmentExtentsMax = 1ULL << 48;

// The offsets and size that follow from the counts in a header: there is one layout only.
void set_layout(SegmentHeader& header);
std::uint64_t segment_file_size(const SegmentHeader& header);

// The violated rule and where, relative to the structure checked.
struct FormatBreach {
  std::string_view rule;  // empty if none
  std::uint64_t offset = 0;
  bool unsupported = false;  // not wrong, but of a version this program does not know
  explicit operator bool() const { return !rule.empty(); }
};

FormatBreach check_header(const SegmentHeader& header);
FormatBreach check_footer(const SegmentFooter& footer, const SegmentHeader& header, std::uint64_t file_size);
// `number` is the record's position. Also decodes into `record`, all but its digest.
FormatBreach decode_record(const SegmentRecord& disk, const SegmentHeader& header, std::uint64_t number,
                           ArtifactRecord& record);
FormatBreach decode_extent(const SegmentExtent& disk, std::uint32_t block_count, ExtentRecord& extent);

SegmentRecord encode_record(const ArtifactRecord& record, const SegmentHeader& header, std::uint64_t number,
                            std::uint64_t extent_first, std::uint32_t extent_count);
SegmentExtent encode_extent(const ExtentRecord& extent, std::uint32_t block_index);

// The rules that bind the extents of one artifact to each other and to its length, one extent after the
// other.
class ExtentChain {
 public:
  explicit ExtentChain(std::uint64_t length) : length_(length) {}
  FormatBreach add(const ExtentRecord& extent);
  FormatBreach finish() const;

 private:
  std::uint64_t length_;
  std::uint64_t end_ = 0;
  bool after_hole_ = false;
};

}  // namespace asl
