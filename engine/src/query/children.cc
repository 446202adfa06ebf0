#include <algorithm>
#include <utility>

#include <asl/engine/children.h>

namespace asl {

Result<Children> Children::open(const Domain& domain, const Snapshot& snapshot, const Entry& directory) {
  Children children;
  if (directory.type != EntryType::kDirectory) return children;
  if (directory.content.is_null()) {
    for (const SnapshotRoot& root : snapshot.roots) children.sources_.push_back(root.entry);
    std::ranges::sort(children.sources_, {}, &Entry::name);
    return children;
  }
  ASL_ASSIGN(DirectoryReader reader, DirectoryReader::open(domain, directory.content));
  children.reader_.emplace(std::move(reader));
  return children;
}

Result<const Entry*> Children::next() {
  if (reader_) return reader_->next();
  if (next_source_ == sources_.size()) return nullptr;
  return &sources_[next_source_++];
}

}  // namespace asl
