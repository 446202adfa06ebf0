// One domain as the view shows it: opened when it is first looked at, kept up to date while it grows.
#pragma once

#include <ctime>
#include <list>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include <asl/engine/domain.h>

#include "failure.h"
#include "snapshot_tree.h"
#include "tree_cache.h"

namespace asl::fusefs {

// What newer commits did that the kernel may have to be told.
struct DomainChange {
  bool moved = false;
  std::vector<std::uint64_t> forgotten;  // snapshots
  std::vector<Reference> withdrawn;      // artifacts under a new tombstone
};

// Thread-safe.
class DomainView {
 public:
  // `io` and `cache` must outlive the object.
  static Result<std::unique_ptr<DomainView>> open(io::Io& io, const std::string& directory,
                                                  std::uint32_t slot, const DomainOptions& options,
                                                  TreeCache& cache);

  std::uint32_t slot() const { return slot_; }
  const Domain& domain() const { return *domain_; }
  // What its directory is called: the alias, or the id where it has none.
  const std::string& name() const { return name_; }

  // ESTALE for a snapshot that is unknown or was forgotten.
  Reply<std::shared_ptr<const SnapshotTree>> tree(std::uint64_t snapshot);

  // Snapshots whose trees were asked for.
  std::vector<std::uint32_t> looked_at();

  // When this process saw the log move last; looks whether it has.
  Result<timespec> changed_at();

  // Looks whether the log has grown, and reads what is new.
  Result<void> refresh();
  // The same, and all that changed since the last call.
  Result<DomainChange> take_change();

 private:
  DomainView(std::uint32_t slot, TreeCache& cache) : slot_(slot), cache_(cache) {}
  // The head file changes with every commit; comparing it is cheaper than reading the log's end.
  bool head_moved();

  const std::uint32_t slot_;
  TreeCache& cache_;
  std::unique_ptr<Domain> domain_;
  std::string name_;

  std::mutex refresh_mutex_;  // guards the next four
  timespec changed_at_{};
  Bytes head_;
  DomainChange change_;  // since take_change
  std::shared_ptr<const LogState> seen_;

  using Trees = std::list<std::shared_ptr<const SnapshotTree>>;
  std::mutex trees_mutex_;  // guards the next four
  std::set<std::uint32_t> looked_at_;
  Trees trees_;  // most recently used first
  std::unordered_map<std::uint64_t, Trees::iterator> tree_of_;
  std::size_t trees_bytes_ = 0;
};

}  // namespace asl::fusefs
