#include <fmt/format.h>
#include <optional>
#include <utility>
#include <vector>

#include <asl/engine/children.h>

#include "commands/entry_text.h"
#include "commands/open_store.h"
#include "commands/places.h"
#include "text.h"

namespace asl::cli {
namespace {

// Draws depth first, one directory's entries at a time read ahead by one: only then is it known which entry
// is the last and gets the corner.
class TreeDrawing {
 public:
  TreeDrawing(Context& context, const Domain& domain, const Place& place, const ParsedOptions& options)
      : context_(context),
        domain_(domain),
        place_(place),
        names_(place.snapshot, false),
        depth_max_(options.number("depth").value_or(~std::uint64_t{0})),
        directories_only_(options.flag("directories")),
        sizes_(options.flag("sizes")) {
    if (context.json) {
      Json header = make_json("tree");
      header["snapshot_id"] = place.snapshot.snapshot_id;
      put_bytes(header, "place", place.path);
      list_.emplace(context.out, header, "entries");
    }
  }

  Result<void> draw() {
    if (!list_) context_.out.line(place_.path.empty() ? "." : printable(place_.path));
    if (place_.entry.type == EntryType::kDirectory) ASL_TRY(descend(place_.entry, ""));
    while (!levels_.empty() && context_.out.good()) {
      ASL_TRY(context_.stop.check());
      Level& level = levels_.back();
      if (!level.ahead) {
        levels_.pop_back();
        continue;
      }
      const Entry entry = *std::exchange(level.ahead, std::nullopt);
      ASL_TRY(read_ahead(level));
      const std::string path = join_path(level.path, entry.name);
      show(level, path, entry);
      if (entry.type == EntryType::kDirectory && levels_.size() < depth_max_) ASL_TRY(descend(entry, path));
    }
    finish();
    return {};
  }

 private:
  struct Level {
    Children children;
    std::optional<Entry> ahead;
    std::string path;
    std::string indent;  // in front of this level's branches
  };

  Result<void> read_ahead(Level& level) {
    while (true) {
      ASL_ASSIGN(const Entry* next, level.children.next());
      if (next == nullptr) return {};
      if (directories_only_ && next->type != EntryType::kDirectory) continue;
      level.ahead = *next;
      return {};
    }
  }

  Result<void> descend(const Entry& directory, const std::string& path) {
    ASL_ASSIGN(Children children, Children::open(domain_, place_.snapshot, directory));
    std::string indent;
    if (!levels_.empty()) indent = levels_.back().indent + (levels_.back().ahead ? "│   " : "    ");
    levels_.push_back({std::move(children), std::nullopt, path, std::move(indent)});
    return read_ahead(levels_.back());
  }

  void show(const Level& level, const std::string& path, const Entry& entry) {
    ++(entry.type == EntryType::kDirectory ? directories_ : others_);
    if (list_) {
      list_->add(entry_json(path, entry, names_));
      return;
    }
    std::string line = level.indent + (level.ahead ? "├── " : "└── ") + printable(entry.name);
    if (entry.type == EntryType::kDirectory) line += "/";
    if (sizes_ && entry.type == EntryType::kFile) line += "  " + format_size(entry.size_bytes);
    context_.out.line(line + long_tail(entry));
  }

  void finish() {
    if (list_)
      list_->finish();
    else if (!context_.quiet)
      context_.out.line(
          fmt::format("{} directories, {} others", format_count(directories_), format_count(others_)));
  }

  Context& context_;
  const Domain& domain_;
  const Place& place_;
  const OwnerNames names_;
  const std::uint64_t depth_max_;
  const bool directories_only_;
  const bool sizes_;
  std::optional<JsonList> list_;
  std::vector<Level> levels_;
  std::uint64_t directories_ = 0;
  std::uint64_t others_ = 0;
};

}  // namespace

Result<int> run_tree(Context& context, const ParsedOptions& options) {
  ASL_ASSIGN(const OpenStore store, open_store(context));
  ASL_ASSIGN(const Place place, find_place(*store.domain, options));
  ASL_TRY(TreeDrawing(context, *store.domain, place, options).draw());
  return kExitOk;
}

}  // namespace asl::cli
