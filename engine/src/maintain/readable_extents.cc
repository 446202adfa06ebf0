#include "maintain/readable_extents.h"

#include <array>

namespace asl {
namespace {

constexpr std::size_t kBatch = 256;

Result<void> visit_segment(const Index::Segment& segment, const StopToken& stop, const VisitExtent& visit) {
  std::array<ExtentRecord, kBatch> batch;
  SegmentCursor cursor(segment.reader);
  RecordHandle handle;
  while (true) {
    ASL_TRY(stop.check());
    const auto more = cursor.next(handle);
    if (!more || !*more) return {};
    while (true) {
      const auto got = cursor.next_extents(batch);
      const auto blocks = cursor.blocks();
      if (!got || *got == 0 || !blocks) break;
      for (const ExtentRecord& extent : std::span(batch).first(*got))
        if (!extent.is_hole()) visit(handle, (*blocks)[extent.block_index], extent);
    }
  }
}

}  // namespace

Result<void> visit_readable_extents(const Index& index, const StopToken& stop, const VisitExtent& visit) {
  for (const Index::Segment& segment : index.segments())
    if (segment.reader != nullptr) ASL_TRY(visit_segment(segment, stop, visit));
  return {};
}

}  // namespace asl
