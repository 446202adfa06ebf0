// Joins segments into one, so that look-ups ask few of them. Reads inputs and writes one new file; the caller
// commits it, and retires the inputs in the same commit.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <asl/engine/error.h>
#include <asl/engine/io.h>
#include <asl/engine/reference.h>

#include "index/index.h"
#include "index/segment_reader.h"
#include "index/segment_writer.h"

namespace asl {

// More live segments than this in one size class are merged. Classes are powers of eight of the file's size.
inline constexpr std::size_t kSegmentsPerClassMax = 8;
// Bounds what a merge holds open: a descriptor and about 1 MiB for each input.
inline constexpr std::size_t kMergeInputsMax = 64;

// Which of `segments` should be merged now (positions, in the order given): all of the smallest class that is
// too full, the oldest seals first if they are more than kMergeInputsMax. Empty: none. Broken segments are
// left out.
std::vector<std::size_t> pick_merge(std::span<const Index::Segment> segments);

// Every function must give the same answer when asked again: inputs are read several times.
struct MergeRules {
  // Whether the bytes of this copy are whole. Asked before the other copies of the same artifact are dropped,
  // and only then.
  std::function<Result<bool>(const SegmentReader& segment, const RecordHandle& handle)> survivor_verifies;
  // The logseq of the last ARTIFACT_UNPIN of a reference, 0 if there is none. A record sealed before it pins
  // nothing. Empty: nothing was ever unpinned.
  std::function<std::uint64_t(const Reference& ref)> unpinned_at;
  // For gc: false drops this copy of an artifact. Empty: all are kept.
  std::function<bool(SegmentNumber segment, const RecordHandle& handle)> keep;
  // For gc: where an extent lies from now on. Empty: where it was.
  std::function<Result<void>(ExtentLocation& location)> relocate;
};

struct MergedSegment {
  WrittenSegment written;
  std::vector<SegmentNumber> inputs;    // those that went in: the ones to retire
  std::uint64_t copies_dropped = 0;     // of artifacts that another record holds
  std::uint64_t artifacts_dropped = 0;  // by `keep`
};

// Writes the merge of `inputs` (one or more, all of one domain; any order) to a new file at `path`, synced.
//
// Of several copies of an artifact one stays: a fixed one if there is one, else the newest seal that
// verifies. Where none can be vouched for, or several are fixed, all but the newest copy's segment are left
// out of the merge, so that every copy survives. A record is pinned if any copy sealed after the last unpin
// is. Nothing is returned, and no file made, if fewer than two inputs remain and `keep` and `relocate` are
// empty.
//
// Memory: a byte for every artifact of several copies, and what write_segment needs.
Result<std::optional<MergedSegment>> merge_segments(io::Io& io, const std::string& path,
                                                    std::span<const Index::Segment> inputs,
                                                    const MergeRules& rules);

}  // namespace asl
