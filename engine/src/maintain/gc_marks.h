// Which records are needed: a bit for each record of each live segment.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "index/index.h"

namespace asl {

// Memory: a bit a record. Not thread-safe.
class GcMarks {
 public:
  // `index` has no broken segments and no cache.
  explicit GcMarks(std::shared_ptr<const Index> index);

  // Marks every copy of the artifact. Returns the newest copy if it was not marked before, nothing if it was.
  // kNotFound if no live segment holds it.
  Result<std::optional<ArtifactHandle>> mark(const Reference& ref);
  bool contains(SegmentNumber segment, std::uint64_t record_number) const;

 private:
  bool set(SegmentNumber segment, std::uint64_t record_number);

  std::shared_ptr<const Index> index_;
  std::unordered_map<SegmentNumber, std::vector<bool>> bits_;
};

}  // namespace asl
