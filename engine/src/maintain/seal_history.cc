#include <algorithm>

#include "log/log_reader.h"
#include "maintain/stats_parts.h"

namespace asl {

Result<SealHistory> SealHistory::read(const Domain& domain) {
  SealHistory history;
  const LogFiles files(domain.directory());
  ASL_TRY(replay_log(domain.io(), files, {}, [&](const LogGroup& group) -> Result<void> {
    history.take_group(group.records);
    return {};
  }));
  return history;
}

// A group that retires segments seals the one that they were joined into.
void SealHistory::take_group(std::span<const LogRecord> records) {
  const auto here = static_cast<std::uint32_t>(anchors_.size());
  Range range{here, here};
  for (const LogRecord& record : records) {
    if (record.type != kLogSegmentRetire) continue;
    const auto retired = SegmentRetireRecord::decode(record.payload);
    if (!retired) continue;
    bool first = true;
    for (const std::uint64_t id : retired->segment_ids) {
      const Range old = range_of(id);
      range.from = first ? old.from : std::min(range.from, old.from);
      range.to = first ? old.to : std::max(range.to, old.to);
      first = false;
    }
  }
  for (const LogRecord& record : records) {
    if (record.type == kLogSegmentSeal) {
      if (const auto seal = SegmentSealRecord::decode(record.payload)) ranges_[seal->segment_id] = range;
    } else if (record.type == kLogSnapshotAnchor) {
      if (const auto anchor = SnapshotAnchorRecord::decode(record.payload))
        anchors_.push_back(anchor->snapshot_id);
    }
  }
}

// A segment that a damaged log does not tell of may have come at any time.
SealHistory::Range SealHistory::range_of(std::uint64_t segment) const {
  const auto at = ranges_.find(segment);
  return at == ranges_.end() ? Range{0, static_cast<std::uint32_t>(anchors_.size())} : at->second;
}

}  // namespace asl
