#include <algorithm>
#include <chrono>
#include <utility>

#include "block/block_reader.h"
#include "block/codec.h"
#include "maintain/stats_parts.h"

namespace asl {
namespace {

using Clock = std::chrono::steady_clock;

// Small extents are taken together with those beside them: they are read in windows of this anyway.
constexpr std::uint32_t kStripeBytes = 256 << 10;

// Looks extents up in the metadata of the block they come from, one block after the other.
class BlockDigests {
 public:
  explicit BlockDigests(BlockStore& blocks) : blocks_(blocks) {}

  // Nothing if the metadata is not there or does not know the extent.
  std::optional<Digest> find(const BlockId& id, std::uint32_t offset_bytes) {
    if (!loaded_ || *loaded_ != id) {
      auto meta = blocks_.read_meta(id);
      extents_ = meta ? std::move(meta->extents) : std::vector<StoredExtent>();
      loaded_ = id;
    }
    const auto at = std::ranges::lower_bound(extents_, offset_bytes, {}, &StoredExtent::offset_bytes);
    if (at == extents_.end() || at->offset_bytes != offset_bytes) return std::nullopt;
    return at->stored_digest;
  }

 private:
  BlockStore& blocks_;
  std::optional<BlockId> loaded_;
  std::vector<StoredExtent> extents_;
};

}  // namespace

Result<CompressionSample> sample_compression(const Domain& domain, const ExternalSorter& places,
                                             const BlockTable& blocks, std::uint64_t uncompressed_bytes,
                                             std::uint64_t bytes_wanted, const StopToken& stop) {
  CompressionSample sample;
  sample.level = kZstdLevelDefault;
  if (uncompressed_bytes == 0 || bytes_wanted == 0) return sample;
  const double share =
      std::min(1.0, static_cast<double>(bytes_wanted) / static_cast<double>(uncompressed_bytes));
  Compressor compressor(sample.level);
  BlockDigests digests(domain.blocks());
  Bytes raw;
  PlaceReader reader(places);
  double passed = 0;
  double chosen = 0;
  bool taking = false;
  std::optional<std::pair<std::uint32_t, std::uint32_t>> stripe;
  while (true) {
    ASL_ASSIGN(const auto place, reader.next());
    if (!place) return sample;
    if (place->compressed) continue;
    // Evenly by bytes: a stripe is taken whenever what was taken falls behind its share of what was passed.
    const std::pair here{place->block, place->offset_bytes / kStripeBytes};
    if (stripe != here) taking = chosen <= passed * share;
    stripe = here;
    passed += static_cast<double>(place->raw_bytes);
    if (!taking) continue;
    chosen += static_cast<double>(place->raw_bytes);
    ASL_TRY(stop.check());
    const BlockId id = *blocks.find(place->block);
    const auto digest = digests.find(id, place->offset_bytes);
    raw.resize(place->raw_bytes);
    const ExtentLocation location{.block = id,
                                  .offset_bytes = place->offset_bytes,
                                  .stored_length_bytes = place->stored_bytes,
                                  .raw_length_bytes = place->raw_bytes,
                                  .codec = Codec::kNone,
                                  .digest = digest.value_or(Digest{})};
    if (!digest || !domain.block_reader().read(location, raw)) {
      ++sample.unreadable;
      continue;
    }
    const auto start = Clock::now();
    ASL_ASSIGN(const ByteSpan compressed, compressor.compress(raw));
    sample.seconds += std::chrono::duration<double>(Clock::now() - start).count();
    ++sample.extents;
    sample.raw_bytes += raw.size();
    sample.zstd_bytes += compressed.empty() ? raw.size() : compressed.size();
  }
}

}  // namespace asl
