#include <array>

#include "maintain/stats_parts.h"

namespace asl {
namespace {

// Key: what the places are sorted by. Of the copies of one place the oldest range comes first.
constexpr std::size_t kKeySize = 16;
constexpr std::size_t kValueSize = 9;

}  // namespace

Result<void> add_place(ExternalSorter& places, const ExtentPlace& place) {
  std::array<std::byte, kKeySize> key;
  store_be(key.data(), place.block);
  store_be(key.data() + 4, place.offset_bytes);
  store_be(key.data() + 8, place.range.to);
  store_be(key.data() + 12, place.range.from);
  std::array<std::byte, kValueSize> value;
  store_be(value.data(), place.stored_bytes);
  store_be(value.data() + 4, place.raw_bytes);
  value[8] = std::byte{static_cast<unsigned char>(place.compressed ? 1 : 0)};
  return places.add(key, value);
}

Result<std::optional<ExtentPlace>> PlaceReader::next() {
  while (true) {
    ASL_ASSIGN(const bool more, reader_.next());
    if (!more) return std::nullopt;
    const std::byte* key = reader_.key().data();
    const std::byte* value = reader_.value().data();
    const ExtentPlace place{
        .block = load_be<std::uint32_t>(key),
        .offset_bytes = load_be<std::uint32_t>(key + 4),
        .range = {load_be<std::uint32_t>(key + 12), load_be<std::uint32_t>(key + 8)},
        .stored_bytes = load_be<std::uint32_t>(value),
        .raw_bytes = load_be<std::uint32_t>(value + 4),
        .compressed = value[8] != std::byte{0},
    };
    if (last_ && last_->block == place.block && last_->offset_bytes == place.offset_bytes) continue;
    last_ = place;
    return place;
  }
}

}  // namespace asl
