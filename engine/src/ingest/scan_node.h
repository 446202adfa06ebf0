// Directories under way: what is known of a directory between its listing and its finished tree.
//
// A directory is worked off in chunks of names in name order. Whatever the order in which scanning and
// reading finish, chunks are handed to the directory's TreeBuilder in order. Ownership goes downwards: a node
// owns its chunks, a chunk owns the nodes of its subdirectories; tasks hold plain pointers, which stay valid
// because a chunk is freed only when nothing in it is pending.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <asl/engine/io.h>
#include <asl/engine/tree.h>

#include "ingest/stat_cache.h"
#include "io/tree_fs.h"

namespace asl {

struct ScanNode;

// One name of a chunk.
struct ScanEntry {
  Entry entry;
  io::SourceStat stat;
  bool dropped = false;    // excluded, or gone before it could be looked at
  bool no_xattrs = false;  // known from the stat cache: none need be looked for
};

struct ScanChunk {
  ScanNode* node = nullptr;
  std::vector<ScanEntry> entries;                   // in name order
  std::vector<std::unique_ptr<ScanNode>> children;  // subdirectories; finished ones are null
  std::atomic<std::uint32_t> pending{1};            // the scan itself, file batches, subdirectories
  bool complete = false;                            // guarded by the node's mutex
};

struct ScanNode {
  ScanNode(TreeBuilder::StoreNode store_node) : builder(std::move(store_node)) {}

  ScanChunk* parent = nullptr;   // null for a source's root
  std::size_t parent_child = 0;  // index into parent->children
  Entry* entry = nullptr;        // the directory's own entry
  std::uint64_t device = 0;
  unsigned depth = 0;
  std::string path;  // below the source's root: "" or "a/b"
  io::File directory;
  io::NameList names;
  std::size_t next_name = 0;

  std::mutex mutex;
  std::deque<std::unique_ptr<ScanChunk>> chunks;  // in name order; the front one is added to the builder next
  bool scan_waits = false;                        // the next chunk is scanned when the front one is done
  bool emitting = false;                          // a thread is feeding the builder
  TreeBuilder builder;
};

// Files of one chunk to be read by one thread, so that a directory's small files lie together.
struct FileBatch {
  ScanChunk* chunk = nullptr;
  std::vector<std::uint32_t> files;   // indices into chunk->entries
  std::vector<RereadReason> reasons;  // why each is read
  std::uint64_t bytes = 0;
};

}  // namespace asl
