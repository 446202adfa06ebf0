// Every data extent that can still be read out of an index, however damaged its segments are.
#pragma once

#include <functional>

#include <asl/engine/error.h>
#include <asl/engine/stop.h>

#include "index/index.h"
#include "index/segment_reader.h"

namespace asl {

using VisitExtent =
    std::function<void(const RecordHandle& artifact, const BlockId& block, const ExtentRecord& extent)>;

// Calls `visit` for each data extent of each record, segment by segment, newest seal first; holes are left
// out. A segment that is missing, or what follows a damaged page of one, is passed over. kInterrupted only.
Result<void> visit_readable_extents(const Index& index, const StopToken& stop, const VisitExtent& visit);

}  // namespace asl
