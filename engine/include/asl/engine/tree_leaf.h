// A leaf of a tree held for random access: by number, by name, and by position in the subtree's pre-order.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <asl/engine/bytes.h>
#include <asl/engine/error.h>
#include <asl/engine/tree.h>

namespace asl {

// Owns the encoded leaf and eight bytes an entry; entries are decoded when they are asked for, so that a leaf
// in memory costs little more than on disk. Immutable and thread-safe.
//
// Positions are relative: the first entry is 0, and each next one follows everything below the one before.
class IndexedLeaf {
 public:
  // Checks everything that decode_tree checks; fails on a fan-out node too. Errors: kIntegrity with the
  // offset inside `bytes`; kUnsupported where the positions do not fit 32 bits.
  static Result<IndexedLeaf> open(Bytes bytes);

  std::uint32_t count() const { return static_cast<std::uint32_t>(offsets_.size()); }
  // Positions in use: the sum of 1 + below over the entries.
  std::uint64_t span() const { return span_; }
  // Bytes of memory held.
  std::size_t memory_bytes() const;

  // `number` is below count() in all of these. The entry is overwritten; its memory is reused.
  void entry(std::uint32_t number, Entry& into) const;
  std::string_view name(std::uint32_t number) const;
  std::uint32_t position(std::uint32_t number) const { return positions_[number]; }

  std::optional<std::uint32_t> find(std::string_view name) const;
  // The entry at this position, or the directory that has it below; `position` is below span().
  std::uint32_t at_or_above(std::uint64_t position) const;

 private:
  IndexedLeaf() = default;

  Bytes bytes_;
  std::vector<std::uint32_t> offsets_;    // of each entry in bytes_
  std::vector<std::uint32_t> positions_;  // ascending
  std::uint64_t span_ = 0;
};

}  // namespace asl
