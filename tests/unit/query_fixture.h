// A domain in a temporary directory, and snapshots made of entries by hand: what no source could be made to
// give (gaps, odd metadata).
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <asl/engine/host_root.h>
#include <asl/engine/store_writer.h>
#include <asl/engine/tree_walk.h>

#include "support.h"

namespace asl::test {

// A directory before it is stored: entries by path, directories given or made up as needed.
class QueryTest : public ::testing::Test {
 protected:
  using Tree = std::map<std::string, Entry>;  // by path, "a/b"

  QueryTest() {
    HostRoot root = value_of(HostRoot::init(*io_, directory_ / "root"));
    const DomainSummary summary = value_of(root.create_local_domain("local"));
    domain_ = value_of(Domain::open(*io_, summary.directory, {}));
    writer_ = value_of(StoreWriter::open(*domain_, {}));
  }

  Entry file(const std::string& text) {
    Entry entry;
    entry.content = value_of(writer_->put_untyped(bytes_of(text)));
    entry.size_bytes = text.size();
    entry.nlink = 1;
    entry.mode = 0644;
    return entry;
  }
  // Pieces at offsets; what lies between them, and up to `length`, was not read.
  Entry partial_file(const std::map<std::uint64_t, std::string>& pieces, std::uint64_t length) {
    Partial partial;
    partial.length_bytes = length;
    std::uint64_t at = 0;
    const auto gap_to = [&](std::uint64_t end) {
      if (end > at) partial.gaps.push_back({at, end - at, GapStatus::kBad});
    };
    for (const auto& [offset, text] : pieces) {
      gap_to(offset);
      partial.pieces.push_back({offset, text.size(), value_of(writer_->put_untyped(bytes_of(text)))});
      at = offset + text.size();
    }
    gap_to(length);
    Entry entry = file("");
    entry.size_bytes = length;
    entry.flags = kEntryPartial;
    entry.content = value_of(writer_->put_typed(kTagPartial, value_of(encode_partial(partial))));
    return entry;
  }

  // Anchors a snapshot whose single source is this tree.
  Snapshot add_snapshot(const Tree& tree, const std::string& host = "host") {
    Snapshot snapshot;
    snapshot.domain_id = domain_->id();
    snapshot.snapshot_id = domain_->state()->next_snapshot_id();
    snapshot.host = host;
    snapshot.roots.push_back({"/source", store_directory(tree, "")});
    const Bytes bytes = value_of(encode_snapshot(snapshot));
    const Reference reference = value_of(writer_->put_typed(kTagSnapshot, bytes));
    const std::vector<NewRecord> records{
        new_record(SnapshotAnchorRecord{.snapshot_id = snapshot.snapshot_id, .reference = reference})};
    value_of(writer_->commit(records));
    return snapshot;
  }

  TempDirectory directory_;
  std::unique_ptr<io::Io> io_ = io::make_plain_io();
  std::unique_ptr<Domain> domain_;
  std::unique_ptr<StoreWriter> writer_;

 private:
  Entry store_directory(const Tree& tree, const std::string& path) {
    std::map<std::string, Entry> children;
    const std::string start = path.empty() ? "" : path + "/";
    for (const auto& [full, entry] : tree) {
      if (!full.starts_with(start)) continue;
      const std::string rest = full.substr(start.size());
      const std::string name = rest.substr(0, rest.find('/'));
      if (children.contains(name)) continue;  // stored with the first path through it
      Entry child =
          name == rest && entry.type != EntryType::kDirectory ? entry : store_directory(tree, start + name);
      if (name == rest && entry.type == EntryType::kDirectory) child.mode = entry.mode;
      child.name = name;
      children.emplace(name, std::move(child));
    }
    TreeBuilder builder([&](ByteSpan node) { return writer_->put_typed(kTagTree, node); });
    for (const auto& [name, child] : children) value_of(builder.add(child));
    const TreeBuilder::Finished finished = value_of(builder.finish());
    Entry entry;
    entry.type = EntryType::kDirectory;
    entry.mode = 0755;
    entry.nlink = 1;
    entry.content = finished.root;
    entry.below = finished.below;
    return entry;
  }
};

}  // namespace asl::test
