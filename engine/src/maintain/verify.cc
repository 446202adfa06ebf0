#include <chrono>

#include <asl/engine/verify.h>

#include "maintain/verifier.h"

namespace asl {

std::string_view finding_kind_name(FindingKind kind) {
  switch (kind) {
    case FindingKind::kLog:
      return "log";
    case FindingKind::kSegment:
      return "segment";
    case FindingKind::kBlock:
      return "block";
    case FindingKind::kMetadata:
      return "metadata";
    case FindingKind::kExtent:
      return "extent";
    case FindingKind::kPadding:
      return "padding";
    case FindingKind::kArtifact:
      return "artifact";
    case FindingKind::kTree:
      return "tree";
    case FindingKind::kMissing:
      return "missing";
    case FindingKind::kSuperseded:
      return "superseded";
  }
  return "";
}

Result<VerifyReport> verify(const Domain& domain, const VerifyOptions& options, ProgressCounters& progress,
                            const StopToken& stop) {
  const auto start = std::chrono::steady_clock::now();
  progress.set_phase(ProgressPhase::kVerifying);
  Verifier verifier(domain, options, progress, stop);
  ASL_TRY(verifier.check_log());
  ASL_TRY(verifier.check_segments());
  ASL_TRY(verifier.check_snapshots());
  ASL_TRY(verifier.check_blocks());
  ASL_TRY(verifier.check_artifacts());
  ASL_TRY(verifier.trace_damage());
  VerifyReport report = verifier.take_report();
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

}  // namespace asl
