// Entries of trees, for people and as JSON.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <asl/engine/snapshot.h>
#include <asl/engine/tree.h>

#include "json_out.h"

namespace asl::cli {

std::string_view type_name(
    EntryType type);  // "file", "directory", "symlink", "char", "block", "fifo", "socket"
// "drwxr-x--T", as ls -l shows it.
std::string mode_text(const Entry& entry);
// The words of an entry's flags: "changed", "partial", "metadata-incomplete", "not-fully-listed".
std::vector<std::string_view> flag_words(const Entry& entry);

// What the source's machine called an owner. Refers to the snapshot, which must outlive it.
class OwnerNames {
 public:
  OwnerNames(const Snapshot& snapshot, bool numeric) : snapshot_(snapshot), numeric_(numeric) {}
  // The number where there is no name, or where numbers were asked for.
  std::string user(const Entry& entry) const;
  std::string group(const Entry& entry) const;

 private:
  std::string name_of(const std::vector<SnapshotName>& names, std::uint32_t id) const;
  const Snapshot& snapshot_;
  bool numeric_;
};

// One line as ls -l writes it, without the name.
std::string long_text(const Entry& entry, const OwnerNames& names);
// What follows the name in a long line: " -> target", flags in brackets.
std::string long_tail(const Entry& entry);

// doc/json.md, "Entries".
Json entry_json(const std::string& path, const Entry& entry, const OwnerNames& names);

}  // namespace asl::cli
