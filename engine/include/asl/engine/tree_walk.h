// Walking directory trees of a snapshot, one leaf in memory at a time.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <asl/engine/domain.h>
#include <asl/engine/tree.h>

namespace asl {

// The entries of one directory in name order, read leaf by leaf: memory is one leaf, whatever the directory's
// size. Not thread-safe. The domain must outlive it.
class DirectoryReader {
 public:
  static Result<DirectoryReader> open(const Domain& domain, const Reference& tree);
  // The next entry, or nullptr at the end. Valid until the next call.
  Result<const Entry*> next();
  // Entries in this directory, and in it and everything below.
  std::uint64_t entry_count() const;

  DirectoryReader(DirectoryReader&&) noexcept;
  DirectoryReader& operator=(DirectoryReader&&) noexcept;
  ~DirectoryReader();

 private:
  struct Impl;
  explicit DirectoryReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// The entry `name` of a directory; kNotFound. Reads the fan-out node and one leaf.
Result<Entry> find_entry(const Domain& domain, const Reference& tree, std::string_view name);

// The root of a snapshot as one directory entry (name empty): the single directory source itself, or, over
// several sources or a file, a made-up directory without content (doc/format-snapshot.md says how its entries
// are named).
Result<Entry> snapshot_root(const Domain& domain, const Snapshot& snapshot);
// The entry at "a/b/c" below a snapshot's root ("" is the root itself). Does not follow symlinks.
Result<Entry> find_path(const Domain& domain, const Snapshot& snapshot, std::string_view path);

enum class WalkStep { kContinue, kSkipBelow, kStop };
// Called for every entry in tree order, directories before what they hold; `path` is relative to where the
// walk began ("" for the start itself).
using WalkVisitor = std::function<Result<WalkStep>(const std::string& path, const Entry& entry)>;
// With `on_error` a subtree that cannot be read is reported and passed over; without it the walk fails.
using WalkErrorHandler = std::function<Result<void>(const std::string& path, const Error& error)>;
Result<void> walk(const Domain& domain, const Entry& start, const WalkVisitor& visit,
                  const WalkErrorHandler& on_error = {});
// The same below `path` of a snapshot, whose sources may be several. Paths are relative to `path`.
Result<void> walk_snapshot(const Domain& domain, const Snapshot& snapshot, const std::string& path,
                           const WalkVisitor& visit, const WalkErrorHandler& on_error = {});

}  // namespace asl
