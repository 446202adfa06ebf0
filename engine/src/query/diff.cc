#include <optional>
#include <utility>

#include <asl/engine/children.h>
#include <asl/engine/diff.h>
#include <asl/engine/tree_walk.h>

namespace asl {
namespace {

bool is_directory(const Entry& entry) {
  return entry.type == EntryType::kDirectory;
}

// The first thing about an entry that makes it another content; empty if there is none.
std::string_view content_difference(const Entry& before, const Entry& after) {
  switch (before.type) {
    case EntryType::kFile:
      return before.content != after.content ? "content" : "";
    case EntryType::kSymlink:
      return before.symlink_target != after.symlink_target ? "target" : "";
    case EntryType::kCharDevice:
    case EntryType::kBlockDevice:
      return before.rdev != after.rdev ? "device" : "";
    default:
      return "";
  }
}

// One side of a directory that is being compared.
class Side {
 public:
  static Result<Side> open(const Domain& domain, const Snapshot& snapshot, const Entry& directory) {
    ASL_ASSIGN(Children children, Children::open(domain, snapshot, directory));
    return Side(std::move(children));
  }
  // The entry at hand, null at the end; stays until take() and the peek() after it.
  Result<const Entry*> peek() {
    if (taken_) {
      ASL_ASSIGN(entry_, children_.next());
      taken_ = false;
    }
    return entry_;
  }
  void take() { taken_ = true; }

 private:
  explicit Side(Children children) : children_(std::move(children)) {}
  Children children_;
  const Entry* entry_ = nullptr;
  bool taken_ = true;
};

struct Level {
  Side before;
  Side after;
  std::string path;
};

class Comparison {
 public:
  Comparison(const Domain& domain, const DiffSide& before, const DiffSide& after, const DiffVisitor& visit,
             const StopToken& stop)
      : domain_(domain), before_(before), after_(after), visit_(visit), stop_(stop) {}

  Result<DiffReport> run() {
    ASL_TRY(compare("", before_.entry, after_.entry));
    while (!levels_.empty()) {
      ASL_TRY(stop_.check());
      ASL_TRY(step());
    }
    return report_;
  }

 private:
  Result<void> step() {
    Level& level = levels_.back();
    ASL_ASSIGN(const Entry* before, level.before.peek());
    ASL_ASSIGN(const Entry* after, level.after.peek());
    if (before == nullptr && after == nullptr) {
      levels_.pop_back();
      return {};
    }
    const bool take_before = after == nullptr || (before != nullptr && before->name <= after->name);
    const bool take_after = before == nullptr || (after != nullptr && after->name <= before->name);
    const std::string& name = take_before ? before->name : after->name;
    const std::string path = level.path.empty() ? name : level.path + "/" + name;
    if (take_before) level.before.take();
    if (take_after) level.after.take();
    // `level` may move from here on; the entries stay until their side is asked again.
    if (take_before && take_after) return compare(path, *before, *after);
    return take_before ? whole_subtree(Change::kRemoved, path, *before)
                       : whole_subtree(Change::kAdded, path, *after);
  }

  Result<void> compare(const std::string& path, const Entry& before, const Entry& after) {
    if (before.type != after.type) {
      ASL_TRY(whole_subtree(Change::kRemoved, path, before));
      return whole_subtree(Change::kAdded, path, after);
    }
    if (!content_difference(before, after).empty())
      ASL_TRY(tell({Change::kContent, path, &before, &after}));
    else if (!is_made_up(before) && !is_made_up(after) && !differing_fields(before, after).empty())
      ASL_TRY(tell({Change::kMetadata, path, &before, &after}));
    const bool same = before.content == after.content && !is_made_up(before);
    if (!is_directory(before) || same) return {};
    ASL_ASSIGN(Side before_side, Side::open(domain_, before_.snapshot, before));
    ASL_ASSIGN(Side after_side, Side::open(domain_, after_.snapshot, after));
    levels_.push_back({std::move(before_side), std::move(after_side), path});
    return {};
  }

  // The root over several sources exists on no disk: it has no metadata to compare.
  static bool is_made_up(const Entry& entry) { return is_directory(entry) && entry.content.is_null(); }

  Result<void> whole_subtree(Change change, const std::string& path, const Entry& entry) {
    const auto each = [&](const std::string& below, const Entry& inner) -> Result<WalkStep> {
      ASL_TRY(stop_.check());
      std::string full = path;
      if (!full.empty() && !below.empty()) full += "/";
      full += below;
      const bool added = change == Change::kAdded;
      ASL_TRY(tell({change, std::move(full), added ? nullptr : &inner, added ? &inner : nullptr}));
      return is_made_up(inner) ? WalkStep::kSkipBelow : WalkStep::kContinue;
    };
    return walk(domain_, entry, each);
  }

  Result<void> tell(const Difference& difference) {
    switch (difference.change) {
      case Change::kAdded:
        ++report_.added;
        break;
      case Change::kRemoved:
        ++report_.removed;
        break;
      case Change::kContent:
        ++report_.content;
        break;
      case Change::kMetadata:
        ++report_.metadata;
        break;
    }
    return visit_(difference);
  }

  const Domain& domain_;
  const DiffSide& before_;
  const DiffSide& after_;
  const DiffVisitor& visit_;
  const StopToken stop_;
  std::vector<Level> levels_;
  DiffReport report_;
};

}  // namespace

std::vector<std::string_view> differing_fields(const Entry& before, const Entry& after) {
  std::vector<std::string_view> fields;
  const auto check = [&](bool differs, std::string_view name) {
    if (differs) fields.push_back(name);
  };
  if (const auto content = content_difference(before, after); !content.empty()) fields.push_back(content);
  check(before.mode != after.mode, "mode");
  check(before.uid != after.uid, "owner");
  check(before.gid != after.gid, "group");
  check(before.mtime_s != after.mtime_s || before.mtime_ns != after.mtime_ns, "mtime");
  check(before.xattrs != after.xattrs, "xattrs");
  // A directory's links are its subdirectories, which are entries of their own.
  check(!is_directory(before) && before.nlink != after.nlink, "links");
  check(before.flags != after.flags, "flags");
  check(before.inode_flags != after.inode_flags, "attributes");
  return fields;
}

Result<DiffReport> diff(const Domain& domain, const DiffSide& before, const DiffSide& after,
                        const DiffVisitor& visit, const StopToken& stop) {
  return Comparison(domain, before, after, visit, stop).run();
}

}  // namespace asl
