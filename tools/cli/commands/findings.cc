#include "commands/findings.h"

#include <fmt/format.h>

#include "text.h"

namespace asl::cli {
namespace {

// Artifacts that no file shows are named by themselves; more than these are for --json.
constexpr std::size_t kArtifactsPrinted = 10;
constexpr std::size_t kSnapshotsPrinted = 20;

Json finding_json(const Finding& finding) {
  Json json;
  json["kind"] = finding_kind_name(finding.kind);
  json["message"] = printable_message(finding.error.to_string());
  if (!finding.error.object.empty()) json["object"] = finding.error.object;
  if (!finding.error.path.empty()) put_bytes(json, "path", finding.error.path);
  if (finding.error.offset) json["offset"] = *finding.error.offset;
  if (!finding.error.hint.empty()) json["hint"] = finding.error.hint;
  json["artifact_count"] = finding.artifact_count;
  json["artifacts"] = finding.artifacts;
  json["snapshots"] = finding.snapshots;
  json["file_count"] = finding.file_count;
  json["files"] = Json::array();
  for (const std::string& file : finding.files) {
    Json row;
    put_bytes(row, "file", file);
    json["files"].push_back(row);
  }
  return json;
}

std::string snapshots_text(const Finding& finding) {
  std::string text;
  std::size_t shown = 0;
  for (const std::uint64_t id : finding.snapshots) {
    if (shown == kSnapshotsPrinted) break;
    text += fmt::format("{}{}", shown++ == 0 ? "" : ", ", id);
  }
  if (finding.snapshots.size() > shown) text += fmt::format(" and {} more", finding.snapshots.size() - shown);
  return text;
}

void print_finding(Context& context, const Finding& finding) {
  context.out.line(
      fmt::format("{}: {}", finding_kind_name(finding.kind), printable_message(finding.error.to_string())));
  for (const std::string& file : finding.files) context.out.line("  file " + printable(file));
  if (finding.file_count > finding.files.size())
    context.out.line(fmt::format("  and {} more files", finding.file_count - finding.files.size()));
  if (finding.files.empty()) {
    const std::size_t shown = std::min(finding.artifacts.size(), kArtifactsPrinted);
    for (std::size_t k = 0; k < shown; ++k) context.out.line("  artifact " + finding.artifacts[k]);
    if (finding.artifact_count > shown)
      context.out.line(fmt::format("  and {} more artifacts", finding.artifact_count - shown));
  }
  if (!finding.snapshots.empty()) context.out.line("  in snapshots " + snapshots_text(finding));
  if (!finding.error.hint.empty()) context.out.line("  try: " + finding.error.hint);
}

}  // namespace

Json findings_json(const std::vector<Finding>& findings) {
  Json json = Json::array();
  for (const Finding& finding : findings) json.push_back(finding_json(finding));
  return json;
}

void print_findings(Context& context, const std::vector<Finding>& findings, std::uint64_t count) {
  for (const Finding& finding : findings) print_finding(context, finding);
  if (count > findings.size()) context.out.line(fmt::format("and {} more findings", count - findings.size()));
}

}  // namespace asl::cli
