#include <set>
#include <utility>

#include <asl/engine/store_writer.h>
#include <asl/engine/withdrawal.h>

#include "store/derived_files.h"
#include "store/naming_artifacts.h"

namespace asl {
namespace {

// A commit group is bounded (log/log_format.h); this many fit many times over.
constexpr std::size_t kRecordsPerCommit = 50'000;

using References = std::set<Reference>;

Error about(const Reference& reference, ErrorCode code, std::string message) {
  return {.code = code, .message = std::move(message), .object = to_text(reference)};
}

// Adds what the members of `known` name, and what that names. What has been erased names nothing any more.
Result<void> add_reached(const Domain& domain, References& known, const StopToken& stop) {
  const std::shared_ptr<const View> view = domain.view();
  std::vector<Reference> pending(known.begin(), known.end());
  const VisitNamed visit = [&](const Reference& reference, Named) -> Result<void> {
    if (known.insert(reference).second) pending.push_back(reference);
    return {};
  };
  while (!pending.empty()) {
    ASL_TRY(stop.check());
    const Reference reference = pending.back();
    pending.pop_back();
    if (!reference.is_typed()) continue;
    ASL_ASSIGN(const auto handle, view->index->find(reference));
    if (!handle || !names_others(handle->type_tag())) continue;
    auto bytes = read_naming_artifact(domain, view, *handle);
    if (!bytes) {
      Error error = std::move(bytes).error();
      error.hint =
          "asl verify says what is damaged; without what it names, the artifact alone can be withdrawn";
      return fail(std::move(error));
    }
    ASL_TRY(visit_named(*handle->type_tag(), *bytes, visit));
  }
  return {};
}

// One session. `make_record` decides under the writer's lock; what gives none is passed over.
template <typename MakeRecord>
Result<Withdrawn> commit_each(Domain& domain, const References& references, const StopToken& stop,
                              const MakeRecord& make_record) {
  WriterOptions options;
  options.release_reserve = true;  // it may come before the gc that makes room
  ASL_ASSIGN(const std::unique_ptr<StoreWriter> writer, StoreWriter::open(domain, options));
  Withdrawn changed;
  changed.notices = writer->notices();
  std::vector<NewRecord> records;
  const auto flush = [&]() -> Result<void> {
    if (records.empty()) return {};
    ASL_TRY(writer->commit(records));
    records.clear();
    return {};
  };
  for (const Reference& reference : references) {
    ASL_TRY(stop.check());
    std::optional<NewRecord> record = make_record(*domain.state(), reference);
    if (!record) continue;
    records.push_back(std::move(*record));
    changed.references.push_back(reference);
    if (records.size() == kRecordsPerCommit) ASL_TRY(flush());
  }
  ASL_TRY(flush());
  if (changed.references.empty()) return changed;
  if (auto written = write_domain_json(domain); !written)
    changed.notices.push_back("domain.json could not be written: " + written.error().to_string());
  return changed;
}

}  // namespace

Result<Withdrawn> withdraw_artifacts(Domain& domain, std::span<const Reference> references,
                                     const WithdrawOptions& options, const StopToken& stop) {
  References wanted(references.begin(), references.end());
  for (const Reference& reference : wanted) {
    if (domain.state()->tombstone(reference) != nullptr) continue;  // gc may have taken it away
    ASL_ASSIGN(const auto handle, domain.view()->index->find(reference));
    if (!handle) return fail(about(reference, ErrorCode::kNotFound, "no such artifact"));
  }
  if (options.reached) ASL_TRY(add_reached(domain, wanted, stop));
  const TombstoneScope scope = options.reached ? TombstoneScope::kReached : TombstoneScope::kThis;
  return commit_each(
      domain, wanted, stop,
      [&](const LogState& state, const Reference& reference) -> std::optional<NewRecord> {
        const TombstoneState* present = state.tombstone(reference);
        // One without a reason would take the place of one with a reason, and gc then keep it.
        if (present != nullptr &&
            (present->reason == options.reason || options.reason == TombstoneReason::kNone))
          return std::nullopt;
        return new_record(TombstoneRecord{.reference = reference, .scope = scope, .reason = options.reason});
      });
}

Result<Withdrawn> lift_tombstones(Domain& domain, std::span<const Reference> references, bool reached,
                                  const StopToken& stop) {
  References wanted(references.begin(), references.end());
  for (const Reference& reference : wanted) {
    if (domain.state()->tombstone(reference) == nullptr)
      return fail(
          about(reference, ErrorCode::kNotFound, "the artifact is not withdrawn").with_hint("asl log"));
  }
  if (reached) ASL_TRY(add_reached(domain, wanted, stop));
  Withdrawn lifted;
  // Several may lie on one artifact, for different reasons: each is lifted, the newest first.
  for (References left = std::move(wanted); !left.empty();) {
    ASL_ASSIGN(Withdrawn round,
               commit_each(domain, left, stop,
                           [](const LogState& state, const Reference& reference) -> std::optional<NewRecord> {
                             const TombstoneState* present = state.tombstone(reference);
                             if (present == nullptr) return std::nullopt;
                             return new_record(TombstoneLiftRecord{.reference = reference,
                                                                   .tombstone_logseq = present->logseq});
                           }));
    if (lifted.references.empty()) lifted.references = round.references;
    for (std::string& notice : round.notices) lifted.notices.push_back(std::move(notice));
    left = References(round.references.begin(), round.references.end());
  }
  return lifted;
}

}  // namespace asl
