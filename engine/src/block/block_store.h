// Where blocks lie: the one class that knows their names and directories.
//
//   <store>/blocks/<first 2 hex>/<block id>.bin, .meta     sealed blocks
//   <store>/tmp/block-<random>.open, .meta                 open and staged ones; swept by the store's writer
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include <asl/engine/block.h>
#include <asl/engine/bytes.h>
#include <asl/engine/error.h>
#include <asl/engine/io.h>

#include "format/block_meta.h"

namespace asl {

// What BlockWriter::seal made: a synced file in store/tmp, not yet in place. Owned by whoever commits it.
struct SealedBlock {
  BlockId id{};
  BlockMeta meta;
  Bytes meta_bytes;
  std::string temp_path;       // of the .bin
  std::string temp_meta_path;  // set by stage_meta
};

// A new file in store/tmp, open for writing.
struct TempBlock {
  io::File file;
  std::string path;
};

enum class Installed : std::uint8_t {
  kNew,       // the block was not there
  kKept,      // it was there and verified whole; the new file was removed
  kReplaced,  // it was there and damaged; the new file took its place
};

struct BlockListing {
  std::vector<BlockId> blocks;         // those with a .bin, sorted
  std::vector<BlockId> metas;          // those with a .meta, sorted
  std::vector<std::string> strangers;  // paths of anything else
};

// Descriptors kept open for reading: a quarter of the usual limit of 1024.
inline constexpr std::size_t kOpenBlocksMax = 256;

// Thread-safe. `io` must outlive the object. Nothing it does is durable before sync_directories, except where
// said. A missing block is kNotFound with the block's id as object.
class BlockStore {
 public:
  // `directory` is a domain's store/ directory. Looks at nothing yet.
  BlockStore(io::Io& io, std::string directory, std::size_t open_files_max = kOpenBlocksMax);
  ~BlockStore();

  // Makes blocks/ with its 256 directories, and tmp/, synced. For a new store.
  Result<void> create_directories();

  io::Io& io() const { return io_; }
  std::string path_of(const BlockId& id) const;
  std::string meta_path_of(const BlockId& id) const;
  std::string temp_directory() const;

  // The block opened for direct reading, kept open for the next caller. The handle stays good after the block
  // was removed or replaced.
  Result<std::shared_ptr<const io::File>> open(const BlockId& id);
  Result<std::uint64_t> length_of(const BlockId& id);
  // kIntegrity if the file is there but not exactly `length_bytes` long.
  Result<void> check_length(const BlockId& id, std::uint64_t length_bytes);
  // kNotFound if there is none; kIntegrity if it is not the metadata that the id names.
  Result<BlockMeta> read_meta(const BlockId& id);
  Result<BlockListing> list();

  Result<TempBlock> create_temp();
  // To be held while space is reserved for a block. On a nearly full disk that is done by trying, and a try
  // that fails holds for a moment everything there is: two at once would both find nothing.
  std::mutex& reserving() { return reserving_; }
  // Writes and syncs the block's .meta in store/tmp.
  Result<void> stage_meta(SealedBlock& block);
  // Renames a staged block and its .meta into place. One that is there already is kept only if its length and
  // every stored digest verify.
  Result<Installed> install(const SealedBlock& block);
  // Makes the installs and removals of these blocks durable.
  Result<void> sync_directories(std::span<const BlockId> ids);
  // Removes what seal and stage_meta left in store/tmp. Failures are harmless (the next writer sweeps).
  void discard(const SealedBlock& block);
  // Writes the .meta of a block that has lost its own (it is derived), synced.
  Result<void> write_meta(const BlockId& id, ByteSpan meta_bytes);
  // Removes .bin and .meta. A missing .meta is fine.
  Result<void> remove(const BlockId& id);
  // Lets go of the block's open file: another may have taken its place (a writer healed or removed the
  // block).
  void forget(const BlockId& id);

 private:
  struct OpenBlock {
    BlockId id;
    std::shared_ptr<const io::File> file;
  };
  std::string directory_of(const BlockId& id) const;
  Result<bool> existing_verifies(const SealedBlock& block);

  io::Io& io_;
  const std::string directory_;
  const std::size_t open_files_max_;
  std::mutex reserving_;
  std::mutex mutex_;
  std::list<OpenBlock> recent_;  // most recently used first
  std::unordered_map<BlockId, std::list<OpenBlock>::iterator, DigestHash> open_;
};

}  // namespace asl
