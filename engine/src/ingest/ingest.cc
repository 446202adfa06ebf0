#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstdlib>
#include <fcntl.h>
#include <set>
#include <thread>
#include <unistd.h>
#include <utility>

#include <asl/engine/history.h>
#include <asl/engine/ingest.h>

#include "ingest/file_reader.h"
#include "ingest/ingest_run.h"
#include "ingest/single_source.h"
#include "ingest/stat_cache.h"
#include "ingest/tree_scanner.h"
#include "store/snapshot_anchor.h"

namespace asl {
namespace {

// Scanning waits for the disk far more than for the processor: more threads than cores keep a cold disk busy.
constexpr unsigned kScanThreads = 4;
constexpr unsigned kJobsMax = 64;

struct Source {
  std::string path;       // as given
  std::string real_path;  // absolute, links resolved; what the snapshot remembers
  std::string name;       // inside the snapshot
  bool is_directory = false;
  bool is_stream = false;
};

std::string real_path_of(const std::string& path) {
  char* resolved = ::realpath(path.c_str(), nullptr);
  if (resolved == nullptr) return path;
  std::string text(resolved);
  std::free(resolved);
  return text;
}

// "name", or "name~2" and so on where that is taken.
std::string unique_name(std::string name, std::set<std::string>& taken) {
  if (name.empty() || name == "." || name == "..") name = "root";
  std::string candidate = name;
  for (unsigned n = 2; !taken.insert(candidate).second; ++n) candidate = name + "~" + std::to_string(n);
  return candidate;
}

// A store that is ingested into itself grows while it is read.
Result<void> check_outside_store(const IngestOptions& options, const Source& source) {
  if (options.exclude_directory.empty()) return {};
  const std::string store = real_path_of(options.exclude_directory);
  if (source.real_path != store && !source.real_path.starts_with(store + "/")) return {};
  return fail(Error{.code = ErrorCode::kRefused,
                    .message = "a source lies inside the store",
                    .path = source.path,
                    .hint = "copy the store's directory instead, or name another store with --root"});
}

Result<std::vector<Source>> find_sources(const IngestOptions& options) {
  std::vector<Source> sources;
  std::set<std::string> taken;
  if (!options.stdin_name.empty()) {
    if (!is_valid_name(options.stdin_name))
      return fail(
          Error{.code = ErrorCode::kUsage, .message = "not a file name", .object = options.stdin_name});
    sources.push_back({.path = options.stdin_name,
                       .real_path = options.stdin_name,
                       .name = unique_name(options.stdin_name, taken),
                       .is_directory = false,
                       .is_stream = true});
  }
  for (const std::string& path : options.sources) {
    Source source;
    source.path = path;
    source.real_path = real_path_of(path);
    auto stat = io::stat_at(AT_FDCWD, source.real_path.c_str());
    if (!stat) {
      Error error = std::move(stat).error();
      error.message = "cannot ingest";
      error.path = path;
      return fail(std::move(error));
    }
    source.is_directory = stat->is_directory();
    ASL_TRY(check_outside_store(options, source));
    source.name = unique_name(source.real_path.substr(source.real_path.rfind('/') + 1), taken);
    sources.push_back(std::move(source));
  }
  if (sources.empty()) return fail(ErrorCode::kUsage, "nothing to ingest was named");
  return sources;
}

// Scans and reads one directory with all threads.
Result<void> ingest_directory(IngestRun& run, const Source& source, const std::string& prefix, Entry& entry) {
  run.devices.add_mounts_below(source.real_path, prefix);
  StatCache stat_cache(run.writer, source.real_path);
  TreeScanner scanner(run, run.options.use_stat_cache ? &stat_cache : nullptr, source.real_path, prefix,
                      entry);
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  const unsigned jobs = std::clamp(run.options.jobs == 0 ? cores : run.options.jobs, 1U, kJobsMax);
  std::vector<std::unique_ptr<FileReader>> readers;
  for (unsigned k = 0; k < jobs; ++k) {
    ASL_ASSIGN(auto reader, FileReader::make(run, scanner));
    readers.push_back(std::move(reader));
  }
  {
    std::vector<std::jthread> threads;
    threads.reserve(readers.size());
    for (auto& reader : readers) threads.emplace_back([&reader] { reader->run(); });
    {
      std::vector<std::jthread> scan_threads;
      scan_threads.reserve(kScanThreads);
      for (unsigned k = 0; k < kScanThreads; ++k) scan_threads.emplace_back([&scanner] { scanner.scan(); });
    }
  }
  if (auto failure = run.failure()) return fail(std::move(*failure));
  return {};
}

Result<Snapshot> describe_snapshot(IngestRun& run, const Domain& domain, std::vector<SnapshotRoot> roots,
                                   const IngestReport& report) {
  Snapshot snapshot;
  snapshot.domain_id = domain.id();
  snapshot.snapshot_id = domain.state()->next_snapshot_id();
  snapshot.created_s = run.options.created_s ? run.options.created_s : std::optional(unix_seconds_now());
  snapshot.host = run.options.host.empty() ? this_host_name() : run.options.host;
  snapshot.label = run.options.label;
  snapshot.tags = sorted_tags(run.options.tags);
  snapshot.roots = std::move(roots);
  snapshot.counts = report.counts;
  snapshot.users = run.user_names();
  snapshot.groups = run.group_names();
  if (const Bytes problems = run.encode_problems(); !problems.empty()) {
    ASL_ASSIGN(snapshot.errors, run.writer.put_typed(kTagErrors, problems));
  }
  snapshot.parent_id = find_parent(domain, snapshot);
  return snapshot;
}

Result<void> finish_snapshot(IngestRun& run, Domain& domain, std::vector<SnapshotRoot> roots,
                             IngestReport& report) {
  ASL_ASSIGN(const Snapshot snapshot, describe_snapshot(run, domain, std::move(roots), report));
  if (run.options.dry_run) {
    ASL_ASSIGN(const Bytes bytes, encode_snapshot(snapshot));
    ASL_ASSIGN(report.snapshot, run.writer.put_typed(kTagSnapshot, bytes));
    return {};
  }
  ASL_ASSIGN(report.snapshot, anchor_snapshot(run.writer, domain, snapshot, {}, report.notices));
  report.snapshot_id = snapshot.snapshot_id;
  return {};
}

Result<void> ingest_sources(IngestRun& run, Domain& domain, const std::vector<Source>& sources,
                            IngestReport& report) {
  std::vector<SnapshotRoot> roots;
  const bool single_directory = sources.size() == 1 && sources.front().is_directory;
  run.progress.set_phase(ProgressPhase::kIngesting);
  for (const Source& source : sources) {
    SnapshotRoot root;
    root.source_path = source.real_path;
    root.entry.name = source.name;
    if (source.is_directory)
      ASL_TRY(ingest_directory(run, source, single_directory ? "" : source.name, root.entry));
    else if (source.is_stream)
      ASL_TRY(ingest_stream(run, root.entry));
    else
      ASL_TRY(ingest_file(run, source.real_path, root.entry));
    roots.push_back(std::move(root));
  }
  run.report_to(report);
  if (single_directory) report.root = roots.front().entry.content;
  ASL_TRY(run.stop.check());
  return finish_snapshot(run, domain, std::move(roots), report);
}

Result<IngestReport> ingest_once(Domain& domain, const IngestOptions& options, const SourceFilter& filter,
                                 const std::vector<Source>& sources, ProgressCounters& progress,
                                 const StopToken& stop) {
  IngestReport report;
  ASL_ASSIGN(const std::unique_ptr<StoreWriter> writer,
             StoreWriter::open(domain, {.compression = options.compression,
                                        .commit_bytes = options.commit_bytes,
                                        .commit_artifacts = options.commit_artifacts,
                                        .dry_run = options.dry_run,
                                        .progress = &progress}));
  report.notices = writer->notices();
  io::Io& source_io = options.source_io != nullptr ? *options.source_io : domain.io();
  IngestRun run(options, source_io, *writer, filter, progress, stop);
  auto done = ingest_sources(run, domain, sources, report);
  if (!done) {
    // What was read is kept: the next run finds it.
    if (done.error().code == ErrorCode::kInterrupted) static_cast<void>(writer->commit());
    return fail(std::move(done).error());
  }
  report.written = writer->totals();
  if (auto merged = writer->merge_segments(); !merged)
    report.notices.push_back("small index segments could not be joined: " + merged.error().to_string());
  return report;
}

}  // namespace

Result<IngestReport> ingest(Domain& domain, const IngestOptions& options, ProgressCounters& progress,
                            const StopToken& stop) {
  const auto start = std::chrono::steady_clock::now();
  if (!options.label.empty()) ASL_TRY(check_label(options.label));
  ASL_ASSIGN(const std::vector<Source> sources, find_sources(options));
  ASL_ASSIGN(const SourceFilter filter, SourceFilter::make(domain.io(), options.filter));
  auto report = ingest_once(domain, options, filter, sources, progress, stop);
  // A batch that could not be made durable is gone, and what the page cache says of it is not to be trusted:
  // its sources are read again, once. A stream cannot be.
  const bool repeatable = options.stdin_name.empty();
  if (!report && report.error().code == ErrorCode::kIo && repeatable && !stop.requested()) {
    const std::string first = report.error().to_string();
    report = ingest_once(domain, options, filter, sources, progress, stop);
    if (report) {
      report->attempts = 2;
      report->notices.push_back("written again after a failure: " + first);
    }
  }
  if (!report && report.error().code == ErrorCode::kNoSpace && report.error().hint.empty())
    report.error().hint = "free space on the store's disk and run it again: what was committed is kept";
  ASL_TRY(report);
  report->seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

}  // namespace asl
