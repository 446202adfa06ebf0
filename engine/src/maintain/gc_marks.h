// Which records are needed: two bits for each record of each live segment.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "block/block_reader.h"
#include "store/view.h"

namespace asl {

// Memory: two bits a record. Not thread-safe.
class GcMarks {
 public:
  // The view's index has no broken segments and no cache. `blocks` must outlive the marks.
  GcMarks(std::shared_ptr<const View> view, BlockStore& blocks);

  // Marks the artifact. Returns its newest copy if it was not marked before, nothing if it was. kNotFound if
  // no live segment holds it.
  //
  // Of several copies one is enough, if its bytes read back right just now; the others are then superseded. A
  // copy that carries a pin which the survivor does not, or is fixed, stays.
  Result<std::optional<ArtifactHandle>> mark(const Reference& ref);
  // The artifact is needed.
  bool contains(SegmentNumber segment, std::uint64_t record_number) const;
  // The artifact is needed, and this copy of it.
  bool needs_copy(SegmentNumber segment, std::uint64_t record_number) const;

 private:
  struct Bits {
    std::vector<bool> marked;
    std::vector<bool> superseded;
  };
  Result<void> choose_survivor(std::span<const ArtifactHandle> copies);
  Result<std::uint32_t> flags_in_force(const ArtifactHandle& copy) const;
  bool reads_back(const ArtifactHandle& copy);

  std::shared_ptr<const View> view_;
  BlockReader reader_;  // without a cache: what is vouched for comes from the disk
  std::unordered_map<SegmentNumber, Bits> bits_;
};

}  // namespace asl
