#include "store/snapshot_anchor.h"

#include <algorithm>
#include <chrono>
#include <climits>
#include <unistd.h>

#include "pin/settle.h"
#include "store/derived_files.h"

namespace asl {
namespace {

// How far back to look for an earlier snapshot of the same sources.
constexpr std::size_t kParentSearchMax = 64;

}  // namespace

std::string this_host_name() {
  char name[HOST_NAME_MAX + 1] = {};
  if (gethostname(name, sizeof name - 1) != 0) return "unknown";
  return name;
}

std::int64_t unix_seconds_now() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::vector<std::string> sorted_tags(std::vector<std::string> tags) {
  std::sort(tags.begin(), tags.end());
  tags.erase(std::unique(tags.begin(), tags.end()), tags.end());
  return tags;
}

std::uint64_t find_parent(const Domain& domain, const Snapshot& made) {
  const auto state = domain.state();
  std::size_t looked_at = 0;
  for (auto at = state->snapshots().rbegin(); at != state->snapshots().rend(); ++at) {
    if (at->second.forgotten) continue;
    if (++looked_at > kParentSearchMax) break;
    const auto older = domain.snapshot(at->first);
    if (!older || older->host != made.host || older->roots.size() != made.roots.size()) continue;
    const bool same = std::equal(made.roots.begin(), made.roots.end(), older->roots.begin(),
                                 [](const auto& a, const auto& b) { return a.source_path == b.source_path; });
    if (same) return at->first;
  }
  return 0;
}

Result<Reference> anchor_snapshot(StoreWriter& writer, const Domain& domain, const Snapshot& snapshot,
                                  std::span<const NewRecord> more, std::vector<std::string>& notices) {
  ASL_ASSIGN(const Bytes bytes, encode_snapshot(snapshot));
  ASL_ASSIGN(const Reference reference, writer.put_typed(kTagSnapshot, bytes));
  std::vector<NewRecord> records{
      new_record(SnapshotAnchorRecord{.snapshot_id = snapshot.snapshot_id, .reference = reference})};
  if (!snapshot.label.empty())
    records.push_back(
        new_record(SnapshotLabelRecord{.snapshot_id = snapshot.snapshot_id, .label = snapshot.label}));
  records.insert(records.end(), more.begin(), more.end());
  note_pin_setting(domain, notices);
  ASL_TRY(writer.commit(records));
  if (auto written = write_derived_files(domain, snapshot.snapshot_id, bytes); !written)
    notices.push_back("a copy for people could not be written: " + written.error().to_string());
  settle_pins(domain, false, notices);
  return reference;
}

}  // namespace asl
