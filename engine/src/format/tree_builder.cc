#include <asl/engine/hash.h>
#include <asl/engine/tree.h>

#include "format/cm_marker.h"
#include "format/encode_error.h"
#include "format/entry_codec.h"
#include "format/tree_layout.h"

namespace asl {
namespace {

// A tree node up to its item count: an array, a text and two integers, each with a one-byte head.
constexpr std::size_t kNodeHeaderSize = 4 + kTreeMagic.size();
constexpr std::size_t kFanOutHeaderSizeMax = kNodeHeaderSize + 5;

// Bytes that a leaf has before its entries.
constexpr std::size_t leaf_header_size(std::uint32_t entries) {
  static_assert(kLeafEntriesMax < 0xFFFF);
  return kNodeHeaderSize + (entries <= kCmFixarrayMax ? 1 : 3);
}

// Depends on the name alone, so that the same names are cut in the same places whatever came before them.
bool cuts_after(std::string_view name) {
  static_assert(kLeafCutZeroBits <= 32);
  return load_be<std::uint32_t>(sha256(as_bytes(name)).data()) >> (32 - kLeafCutZeroBits) == 0;
}

}  // namespace

Result<void> TreeBuilder::add(const Entry& entry) {
  ASL_TRY(check_entry(entry));
  if (entries_ > 0 && last_name_ >= entry.name)
    return encode_malformed("names are not added in order, each once", entry.name);
  entry_.clear();
  CmWriter writer(entry_);
  write_entry(writer, entry);

  const std::uint32_t entries_then = leaf_entries_ + 1;
  if (entries_then > kLeafEntriesMax ||
      leaf_header_size(entries_then) + body_.size() + entry_.size() > kLeafSizeMax)
    ASL_TRY(cut_leaf());

  if (leaf_entries_ == 0) leaf_first_name_ = entry.name;
  body_.insert(body_.end(), entry_.begin(), entry_.end());
  ++leaf_entries_;
  leaf_below_ += 1 + entry.below;
  ++entries_;
  below_ += 1 + entry.below;
  if (below_ > kSubtreeEntriesMax)
    return encode_malformed("a directory has too many entries below it", entry.name);
  last_name_ = entry.name;
  if (leaf_entries_ >= kLeafEntriesMin && cuts_after(entry.name)) return cut_leaf();
  return {};
}

Result<void> TreeBuilder::cut_leaf() {
  Bytes node;
  node.reserve(leaf_header_size(leaf_entries_) + body_.size());
  CmWriter writer(node);
  write_tree_header(writer, kTreeLeafKind, leaf_entries_);
  node.insert(node.end(), body_.begin(), body_.end());

  FanOutItem item{leaf_first_name_, leaf_entries_, leaf_below_, {}};
  ASL_ASSIGN(item.ref, store_node_(node));
  Bytes encoded_item;
  CmWriter item_writer(encoded_item);
  write_fan_out_item(item_writer, item);
  fan_out_size_ += encoded_item.size();
  // Refused as soon as it is certain, not after the last of a million names.
  if (kFanOutHeaderSizeMax + fan_out_size_ > kFanOutSizeMax)
    return encode_too_large("the list of a directory's leaves");
  fan_out_.leaves.push_back(std::move(item));

  body_.clear();
  leaf_entries_ = 0;
  leaf_below_ = 0;
  return {};
}

Result<TreeBuilder::Finished> TreeBuilder::finish() {
  if (leaf_entries_ > 0 || fan_out_.leaves.empty()) ASL_TRY(cut_leaf());
  Finished finished{{}, entries_, below_};
  if (fan_out_.leaves.size() == 1) {
    finished.root = fan_out_.leaves.front().ref;
    return finished;
  }
  ASL_ASSIGN(const Bytes node, encode_fan_out(fan_out_));
  ASL_ASSIGN(finished.root, store_node_(node));
  return finished;
}

}  // namespace asl
