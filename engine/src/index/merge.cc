#include "index/merge.h"

#include <algorithm>
#include <bit>
#include <map>
#include <utility>

namespace asl {
namespace {

constexpr int kClassBits = 3;  // powers of eight

int size_class(std::uint64_t file_size) {
  return static_cast<int>(std::bit_width(file_size)) / kClassBits;
}

// The inputs as one sorted stream of artifacts, each with all its copies.
class CopyStream {
 public:
  struct Copy {
    std::size_t input;  // position; lower is newer
    RecordHandle handle;
  };

  explicit CopyStream(std::span<const Index::Segment> inputs) : inputs_(inputs) {
    for (const Index::Segment& input : inputs) cursors_.emplace_back(input.reader);
    heads_.resize(inputs.size());
  }

  Result<void> rewind() {
    for (std::size_t i = 0; i < cursors_.size(); ++i) {
      cursors_[i].rewind();
      ASL_TRY(advance(i));
    }
    copies_.clear();
    return {};
  }

  // The copies of the next artifact, newest first; empty after the last.
  Result<std::span<const Copy>> next() {
    for (const Copy& copy : copies_) ASL_TRY(advance(copy.input));
    copies_.clear();
    for (std::size_t i = 0; i < heads_.size(); ++i) {
      if (!heads_[i]) continue;
      if (!copies_.empty() && heads_[i]->record.ref > copies_[0].handle.record.ref) continue;
      if (!copies_.empty() && heads_[i]->record.ref < copies_[0].handle.record.ref) copies_.clear();
      copies_.push_back({i, *heads_[i]});
    }
    return std::span<const Copy>(copies_);
  }

  SegmentCursor& cursor(std::size_t input) { return cursors_[input]; }
  const Index::Segment& input(std::size_t position) const { return inputs_[position]; }

 private:
  Result<void> advance(std::size_t input) {
    RecordHandle handle;
    ASL_ASSIGN(const bool more, cursors_[input].next(handle));
    heads_[input] = more ? std::optional(handle) : std::nullopt;
    return {};
  }

  std::span<const Index::Segment> inputs_;
  std::vector<SegmentCursor> cursors_;
  std::vector<std::optional<RecordHandle>> heads_;
  std::vector<Copy> copies_;
};

using Copies = std::span<const CopyStream::Copy>;

bool is_fixed(const CopyStream::Copy& copy) {
  return (copy.handle.record.flags & kRecordFixed) != 0;
}

// The copies that `keep` leaves, in `kept`.
Copies kept_of(const CopyStream& stream, Copies copies, const MergeRules& rules,
               std::vector<CopyStream::Copy>& kept) {
  if (!rules.keep) return copies;
  kept.clear();
  for (const auto& copy : copies)
    if (rules.keep(stream.input(copy.input).live.number, copy.handle)) kept.push_back(copy);
  return kept;
}

// The input whose copy stays; nullopt if none may be preferred.
Result<std::optional<std::uint8_t>> choose(const CopyStream& stream, Copies copies, const MergeRules& rules) {
  const auto fixed = std::ranges::count_if(copies, is_fixed);
  if (fixed > 1) return std::nullopt;
  for (const auto& copy : copies) {
    if (fixed == 1 && !is_fixed(copy)) continue;
    ASL_ASSIGN(const bool whole, rules.survivor_verifies(*stream.input(copy.input).reader, copy.handle));
    if (whole) return static_cast<std::uint8_t>(copy.input);
  }
  return std::nullopt;
}

// What a first walk over the inputs decided.
struct Plan {
  std::vector<std::uint8_t> chosen;   // for each kept artifact of several copies, in order: the input
  std::vector<std::size_t> left_out;  // inputs that must not be merged; the rest is then empty
  std::uint64_t copies_dropped = 0;
  std::uint64_t artifacts_dropped = 0;
};

Result<Plan> make_plan(std::span<const Index::Segment> inputs, const MergeRules& rules) {
  Plan plan;
  CopyStream stream(inputs);
  std::vector<CopyStream::Copy> kept;
  ASL_TRY(stream.rewind());
  while (true) {
    ASL_ASSIGN(const Copies all, stream.next());
    if (all.empty()) return plan;
    const Copies copies = kept_of(stream, all, rules, kept);
    if (copies.empty()) {
      ++plan.artifacts_dropped;
      continue;
    }
    if (copies.size() == 1) continue;
    ASL_ASSIGN(const auto winner, choose(stream, copies, rules));
    if (!winner) {
      for (const auto& copy : copies.subspan(1)) plan.left_out.push_back(copy.input);
      return plan;
    }
    plan.chosen.push_back(*winner);
    plan.copies_dropped += copies.size() - 1;
  }
}

class MergedSource : public RecordSource {
 public:
  MergedSource(std::span<const Index::Segment> inputs, const MergeRules& rules, const Plan& plan,
               BlockTable& blocks)
      : stream_(inputs), rules_(rules), plan_(plan), blocks_(blocks), numbers_(inputs.size()) {}

  Result<void> rewind() override {
    next_choice_ = 0;
    return stream_.rewind();
  }

  Result<bool> next(ArtifactRecord& record, std::uint64_t& extent_count) override {
    Copies copies;
    do {
      ASL_ASSIGN(copies, stream_.next());
      if (copies.empty()) return false;
      copies = kept_of(stream_, copies, rules_, kept_);
    } while (copies.empty());
    const CopyStream::Copy* survivor = &copies[0];
    if (copies.size() > 1) {
      const std::size_t wanted = plan_.chosen.at(next_choice_++);
      survivor = &*std::ranges::find(copies, wanted, &CopyStream::Copy::input);
    }
    input_ = survivor->input;
    record = survivor->handle.record;
    extent_count = survivor->handle.extent_count;
    record.flags = (record.flags & ~kRecordPinned) | (pinned(copies) ? kRecordPinned : 0);
    return true;
  }

  Result<std::size_t> next_extents(std::span<ExtentRecord> out) override {
    SegmentCursor& cursor = stream_.cursor(input_);
    ASL_ASSIGN(const std::size_t got, cursor.next_extents(out));
    ASL_ASSIGN(const auto ids, cursor.blocks());
    for (ExtentRecord& extent : out.first(got)) {
      if (extent.is_hole()) continue;
      if (rules_.relocate)
        ASL_TRY(relocate(extent, ids[extent.block_index]));
      else
        extent.block_index = number_of(extent.block_index, ids);
    }
    return got;
  }

 private:
  bool pinned(Copies copies) const {
    const auto pins = [](const CopyStream::Copy& copy) {
      return (copy.handle.record.flags & kRecordPinned) != 0;
    };
    if (std::ranges::none_of(copies, pins)) return false;
    const std::uint64_t unpinned = rules_.unpinned_at ? rules_.unpinned_at(copies[0].handle.record.ref) : 0;
    return std::ranges::any_of(copies, [&](const CopyStream::Copy& copy) {
      return pins(copy) && stream_.input(copy.input).live.seal_logseq > unpinned;
    });
  }

  Result<void> relocate(ExtentRecord& extent, const BlockId& block) {
    ExtentLocation location = locate(extent, block).location;
    ASL_TRY(rules_.relocate(location));
    extent.block_index = blocks_.number_of(location.block);
    extent.block_offset = location.offset_bytes;
    extent.stored_length = location.stored_length_bytes;
    extent.codec = location.codec;
    return {};
  }

  // Through a table for each input: the BlockTable costs a hash and a lock.
  std::uint32_t number_of(std::uint32_t index, std::span<const BlockId> ids) {
    auto& numbers = numbers_[input_];
    if (numbers.empty()) numbers.assign(ids.size(), kHoleBlock);
    if (numbers[index] == kHoleBlock) numbers[index] = blocks_.number_of(ids[index]);
    return numbers[index];
  }

  CopyStream stream_;
  const MergeRules& rules_;
  const Plan& plan_;
  BlockTable& blocks_;
  std::vector<std::vector<std::uint32_t>> numbers_;  // by input, by block_index
  std::vector<CopyStream::Copy> kept_;               // of the current artifact
  std::size_t next_choice_ = 0;
  std::size_t input_ = 0;
};

Result<SegmentProperties> properties_of(std::span<const Index::Segment> inputs) {
  SegmentProperties properties;
  const SegmentHeader& first = inputs[0].reader->header();
  properties.domain_id = first.domain_id;
  properties.visibility = first.visibility;
  for (const Index::Segment& input : inputs) {
    const SegmentHeader& header = input.reader->header();
    if (header.domain_id != first.domain_id || header.visibility != first.visibility)
      return fail(ErrorCode::kUsage, "segments of different domains or visibility cannot be merged");
    properties.snapshot_max = std::max(properties.snapshot_max, header.snapshot_max);
    if (header.snapshot_min != 0 &&
        (properties.snapshot_min == 0 || header.snapshot_min < properties.snapshot_min))
      properties.snapshot_min = header.snapshot_min;
  }
  return properties;
}

}  // namespace

std::vector<std::size_t> pick_merge(std::span<const Index::Segment> segments) {
  std::map<int, std::vector<std::size_t>> classes;
  for (std::size_t i = 0; i < segments.size(); ++i)
    if (segments[i].reader) classes[size_class(segments[i].reader->file_size())].push_back(i);
  for (auto& [size, members] : classes) {
    if (members.size() <= kSegmentsPerClassMax) continue;
    if (members.size() > kMergeInputsMax) {
      std::ranges::sort(members, {}, [&](std::size_t i) { return segments[i].live.seal_logseq; });
      members.resize(kMergeInputsMax);
      std::ranges::sort(members);
    }
    return members;
  }
  return {};
}

Result<std::optional<MergedSegment>> merge_segments(io::Io& io, const std::string& path,
                                                    std::span<const Index::Segment> inputs,
                                                    const MergeRules& rules) {
  std::vector<Index::Segment> chosen(inputs.begin(), inputs.end());
  if (chosen.empty() || chosen.size() > kMergeInputsMax)
    return fail(ErrorCode::kUsage, "a merge takes between 1 and 64 segments");
  for (const Index::Segment& input : chosen)
    if (!input.reader) return fail(*input.error);
  std::ranges::sort(chosen, std::greater(), [](const Index::Segment& segment) {
    return std::pair(segment.live.seal_logseq, segment.live.number);
  });
  ASL_ASSIGN(Plan plan, make_plan(chosen, rules));
  while (!plan.left_out.empty()) {
    // Positions are ascending: from the back they stay valid.
    for (auto at = plan.left_out.rbegin(); at != plan.left_out.rend(); ++at)
      chosen.erase(chosen.begin() + static_cast<std::ptrdiff_t>(*at));
    ASL_ASSIGN(plan, make_plan(chosen, rules));
  }
  if (chosen.size() < 2 && !rules.keep && !rules.relocate) return std::nullopt;

  BlockTable blocks;
  MergedSource source(chosen, rules, plan, blocks);
  ASL_ASSIGN(const SegmentProperties properties, properties_of(chosen));
  MergedSegment merged;
  ASL_ASSIGN(merged.written, write_segment(io, path, properties, source, blocks));
  for (const Index::Segment& input : chosen) merged.inputs.push_back(input.live.number);
  merged.copies_dropped = plan.copies_dropped;
  merged.artifacts_dropped = plan.artifacts_dropped;
  return merged;
}

}  // namespace asl
