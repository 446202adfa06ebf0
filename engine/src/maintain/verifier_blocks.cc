// Verification of blocks: their files, and with `data` every stored byte.
#include <algorithm>
#include <chrono>
#include <utility>

#include "block/block_scan.h"
#include "io/file_place.h"
#include "maintain/verifier.h"
#include "store/damage_list.h"

namespace asl {
namespace {

constexpr std::string_view kRepairHint =
    "asl repair --from PLACE, where PLACE is another store or holds the original files; or ingest the "
    "original "
    "again";

}  // namespace

Result<void> Verifier::check_blocks() {
  std::vector<BlockId> ids;
  for (const auto& [id, end] : blocks_)
    if (!options_.snapshot_id || wanted_blocks_.contains(id)) ids.push_back(id);
  std::vector<BlockId> readable;
  for (const BlockId& id : ids) {
    ASL_TRY(stop_.check());
    ++report_.blocks;
    // Without its metadata a block's extents are still checked by `artifacts` and by every read.
    if (check_block_file(id) && meta_of(id) != nullptr) readable.push_back(id);
  }
  return options_.data ? read_blocks(readable) : Result<void>();
}

// False if there is nothing to read.
bool Verifier::check_block_file(const BlockId& id) {
  const auto length = impl_.blocks.length_of(id);
  const BlockMeta* meta = meta_of(id);
  const std::uint64_t expected = meta != nullptr ? meta->length_bytes : round_up(blocks_[id], kPageSize);
  if (length && *length >= expected) return true;
  Error error = length ? integrity_error("a block is cut short", impl_.blocks.path_of(id), *length)
                       : Error(length.error());
  error.object = "block " + to_hex(id);
  error.hint = kRepairHint;
  damage_.lost_blocks.emplace(id, report_.findings.size());
  add(FindingKind::kBlock, std::move(error));
  return length.has_value();
}

std::vector<ScrubCandidate> Verifier::candidates(const std::vector<BlockId>& ids,
                                                 const ScrubHistory& history) {
  std::vector<ScrubCandidate> blocks;
  for (const BlockId& id : ids) {
    const auto status = domain_.io().status(impl_.blocks.path_of(id));
    if (!status) continue;  // reported where it was looked for
    ScrubCandidate block{.id = id,
                         .length_bytes = static_cast<std::uint64_t>(status->st_size),
                         .checked_at_s = {},
                         .change_ns = change_time_of(*status),
                         .device_offset = {}};
    if (const auto known = history.find(id, block.change_ns)) {
      block.checked_at_s = known->time_s;
      block.was_damaged = known->damaged;
    }
    blocks.push_back(block);
  }
  return blocks;
}

Result<void> Verifier::read_blocks(const std::vector<BlockId>& ids) {
  ScrubHistory history = ScrubHistory::load(domain_.io(), impl_.layout.scrub_history());
  const std::vector<ScrubCandidate> all = candidates(ids, history);
  std::vector<ScrubCandidate> chosen = choose_blocks(all, {.now_s = options_.now_s.value_or(0),
                                                           .max_age_s = options_.max_age_s,
                                                           .sample_ppm = options_.sample_ppm});
  if (only_) std::erase_if(chosen, [&](const ScrubCandidate& block) { return !only_->contains(block.id); });
  std::uint64_t bytes = 0;
  for (ScrubCandidate& block : chosen) {
    bytes += block.length_bytes;
    if (const auto file = domain_.io().open(impl_.blocks.path_of(block.id), {}))
      block.device_offset = io::device_offset(*file);
  }
  sort_by_device(chosen);
  progress_add(progress_.bytes_total, bytes);
  progress_.totals_final = true;
  for (const ScrubCandidate& block : chosen) {
    ASL_TRY(stop_.check());
    ASL_TRY(read_block(block, history));
  }
  if (options_.now_s) history.compact();

  report_.blocks_left_out = all.size() - chosen.size();
  for (const ScrubCandidate& block : all) report_.bytes_left_out += block.length_bytes;
  report_.bytes_left_out -= bytes;
  for (const ScrubCandidate& block : candidates(ids, history)) {
    const auto checked = believed_check(block, time_now());
    if (!checked) ++report_.blocks_never_read;
    if (checked && (!report_.oldest_check_s || *checked < *report_.oldest_check_s))
      report_.oldest_check_s = checked;
  }
  return {};
}

std::int64_t Verifier::time_now() const {
  const auto passed = std::chrono::steady_clock::now() - start_;
  return options_.now_s.value_or(0) + std::chrono::duration_cast<std::chrono::seconds>(passed).count();
}

Result<void> Verifier::read_block(const ScrubCandidate& block, ScrubHistory& history) {
  const BlockMeta* meta = meta_of(block.id);
  if (meta == nullptr) return {};
  ASL_ASSIGN(const bool good, scan_block_data(block.id, *meta));
  ++report_.blocks_read;
  if (options_.now_s)
    history.note(block.id, {.time_s = time_now(), .change_ns = block.change_ns, .damaged = !good});
  return {};
}

// True if every byte was as it must be.
Result<bool> Verifier::scan_block_data(const BlockId& id, const BlockMeta& meta) {
  bool good = true;
  auto file = impl_.blocks.open(id);
  if (!file) {
    damage_.lost_blocks.emplace(id, report_.findings.size());
    add(FindingKind::kBlock,
        std::move(file).error().with_object("block " + to_hex(id)).with_hint(std::string(kRepairHint)));
    return false;
  }
  BlockScanSink sink;
  sink.on_extent = [&](const StoredExtent& extent, const Result<void>& outcome) -> Result<void> {
    if (outcome) return {};
    good = false;
    extent_damaged(id, extent, outcome.error());
    return {};
  };
  sink.on_padding = [&](const Error& error) -> Result<void> {
    good = false;
    damage_.bad_padding.insert(id);
    add(FindingKind::kPadding,
        Error(error).with_hint("nothing is lost; asl repair writes such a block anew"));
    return {};
  };
  sink.on_progress = [&](std::uint64_t bytes) {
    report_.bytes_read += bytes;
    progress_add(progress_.bytes_done, bytes);
    pacer_.pace(bytes, stop_);
  };
  ASL_TRY(scan_block(domain_.io(), **file, impl_.blocks.path_of(id), meta, sink, stop_));
  return good;
}

void Verifier::extent_damaged(const BlockId& id, const StoredExtent& extent, const Error& error) {
  if (damage_.lost_blocks.contains(id)) return;  // reported as a whole
  const auto place = std::pair(id, extent.offset_bytes);
  if (damage_.extents.emplace(place, report_.findings.size()).second)
    add(FindingKind::kExtent, Error(error).with_hint(std::string(kRepairHint)));
}

}  // namespace asl
