// Trees out of entries that come in tree order.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <asl/engine/snapshot.h>
#include <asl/engine/store_writer.h>
#include <asl/engine/tree.h>

namespace asl {

// Memory: what one TreeBuilder holds for each directory on the path. Not thread-safe; after an error it must
// not be used further.
class TreeAssembler {
 public:
  explicit TreeAssembler(StoreWriter& writer);

  // `path` is a path key (member_key.h), in ascending order, each once; the entry's name is not looked at.
  // Directories that are missing on the way are made up and marked as having incomplete metadata. What is
  // not a directory must have nothing below it (kUsage).
  Result<void> add(std::string_view path, Entry entry);
  // The root directory's entry, without a name.
  Result<Entry> finish();

  const SnapshotCounts& counts() const { return counts_; }  // but errors
  std::uint64_t made_up() const { return made_up_; }        // directories, the root included

 private:
  struct Directory {
    explicit Directory(StoreWriter& writer);
    Entry entry;
    std::uint64_t subdirectories = 0;
    TreeBuilder builder;
  };

  Result<void> open(std::string name, Entry entry);
  Result<void> close();
  void count(const Entry& entry);

  StoreWriter& writer_;
  std::vector<std::unique_ptr<Directory>> open_;  // from the root down
  SnapshotCounts counts_;
  std::uint64_t made_up_ = 0;
};

}  // namespace asl
