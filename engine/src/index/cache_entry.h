// The values of the RocksDB cache: where the artifacts and the extent of one digest lie (doc/index-cache.md).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <asl/engine/block.h>
#include <asl/engine/bytes.h>

#include "index/artifact_record.h"

namespace asl {

// What a digest can be the name of; one can be all three.
enum class EntryKind : std::uint8_t { kUntyped = 0, kTyped = 1, kExtent = 2 };
inline constexpr std::size_t kEntryKinds = 3;

struct CacheEntry {
  EntryKind kind = EntryKind::kUntyped;
  std::uint64_t segment = 0;
  // An artifact of another number of extents than one: its record in the segment. Otherwise the place itself:
  std::optional<std::uint64_t> record_number;
  std::uint32_t block_number = kHoleBlock;  // the cache's own number of the block
  std::uint32_t block_offset = 0;
  std::uint32_t stored_length = 0;
  std::uint64_t raw_length = 0;
  Codec codec = Codec::kNone;
  // Typed artifacts only: their digest is not that of their extent.
  std::uint32_t type_tag = 0;
  Digest extent_digest{};
  bool operator==(const CacheEntry&) const = default;
};

// By kind.
using CacheEntries = std::array<std::optional<CacheEntry>, kEntryKinds>;

void append_entry(std::string& value, const CacheEntry& entry);
std::string encode_entries(const CacheEntries& entries);
// Adds the entries of `value` to those kinds that `entries` lacks. False if `value` is malformed.
[[nodiscard]] bool add_missing_entries(std::string_view value, CacheEntries& entries);

}  // namespace asl
