#include <asl/engine/tree.h>

#include "format/encode_error.h"
#include "format/entry_codec.h"
#include "format/tree_layout.h"

namespace asl {
namespace {

std::string_view violated_rule(const FanOutItem& item) {
  if (!is_valid_name(item.first_name)) return "a leaf's first name is not valid";
  if (item.entries == 0 || item.entries > kLeafEntriesMax)
    return "a leaf's number of entries is not possible";
  if (item.below < item.entries || item.below > kSubtreeEntriesMax)
    return "a leaf's number of entries below it is not possible";
  if (!item.ref.is_typed()) return "a leaf is not named by a typed reference";
  return {};
}

// The first rule that the node violates as a whole or in item `index`; called for each in turn.
std::string_view violated_rule(const std::vector<FanOutItem>& leaves, std::size_t index,
                               std::uint64_t below) {
  if (const auto rule = violated_rule(leaves[index]); !rule.empty()) return rule;
  if (index > 0 && leaves[index - 1].first_name >= leaves[index].first_name)
    return "leaves are not sorted by first name, each once";
  if (below > kSubtreeEntriesMax) return "a directory has too many entries below it";
  return {};
}

Result<TreeFanOut> decode_fan_out(ByteSpan bytes) {
  CmReader reader(bytes);
  ASL_TRY(read_tree_header(reader, kTreeFanOutKind));
  TreeFanOut node;
  ASL_ASSIGN(const std::uint32_t count, reader.array());
  if (count < 2) return fail(reader.violation("a fan-out node has fewer than two leaves"));
  std::uint64_t below = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::size_t start = reader.offset();
    FanOutItem& item = node.leaves.emplace_back();
    ASL_TRY(reader.array_exactly(kFanOutItemFields));
    ASL_ASSIGN(const ByteSpan name, reader.bin(kNameSizeMax));
    item.first_name = as_text(name);
    ASL_ASSIGN(item.entries, reader.uint(kLeafEntriesMax));
    ASL_ASSIGN(item.below, reader.uint(kSubtreeEntriesMax));
    ASL_ASSIGN(item.ref, reader.reference());
    below += item.below;
    if (const auto rule = violated_rule(node.leaves, i, below); !rule.empty())
      return fail(CmReader::violation_at(start, rule));
  }
  ASL_TRY(reader.finish());
  return node;
}

Result<TreeLeaf> decode_leaf(ByteSpan bytes) {
  ASL_ASSIGN(LeafReader reader, LeafReader::open(bytes));
  TreeLeaf leaf;
  leaf.entries.reserve(reader.count());
  Entry entry;
  for (;;) {
    ASL_ASSIGN(const bool found, reader.next(entry));
    if (!found) return leaf;
    leaf.entries.push_back(std::move(entry));
  }
}

}  // namespace

Result<void> read_tree_header(CmReader& reader, std::uint64_t kind) {
  ASL_TRY(reader.array_exactly(kTreeFields));
  ASL_TRY(reader.header(kTreeMagic, kTreeVersion));
  ASL_ASSIGN(const std::uint64_t found, reader.uint(kTreeFanOutKind));
  if (found != kind)
    return fail(
        reader.violation(kind == kTreeLeafKind ? "a tree node is not a leaf" : "a tree node is a leaf"));
  return {};
}

void write_tree_header(CmWriter& writer, std::uint64_t kind, std::uint32_t count) {
  writer.array(kTreeFields);
  writer.str(kTreeMagic);
  writer.uint(kTreeVersion);
  writer.uint(kind);
  writer.array(count);
}

void write_fan_out_item(CmWriter& writer, const FanOutItem& item) {
  writer.array(kFanOutItemFields);
  writer.bin(as_bytes(item.first_name));
  writer.uint(item.entries);
  writer.uint(item.below);
  writer.reference(item.ref);
}

Result<LeafReader> LeafReader::open(ByteSpan bytes) {
  if (bytes.size() > kLeafSizeMax)
    return fail(CmReader::violation_at(kLeafSizeMax, "a tree leaf is too large"));
  LeafReader leaf(bytes);
  ASL_TRY(read_tree_header(leaf.reader_, kTreeLeafKind));
  ASL_ASSIGN(leaf.count_, leaf.reader_.array(kLeafEntriesMax));
  return leaf;
}

Result<bool> LeafReader::next(Entry& entry) {
  if (read_ == count_) {
    ASL_TRY(reader_.finish());
    return false;
  }
  const std::size_t start = reader_.offset();
  ASL_TRY(read_entry(reader_, entry, NameRule::kName));
  if (read_ > 0 && previous_name_ >= entry.name)
    return fail(CmReader::violation_at(start, "names are not sorted, each once"));
  below_ += 1 + entry.below;
  if (below_ > kSubtreeEntriesMax)
    return fail(CmReader::violation_at(start, "a directory has too many entries below it"));
  previous_name_ = entry.name;
  ++read_;
  return true;
}

Result<Bytes> encode_leaf(const TreeLeaf& leaf) {
  if (leaf.entries.size() > kLeafEntriesMax) return encode_too_large("a tree leaf");
  Bytes bytes;
  CmWriter writer(bytes);
  write_tree_header(writer, kTreeLeafKind, static_cast<std::uint32_t>(leaf.entries.size()));
  const Entry* previous = nullptr;
  std::uint64_t below = 0;
  for (const Entry& entry : leaf.entries) {
    ASL_TRY(check_entry(entry));
    if (previous != nullptr && previous->name >= entry.name)
      return encode_malformed("names are not sorted, each once", entry.name);
    below += 1 + entry.below;
    if (below > kSubtreeEntriesMax)
      return encode_malformed("a directory has too many entries below it", entry.name);
    write_entry(writer, entry);
    if (bytes.size() > kLeafSizeMax) return encode_too_large("a tree leaf");
    previous = &entry;
  }
  return bytes;
}

Result<Bytes> encode_fan_out(const TreeFanOut& node) {
  if (node.leaves.size() < 2) return encode_malformed("a fan-out node has fewer than two leaves");
  Bytes bytes;
  CmWriter writer(bytes);
  // The count cannot be cut short by the cast: so many leaves would be far beyond the size limit below.
  write_tree_header(writer, kTreeFanOutKind, static_cast<std::uint32_t>(node.leaves.size()));
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < node.leaves.size(); ++i) {
    below += node.leaves[i].below;
    if (const auto rule = violated_rule(node.leaves, i, below); !rule.empty())
      return encode_malformed(rule, node.leaves[i].first_name);
    write_fan_out_item(writer, node.leaves[i]);
    if (bytes.size() > kFanOutSizeMax) return encode_too_large("the list of a directory's leaves");
  }
  return bytes;
}

Result<TreeNode> decode_tree(ByteSpan bytes) {
  if (bytes.size() > kFanOutSizeMax)
    return fail(CmReader::violation_at(kFanOutSizeMax, "a tree node is too large"));
  CmReader reader(bytes);
  ASL_TRY(reader.array_exactly(kTreeFields));
  ASL_TRY(reader.header(kTreeMagic, kTreeVersion));
  ASL_ASSIGN(const std::uint64_t kind, reader.uint(kTreeFanOutKind));
  if (kind == kTreeLeafKind) return decode_leaf(bytes);
  return decode_fan_out(bytes);
}

}  // namespace asl
