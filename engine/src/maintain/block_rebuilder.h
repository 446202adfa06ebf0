// Writing a damaged or missing block anew, byte for byte, under its own name.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <asl/engine/stop.h>

#include "block/block_store.h"
#include "block/block_writer.h"
#include "maintain/repair_sources.h"

namespace asl {

// What a record says of an extent in a damaged place.
struct NamedExtent {
  ExtentLocation location;
  // Artifacts that hold it, and where in them; the first few.
  std::vector<std::pair<Reference, std::uint64_t>> uses = {};
};
using NamedExtents = std::map<std::pair<BlockId, std::uint32_t>, NamedExtent>;

struct RebuiltBlock {
  SealedBlock sealed;  // in store/tmp, synced; its id is that of the block
  std::uint64_t bytes_healed = 0;
  std::string source;  // of the last extent that was not there
};

// One thread. `blocks`, `sources` and `named` must outlive it.
class BlockRebuilder {
 public:
  BlockRebuilder(BlockStore& blocks, const RepairSources& sources, const NamedExtents& named)
      : blocks_(blocks), sources_(sources), named_(named) {}

  // An extent's stored bytes, from the block itself where they are still good, else from a source. Nothing if
  // nobody has them.
  std::optional<FoundBytes> stored(const BlockId& id, const StoredExtent& extent);
  // Whether every extent of the block can be had. The first that cannot stops the looking.
  Result<bool> is_possible(const BlockId& id, const BlockMeta& meta, const StopToken& stop);
  // The block, whole; nothing if some extent cannot be had, or the block was not packed in the way of this
  // program (then no file with its id can be made). The caller installs or discards it.
  Result<std::optional<RebuiltBlock>> rebuild(const BlockId& id, const BlockMeta& meta,
                                              const StopToken& stop);

 private:
  std::optional<Bytes> own_bytes(const BlockId& id, const StoredExtent& extent);
  std::optional<FoundBytes> encoded_again(const BlockId& id, const StoredExtent& extent);

  BlockStore& blocks_;
  const RepairSources& sources_;
  const NamedExtents& named_;
  std::unique_ptr<WriteLane> lane_;
};

}  // namespace asl
