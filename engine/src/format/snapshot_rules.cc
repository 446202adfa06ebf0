#include "format/snapshot_rules.h"

#include <algorithm>

#include <asl/engine/cm.h>

#include "format/entry_codec.h"

namespace asl {
namespace {

bool is_text(const std::string& text) {
  return text.size() <= kSnapshotTextSizeMax && is_valid_utf8(text);
}

std::string_view violated_tag_rule(const std::vector<std::string>& tags) {
  if (!std::ranges::all_of(tags, [](const std::string& tag) { return !tag.empty() && is_text(tag); }))
    return "a snapshot's tag is not a text of 1 to 255 bytes";
  if (std::ranges::adjacent_find(tags, std::ranges::greater_equal{}) != tags.end())
    return "a snapshot's tags are not sorted, each once";
  return {};
}

std::string_view violated_names_rule(const std::vector<SnapshotName>& names) {
  const SnapshotName* previous = nullptr;
  for (const SnapshotName& item : names) {
    if (item.name.empty() || !is_text(item.name))
      return "a user or group name is not a text of 1 to 255 bytes";
    if (previous != nullptr && previous->id >= item.id)
      return "a snapshot's users or groups are not sorted by id, each once";
    previous = &item;
  }
  return {};
}

std::string_view violated_roots_rule(const std::vector<SnapshotRoot>& roots) {
  if (roots.empty()) return "a snapshot has no root";
  const bool is_one_directory = roots.size() == 1 && roots.front().entry.type == EntryType::kDirectory;
  std::vector<std::string_view> names;
  for (const SnapshotRoot& root : roots) {
    if (root.source_path.empty() || root.source_path.size() > kSourcePathSizeMax ||
        root.source_path.find('\0') != std::string::npos)
      return "a source path is empty, too long or holds a NUL";
    const auto rule = violated_rule(root.entry, is_one_directory ? NameRule::kNameOrEmpty : NameRule::kName);
    if (!rule.empty()) return rule;
    names.push_back(root.entry.name);
  }
  std::ranges::sort(names);
  if (std::ranges::adjacent_find(names) != names.end()) return "two roots of a snapshot have the same name";
  return {};
}

}  // namespace

std::string_view violated_rule(const Snapshot& snapshot) {
  if (snapshot.snapshot_id == 0) return "a snapshot has no number";
  if (snapshot.parent_id >= snapshot.snapshot_id) return "a snapshot is not younger than its parent";
  if (!is_text(snapshot.host) || !is_text(snapshot.label))
    return "a snapshot's host or label is not a text of at most 255 bytes";
  if (!snapshot.errors.is_null() && !snapshot.errors.is_typed())
    return "a snapshot's errors are not a typed artifact";
  if (!snapshot.claim.is_null() && !snapshot.claim.is_typed())
    return "a snapshot's claim is not a typed artifact";
  if (snapshot.origin && !snapshot.origin->ref.is_typed())
    return "a snapshot's origin is not a typed artifact";
  if (const auto rule = violated_tag_rule(snapshot.tags); !rule.empty()) return rule;
  if (const auto rule = violated_roots_rule(snapshot.roots); !rule.empty()) return rule;
  if (const auto rule = violated_names_rule(snapshot.users); !rule.empty()) return rule;
  return violated_names_rule(snapshot.groups);
}

}  // namespace asl
