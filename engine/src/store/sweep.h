// Clearing up after a writer that died: everything that no log group names is garbage.
#pragma once

#include <cstdint>
#include <unordered_set>

#include <asl/engine/error.h>
#include <asl/engine/log_state.h>

#include "block/block_store.h"
#include "index/index.h"
#include "index/segment_store.h"
#include "store/domain_layout.h"

namespace asl {

struct SweepReport {
  std::uint64_t files = 0;  // removed, or moved to store/lost
};

// The blocks that live segments name: 32 bytes each. Fails if a segment cannot be read.
Result<std::unordered_set<BlockId, DigestHash>> named_blocks(const Index& index);

// Removes what lies in store/tmp. The caller holds the write lock and has written nothing yet.
Result<SweepReport> sweep_temporary(io::Io& io, const DomainLayout& layout);

// Removes temporary files, segments the log does not know, and blocks that no live segment names. With `keep`
// they are moved to store/lost instead: after a cut log tail they may be all that is left of a commit. Blocks
// are left alone if a live segment cannot be read, since it may name them. The caller holds the write lock.
Result<SweepReport> sweep_store(io::Io& io, const DomainLayout& layout, BlockStore& blocks,
                                const SegmentStore& segments, const LogState& state, const Index& index,
                                bool keep);

}  // namespace asl
