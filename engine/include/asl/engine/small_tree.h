// A snapshot made of a few files that are in memory: what a program writes into a domain by itself, such as
// the tree of its authority. And a commit of log records alone.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <asl/engine/domain.h>
#include <asl/engine/error.h>
#include <asl/engine/history.h>
#include <asl/engine/log_record.h>
#include <asl/engine/reference.h>
#include <asl/engine/store_writer.h>

namespace asl {

struct SmallFile {
  std::string path;  // "name" or "directory/name": one level of directories
  std::string content;
};

// Owners are 0, modes 0644 and 0755, times `time_s`, so that equal input gives an equal tree anywhere.
struct SmallTree {
  std::vector<SmallFile> files;  // in any order, paths unique
  std::string source_path;       // where the snapshot says that it came from
  std::string label;             // moves here from an older snapshot; empty: none
  std::vector<std::string> tags;
  Reference claim;          // an env claim; null: none
  std::int64_t time_s = 0;  // of every entry, and of the snapshot
};

struct SmallSnapshot {
  std::uint64_t id = 0;
  Reference reference;
};

// Commits the snapshot's own records, then `records`, as one group with everything that was put before;
// durable on return. The parent is the newest snapshot of the same source. Copies for people that cannot be
// written are `notices`. kUsage for a path of another form; the errors of StoreWriter.
Result<SmallSnapshot> commit_small_tree(StoreWriter& writer, const Domain& domain, const SmallTree& tree,
                                        std::span<const NewRecord> records, Notices& notices);

// Commits `records` alone, and brings the domain's copies for people up to date.
Result<void> commit_log_records(StoreWriter& writer, const Domain& domain, std::span<const NewRecord> records,
                                Notices& notices);

}  // namespace asl
