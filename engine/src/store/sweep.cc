#include "store/sweep.h"

#include <algorithm>
#include <string>
#include <unordered_set>
#include <vector>

namespace asl {
namespace {

class Sweeper {
 public:
  Sweeper(io::Io& io, const DomainLayout& layout, bool keep) : io_(io), layout_(layout), keep_(keep) {}

  Result<void> take(const std::string& path) {
    ++report_.files;
    if (!keep_) return io_.remove(path);
    const std::string name = path.substr(path.rfind('/') + 1);
    return io_.rename(path, layout_.lost() + "/" + name, /*replace=*/true);
  }
  Result<void> take_temporary() {
    ASL_ASSIGN(const auto temporary, io_.list(layout_.tmp()));
    for (const io::ListedEntry& entry : temporary) {
      const std::string path = layout_.tmp() + "/" + entry.name;
      if (path != layout_.session_marker()) ASL_TRY(take(path));
    }
    return {};
  }
  // Where either of the two may be missing.
  Result<void> take_if_there(const std::string& path) {
    if (!io::exists(io_, path)) return {};
    return take(path);
  }
  SweepReport report() const { return report_; }

 private:
  io::Io& io_;
  const DomainLayout& layout_;
  const bool keep_;
  SweepReport report_;
};

}  // namespace

Result<std::unordered_set<BlockId, DigestHash>> named_blocks(const Index& index) {
  std::unordered_set<BlockId, DigestHash> named;
  for (const Index::Segment& segment : index.segments()) {
    if (segment.reader == nullptr) return fail(*segment.error);
    for (std::uint32_t k = 0; k < segment.reader->block_count(); ++k) {
      ASL_ASSIGN(const BlockId id, segment.reader->block_id(k));
      named.insert(id);
    }
  }
  return named;
}

Result<SweepReport> sweep_temporary(io::Io& io, const DomainLayout& layout) {
  Sweeper sweeper(io, layout, /*keep=*/false);
  ASL_TRY(sweeper.take_temporary());
  return sweeper.report();
}

Result<SweepReport> sweep_store(io::Io& io, const DomainLayout& layout, BlockStore& blocks,
                                const SegmentStore& segments, const LogState& state, const Index& index,
                                bool keep) {
  Sweeper sweeper(io, layout, keep);
  ASL_TRY(sweeper.take_temporary());
  ASL_ASSIGN(const SegmentStore::Listing listed, segments.list());
  for (const SegmentNumber number : listed.segments) {
    if (state.find_segment(number) != nullptr) continue;
    ASL_TRY(sweeper.take(segments.segment_path(number)));
    ASL_TRY(sweeper.take_if_there(segments.bloom_path(number)));
  }
  const auto named = named_blocks(index);
  if (!named) return sweeper.report();
  ASL_ASSIGN(const BlockListing present, blocks.list());
  for (const BlockId& id : present.blocks) {
    if (named->contains(id)) continue;
    ASL_TRY(sweeper.take(blocks.path_of(id)));
    ASL_TRY(sweeper.take_if_there(blocks.meta_path_of(id)));
  }
  for (const BlockId& id : present.metas) {
    if (!named->contains(id)) ASL_TRY(sweeper.take_if_there(blocks.meta_path_of(id)));
  }
  return sweeper.report();
}

}  // namespace asl
