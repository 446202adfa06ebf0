// Everything the store knows about one artifact.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include <asl/engine/block.h>
#include <asl/engine/domain.h>
#include <asl/engine/error.h>
#include <asl/engine/log_state.h>
#include <asl/engine/reference.h>

namespace asl {

// One live record of it. The newest copy is read; the others stand in where it is damaged.
struct ArtifactCopy {
  std::uint64_t segment_id = 0;
  std::uint64_t sealed_logseq = 0;
  bool pinned = false;  // the record's own flag
  bool fixed = false;
};

struct ArtifactDetails {
  Reference reference;
  std::uint64_t length_bytes = 0;
  std::optional<std::uint32_t> type_tag{};
  std::uint64_t data_extents = 0;
  std::uint64_t hole_extents = 0;
  std::uint64_t hole_bytes = 0;
  std::uint64_t stored_bytes =
      0;                     // as they lie in blocks; shared ones count for every artifact that uses them
  std::uint64_t blocks = 0;  // different ones
  std::uint64_t damaged_extents = 0;       // known to be damaged and not healed
  std::vector<ArtifactCopy> copies{};      // newest first
  bool pinned = false;                     // by `put`, and not unpinned since
  bool named_by_log = false;               // an authority object, a receipt, a publication...
  std::vector<std::uint64_t> snapshots{};  // the living snapshots it is itself the record of
  std::optional<TombstoneState> tombstone{};
};

struct ExtentDetails {
  std::uint64_t artifact_offset_bytes = 0;
  std::uint64_t length_bytes = 0;
  bool hole = false;
  bool damaged = false;
  ExtentLocation location;  // of data
};
using ExtentVisitor = std::function<Result<void>(const ExtentDetails& extent)>;

// Looks at records, not at the bytes. Also for withdrawn artifacts. `visit` (may be empty) gets every extent
// of the newest copy in order. Errors: kNotFound; kIntegrity for a damaged segment; those of `visit`.
Result<ArtifactDetails> artifact_details(const Domain& domain, const Reference& reference,
                                         const ExtentVisitor& visit = {});

// "tree", "snapshot", "partial", "errors", "authority"; "typed" for other tags, "data" for none.
std::string_view artifact_kind_name(std::optional<std::uint32_t> type_tag);

}  // namespace asl
