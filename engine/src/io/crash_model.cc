#include "io/crash_model.h"

#include <algorithm>
#include <random>
#include <utility>

namespace asl::io {
namespace {

using Data = CrashPolicy::Data;
using Names = CrashPolicy::Names;

bool is_data(OperationKind kind) {
  return kind == OperationKind::kWrite || kind == OperationKind::kTruncate ||
         kind == OperationKind::kAllocate;
}

bool is_failed_barrier(OperationKind kind) {
  return kind == OperationKind::kSyncFailed || kind == OperationKind::kSyncDirectoryFailed;
}

bool is_barrier(OperationKind kind) {
  return kind == OperationKind::kSync || kind == OperationKind::kSyncData ||
         kind == OperationKind::kSyncDirectory || is_failed_barrier(kind);
}

SparseBytes brought_along(const Operation& create) {
  SparseBytes content;
  content.write(0, create.data);
  return content;
}

// Makes one state. Every decision is drawn in the order of the log, so that a seed names a state.
class CrashState {
 public:
  CrashState(const ModelTree& base, std::span<const Operation> operations, const CrashPolicy& policy)
      : tree_(base), operations_(operations), policy_(policy), random_(policy.seed) {}

  ModelTree make() {
    find_barriers();
    decide_names();
    for (std::size_t i = 0; i < operations_.size(); ++i) {
      const Operation& operation = operations_[i];
      if (operation.kind == OperationKind::kCreate)
        (void)tree_.add_file(brought_along(operation));
      else if (operation.kind == OperationKind::kMakeDirectory)
        (void)tree_.add_directory();
      if (is_data(operation.kind))
        apply_data(operation, durable_[i] ? Data::kKept : chance_for(operation));
      else
        apply_names(i);
    }
    return std::move(tree_);
  }

 private:
  // One name that an operation adds or takes away in one directory.
  struct NameChange {
    std::size_t operation;
    NodeId directory;
    bool is_source;  // the old name of a rename
    bool kept;
  };

  void find_barriers();
  bool is_covered(std::size_t operation, NodeId node, std::size_t completed_at) const;
  void decide_names();
  void add_change(std::size_t operation, NodeId directory, bool is_source);
  bool is_kept(std::size_t operation, bool is_source) const;
  void apply_names(std::size_t index);
  Data chance_for(const Operation& operation);
  void apply_data(const Operation& operation, Data fate);
  void apply_torn(const Operation& operation);
  bool toss() { return (random_() & 1) != 0; }

  ModelTree tree_;
  std::span<const Operation> operations_;
  const CrashPolicy& policy_;
  std::mt19937_64 random_;
  std::map<NodeId, std::vector<std::size_t>>
      barriers_;               // where in the log each node was synced, or failed to be
  std::vector<bool> durable_;  // of data operations
  std::vector<NameChange> changes_;
};

void CrashState::find_barriers() {
  for (std::size_t i = 0; i < operations_.size(); ++i)
    if (is_barrier(operations_[i].kind)) barriers_[operations_[i].node].push_back(i);
  durable_.assign(operations_.size(), false);
  for (std::size_t i = 0; i < operations_.size(); ++i)
    if (is_data(operations_[i].kind))
      durable_[i] = is_covered(i, operations_[i].node, operations_[i].completed_at);
}

// Whether the first sync of `node` after `operation`, which was known to be done at `completed_at`,
// succeeded. After one that failed the kernel may hold clean pages over nothing: later ones prove nothing.
bool CrashState::is_covered(std::size_t operation, NodeId node, std::size_t completed_at) const {
  const auto found = barriers_.find(node);
  if (found == barriers_.end()) return false;
  const std::vector<std::size_t>& barriers = found->second;
  for (auto at = std::ranges::upper_bound(barriers, operation); at != barriers.end(); ++at) {
    if (is_failed_barrier(operations_[*at].kind)) return false;
    if (*at >= completed_at) return true;
  }
  return false;
}

void CrashState::add_change(std::size_t operation, NodeId directory, bool is_source) {
  changes_.push_back({.operation = operation,
                      .directory = directory,
                      .is_source = is_source,
                      .kept = is_covered(operation, directory, operation + 1)});
}

void CrashState::decide_names() {
  for (std::size_t i = 0; i < operations_.size(); ++i) {
    const Operation& operation = operations_[i];
    switch (operation.kind) {
      case OperationKind::kCreate:
      case OperationKind::kMakeDirectory:
      case OperationKind::kRemove:
      case OperationKind::kRemoveDirectory:
        add_change(i, operation.directory, false);
        break;
      case OperationKind::kLink:
        add_change(i, operation.to_directory, false);
        break;
      case OperationKind::kRename:
        add_change(i, operation.to_directory, false);
        add_change(i, operation.directory, true);
        break;
      default:
        break;
    }
  }
  std::map<NodeId, std::vector<NameChange*>> uncertain;
  for (NameChange& change : changes_)
    if (!change.kept) uncertain[change.directory].push_back(&change);
  for (auto& [directory, changes] : uncertain) {
    const std::size_t cut = random_() % (changes.size() + 1);
    for (std::size_t i = 0; i < changes.size(); ++i) {
      const bool by_chance = policy_.names == Names::kOrdered ? i < cut : toss();
      changes[i]->kept = policy_.names == Names::kKept || (policy_.names != Names::kLost && by_chance);
    }
  }
}

bool CrashState::is_kept(std::size_t operation, bool is_source) const {
  const auto at = std::ranges::lower_bound(changes_, operation, {}, &NameChange::operation);
  // A rename's new name stands before its old one.
  return is_source ? at[1].kept : at->kept;
}

void CrashState::apply_names(std::size_t index) {
  const Operation& operation = operations_[index];
  switch (operation.kind) {
    case OperationKind::kCreate:
    case OperationKind::kMakeDirectory:
      if (is_kept(index, false)) tree_.set_entry(operation.directory, operation.name, operation.node);
      break;
    case OperationKind::kRemove:
    case OperationKind::kRemoveDirectory:
      if (is_kept(index, false)) tree_.remove_entry(operation.directory, operation.name);
      break;
    case OperationKind::kLink:
      if (is_kept(index, false)) tree_.set_entry(operation.to_directory, operation.to_name, operation.node);
      break;
    case OperationKind::kRename:
      // No file system loses a file by renaming it: the old name goes only if the new one is there. It may
      // stay longer, where the old directory was not synced.
      if (!is_kept(index, false)) break;
      tree_.set_entry(operation.to_directory, operation.to_name, operation.node);
      if (operation.directory == operation.to_directory || is_kept(index, true))
        tree_.remove_entry(operation.directory, operation.name);
      break;
    default:
      break;
  }
}

Data CrashState::chance_for(const Operation& operation) {
  constexpr Data kFates[] = {Data::kLost, Data::kKept, Data::kTorn, Data::kSizeOnly};
  Data fate = policy_.data == Data::kRandom ? kFates[random_() % std::size(kFates)] : policy_.data;
  // Only writes can be there in part.
  if (operation.kind != OperationKind::kWrite && fate != Data::kLost && fate != Data::kKept)
    fate = toss() ? Data::kKept : Data::kLost;
  return fate;
}

void CrashState::apply_data(const Operation& operation, Data fate) {
  if (fate == Data::kLost) return;
  SparseBytes& content = tree_.content(operation.node);
  const std::uint64_t end = operation.offset + operation.length;
  if (operation.kind == OperationKind::kTruncate) {
    content.resize(operation.length);
  } else if (operation.kind == OperationKind::kAllocate) {
    content.resize(std::max(content.size(), operation.length));
  } else if (fate == Data::kKept) {
    content.write(operation.offset, operation.data);
  } else if (fate == Data::kSizeOnly) {
    content.resize(std::max(content.size(), end));
  } else {
    apply_torn(operation);
  }
}

// Drives and file systems write the units of one request in any order: any of them may be missing.
void CrashState::apply_torn(const Operation& operation) {
  const std::uint64_t unit = policy_.tear_unit_bytes;
  SparseBytes& content = tree_.content(operation.node);
  const std::uint64_t end = operation.offset + operation.length;
  bool kept = toss();
  for (std::uint64_t begin = operation.offset; begin < end;) {
    const std::uint64_t stop = std::min(end, (begin / unit + 1) * unit);
    if (kept) content.write(begin, ByteSpan(operation.data).subspan(begin - operation.offset, stop - begin));
    kept = !kept;
    begin = stop;
  }
}

}  // namespace

std::string_view operation_name(OperationKind kind) {
  switch (kind) {
    case OperationKind::kWrite:
      return "write";
    case OperationKind::kTruncate:
      return "truncate";
    case OperationKind::kAllocate:
      return "allocate";
    case OperationKind::kSyncData:
      return "sync-data";
    case OperationKind::kSync:
      return "sync";
    case OperationKind::kSyncFailed:
      return "sync-failed";
    case OperationKind::kCreate:
      return "create";
    case OperationKind::kMakeDirectory:
      return "make-directory";
    case OperationKind::kRename:
      return "rename";
    case OperationKind::kLink:
      return "link";
    case OperationKind::kRemove:
      return "remove";
    case OperationKind::kRemoveDirectory:
      return "remove-directory";
    case OperationKind::kSyncDirectory:
      return "sync-directory";
    case OperationKind::kSyncDirectoryFailed:
      return "sync-directory-failed";
  }
  std::unreachable();
}

ModelTree state_after_crash(const ModelTree& base, std::span<const Operation> operations, std::size_t count,
                            const CrashPolicy& policy) {
  return CrashState(base, operations.first(std::min(count, operations.size())), policy).make();
}

}  // namespace asl::io
