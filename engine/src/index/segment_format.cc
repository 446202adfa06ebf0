#include "index/segment_format.h"

#include <algorithm>
#include <cstddef>

namespace asl {
namespace {

template <std::size_t N>
bool is_magic(const std::array<char, N>& have, std::string_view want) {
  return std::string_view(have.data(), have.size()) == want;
}

FormatBreach breach(std::string_view rule, std::uint64_t offset) {
  return {.rule = rule, .offset = offset};
}

constexpr std::size_t kMagicOffset = 0;

FormatBreach check_layout(const SegmentHeader& header) {
  if (header.record_count > kSegmentRecordsMax)
    return breach("a segment's record count is impossible", offsetof(SegmentHeader, record_count));
  if (header.extent_count > kSegmentExtentsMax)
    return breach("a segment's extent count is impossible", offsetof(SegmentHeader, extent_count));
  SegmentHeader want = header;
  set_layout(want);
  if (header.records_offset != want.records_offset)
    return breach("a segment's records are not where they belong", offsetof(SegmentHeader, records_offset));
  if (header.digests_offset != want.digests_offset)
    return breach("a segment's digests are not where they belong", offsetof(SegmentHeader, digests_offset));
  if (header.digests_size != want.digests_size)
    return breach("a segment's digests have the wrong size", offsetof(SegmentHeader, digests_size));
  if (header.blocks_offset != want.blocks_offset)
    return breach("a segment's block ids are not where they belong", offsetof(SegmentHeader, blocks_offset));
  if (header.extents_offset != want.extents_offset)
    return breach("a segment's extents are not where they belong", offsetof(SegmentHeader, extents_offset));
  if (header.page_sums_offset != want.page_sums_offset)
    return breach("a segment's page sums are not where they belong",
                  offsetof(SegmentHeader, page_sums_offset));
  return {};
}

FormatBreach check_hole(const SegmentExtent& disk) {
  if (disk.block_offset != 0 || disk.stored_length != 0)
    return breach("a hole claims a place in a block", offsetof(SegmentExtent, block_offset));
  if (disk.codec != 0) return breach("a hole has a codec", offsetof(SegmentExtent, codec));
  if (!all_zero(digest_bytes(disk.digest)))
    return breach("a hole has a digest", offsetof(SegmentExtent, digest));
  return {};
}

FormatBreach check_stored(const SegmentExtent& disk, std::uint32_t block_count) {
  if (disk.block_index >= block_count)
    return breach("an extent's block is not in the segment's list", offsetof(SegmentExtent, block_index));
  if (disk.stored_length == 0)
    return breach("an extent is stored in no bytes", offsetof(SegmentExtent, stored_length));
  if (disk.raw_length > kExtentLengthMax)
    return breach("an extent is longer than any may be", offsetof(SegmentExtent, raw_length));
  if (std::uint64_t{disk.block_offset} + disk.stored_length > kBlockLengthMax)
    return breach("an extent reaches past the largest block", offsetof(SegmentExtent, block_offset));
  if (disk.codec == static_cast<std::uint8_t>(Codec::kNone)) {
    if (disk.stored_length != disk.raw_length)
      return breach("an uncompressed extent is stored in another length",
                    offsetof(SegmentExtent, stored_length));
    return {};
  }
  if (disk.codec != static_cast<std::uint8_t>(Codec::kZstd))
    return {.rule = "an extent has a codec this version does not know",
            .offset = offsetof(SegmentExtent, codec),
            .unsupported = true};
  if (disk.stored_length >= disk.raw_length)
    return breach("a compressed extent is not smaller than its bytes",
                  offsetof(SegmentExtent, stored_length));
  return {};
}

}  // namespace

void set_layout(SegmentHeader& header) {
  header.records_offset = sizeof(SegmentHeader);
  header.digests_offset = header.records_offset + header.record_count * sizeof(SegmentRecord);
  header.digests_size = header.record_count * sizeof(Digest);
  header.blocks_offset = header.digests_offset + header.digests_size;
  header.extents_offset = header.blocks_offset + header.block_count * kSegmentBlockIdSize;
  header.page_sums_offset =
      round_up(header.extents_offset + header.extent_count * sizeof(SegmentExtent), kPageSize);
}

std::uint64_t segment_file_size(const SegmentHeader& header) {
  return header.page_sums_offset + header.page_sums_offset / kPageSize * kPageSumSize + sizeof(SegmentFooter);
}

FormatBreach check_header(const SegmentHeader& header) {
  if (!is_magic(header.magic, kSegmentMagic)) return breach("not a segment", kMagicOffset);
  if (header.version != kSegmentVersion)
    return {.rule = "a segment has a version this program does not know",
            .offset = offsetof(SegmentHeader, version),
            .unsupported = true};
  if (header.shard_id != 0) return breach("a segment has a shard id", offsetof(SegmentHeader, shard_id));
  if (header.header_size != sizeof(SegmentHeader))
    return breach("a segment's header has the wrong size", offsetof(SegmentHeader, header_size));
  if (header.snapshot_min > header.snapshot_max)
    return breach("a segment's snapshots are out of order", offsetof(SegmentHeader, snapshot_min));
  if (header.flags != 0) return breach("a segment has unknown flags", offsetof(SegmentHeader, flags));
  if (header.visibility > kVisibilityPublished)
    return breach("a segment has an unknown visibility", offsetof(SegmentHeader, visibility));
  if (header.federation_version != 0)
    return breach("a segment has a federation version", offsetof(SegmentHeader, federation_version));
  if (header.zero[0] != 0 || header.zero[1] != 0)
    return breach("a segment header's zero bytes are not zero", offsetof(SegmentHeader, zero));
  return check_layout(header);
}

FormatBreach check_footer(const SegmentFooter& footer, const SegmentHeader& header, std::uint64_t file_size) {
  if (!is_magic(footer.magic, kSegmentFooterMagic))
    return breach("a segment's footer is missing", kMagicOffset);
  if (footer.file_size != file_size)
    return breach("a segment's footer gives another file size", offsetof(SegmentFooter, file_size));
  if (segment_file_size(header) != file_size)
    return breach("a segment's header does not fit its file size", offsetof(SegmentFooter, file_size));
  return {};
}

FormatBreach decode_record(const SegmentRecord& disk, const SegmentHeader& header, std::uint64_t number,
                           ArtifactRecord& record) {
  if (disk.hash_id != kHashIdAsl1 && disk.hash_id != kHashIdSha256)
    return breach("a record has an unknown hash id", offsetof(SegmentRecord, hash_id));
  if (disk.digest_len != sizeof(Digest))
    return breach("a record's digest has the wrong length", offsetof(SegmentRecord, digest_len));
  if ((disk.flags & ~kRecordFlagsKnown) != 0)
    return breach("a record has unknown flags", offsetof(SegmentRecord, flags));
  if (disk.digest_offset != header.digests_offset + number * sizeof(Digest))
    return breach("a record's digest is not where it belongs", offsetof(SegmentRecord, digest_offset));
  if (disk.length > kArtifactLengthMax)
    return breach("a record's artifact is impossibly long", offsetof(SegmentRecord, length));
  const bool typed = disk.hash_id == kHashIdAsl1;
  if (disk.has_type_tag != (typed ? 1 : 0))
    return breach("a record's type tag does not go with its hash id", offsetof(SegmentRecord, has_type_tag));
  if (!typed && disk.type_tag != 0)
    return breach("an untyped record has a type tag", offsetof(SegmentRecord, type_tag));
  if (disk.visibility > kVisibilityPublished)
    return breach("a record has an unknown visibility", offsetof(SegmentRecord, visibility));
  if (disk.zero != 0) return breach("a record's zero bytes are not zero", offsetof(SegmentRecord, zero));
  if (disk.zero2 != 0) return breach("a record's zero bytes are not zero", offsetof(SegmentRecord, zero2));
  if ((disk.length == 0) != (disk.extent_count == 0))
    return breach("a record's extents do not go with its length", offsetof(SegmentRecord, extent_count));
  if (disk.extent_count == 0 && disk.extent_first != 0)
    return breach("a record without extents says where they begin", offsetof(SegmentRecord, extent_first));
  if (disk.extent_first > header.extent_count || disk.extent_count > header.extent_count - disk.extent_first)
    return breach("a record's extents lie outside the segment's", offsetof(SegmentRecord, extent_first));
  record.ref.hash_id = disk.hash_id;
  record.length = disk.length;
  record.flags = disk.flags;
  record.type_tag = typed ? std::optional(disk.type_tag) : std::nullopt;
  record.visibility = disk.visibility;
  return {};
}

FormatBreach decode_extent(const SegmentExtent& disk, std::uint32_t block_count, ExtentRecord& extent) {
  if (disk.flags != 0) return breach("an extent has unknown flags", offsetof(SegmentExtent, flags));
  if (disk.zero != 0) return breach("an extent's zero bytes are not zero", offsetof(SegmentExtent, zero));
  if (disk.raw_length == 0) return breach("an extent is empty", offsetof(SegmentExtent, raw_length));
  if (disk.artifact_offset > kArtifactLengthMax ||
      disk.raw_length > kArtifactLengthMax - disk.artifact_offset)
    return breach("an extent ends past the longest artifact", offsetof(SegmentExtent, artifact_offset));
  if (auto bad = disk.block_index == kHoleBlock ? check_hole(disk) : check_stored(disk, block_count))
    return bad;
  extent = {.artifact_offset = disk.artifact_offset,
            .raw_length = disk.raw_length,
            .block_index = disk.block_index,
            .block_offset = disk.block_offset,
            .stored_length = disk.stored_length,
            .codec = static_cast<Codec>(disk.codec),
            .digest = disk.digest};
  return {};
}

SegmentRecord encode_record(const ArtifactRecord& record, const SegmentHeader& header, std::uint64_t number,
                            std::uint64_t extent_first, std::uint32_t extent_count) {
  return {.hash_id = record.ref.hash_id,
          .digest_len = sizeof(Digest),
          .flags = record.flags,
          .digest_offset = header.digests_offset + number * sizeof(Digest),
          .length = record.length,
          .type_tag = record.type_tag.value_or(0),
          .has_type_tag = static_cast<std::uint8_t>(record.type_tag ? 1 : 0),
          .visibility = record.visibility,
          .zero = 0,
          .extent_first = extent_count == 0 ? 0 : extent_first,
          .extent_count = extent_count,
          .zero2 = 0};
}

SegmentExtent encode_extent(const ExtentRecord& extent, std::uint32_t block_index) {
  return {.artifact_offset = extent.artifact_offset,
          .raw_length = extent.raw_length,
          .block_index = block_index,
          .block_offset = extent.block_offset,
          .stored_length = extent.stored_length,
          .codec = static_cast<std::uint8_t>(extent.codec),
          .flags = 0,
          .zero = 0,
          .digest = extent.digest};
}

FormatBreach ExtentChain::add(const ExtentRecord& extent) {
  if (extent.artifact_offset != end_)
    return breach("an extent does not follow the one before it", offsetof(SegmentExtent, artifact_offset));
  if (extent.raw_length > length_ - end_)
    return breach("an extent reaches past the end of its artifact", offsetof(SegmentExtent, raw_length));
  if (extent.is_hole() && after_hole_)
    return breach("two holes lie side by side", offsetof(SegmentExtent, block_index));
  end_ += extent.raw_length;
  after_hole_ = extent.is_hole();
  return {};
}

FormatBreach ExtentChain::finish() const {
  if (end_ != length_)
    return breach("the extents of an artifact end before it does", offsetof(SegmentRecord, length));
  return {};
}

}  // namespace asl
