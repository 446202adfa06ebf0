#include <fmt/format.h>

#include <asl/engine/store_stats.h>

#include "commands/open_store.h"
#include "json_out.h"
#include "text.h"

namespace asl::cli {
namespace {

double ratio(std::uint64_t a, std::uint64_t b) {
  return b == 0 ? 0 : static_cast<double>(a) / static_cast<double>(b);
}

Json extents_json(const ExtentStats& extents) {
  return {
      {"extents", extents.extents}, {"raw_bytes", extents.raw_bytes}, {"stored_bytes", extents.stored_bytes}};
}

Json disk_json(const StoreStats::Disk& disk) {
  return {{"total", disk.total()},     {"blocks", disk.blocks},   {"block_metadata", disk.block_metadata},
          {"segments", disk.segments}, {"blooms", disk.blooms},   {"log", disk.log},
          {"cache", disk.cache},       {"reserve", disk.reserve}, {"other", disk.other}};
}

Json compression_json(const CompressionSample& sample) {
  return {{"codec", "zstd"},
          {"level", sample.level},
          {"sampled_extents", sample.extents},
          {"sampled_bytes", sample.raw_bytes},
          {"compressed_bytes", sample.zstd_bytes},
          {"unreadable_extents", sample.unreadable},
          {"seconds", sample.seconds}};
}

void print_json_report(Context& context, const StoreStats& stats) {
  Json json = make_json("stats");
  json["snapshots"] = {
      {"count", stats.snapshots}, {"files", stats.snapshot_files}, {"bytes", stats.snapshot_bytes}};
  json["artifacts"] = {{"count", stats.artifacts},           {"bytes", stats.artifact_bytes},
                       {"hole_bytes", stats.hole_bytes},     {"pinned", stats.pinned},
                       {"pinned_bytes", stats.pinned_bytes}, {"kinds", Json::array()}};
  for (const KindStats& kind : stats.kinds)
    json["artifacts"]["kinds"].push_back(
        {{"kind", kind.kind}, {"count", kind.artifacts}, {"bytes", kind.bytes}});
  json["plain_copies_bytes"] = stats.plain_bytes();
  if (stats.extents.raw_bytes > 0) json["dedup_ratio"] = ratio(stats.plain_bytes(), stats.extents.raw_bytes);
  json["extents"] = extents_json(stats.extents);
  json["extents_compressed"] = extents_json(stats.compressed);
  json["blocks"] = {{"count", stats.blocks},
                    {"bytes", stats.block_bytes},
                    {"missing", stats.blocks_missing},
                    {"by_fill", Json::array()}};
  for (std::size_t k = 0; k < stats.blocks_by_fill.size(); ++k) {
    const unsigned below = k < StoreStats::kFillLimits.size() ? StoreStats::kFillLimits[k] : 100;
    json["blocks"]["by_fill"].push_back({{"up_to_percent", below}, {"count", stats.blocks_by_fill[k]}});
  }
  json["segments"] = {{"count", stats.segments}, {"records", stats.records}};
  json["disk_bytes"] = disk_json(stats.disk);
  json["growth"] = Json::array();
  for (const GrowthRow& row : stats.growth) {
    Json added = extents_json(row.added);
    added["from_snapshot"] = row.from_snapshot;
    added["to_snapshot"] = row.to_snapshot;
    json["growth"].push_back(added);
  }
  if (stats.compression.extents + stats.compression.unreadable > 0)
    json["compression_sample"] = compression_json(stats.compression);
  json["damaged"] = Json::array();
  for (const Error& error : stats.damaged) json["damaged"].push_back(printable_message(error.to_string()));
  json["seconds"] = stats.seconds;
  print_json(context.out, json);
}

// The way from what the snapshots show to what lies on the disk, a line for each step.
void print_sizes(Context& context, const StoreStats& stats) {
  Table table({{""}, {"", Table::Align::kRight}, {""}});
  const auto row = [&](std::string name, std::uint64_t bytes, std::string rest) {
    table.add({std::move(name), format_size(bytes), std::move(rest)});
  };
  row("snapshots", stats.snapshot_bytes,
      fmt::format("{} files in {} snapshots", format_count(stats.snapshot_files),
                  format_count(stats.snapshots)));
  row("artifacts", stats.artifact_bytes,
      fmt::format("{} different ones, {} pinned; {} are holes", format_count(stats.artifacts),
                  format_count(stats.pinned), format_size(stats.hole_bytes)));
  for (const KindStats& kind : stats.kinds) row("  " + kind.kind, kind.bytes, format_count(kind.artifacts));
  row("extents", stats.extents.raw_bytes, format_count(stats.extents.extents) + " different ones");
  row("stored", stats.extents.stored_bytes,
      stats.compressed.extents == 0
          ? "none compressed"
          : fmt::format("{} compressed, from {} to {}", format_count(stats.compressed.extents),
                        format_size(stats.compressed.raw_bytes), format_size(stats.compressed.stored_bytes)));
  row("blocks", stats.block_bytes,
      fmt::format("{}, {:.1f} % of them live", format_count(stats.blocks),
                  100 * ratio(stats.extents.stored_bytes, stats.block_bytes)));
  row("on disk", stats.disk.total(), "");
  const StoreStats::Disk& disk = stats.disk;
  for (const auto& [name, bytes] : {std::pair{"  blocks", disk.blocks},
                                    {"  block metadata", disk.block_metadata},
                                    {"  segments", disk.segments},
                                    {"  bloom files", disk.blooms},
                                    {"  log", disk.log},
                                    {"  cache", disk.cache},
                                    {"  reserve", disk.reserve},
                                    {"  other", disk.other}})
    row(name, bytes,
        name == std::string_view("  segments")
            ? fmt::format("{}, with {} records", format_count(stats.segments), format_count(stats.records))
            : "");
  context.out.write(table.to_string());
}

void print_ratios(Context& context, const StoreStats& stats) {
  if (stats.extents.raw_bytes > 0)
    context.out.line(fmt::format(
        "\ndeduplication: plain copies of every snapshot and pinned artifact would take {}, {:.2f} "
        "times the extents",
        format_size(stats.plain_bytes()), ratio(stats.plain_bytes(), stats.extents.raw_bytes)));
  context.out.write("\nblocks by how much of them is live:");
  const char* const names[] = {" below 50 %: ", ", to 80 %: ", ", to 95 %: ", ", above: "};
  for (std::size_t k = 0; k < stats.blocks_by_fill.size(); ++k)
    context.out.write(names[k] + format_count(stats.blocks_by_fill[k]));
  context.out.line("");
  if (stats.blocks_missing > 0)
    context.out.line(format_count(stats.blocks_missing) +
                     " blocks are missing; asl verify names what they held");
}

std::string growth_name(const GrowthRow& row) {
  if (row.to_snapshot == 0 && row.from_snapshot == 0) return "none yet";
  if (row.from_snapshot == row.to_snapshot) return std::to_string(row.to_snapshot);
  return fmt::format("{} to {}", row.from_snapshot,
                     row.to_snapshot == 0 ? "now" : std::to_string(row.to_snapshot));
}

void print_growth(Context& context, const StoreStats& stats) {
  if (stats.growth.empty()) return;
  Table table({{"snapshot"},
               {"new extents", Table::Align::kRight},
               {"new", Table::Align::kRight},
               {"stored", Table::Align::kRight}});
  for (const GrowthRow& row : stats.growth)
    table.add({growth_name(row), format_count(row.added.extents), format_size(row.added.raw_bytes),
               format_size(row.added.stored_bytes)});
  context.out.line("\nwhat came with each snapshot (and with what was put since the one before):");
  context.out.write(table.to_string());
}

void print_compression(Context& context, const StoreStats& stats) {
  const CompressionSample& sample = stats.compression;
  if (sample.extents == 0) return;
  const std::uint64_t uncompressed = stats.extents.raw_bytes - stats.compressed.raw_bytes;
  const double saved = 1 - ratio(sample.zstd_bytes, sample.raw_bytes);
  const double speed = sample.seconds > 0 ? static_cast<double>(sample.raw_bytes) / sample.seconds : 0;
  context.out.line(
      fmt::format("\nzstd would save about {} of the {} that are not compressed ({:.0f} %)",
                  format_size(static_cast<std::uint64_t>(saved * static_cast<double>(uncompressed))),
                  format_size(uncompressed), 100 * saved));
  context.out.line(fmt::format(
      "  measured: level {} on {} in {} extents spread evenly over the blocks, at {} on one processor",
      sample.level, format_size(sample.raw_bytes), format_count(sample.extents),
      format_rate(static_cast<std::uint64_t>(speed))));
  if (sample.unreadable > 0)
    context.out.line(fmt::format("  {} chosen extents could not be read", format_count(sample.unreadable)));
}

}  // namespace

Result<int> run_stats(Context& context, const ParsedOptions& options) {
  ASL_ASSIGN(const OpenStore store, open_store(context));
  StatsOptions how;
  how.compression_sample_bytes = options.number("compression-sample").value_or(0);
  Result<StoreStats> stats;
  {
    ProgressScope progress(context);
    stats = store_stats(*store.domain, how, progress.counters(), context.stop);
  }
  ASL_TRY(stats);
  if (context.json) {
    print_json_report(context, *stats);
  } else {
    print_sizes(context, *stats);
    print_ratios(context, *stats);
    print_growth(context, *stats);
    print_compression(context, *stats);
  }
  for (const Error& error : stats->damaged) context.warn("not counted: " + error.to_string());
  return stats->damaged.empty() ? kExitOk : exit_code(ErrorCode::kIntegrity);
}

}  // namespace asl::cli
