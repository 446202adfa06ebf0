// The parts of a repair, in the order in which they are done.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

#include <asl/engine/repair.h>
#include <asl/engine/store_writer.h>

#include "index/artifact_record.h"
#include "maintain/block_rebuilder.h"
#include "maintain/damage_map.h"
#include "maintain/repair_sources.h"

namespace asl {

class Repairer {
 public:
  Repairer(io::Io& io, const std::string& directory, const RepairOptions& options, ProgressCounters& progress,
           const StopToken& stop);

  Result<void> run();
  RepairReport take_report() { return std::move(report_); }

 private:
  using BlockSet = std::unordered_set<BlockId, DigestHash>;

  Result<void> open_domain();
  // True if there is nothing more to be done: with dry_run, what a mended log would show is not known.
  Result<bool> heal_the_log();
  // Segments and metadata: whole files that come from elsewhere, or from the index.
  Result<void> heal_files();
  Result<bool> heal_segment(SegmentNumber number);
  Result<void> heal_metas(const BlockSet& wanted);
  Result<bool> heal_meta(const BlockId& id, const std::map<std::uint32_t, ExtentLocation>& extents);

  // One look at what is wrong, and what can be put right of it; true if anything was.
  Result<void> look();
  Result<bool> heal_round();
  Result<void> collect_named();
  Result<void> find_bytes();
  Result<DigestSet> wanted_digests() const;
  void add_snapshot_copies(const DigestSet& wanted);
  Result<void> heal_blocks();
  Result<void> heal_block(const BlockId& id);
  Result<void> heal_extents();
  Result<void> record_again(const std::map<std::pair<BlockId, std::uint32_t>, ExtentRecord>& moved);
  Result<void> heal_missing();
  Result<void> put_missing_snapshots();
  Result<void> copy_missing(const Domain& source);
  Result<void> put_missing_files();
  Result<bool> put_file(Lane& lane, const std::string& path, const Entry& entry);
  Result<void> strike_out();
  Result<void> open_writer();

  void healed(HealedKind kind, std::string object, std::string source, std::uint64_t bytes);
  void solve_block(const BlockId& id);
  void keep_unsolved();
  Domain& domain() { return *domains_.back(); }

  io::Io& io_;
  const std::string directory_;
  const RepairOptions options_;
  ProgressCounters& progress_;
  const StopToken stop_;
  RepairReport report_;
  std::unique_ptr<RepairSources> sources_;
  // Opened anew for every look, so that what it says comes from the disk; `sources_` may point into older
  // ones.
  std::vector<std::unique_ptr<Domain>> domains_;
  std::unique_ptr<Domain> writing_;  // of the writer
  std::unique_ptr<StoreWriter> writer_;

  bool looked_ = false;
  BlockSet to_read_;  // by the next look
  DamageMap damage_;
  DigestSet still_needed_;
  NamedExtents named_;
  BlockSet rebuilt_;
  std::set<std::size_t> solved_;  // with dry_run: numbers of findings that could be healed
};

}  // namespace asl
