#include "format/block_meta.h"

#include <algorithm>

#include <asl/engine/cm.h>
#include <asl/engine/hash.h>

#include "format/encode_error.h"

namespace asl {
namespace {

constexpr std::string_view kBlockMagic = "asl-block";
constexpr std::string_view kBlockListMagic = "asl-blocks";
constexpr std::uint64_t kBlockVersion = 1;
constexpr std::uint32_t kBlockFields = 4;
constexpr std::uint32_t kExtentFields = 3;
constexpr std::uint32_t kBlockListFields = 3;

std::string_view violated_rule(const BlockMeta& meta) {
  if (meta.length_bytes == 0 || meta.length_bytes > kBlockLengthMax || meta.length_bytes % kPageSize != 0)
    return "a block's length is not possible";
  if (meta.extents.empty() || meta.extents.size() > kExtentsPerBlockMax)
    return "a block's number of extents is not possible";
  std::uint64_t end = 0;
  for (const StoredExtent& extent : meta.extents) {
    if (extent.stored_length_bytes == 0) return "an extent is empty";
    if (extent.offset_bytes < end) return "extents are not in order, or overlap";
    if (extent.stored_length_bytes >= kSmallExtentMax && extent.offset_bytes % kPageSize != 0)
      return "a large extent does not start on a page";
    end = std::uint64_t{extent.offset_bytes} + extent.stored_length_bytes;
    if (end > meta.length_bytes) return "an extent reaches past its block's end";
  }
  return {};
}

Result<StoredExtent> read_extent(CmReader& reader) {
  StoredExtent extent;
  ASL_TRY(reader.array_exactly(kExtentFields));
  ASL_ASSIGN(const std::uint64_t offset, reader.uint(kBlockLengthMax));
  extent.offset_bytes = static_cast<std::uint32_t>(offset);
  ASL_ASSIGN(const std::uint64_t length, reader.uint(kBlockLengthMax));
  extent.stored_length_bytes = static_cast<std::uint32_t>(length);
  ASL_ASSIGN(const ByteSpan digest, reader.bin(sizeof(Digest)));
  if (digest.size() != sizeof(Digest)) return fail(reader.violation("a digest must have 32 bytes"));
  std::ranges::copy(digest, extent.stored_digest.begin());
  return extent;
}

}  // namespace

Result<Bytes> encode_block_meta(const BlockMeta& meta) {
  if (const auto rule = violated_rule(meta); !rule.empty()) return encode_malformed(rule);
  Bytes bytes;
  CmWriter writer(bytes);
  writer.array(kBlockFields);
  writer.str(kBlockMagic);
  writer.uint(kBlockVersion);
  writer.uint(meta.length_bytes);
  writer.array(static_cast<std::uint32_t>(meta.extents.size()));
  for (const StoredExtent& extent : meta.extents) {
    writer.array(kExtentFields);
    writer.uint(extent.offset_bytes);
    writer.uint(extent.stored_length_bytes);
    writer.bin(extent.stored_digest);
  }
  return bytes;
}

Result<BlockMeta> decode_block_meta(ByteSpan bytes) {
  if (bytes.size() > kBlockMetaSizeMax)
    return fail(CmReader::violation_at(kBlockMetaSizeMax, "a block's metadata is too large"));
  CmReader reader(bytes);
  ASL_TRY(reader.array_exactly(kBlockFields));
  ASL_TRY(reader.header(kBlockMagic, kBlockVersion));
  BlockMeta meta;
  ASL_ASSIGN(meta.length_bytes, reader.uint());
  ASL_ASSIGN(const std::uint32_t count, reader.array(kExtentsPerBlockMax));
  meta.extents.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    ASL_ASSIGN(const StoredExtent extent, read_extent(reader));
    meta.extents.push_back(extent);
  }
  ASL_TRY(reader.finish());
  if (const auto rule = violated_rule(meta); !rule.empty()) return fail(CmReader::violation_at(0, rule));
  return meta;
}

BlockId block_id_of(ByteSpan meta_bytes) {
  return sha256(meta_bytes);
}

Result<Bytes> encode_block_list(const std::vector<BlockId>& ids) {
  constexpr std::size_t kItemSize = 2 + sizeof(BlockId);
  if (ids.size() > kBlockListSizeMax / kItemSize) return encode_too_large("a list of blocks");
  if (std::ranges::adjacent_find(ids, std::ranges::greater_equal{}) != ids.end())
    return encode_malformed("block ids are not sorted, each once");
  Bytes bytes;
  CmWriter writer(bytes);
  writer.array(kBlockListFields);
  writer.str(kBlockListMagic);
  writer.uint(kBlockVersion);
  writer.array(static_cast<std::uint32_t>(ids.size()));
  for (const BlockId& id : ids) writer.bin(id);
  if (bytes.size() > kBlockListSizeMax) return encode_too_large("a list of blocks");
  return bytes;
}

Result<std::vector<BlockId>> decode_block_list(ByteSpan bytes) {
  if (bytes.size() > kBlockListSizeMax)
    return fail(CmReader::violation_at(kBlockListSizeMax, "a list of blocks is too large"));
  CmReader reader(bytes);
  ASL_TRY(reader.array_exactly(kBlockListFields));
  ASL_TRY(reader.header(kBlockListMagic, kBlockVersion));
  ASL_ASSIGN(const std::uint32_t count, reader.array());
  std::vector<BlockId> ids;
  for (std::uint32_t i = 0; i < count; ++i) {
    ASL_ASSIGN(const ByteSpan id, reader.bin(sizeof(BlockId)));
    if (id.size() != sizeof(BlockId)) return fail(reader.violation("a block id must have 32 bytes"));
    std::ranges::copy(id, ids.emplace_back().begin());
    if (i > 0 && ids[i - 1] >= ids[i]) return fail(reader.violation("block ids are not sorted, each once"));
  }
  ASL_TRY(reader.finish());
  return ids;
}

}  // namespace asl
