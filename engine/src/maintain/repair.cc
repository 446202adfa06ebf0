#include <chrono>

#include <asl/engine/repair.h>

#include "maintain/repairer.h"

namespace asl {

std::string_view healed_kind_name(HealedKind kind) {
  switch (kind) {
    case HealedKind::kLog:
      return "log";
    case HealedKind::kSegment:
      return "segment";
    case HealedKind::kMetadata:
      return "metadata";
    case HealedKind::kBlock:
      return "block";
    case HealedKind::kExtent:
      return "extent";
    case HealedKind::kArtifact:
      return "artifact";
  }
  return "";
}

Result<RepairReport> repair(io::Io& io, const std::string& directory, const RepairOptions& options,
                            ProgressCounters& progress, const StopToken& stop) {
  const auto start = std::chrono::steady_clock::now();
  Repairer repairer(io, directory, options, progress, stop);
  ASL_TRY(repairer.run());
  RepairReport report = repairer.take_report();
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

}  // namespace asl
