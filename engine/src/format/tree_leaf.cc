#include <algorithm>
#include <cassert>
#include <limits>
#include <utility>

#include <asl/engine/tree_leaf.h>

#include "format/entry_codec.h"

namespace asl {

Result<IndexedLeaf> IndexedLeaf::open(Bytes bytes) {
  IndexedLeaf leaf;
  leaf.bytes_ = std::move(bytes);
  ASL_ASSIGN(LeafReader reader, LeafReader::open(leaf.bytes_));
  leaf.offsets_.reserve(reader.count());
  leaf.positions_.reserve(reader.count());
  Entry entry;
  for (;;) {
    const std::size_t start = reader.offset();
    ASL_ASSIGN(const bool more, reader.next(entry));
    if (!more) return leaf;
    leaf.offsets_.push_back(static_cast<std::uint32_t>(start));
    leaf.positions_.push_back(static_cast<std::uint32_t>(leaf.span_));
    leaf.span_ += 1 + entry.below;
    if (leaf.span_ > std::numeric_limits<std::uint32_t>::max())
      return fail(ErrorCode::kUnsupported, "a directory has more entries below it than can be numbered");
  }
}

std::size_t IndexedLeaf::memory_bytes() const {
  return sizeof *this + bytes_.capacity() +
         (offsets_.capacity() + positions_.capacity()) * sizeof(std::uint32_t);
}

void IndexedLeaf::entry(std::uint32_t number, Entry& into) const {
  CmReader reader(ByteSpan(bytes_).subspan(offsets_[number]));
  const auto read = read_entry(reader, into, NameRule::kName);
  // It was read before, when the leaf was opened.
  assert(read);
  static_cast<void>(read);
}

std::string_view IndexedLeaf::name(std::uint32_t number) const {
  CmReader reader(ByteSpan(bytes_).subspan(offsets_[number]));
  [[maybe_unused]] const auto fields = reader.array();
  const auto name = reader.bin(kNameSizeMax);
  assert(name);
  return as_text(*name);
}

std::optional<std::uint32_t> IndexedLeaf::find(std::string_view wanted) const {
  std::uint32_t low = 0;
  std::uint32_t high = count();
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (name(middle) < wanted)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == count() || name(low) != wanted) return std::nullopt;
  return low;
}

std::uint32_t IndexedLeaf::at_or_above(std::uint64_t position) const {
  assert(position < span_);
  const auto after = std::ranges::upper_bound(positions_, position);
  return static_cast<std::uint32_t>(after - positions_.begin()) - 1;
}

}  // namespace asl
