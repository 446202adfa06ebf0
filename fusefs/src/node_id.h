// The numbers by which the kernel names what it sees: no table is needed to follow one into a snapshot.
#pragma once

#include <cstdint>

#include <asl/engine/bytes.h>
#include <asl/engine/domain_id.h>

namespace asl::fusefs {

// 0 | domain slot | snapshot | position in the snapshot's pre-order; position 0 is the snapshot's root.
inline constexpr unsigned kPositionBits = 32;
inline constexpr unsigned kSnapshotBits = 20;
inline constexpr unsigned kSlotBits = 11;
inline constexpr std::uint64_t kPositionMax = (1ULL << kPositionBits) - 1;
inline constexpr std::uint64_t kSnapshotIdMax = (1ULL << kSnapshotBits) - 1;
inline constexpr std::uint64_t kSlotMax = (1ULL << kSlotBits) - 1;
static_assert(kPositionBits + kSnapshotBits + kSlotBits == 63);

// Set in the ids of everything that is not in a snapshot: control directories and their files, blobs.
inline constexpr std::uint64_t kControlBit = 1ULL << 63;

// A place in a snapshot. Snapshot ids begin with 1, so that no place is node 1, which is the mount's root.
struct TreePlace {
  std::uint32_t slot = 0;
  std::uint32_t snapshot = 0;
  std::uint32_t position = 0;
  bool operator==(const TreePlace&) const = default;

  std::uint64_t node_id() const {
    return std::uint64_t{slot} << (kSnapshotBits + kPositionBits) | std::uint64_t{snapshot} << kPositionBits |
           position;
  }
  static TreePlace of(std::uint64_t node_id) {
    return {.slot = static_cast<std::uint32_t>(node_id >> (kSnapshotBits + kPositionBits) & kSlotMax),
            .snapshot = static_cast<std::uint32_t>(node_id >> kPositionBits & kSnapshotIdMax),
            .position = static_cast<std::uint32_t>(node_id & kPositionMax)};
  }
};

// The st_ino of things that need one of their own: bit 63 and 63 bits of a hash.
// Of all names of one inode in a snapshot.
std::uint64_t hard_link_inode(const DomainId& domain, std::uint64_t snapshot, std::uint64_t hardlink_id);
// Of a blob.
std::uint64_t digest_inode(const Digest& digest);
// Of anything else, by its path in the mount ("" is the root).
std::uint64_t path_inode(std::string_view path);

}  // namespace asl::fusefs
