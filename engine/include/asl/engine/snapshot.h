// Snapshots: typed artifacts that name the root trees of one state of a domain and hold the facts about it
// (doc/format-snapshot.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <asl/engine/bytes.h>
#include <asl/engine/domain_id.h>
#include <asl/engine/error.h>
#include <asl/engine/reference.h>
#include <asl/engine/tree.h>

namespace asl {

inline constexpr std::size_t kSnapshotSizeMax = 16 << 20;  // some ten thousand sources and users
inline constexpr std::size_t kSnapshotTextSizeMax =
    255;  // host, label, tag, user name: they become file names
inline constexpr std::size_t kSourcePathSizeMax = 64 << 10;  // 16 times PATH_MAX

struct SnapshotRoot {
  std::string source_path;  // where it was read from: a byte string, not empty
  // What it is called in the snapshot. The name may be empty where one directory is the only root (then it is
  // the snapshot's root itself); several roots have different names.
  Entry entry;
  bool operator==(const SnapshotRoot&) const = default;
};

struct SnapshotCounts {
  std::uint64_t files = 0;
  std::uint64_t directories = 0;
  std::uint64_t symlinks = 0;
  std::uint64_t others = 0;
  std::uint64_t bytes = 0;  // the sum of all files' sizes
  std::uint64_t errors = 0;
  std::uint64_t partial = 0;
  bool operator==(const SnapshotCounts&) const = default;
};

struct SnapshotName {  // a user or a group
  std::uint32_t id = 0;
  std::string name;  // UTF-8, not empty
  bool operator==(const SnapshotName&) const = default;
};

struct SnapshotOrigin {  // of a snapshot that was copied from another domain
  DomainId domain_id{};
  Reference ref;  // the snapshot there
  bool operator==(const SnapshotOrigin&) const = default;
};

struct Snapshot {
  DomainId domain_id{};
  std::uint64_t snapshot_id = 0;  // 1 or more
  std::uint64_t parent_id = 0;    // 0 if none; always smaller than snapshot_id
  std::optional<std::int64_t> created_s;
  std::string host;
  std::string label;
  std::vector<std::string> tags;    // sorted, unique, not empty
  std::vector<SnapshotRoot> roots;  // one or more
  SnapshotCounts counts;
  Reference errors;                  // source_errors.h; null if none
  std::vector<SnapshotName> users;   // sorted by id, unique
  std::vector<SnapshotName> groups;  // likewise
  Reference claim;                   // an env claim; null if none
  std::optional<SnapshotOrigin> origin;
  bool operator==(const Snapshot&) const = default;
};

// Errors: kMalformed for what breaks a rule, kUnsupported beyond kSnapshotSizeMax.
Result<Bytes> encode_snapshot(const Snapshot& snapshot);
// Errors: kIntegrity with the offset inside `bytes`; kUnsupported for another version.
Result<Snapshot> decode_snapshot(ByteSpan bytes);

}  // namespace asl
