#include "index/cache_entry.h"

#include <cstring>

namespace asl {
namespace {

// First byte of an entry: kind in the low two bits, then the form.
constexpr std::uint8_t kKindMask = 0x03;
constexpr std::uint8_t kFormRecord = 0x04;
constexpr std::uint8_t kFormHole = 0x08;
constexpr std::uint8_t kFirstByteKnown = kKindMask | kFormRecord | kFormHole;

void append_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

// Takes values off the front of a string; after a failure `ok` is false and every value is zero.
struct Decoder {
  std::string_view rest;
  bool ok = true;

  std::uint8_t byte() {
    if (rest.empty()) {
      ok = false;
      return 0;
    }
    const auto value = static_cast<std::uint8_t>(rest.front());
    rest.remove_prefix(1);
    return value;
  }

  std::uint64_t varint(std::uint64_t value_max) {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::uint8_t part = byte();
      value |= std::uint64_t{part & 0x7FU} << shift;
      if ((part & 0x80) != 0) continue;
      if (value > value_max) ok = false;
      return ok ? value : 0;
    }
    ok = false;
    return 0;
  }

  std::uint32_t varint32() { return static_cast<std::uint32_t>(varint(0xFFFFFFFF)); }

  void digest(Digest& into) {
    if (rest.size() < into.size()) {
      ok = false;
      return;
    }
    std::memcpy(into.data(), rest.data(), into.size());
    rest.remove_prefix(into.size());
  }
};

CacheEntry take_entry(Decoder& in) {
  CacheEntry entry;
  const std::uint8_t first = in.byte();
  if ((first & ~kFirstByteKnown) != 0 || (first & kKindMask) >= kEntryKinds) in.ok = false;
  entry.kind = static_cast<EntryKind>(first & kKindMask);
  entry.segment = in.varint(~std::uint64_t{0});
  if ((first & kFormRecord) != 0) {
    entry.record_number = in.varint(~std::uint64_t{0});
    return entry;
  }
  entry.raw_length = in.varint(kArtifactLengthMax);
  if (entry.kind == EntryKind::kTyped) {
    entry.type_tag = in.varint32();
    in.digest(entry.extent_digest);
  }
  if ((first & kFormHole) != 0) return entry;
  entry.block_number = in.varint32();
  entry.block_offset = in.varint32();
  entry.codec = in.byte() == 0 ? Codec::kNone : Codec::kZstd;
  entry.stored_length =
      entry.codec == Codec::kNone ? static_cast<std::uint32_t>(entry.raw_length) : in.varint32();
  if (std::uint64_t{entry.block_offset} + entry.stored_length > kBlockLengthMax ||
      entry.block_number == kHoleBlock)
    in.ok = false;
  return entry;
}

}  // namespace

void append_entry(std::string& value, const CacheEntry& entry) {
  auto first = static_cast<std::uint8_t>(entry.kind);
  const bool hole = !entry.record_number && entry.block_number == kHoleBlock;
  if (entry.record_number) first |= kFormRecord;
  if (hole) first |= kFormHole;
  value.push_back(static_cast<char>(first));
  append_varint(value, entry.segment);
  if (entry.record_number) {
    append_varint(value, *entry.record_number);
    return;
  }
  append_varint(value, entry.raw_length);
  if (entry.kind == EntryKind::kTyped) {
    append_varint(value, entry.type_tag);
    value += as_text(entry.extent_digest);
  }
  if (hole) return;
  append_varint(value, entry.block_number);
  append_varint(value, entry.block_offset);
  value.push_back(static_cast<char>(entry.codec));
  // Without compression the two lengths are one.
  if (entry.codec != Codec::kNone) append_varint(value, entry.stored_length);
}

std::string encode_entries(const CacheEntries& entries) {
  std::string value;
  for (const auto& entry : entries)
    if (entry) append_entry(value, *entry);
  return value;
}

bool add_missing_entries(std::string_view value, CacheEntries& entries) {
  Decoder in{value};
  while (!in.rest.empty()) {
    const CacheEntry entry = take_entry(in);
    if (!in.ok) return false;
    auto& slot = entries[static_cast<std::size_t>(entry.kind)];
    if (!slot) slot = entry;
  }
  return true;
}

}  // namespace asl
