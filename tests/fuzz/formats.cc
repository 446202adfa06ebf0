// The formats of artifacts, and references: what is accepted re-encodes to the same bytes.

#include <algorithm>
#include <string>
#include <vector>

#include <asl/engine/cm.h>
#include <asl/engine/partial.h>
#include <asl/engine/reference.h>
#include <asl/engine/snapshot.h>
#include <asl/engine/source_errors.h>
#include <asl/engine/tree.h>
#include <asl/engine/tree_leaf.h>

#include "format/block_meta.h"
#include "format/cm_marker.h"
#include "fuzz.h"

namespace asl::fuzz {
namespace {

constexpr std::string_view kSameBytes = "what was accepted re-encodes to the same bytes";

// Decodes twice and encodes.
template <typename Decode, typename Encode>
void round_trip(ByteSpan input, Decode decode, Encode encode) {
  const auto first = decode(input);
  const auto second = decode(input);
  require_same(first, second, "decoding gives the same answer again");
  if (!first) {
    require(first.error().code == ErrorCode::kIntegrity || first.error().code == ErrorCode::kUnsupported,
            "bytes are refused as damage or as a newer version");
    return;
  }
  require(*first == *second, "decoding gives the same answer again");
  require(std::ranges::equal(must(encode(*first), "what was decoded can be encoded"), input), kSameBytes);
}

// Copies the value that `reader` is at, judging by its first byte. False where the reader refuses.
bool copy_value(ByteSpan bytes, CmReader& reader, CmWriter& writer) {
  if (reader.offset() >= bytes.size()) return reader.uint().has_value();
  const auto first = std::to_integer<std::uint8_t>(bytes[reader.offset()]);
  const auto in = [&](unsigned from, unsigned count) { return first >= from && first < from + count; };
  const auto copied = [](const auto& value, const auto& write) {
    if (value) write(*value);
    return value.has_value();
  };
  if (first <= kCmPositiveFixintLast || in(kCmUint8, 4))
    return copied(reader.uint(), [&](std::uint64_t value) { writer.uint(value); });
  if (first >= kCmNegativeFixintFirst || in(kCmInt8, 4))
    return copied(reader.sint(), [&](std::int64_t value) { writer.sint(value); });
  if (in(kCmFixstr, kCmFixstrMax + 1) || in(kCmStr8, 3))
    return copied(reader.str(), [&](std::string_view value) { writer.str(value); });
  if (in(kCmBin8, 3)) return copied(reader.bin(), [&](ByteSpan value) { writer.bin(value); });
  if (first == kCmTrue || first == kCmFalse)
    return copied(reader.boolean(), [&](bool value) { writer.boolean(value); });
  if (first == kCmNil) {
    require(reader.at_nil(), "nil is seen before it is read");
    writer.nil();
    return reader.nil().has_value();
  }
  const auto count = reader.array();
  if (!count) return false;
  require(*count <= bytes.size(), "no array announces more than there are bytes");
  writer.array(*count);
  for (std::uint32_t item = 0; item < *count; ++item) {
    if (!copy_value(bytes, reader, writer)) return false;
  }
  return true;
}

void check_indexed_leaf(ByteSpan input, const TreeLeaf& leaf) {
  const auto indexed = IndexedLeaf::open(Bytes(input.begin(), input.end()));
  if (!indexed) {
    require(indexed.error().code == ErrorCode::kUnsupported, "a leaf that decodes can be indexed");
    return;
  }
  require(indexed->count() == leaf.entries.size(), "an indexed leaf has every entry");
  std::uint64_t position = 0;
  Entry entry;
  for (std::uint32_t number = 0; number < indexed->count(); ++number) {
    const Entry& expected = leaf.entries[number];
    indexed->entry(number, entry);
    require(entry == expected, "an indexed leaf gives each entry");
    require(indexed->name(number) == expected.name, "an indexed leaf gives each name");
    require(indexed->find(expected.name) == number, "an indexed leaf finds each name");
    require(indexed->position(number) == position, "positions count what lies below");
    require(indexed->at_or_above(position) == number, "a position finds its entry");
    require(indexed->at_or_above(position + expected.below) == number, "what lies below finds its directory");
    position += 1 + expected.below;
  }
  require(indexed->span() == position, "the span is all positions");
}

}  // namespace

void fuzz_reference(ByteSpan input) {
  if (const auto ref = decode_reference(input); ref) {
    require(!ref->is_null(), "no null reference is decoded");
    require(std::ranges::equal(encode_reference(*ref), input), kSameBytes);
  }
  const std::string_view text = as_text(input);
  const auto exact = parse_reference(text);
  if (exact) require(to_text(*exact) == text, "a reference's text is its only one");
  const auto prefix = parse_reference_prefix(text);
  if (prefix) {
    require(prefix->hex.size() >= kPrefixHexMin && prefix->hex.size() <= 64, "a prefix has 8 to 64 digits");
    const auto whole = prefix->whole();
    require(whole.has_value() == (prefix->hex.size() == 64), "64 digits are a whole reference");
    if (whole) {
      require(prefix->matches(*whole), "a whole reference matches itself");
      require(must(parse_reference(to_text(*whole)), "a reference's text parses") == *whole,
              "and is the same");
    }
  }
}

void fuzz_cm(ByteSpan input) {
  CmReader reader(input);
  Bytes out;
  CmWriter writer(out);
  if (!copy_value(input, reader, writer) || !reader.finish()) return;
  require(std::ranges::equal(out, input), kSameBytes);
}

void fuzz_block_meta(ByteSpan input) {
  round_trip(input, decode_block_meta, encode_block_meta);
  round_trip(input, decode_block_list, encode_block_list);
}

void fuzz_tree(ByteSpan input) {
  const auto encode = [](const TreeNode& node) {
    return std::holds_alternative<TreeLeaf>(node) ? encode_leaf(std::get<TreeLeaf>(node))
                                                  : encode_fan_out(std::get<TreeFanOut>(node));
  };
  round_trip(input, decode_tree, encode);
  const auto node = decode_tree(input);
  const TreeLeaf* leaf = node ? std::get_if<TreeLeaf>(&*node) : nullptr;

  std::vector<Entry> walked;
  bool whole = false;
  if (auto reader = LeafReader::open(input); reader) {
    Entry entry;
    auto more = reader->next(entry);
    for (; more && *more; more = reader->next(entry)) walked.push_back(entry);
    whole = more.has_value();
  }
  require(whole == (leaf != nullptr), "a walk accepts what decoding accepts");
  if (leaf == nullptr) {
    require(!IndexedLeaf::open(Bytes(input.begin(), input.end())), "what does not decode is not indexed");
    return;
  }
  require(walked == leaf->entries, "a walk gives what decoding gives");
  check_indexed_leaf(input, *leaf);
}

void fuzz_snapshot(ByteSpan input) {
  round_trip(input, decode_snapshot, encode_snapshot);
}

void fuzz_partial(ByteSpan input) {
  round_trip(input, decode_partial, encode_partial);
  const auto partial = decode_partial(input);
  if (!partial) return;
  std::uint64_t covered = 0;
  for (const PartialPiece& piece : partial->pieces) covered += piece.length_bytes;
  for (const PartialGap& gap : partial->gaps) covered += gap.length_bytes;
  require(covered == partial->length_bytes, "pieces and gaps cover the file");
}

void fuzz_source_errors(ByteSpan input) {
  round_trip(input, decode_source_errors, encode_source_errors);
  const auto errors = decode_source_errors(input);
  if (!errors) return;
  SourceErrorList list;
  for (const SourceError& error : *errors) list.add(error);
  require(std::ranges::equal(list.encode(), input), "a list of the same errors has the same bytes");
}

}  // namespace asl::fuzz
