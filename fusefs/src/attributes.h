// From what a tree says of an entry to what stat and getxattr say.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <vector>

#include <asl/engine/domain.h>
#include <asl/engine/tree.h>

#include "failure.h"

namespace asl::fusefs {

inline constexpr std::uint32_t kBlockSize = 128 << 10;  // st_blksize: what programs read at a time

mode_t file_type(EntryType type);
// Access and change times are not kept: they show the modification time.
struct stat status_of(const Entry& entry, std::uint64_t inode);

// The source's own attributes, each followed by a NUL. Ours are not among them, so that copies stay true.
std::string listed_xattrs(const Entry& entry);

// What our own attributes are made of.
struct XattrSubject {
  const Domain& domain;
  const Entry& entry;
  // Set for a snapshot's root.
  std::optional<std::uint64_t> snapshot_id{};
  std::uint64_t partial_files = 0;
};
// ENODATA if it has no such attribute.
Reply<Bytes> xattr_value(const XattrSubject& subject, std::string_view name);

// The attributes of a blob: user.asl.sha256 (of untyped artifacts) and user.asl.ref.
Reply<Bytes> blob_xattr_value(const Reference& ref, std::string_view name);

}  // namespace asl::fusefs
