#include "maintain/repairer.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include <asl/engine/hash.h>
#include <asl/engine/tree_walk.h>

#include "maintain/file_finder.h"
#include "maintain/log_healer.h"
#include "maintain/readable_extents.h"
#include "maintain/verifier.h"
#include "store/domain_impl.h"
#include "store/writer_session.h"
#include "transfer/artifact_copier.h"
#include "transfer/tree_copier.h"

namespace asl {
namespace {

// What is healed may show what else is wrong: a directory, then what it names. Deeper than any damage needs.
constexpr int kRoundsMax = 8;
constexpr unsigned kCopyJobs = 2;
// Files that share an extent; any one of them will do.
constexpr std::size_t kUsesKept = 16;
constexpr std::size_t kHashBufferBytes = 1 << 20;

}  // namespace

Repairer::Repairer(io::Io& io, const std::string& directory, const RepairOptions& options,
                   ProgressCounters& progress, const StopToken& stop)
    : io_(io), directory_(directory), options_(options), progress_(progress), stop_(stop) {}

Result<void> Repairer::open_domain() {
  ASL_ASSIGN(auto opened, Domain::open(io_, directory_, {}));
  domains_.push_back(std::move(opened));
  sources_->add_own(domain());
  return {};
}

Result<void> Repairer::open_writer() {
  if (writer_ != nullptr) return {};
  ASL_ASSIGN(writing_, Domain::open(io_, directory_, {}));
  WriterOptions opening;
  opening.progress = &progress_;
  ASL_ASSIGN(writer_, StoreWriter::open(*writing_, opening));
  report_.notices.insert(report_.notices.end(), writer_->notices().begin(), writer_->notices().end());
  return {};
}

void Repairer::healed(HealedKind kind, std::string object, std::string source, std::uint64_t bytes) {
  ++report_.healed_count;
  report_.bytes_healed += bytes;
  if (report_.healed.size() < RepairReport::kListMax)
    report_.healed.push_back({kind, std::move(object), std::move(source)});
}

// First of all: what else is wrong is told by the log.
Result<bool> Repairer::heal_the_log() {
  std::vector<std::string> copies;
  for (const auto& store : sources_->stores()) copies.push_back(store->directory());
  ASL_ASSIGN(const LogHealing healing, heal_log(io_, directory_, copies, options_.dry_run, stop_));
  for (const LogHealing::File& file : healing.files)
    healed(HealedKind::kLog, file.name, file.source.empty() ? "the store itself" : file.source, file.bytes);
  for (const std::string& kept : healing.kept)
    report_.notices.push_back("what the damaged log file held is kept, and nothing reads it: " + kept);
  if (!options_.dry_run || healing.files.empty()) return false;
  report_.finding_count_before = report_.healed_count;
  report_.notices.push_back("the log can be mended; what else is wrong is told once it is");
  return true;
}

Result<void> Repairer::run() {
  ASL_ASSIGN(sources_, RepairSources::open(io_, options_.from, directory_));
  ASL_ASSIGN(const bool ended, heal_the_log());
  if (ended) return {};
  ASL_TRY(open_domain());
  if (auto damage = domain().corruption()) return fail(std::move(*damage));
  for (const auto& store : sources_->stores())
    if (const auto damage = store->corruption())
      report_.notices.push_back("the log of a source is damaged, what verifies is used: " +
                                damage->to_string());
  ASL_ASSIGN(const DamageList listed, DamageList::load(io_, DomainLayout(directory_).damaged_file()));
  for (const BlockId& id : listed.blocks()) to_read_.insert(id);
  progress_.set_phase(ProgressPhase::kVerifying);
  ASL_TRY(heal_files());
  for (int round = 0;; ++round) {
    ASL_TRY(look());
    if (round == 0) report_.finding_count_before = report_.healed_count + report_.remaining.finding_count;
    if (round == kRoundsMax) break;
    progress_.set_phase(ProgressPhase::kCopying);
    ASL_ASSIGN(const bool any, heal_round());
    if (!any || options_.dry_run) break;
  }
  return options_.dry_run ? Result<void>() : strike_out();
}

Result<void> Repairer::look() {
  // A commit of nothing waits for what the last one left to be written beside it: the list of damage, too.
  if (writer_ != nullptr) ASL_TRY(writer_->commit());
  ASL_TRY(open_domain());
  progress_.set_phase(ProgressPhase::kVerifying);
  VerifyOptions options;
  options.data = true;
  options.now_s = options_.now_s;
  Verifier verifier(domain(), options, progress_, stop_);
  if (!options_.data || looked_) verifier.read_only(to_read_);
  looked_ = true;
  ASL_TRY(verifier.check_log());
  ASL_TRY(verifier.check_segments());
  ASL_TRY(verifier.check_snapshots());
  ASL_TRY(verifier.check_blocks());
  ASL_TRY(verifier.trace_damage());
  damage_ = verifier.damage();
  still_needed_ = verifier.still_needed();
  report_.remaining = verifier.take_report();
  for (const auto& [place, number] : damage_.extents) to_read_.insert(place.first);
  for (const auto& [id, number] : damage_.lost_blocks) to_read_.insert(id);
  to_read_.insert(damage_.bad_padding.begin(), damage_.bad_padding.end());
  return {};
}

Result<bool> Repairer::heal_round() {
  const std::uint64_t before = report_.healed_count;
  ASL_TRY(collect_named());
  ASL_TRY(find_bytes());
  ASL_TRY(heal_blocks());
  ASL_TRY(heal_extents());
  const bool may_miss = !damage_.missing.empty() || !damage_.bad_segments.empty() ||
                        std::ranges::any_of(report_.remaining.findings, [](const Finding& finding) {
                          return finding.kind == FindingKind::kTree;
                        });
  if (may_miss && !options_.dry_run) ASL_TRY(heal_missing());
  if (options_.dry_run) keep_unsolved();
  return report_.healed_count > before;
}

// What the records say of every damaged place.
Result<void> Repairer::collect_named() {
  named_.clear();
  return visit_readable_extents(
      *domain().view()->index, stop_,
      [&](const RecordHandle& artifact, const BlockId& block, const ExtentRecord& extent) {
        if (!damage_.contains(block, extent.block_offset)) return;
        NamedExtent& named = named_[{block, extent.block_offset}];
        named.location = locate(extent, block).location;
        if (named.uses.size() < kUsesKept)
          named.uses.emplace_back(artifact.record.ref, extent.artifact_offset);
      });
}

// By what they decode to, and, for those that no record names, by what lies there.
Result<DigestSet> Repairer::wanted_digests() const {
  DigestSet wanted;
  for (const auto& [place, named] : named_) wanted.insert(named.location.digest);
  for (const BlockId& id : to_read_) {
    ASL_TRY(stop_.check());
    if (!damage_.lost_blocks.contains(id) &&
        damage_.extents.lower_bound({id, 0}) == damage_.extents.upper_bound({id, ~std::uint32_t{0}}))
      continue;
    auto meta = domains_.back()->blocks().read_meta(id);
    if (!meta) continue;
    for (const StoredExtent& extent : meta->extents)
      if (damage_.contains(id, extent.offset_bytes)) wanted.insert(extent.stored_digest);
  }
  return wanted;
}

Result<void> Repairer::find_bytes() {
  ASL_ASSIGN(DigestSet wanted, wanted_digests());
  if (wanted.empty()) return {};
  add_snapshot_copies(wanted);
  ASL_TRY(sources_->look_for(wanted, stop_));
  FileFinder finder(io_, domain(), *sources_, stop_);
  // Other stores are asked first; what they cannot give is looked for in files.
  ASL_TRY(finder.look_by_path(named_));
  return options_.search ? finder.look_everywhere(std::move(wanted)) : Result<void>();
}

// The store keeps a copy of every snapshot artifact for people: for once it is of use to the store.
void Repairer::add_snapshot_copies(const DigestSet& wanted) {
  const DomainLayout layout(directory_);
  for (const auto& [id, anchor] : domain().state()->snapshots()) {
    if (anchor.forgotten) continue;
    auto bytes = io::read_file(io_, layout.snapshot_file(id), kSnapshotSizeMax);
    if (!bytes) continue;
    const Digest digest = sha256(*bytes);
    if (wanted.contains(digest) && !sources_->has(digest))
      sources_->add_bytes(digest, std::move(*bytes), layout.snapshot_file(id));
  }
}

Result<void> Repairer::heal_blocks() {
  BlockSet wanted = damage_.bad_padding;
  for (const auto& [place, number] : damage_.extents) wanted.insert(place.first);
  for (const auto& [id, number] : damage_.lost_blocks) wanted.insert(id);
  for (const BlockId& id : wanted) {
    ASL_TRY(stop_.check());
    ASL_TRY(heal_block(id));
  }
  return {};
}

Result<void> Repairer::heal_block(const BlockId& id) {
  auto meta = domain().blocks().read_meta(id);
  if (!meta) {
    auto elsewhere = sources_->meta_of(id);
    if (!elsewhere) return {};
    meta = std::move(*elsewhere);
  }
  BlockRebuilder rebuilder(domain().blocks(), *sources_, named_);
  ASL_ASSIGN(const bool possible, rebuilder.is_possible(id, *meta, stop_));
  if (!possible) return {};
  if (options_.dry_run) {
    solve_block(id);
    return {};
  }
  ASL_TRY(open_writer());
  BlockStore& blocks = writing_->blocks();
  ASL_ASSIGN(auto rebuilt, BlockRebuilder(blocks, *sources_, named_).rebuild(id, *meta, stop_));
  if (!rebuilt) return {};
  ASL_TRY(blocks.stage_meta(rebuilt->sealed));
  // The same as in a commit: a file that is good stays, and a bad one gives way to one that is whole and
  // synced.
  ASL_TRY(blocks.install(rebuilt->sealed));
  ASL_TRY(blocks.sync_directories(std::span(&id, 1)));
  rebuilt_.insert(id);
  progress_add(progress_.bytes_done, meta->length_bytes);
  healed(HealedKind::kBlock, "block " + to_hex(id),
         rebuilt->source.empty() ? "the store itself" : rebuilt->source, rebuilt->bytes_healed);
  return {};
}

// Where a block cannot be made whole: what can be had of it goes to a new block, and the artifacts get new
// records.
Result<void> Repairer::heal_extents() {
  std::map<std::pair<BlockId, std::uint32_t>, ExtentRecord> moved;
  for (const auto& [place, named] : named_) {
    ASL_TRY(stop_.check());
    if (rebuilt_.contains(place.first)) continue;
    const auto damaged = damage_.extents.find(place);
    const auto lost = damage_.lost_blocks.find(place.first);
    const std::size_t number = damaged != damage_.extents.end() ? damaged->second : lost->second;
    // Another copy of it is good: it was healed before, in this run or an earlier one.
    if (!still_needed_.contains(named.location.digest) || solved_.contains(number)) continue;
    auto raw = sources_->raw(named.location.digest);
    if (!raw) continue;
    if (options_.dry_run) {
      if (damaged != damage_.extents.end()) solved_.insert(number);
    } else {
      ASL_TRY(open_writer());
      const auto handle = named.uses.empty() ? std::nullopt : std::optional(named.uses.front().first);
      ASL_ASSIGN(const ExtentRecord stored,
                 writer_->impl().store_again(named.location, raw->bytes, handle && handle->is_typed()));
      moved.emplace(place, stored);
    }
    healed(HealedKind::kExtent, "sha256:" + to_hex(named.location.digest), raw->source,
           named.location.stored_length_bytes);
  }
  return moved.empty() ? Result<void>() : record_again(moved);
}

Result<void> Repairer::record_again(const std::map<std::pair<BlockId, std::uint32_t>, ExtentRecord>& moved) {
  std::unordered_set<Reference, ReferenceHash> refs;
  ASL_TRY(visit_readable_extents(
      *domain().view()->index, stop_,
      [&](const RecordHandle& artifact, const BlockId& block, const ExtentRecord& extent) {
        if (moved.contains({block, extent.block_offset})) refs.insert(artifact.record.ref);
      }));
  for (const Reference& ref : refs) ASL_TRY(writer_->impl().record_again(ref, moved));
  return writer_->commit();
}

Result<void> Repairer::heal_missing() {
  ASL_TRY(open_writer());
  ASL_TRY(put_missing_snapshots());
  for (const auto& store : sources_->stores()) ASL_TRY(copy_missing(*store));
  return put_missing_files();
}

// Of the snapshot's own artifact there is a copy in a file. What it reaches is found in the next round.
Result<void> Repairer::put_missing_snapshots() {
  for (const auto& [id, anchor] : domain().state()->snapshots()) {
    if (anchor.forgotten || domain().snapshot(id)) continue;
    const std::string path = DomainLayout(directory_).snapshot_file(id);
    const auto bytes = io::read_file(io_, path, kSnapshotSizeMax);
    if (!bytes || typed_reference(kTagSnapshot, *bytes) != anchor.reference) continue;
    ASL_ASSIGN(const bool there, writer_->holds(anchor.reference));
    if (there) continue;
    ASL_TRY(writer_->put_typed(kTagSnapshot, *bytes));
    healed(HealedKind::kArtifact, to_text(anchor.reference), path, bytes->size());
  }
  return writer_->commit();
}

// What the snapshots reach and the store lacks, as far as the other store has it: like a copy, with nothing
// new to be named. What it cannot give is no error: the next look lists it.
Result<void> Repairer::copy_missing(const Domain& source) {
  CopyRun run(source, *writer_, progress_, stop_);
  const WriterTotals before = writer_->totals();
  {
    ASL_ASSIGN(const auto workers, CopyWorkers::start(run, kCopyJobs));
    TreeCopier trees(run, *workers);
    for (const Reference& ref : damage_.missing) ASL_TRY(workers->add({.ref = ref}));
    for (const auto& [id, anchor] : domain().state()->snapshots()) {
      ASL_TRY(stop_.check());
      if (anchor.forgotten) continue;
      const auto snapshot = domain().snapshot(id);
      if (!snapshot) continue;
      for (const SnapshotRoot& root : snapshot->roots) ASL_TRY(trees.copy_entry("", root.entry, nullptr));
      if (!snapshot->errors.is_null()) ASL_TRY(workers->add({.ref = snapshot->errors}));
    }
    ASL_TRY(workers->finish());
  }
  ASL_TRY(writer_->commit());
  const WriterTotals after = writer_->totals();
  if (after.artifacts_new == before.artifacts_new) return {};
  healed(HealedKind::kArtifact, fmt::format("{} artifacts", after.artifacts_new - before.artifacts_new),
         source.directory(), after.bytes_stored - before.bytes_stored);
  return {};
}

// Contents that have no record, out of the files that the snapshots say they were.
Result<void> Repairer::put_missing_files() {
  if (sources_->file_places().empty()) return {};
  FileFinder finder(io_, domain(), *sources_, stop_);
  ASL_ASSIGN(const auto lane, writer_->make_lane());
  const auto put = [&](const Snapshot& snapshot, const std::string& path,
                       const Entry& entry) -> Result<void> {
    ASL_ASSIGN(const bool there, writer_->holds(entry.content));
    if (there) return {};
    for (const std::string& candidate : finder.candidates(snapshot, path)) {
      ASL_ASSIGN(const bool done, put_file(*lane, candidate, entry));
      if (!done) continue;
      healed(HealedKind::kArtifact, to_text(entry.content), candidate, entry.size_bytes);
      return {};
    }
    return {};
  };
  for (const auto& [id, anchor] : domain().state()->snapshots()) {
    const auto snapshot =
        anchor.forgotten ? Result<Snapshot>(fail(ErrorCode::kNotFound, "")) : domain().snapshot(id);
    if (!snapshot) continue;
    const auto visit = [&](const std::string& path, const Entry& entry) -> Result<WalkStep> {
      ASL_TRY(stop_.check());
      const bool whole = entry.type == EntryType::kFile && !entry.content.is_typed();
      if (whole && !entry.content.is_null()) ASL_TRY(put(*snapshot, path, entry));
      return WalkStep::kContinue;
    };
    ASL_TRY(walk_snapshot(domain(), *snapshot, "", visit, [](const std::string&, const Error& error) {
      return error.code == ErrorCode::kInterrupted ? Result<void>(fail(error)) : Result<void>();
    }));
  }
  return writer_->commit();
}

// False if the file is not the one. It is hashed before it is put: nothing else shall come into the store.
Result<bool> Repairer::put_file(Lane& lane, const std::string& path, const Entry& entry) {
  AlignedBuffer buffer(kHashBufferBytes);
  const auto each = [&](const auto& take) -> Result<bool> {
    for (std::uint64_t at = 0; at < entry.size_bytes;) {
      ASL_TRY(stop_.check());
      const auto part = buffer.span().first(std::min<std::uint64_t>(buffer.size(), entry.size_bytes - at));
      if (!read_foreign(io_, path, at, part)) return false;
      ASL_TRY(take(at, ByteSpan(part)));
      at += part.size();
    }
    return true;
  };
  Sha256 hash;
  ASL_ASSIGN(const bool read, each([&](std::uint64_t, ByteSpan part) -> Result<void> {
               hash.update(part);
               return {};
             }));
  if (!read || hash.finish() != entry.content.digest) return false;
  ASL_ASSIGN(const auto stream, ArtifactStream::open(lane));
  ASL_ASSIGN(const bool again, each([&](std::uint64_t at, ByteSpan part) -> Result<void> {
               stream->wait_for_space(at + part.size());
               std::ranges::copy(part, stream->space(at));
               return stream->filled_to(at + part.size());
             }));
  if (!again) return false;
  ASL_ASSIGN(const WrittenArtifact written, stream->finish());
  return written.reference == entry.content;
}

// What was listed as damaged and no longer is: healed now, or by somebody else before.
Result<void> Repairer::strike_out() {
  if (report_.remaining.finding_count > 0 && !damage_.bad_segments.empty()) {
    // What such a segment names cannot be told; what is listed stays.
    return {};
  }
  ASL_ASSIGN(const DamageList listed, DamageList::load(io_, DomainLayout(directory_).damaged_file()));
  if (listed.empty()) return {};
  // Opened anew, it knows what was listed since.
  writer_.reset();
  ASL_TRY(open_writer());
  DamageList& damage = *writer_->impl().damage;
  for (const Digest& digest : listed.digests())
    if (!still_needed_.contains(digest)) damage.heal(digest);
  return damage.save(io_, DomainLayout(directory_).damaged_file());
}

void Repairer::solve_block(const BlockId& id) {
  for (const auto& [place, number] : damage_.extents)
    if (place.first == id) solved_.insert(number);
  if (const auto lost = damage_.lost_blocks.find(id); lost != damage_.lost_blocks.end())
    solved_.insert(lost->second);
  healed(HealedKind::kBlock, "block " + to_hex(id), "", 0);
}

// With dry_run: of the findings only those that would stay.
void Repairer::keep_unsolved() {
  std::set<std::string> paths;  // of files that would be healed whole
  for (const Healed& one : report_.healed) {
    if (one.kind == HealedKind::kMetadata || one.kind == HealedKind::kBlock) {
      if (const auto id = digest_from_hex(std::string_view(one.object).substr(6))) {
        paths.insert(domain().blocks().meta_path_of(*id));
        if (one.kind == HealedKind::kBlock) paths.insert(domain().blocks().path_of(*id));
      }
    }
    if (one.kind == HealedKind::kSegment)
      paths.insert(DomainLayout(directory_).store() + "/index/segment-" + one.object.substr(8) + ".idx");
  }
  std::vector<Finding>& findings = report_.remaining.findings;
  const auto gone = std::erase_if(findings, [&](const Finding& finding) {
    return solved_.contains(finding.number) || paths.contains(finding.error.path);
  });
  report_.remaining.finding_count -= gone;
}

}  // namespace asl
