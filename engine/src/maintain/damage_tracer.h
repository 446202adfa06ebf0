// From damaged places to the artifacts that lie there, the files made of them, and the snapshots these are
// in.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <asl/engine/domain.h>
#include <asl/engine/stop.h>
#include <asl/engine/tree_walk.h>
#include <asl/engine/verify.h>

#include "block/block_reader.h"
#include "index/segment_reader.h"
#include "maintain/damage_map.h"
#include "store/damage_list.h"
#include "store/view.h"

namespace asl {

// One run, one thread. Memory: what is damaged, and the artifacts that it touches.
class DamageTracer {
 public:
  DamageTracer(const Domain& domain, std::shared_ptr<const View> view, const DamageMap& damage,
               VerifyReport& report, const StopToken& stop);

  // Completes the report's findings of damaged extents and lost blocks. Where every record that names one has
  // another copy that reads back right, or no record names it, it becomes a superseded one; all others are
  // noted in store/damaged. While a segment cannot be read nothing is called superseded: it might name it.
  Result<void> trace();
  // Digests of the extents that were noted.
  const std::unordered_set<Digest, DigestHash>& needed() const { return needed_digests_; }

 private:
  Result<void> find_artifacts();
  Result<void> look_at_segment(SegmentCursor& cursor);
  void note(const ExtentLocation& place);
  void look_at_extent(const Reference& ref, const ExtentRecord& extent, const BlockId& block);
  bool has_other_copy(const Reference& ref, const ArtifactExtent& extent);
  Result<void> name_files();
  Result<void> name_in(std::uint64_t snapshot);
  void touch(const Reference& content, std::uint64_t snapshot, const std::string& path);
  void touch_pieces(const Reference& partial, std::uint64_t snapshot, const std::string& path);
  void set_aside_superseded();
  Finding* finding(std::size_t number);

  const Domain& domain_;
  std::shared_ptr<const View> view_;
  const DamageMap& damage_;
  VerifyReport& report_;
  const StopToken stop_;
  BlockReader reader_;  // without a cache: what it says comes from the disk
  Bytes buffer_;
  std::optional<DamageList> noted_;  // in store/damaged already
  bool every_record_seen_ = true;
  std::unordered_set<Digest, DigestHash> needed_digests_;
  std::unordered_set<std::size_t> needed_;  // findings without which something cannot be read
  std::unordered_map<Reference, std::vector<std::size_t>, ReferenceHash> artifacts_;
};

}  // namespace asl
