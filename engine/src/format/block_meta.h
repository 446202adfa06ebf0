// Block metadata and lists of blocks (doc/format-block.md).
#pragma once

#include <cstdint>
#include <vector>

#include <asl/engine/block.h>
#include <asl/engine/bytes.h>
#include <asl/engine/error.h>

namespace asl {

inline constexpr std::size_t kBlockMetaSizeMax = 4 << 20;   // 65,536 extents need 3 MiB
inline constexpr std::size_t kBlockListSizeMax = 64 << 20;  // about two million blocks, 500 TB of full ones

struct StoredExtent {
  std::uint32_t offset_bytes = 0;
  std::uint32_t stored_length_bytes = 0;
  Digest stored_digest{};  // SHA-256 of the bytes as they lie in the block
  bool operator==(const StoredExtent&) const = default;
};

struct BlockMeta {
  std::uint64_t length_bytes = 0;     // of the .bin file
  std::vector<StoredExtent> extents;  // by offset, not overlapping
  bool operator==(const BlockMeta&) const = default;
};

// Errors: kMalformed for what breaks a rule (a programming error of the packer).
Result<Bytes> encode_block_meta(const BlockMeta& meta);
// Errors: kIntegrity with the offset inside `bytes`; kUnsupported for another version.
Result<BlockMeta> decode_block_meta(ByteSpan bytes);
// SHA-256 of the encoded metadata.
BlockId block_id_of(ByteSpan meta_bytes);

// `ids` must be sorted and unique (kMalformed); kUnsupported beyond kBlockListSizeMax.
Result<Bytes> encode_block_list(const std::vector<BlockId>& ids);
Result<std::vector<BlockId>> decode_block_list(ByteSpan bytes);

}  // namespace asl
