#include <algorithm>
#include <optional>
#include <set>
#include <utility>
#include <variant>
#include <vector>

#include <asl/engine/children.h>
#include <asl/engine/tree_walk.h>

namespace asl {

struct DirectoryReader::Impl {
  const Domain* domain = nullptr;
  TreeFanOut fan_out;  // empty for a directory of one leaf
  std::size_t next_leaf = 0;
  Bytes bytes;  // of the open leaf
  std::optional<LeafReader> leaf;
  std::uint64_t entries = 0;
  Entry entry;

  Result<void> open_leaf(Bytes node) {
    bytes = std::move(node);
    ASL_ASSIGN(LeafReader reader, LeafReader::open(bytes));
    leaf.emplace(std::move(reader));
    return {};
  }
};

namespace {

// Errors from decoding name the artifact that was decoded.
template <typename T>
Result<T> in_tree(Result<T> result, const Reference& ref) {
  if (!result && result.error().object.empty())
    return fail(std::move(result).error().with_object(to_text(ref)));
  return result;
}

Result<Bytes> read_node(const Domain& domain, const Reference& ref, std::size_t size_max) {
  return domain.read_typed(ref, kTagTree, size_max);
}

}  // namespace

DirectoryReader::DirectoryReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DirectoryReader::DirectoryReader(DirectoryReader&&) noexcept = default;
DirectoryReader& DirectoryReader::operator=(DirectoryReader&&) noexcept = default;
DirectoryReader::~DirectoryReader() = default;

Result<DirectoryReader> DirectoryReader::open(const Domain& domain, const Reference& tree) {
  auto impl = std::make_unique<Impl>();
  impl->domain = &domain;
  ASL_ASSIGN(Bytes node, read_node(domain, tree, kFanOutSizeMax));
  if (LeafReader::open(node)) {
    ASL_TRY(impl->open_leaf(std::move(node)));
    impl->entries = impl->leaf->count();
    return DirectoryReader(std::move(impl));
  }
  ASL_ASSIGN(TreeNode decoded, in_tree(decode_tree(node), tree));
  impl->fan_out = std::move(std::get<TreeFanOut>(decoded));
  for (const FanOutItem& item : impl->fan_out.leaves) impl->entries += item.entries;
  return DirectoryReader(std::move(impl));
}

std::uint64_t DirectoryReader::entry_count() const {
  return impl_->entries;
}

Result<const Entry*> DirectoryReader::next() {
  while (true) {
    if (impl_->leaf) {
      ASL_ASSIGN(const bool more, impl_->leaf->next(impl_->entry));
      if (more) return &impl_->entry;
      impl_->leaf.reset();
    }
    if (impl_->next_leaf == impl_->fan_out.leaves.size()) return nullptr;
    const FanOutItem& item = impl_->fan_out.leaves[impl_->next_leaf++];
    ASL_ASSIGN(Bytes node, read_node(*impl_->domain, item.ref, kLeafSizeMax));
    ASL_TRY(in_tree(impl_->open_leaf(std::move(node)), item.ref));
    // What the fan-out promises is what numbering and searching rely on.
    if (impl_->leaf->count() != item.entries)
      return fail(Error{.code = ErrorCode::kIntegrity,
                        .message = "a tree leaf has another number of entries than its directory says",
                        .object = to_text(item.ref)});
  }
}

Result<Entry> find_entry(const Domain& domain, const Reference& tree, std::string_view name) {
  ASL_ASSIGN(Bytes node, read_node(domain, tree, kFanOutSizeMax));
  Reference leaf_ref = tree;
  auto reader = LeafReader::open(node);
  if (!reader) {
    ASL_ASSIGN(const TreeNode decoded, in_tree(decode_tree(node), tree));
    const auto& leaves = std::get<TreeFanOut>(decoded).leaves;
    const auto after = std::upper_bound(
        leaves.begin(), leaves.end(), name,
        [](std::string_view wanted, const FanOutItem& item) { return wanted < item.first_name; });
    if (after == leaves.begin()) return fail(ErrorCode::kNotFound, "no such entry");
    leaf_ref = std::prev(after)->ref;
    ASL_ASSIGN(node, read_node(domain, leaf_ref, kLeafSizeMax));
    reader = LeafReader::open(node);
    ASL_TRY(in_tree(std::move(reader), leaf_ref));
    reader = LeafReader::open(node);
  }
  Entry entry;
  while (true) {
    ASL_ASSIGN(const bool more, in_tree(reader->next(entry), leaf_ref));
    if (!more || entry.name > name) return fail(ErrorCode::kNotFound, "no such entry");
    if (entry.name == name) return entry;
  }
}

Result<Entry> snapshot_root(const Domain& domain, const Snapshot& snapshot) {
  static_cast<void>(domain);
  const bool single =
      snapshot.roots.size() == 1 && snapshot.roots.front().entry.type == EntryType::kDirectory;
  if (single) {
    Entry root = snapshot.roots.front().entry;
    root.name.clear();
    return root;
  }
  // Several sources, or a file: they are entries of a directory that exists nowhere else.
  Entry root;
  root.type = EntryType::kDirectory;
  root.mode = 0755;
  root.nlink = 1;
  root.mtime_s = snapshot.created_s.value_or(0);
  for (const SnapshotRoot& source : snapshot.roots) root.below += 1 + source.entry.below;
  return root;
}

Result<Entry> find_path(const Domain& domain, const Snapshot& snapshot, std::string_view path) {
  ASL_ASSIGN(Entry entry, snapshot_root(domain, snapshot));
  std::string_view rest = path;
  bool at_root = true;
  while (!rest.empty()) {
    const std::size_t slash = rest.find('/');
    const std::string_view name = rest.substr(0, slash);
    rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
    if (name.empty()) continue;
    Result<Entry> found = fail(ErrorCode::kNotFound, "no such entry");
    if (at_root && entry.content.is_null()) {
      for (const SnapshotRoot& source : snapshot.roots)
        if (source.entry.name == name) found = source.entry;
    } else if (entry.type == EntryType::kDirectory) {
      found = find_entry(domain, entry.content, name);
    }
    if (!found) {
      Error error = std::move(found).error();
      if (error.code == ErrorCode::kNotFound && error.object.empty()) {
        error.message = "no such file or directory in the snapshot";
        error.object = std::to_string(snapshot.snapshot_id) + ":/" + std::string(path);
      }
      return fail(std::move(error));
    }
    entry = std::move(*found);
    at_root = false;
  }
  return entry;
}

namespace {

struct Level {
  std::optional<DirectoryReader> reader;
  std::size_t path_size = 0;
};

// The walk proper, with an explicit stack: snapshots may be nested deeper than a call stack.
class Walker {
 public:
  Walker(const Domain& domain, const WalkVisitor& visit, const WalkErrorHandler& on_error)
      : domain_(domain), visit_(visit), on_error_(on_error) {}

  Result<bool> enter(const Entry& entry, const std::string& path) {
    ASL_ASSIGN(const WalkStep step, visit_(path, entry));
    if (step == WalkStep::kStop) return false;
    if (step == WalkStep::kSkipBelow || entry.type != EntryType::kDirectory) return true;
    auto reader = DirectoryReader::open(domain_, entry.content);
    if (!reader) {
      ASL_TRY(report(path, std::move(reader).error()));
      return true;
    }
    levels_.push_back({std::move(*reader), path.size()});
    return true;
  }

  Result<void> run(std::string path) {
    while (!levels_.empty()) {
      Level& level = levels_.back();
      path.resize(level.path_size);
      auto next = level.reader->next();
      if (!next) {
        ASL_TRY(report(path, std::move(next).error()));
        levels_.pop_back();
        continue;
      }
      if (*next == nullptr) {
        levels_.pop_back();
        continue;
      }
      if (!path.empty()) path += '/';
      path += (*next)->name;
      // The entry is copied: entering a directory may reuse what it points into.
      const Entry entry = **next;
      ASL_ASSIGN(const bool go_on, enter(entry, path));
      if (!go_on) return {};
    }
    return {};
  }

 private:
  Result<void> report(const std::string& path, Error error) {
    if (!on_error_) return fail(std::move(error));
    return on_error_(path, error);
  }

  const Domain& domain_;
  const WalkVisitor& visit_;
  const WalkErrorHandler& on_error_;
  std::vector<Level> levels_;
};

}  // namespace

Result<void> walk(const Domain& domain, const Entry& start, const WalkVisitor& visit,
                  const WalkErrorHandler& on_error) {
  Walker walker(domain, visit, on_error);
  ASL_ASSIGN(const bool go_on, walker.enter(start, ""));
  if (!go_on) return {};
  return walker.run("");
}

Result<void> walk_snapshot(const Domain& domain, const Snapshot& snapshot, const std::string& path,
                           const WalkVisitor& visit, const WalkErrorHandler& on_error) {
  ASL_ASSIGN(const Entry start, find_path(domain, snapshot, path));
  if (!start.content.is_null() || start.type != EntryType::kDirectory)
    return walk(domain, start, visit, on_error);
  ASL_ASSIGN(const WalkStep step, visit("", start));
  if (step != WalkStep::kContinue) return {};
  ASL_ASSIGN(Children sources, Children::open(domain, snapshot, start));
  bool stopped = false;
  while (!stopped) {
    ASL_ASSIGN(const Entry* source, sources.next());
    if (source == nullptr) break;
    const auto below = [&](const std::string& inner, const Entry& entry) -> Result<WalkStep> {
      ASL_ASSIGN(const WalkStep next,
                 visit(inner.empty() ? source->name : source->name + "/" + inner, entry));
      stopped = stopped || next == WalkStep::kStop;
      return next;
    };
    ASL_TRY(walk(domain, *source, below, on_error));
  }
  return {};
}

}  // namespace asl
