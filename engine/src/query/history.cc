#include <algorithm>
#include <set>
#include <utility>

#include <asl/engine/history.h>
#include <asl/engine/store_writer.h>

#include "format/snapshot_rules.h"
#include "pin/settle.h"
#include "store/derived_files.h"
#include "store/pins.h"

namespace asl {
namespace {

// A few records must find room where an ingest has filled the disk: forgetting comes before gc can free
// anything.
WriterOptions small_commit() {
  WriterOptions options;
  options.release_reserve = true;
  return options;
}

// A commit group is bounded (log/log_format.h); this many fit many times over.
constexpr std::size_t kUnpinsPerCommit = 50'000;

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

Error snapshot_error(ErrorCode code, std::string message, std::uint64_t id) {
  return {.code = code, .message = std::move(message), .object = std::to_string(id)};
}

Result<const SnapshotState*> living_snapshot(const LogState& state, std::uint64_t id) {
  const SnapshotState* snapshot = state.find_snapshot(id);
  if (snapshot != nullptr && !snapshot->forgotten) return snapshot;
  return fail(snapshot_error(ErrorCode::kNotFound,
                             snapshot == nullptr ? "no such snapshot" : "the snapshot was forgotten", id)
                  .with_hint("asl snapshots"));
}

std::vector<std::uint64_t> without_repeats(std::span<const std::uint64_t> ids) {
  const std::set<std::uint64_t> unique(ids.begin(), ids.end());
  return {unique.begin(), unique.end()};
}

// One session, one commit. `make_records` sees the state under the lock, so that what it decides still holds
// when it is written.
template <typename MakeRecords>
Result<Notices> commit_records(Domain& domain, const MakeRecords& make_records) {
  ASL_ASSIGN(const std::unique_ptr<StoreWriter> writer, StoreWriter::open(domain, small_commit()));
  ASL_ASSIGN(const std::vector<NewRecord> records, make_records(*domain.state()));
  Notices notices = writer->notices();
  if (records.empty()) return notices;
  ASL_TRY(writer->commit(records));
  if (auto written = write_domain_json(domain); !written)
    notices.push_back("domain.json could not be written: " + written.error().to_string());
  settle_pins(domain, false, notices);
  return notices;
}

}  // namespace

Result<void> check_label(std::string_view label) {
  const auto refuse = [&](std::string message) {
    return fail(
        Error{.code = ErrorCode::kUsage, .message = std::move(message), .object = std::string(label)});
  };
  if (label.empty() || label.size() > kSnapshotTextSizeMax || !is_valid_utf8(label))
    return refuse("a label is 1 to 255 bytes of UTF-8");
  if (label == "latest" || label == "." || label == "..") return refuse("this word cannot be a label");
  if (std::ranges::all_of(label, [](char c) { return c >= '0' && c <= '9'; }))
    return refuse("a label cannot be a number: it would be taken for a snapshot's");
  if (label.find_first_of("/:") != std::string_view::npos || std::ranges::any_of(label, is_control))
    return refuse("a label cannot hold '/', ':' or control characters");
  return {};
}

Result<Notices> label_snapshot(Domain& domain, std::uint64_t id, const std::string& label) {
  if (!label.empty()) ASL_TRY(check_label(label));
  return commit_records(domain, [&](const LogState& state) -> Result<std::vector<NewRecord>> {
    ASL_TRY(living_snapshot(state, id));
    return std::vector{new_record(SnapshotLabelRecord{.snapshot_id = id, .label = label})};
  });
}

Result<Notices> hold_snapshots(Domain& domain, std::span<const std::uint64_t> ids, bool on,
                               const std::string& reason) {
  if (!is_valid_utf8(reason)) return fail(ErrorCode::kUsage, "a reason is UTF-8 text");
  return commit_records(domain, [&](const LogState& state) -> Result<std::vector<NewRecord>> {
    std::vector<NewRecord> records;
    for (const std::uint64_t id : without_repeats(ids)) {
      ASL_ASSIGN(const SnapshotState* snapshot, living_snapshot(state, id));
      if (snapshot->held == on) continue;
      records.push_back(new_record(SnapshotHoldRecord{.snapshot_id = id, .on = on, .reason = reason}));
    }
    return records;
  });
}

Result<void> check_forgettable(const LogState& state, std::span<const std::uint64_t> ids) {
  for (const std::uint64_t id : ids) {
    ASL_ASSIGN(const SnapshotState* snapshot, living_snapshot(state, id));
    if (snapshot->held)
      return fail(snapshot_error(ErrorCode::kRefused, "the snapshot is on hold", id)
                      .with_hint("asl snapshot release " + std::to_string(id)));
    if (state.published().contains(id))
      return fail(snapshot_error(ErrorCode::kRefused, "the snapshot is published", id));
  }
  return {};
}

Result<Notices> forget_snapshots(Domain& domain, std::span<const std::uint64_t> ids) {
  return commit_records(domain, [&](const LogState& state) -> Result<std::vector<NewRecord>> {
    const std::vector<std::uint64_t> unique = without_repeats(ids);
    ASL_TRY(check_forgettable(state, unique));
    std::vector<NewRecord> records;
    records.reserve(unique.size());
    for (const std::uint64_t id : unique)
      records.push_back(new_record(SnapshotForgetRecord{.snapshot_id = id}));
    return records;
  });
}

Result<Unpinned> unpin_artifacts(Domain& domain, std::span<const Reference> references) {
  ASL_ASSIGN(const std::unique_ptr<StoreWriter> writer, StoreWriter::open(domain, small_commit()));
  Unpinned unpinned;
  unpinned.notices = writer->notices();
  for (const Reference& reference : std::set<Reference>(references.begin(), references.end())) {
    ASL_ASSIGN(const bool pinned, is_pinned(domain, reference));
    if (pinned) unpinned.references.push_back(reference);
  }
  std::vector<NewRecord> records;
  for (std::size_t k = 0; k < unpinned.references.size(); ++k) {
    records.push_back(new_record(ArtifactUnpinRecord{.reference = unpinned.references[k]}));
    if (records.size() < kUnpinsPerCommit && k + 1 < unpinned.references.size()) continue;
    ASL_TRY(writer->commit(records));
    records.clear();
  }
  if (unpinned.references.empty()) return unpinned;
  if (auto written = write_domain_json(domain); !written)
    unpinned.notices.push_back("domain.json could not be written: " + written.error().to_string());
  return unpinned;
}

}  // namespace asl
