#include "maintain/block_rebuilder.h"

#include <algorithm>

#include <asl/engine/hash.h>

#include "block/codec.h"

namespace asl {
namespace {

// What `--compress` may have been given; the default first.
constexpr int kLevels[] = {3, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19};

}  // namespace

std::optional<Bytes> BlockRebuilder::own_bytes(const BlockId& id, const StoredExtent& extent) {
  Bytes bytes(extent.stored_length_bytes);
  if (!read_foreign(blocks_.io(), blocks_.path_of(id), extent.offset_bytes, bytes)) return std::nullopt;
  if (sha256(bytes) != extent.stored_digest) return std::nullopt;
  return bytes;
}

std::optional<FoundBytes> BlockRebuilder::stored(const BlockId& id, const StoredExtent& extent) {
  if (auto own = own_bytes(id, extent)) return FoundBytes{std::move(*own), {}};
  if (auto same = sources_.stored_extent(id, extent)) return same;
  // For what is not compressed, both digests are one.
  if (auto raw = sources_.raw(extent.stored_digest)) return raw;
  return encoded_again(id, extent);
}

// The compressed form may be had by compressing again, if it was this version of zstd.
std::optional<FoundBytes> BlockRebuilder::encoded_again(const BlockId& id, const StoredExtent& extent) {
  const auto named = named_.find({id, extent.offset_bytes});
  if (named == named_.end() || named->second.location.codec != Codec::kZstd) return std::nullopt;
  auto raw = sources_.raw(named->second.location.digest);
  if (!raw) return std::nullopt;
  for (const int level : kLevels) {
    Compressor compressor(level);
    const auto stored = compressor.compress(raw->bytes);
    if (!stored || sha256(*stored) != extent.stored_digest) continue;
    return FoundBytes{Bytes(stored->begin(), stored->end()), raw->source};
  }
  return std::nullopt;
}

Result<bool> BlockRebuilder::is_possible(const BlockId& id, const BlockMeta& meta, const StopToken& stop) {
  for (const StoredExtent& extent : meta.extents) {
    ASL_TRY(stop.check());
    if (!stored(id, extent)) return false;
  }
  return true;
}

Result<std::optional<RebuiltBlock>> BlockRebuilder::rebuild(const BlockId& id, const BlockMeta& meta,
                                                            const StopToken& stop) {
  if (lane_ == nullptr) {
    ASL_ASSIGN(lane_, WriteLane::create(blocks_.io()));
  }
  const std::uint64_t capacity = std::max<std::uint64_t>(meta.length_bytes, kPageSize);
  ASL_ASSIGN(const auto writer,
             BlockWriter::create(blocks_, *lane_, {.capacity_bytes = capacity, .needed_bytes = capacity}));
  RebuiltBlock rebuilt;
  for (const StoredExtent& extent : meta.extents) {
    ASL_TRY(stop.check());
    const auto found = stored(id, extent);
    if (!found || !writer->fits(found->bytes.size())) return std::nullopt;
    ASL_ASSIGN(const std::uint32_t offset, writer->append(found->bytes, extent.stored_digest));
    if (offset != extent.offset_bytes) return std::nullopt;
    if (found->source.empty()) continue;
    rebuilt.bytes_healed += found->bytes.size();
    rebuilt.source = found->source;
  }
  if (meta.extents.empty()) return std::nullopt;
  ASL_ASSIGN(rebuilt.sealed, writer->seal());
  if (rebuilt.sealed.id != id) {
    blocks_.discard(rebuilt.sealed);
    return std::nullopt;
  }
  return rebuilt;
}

}  // namespace asl
