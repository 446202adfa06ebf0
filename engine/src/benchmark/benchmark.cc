#include <algorithm>
#include <chrono>

#include <asl/engine/artifact_copy.h>
#include <asl/engine/benchmark.h>
#include <asl/engine/file_content.h>
#include <asl/engine/hash.h>
#include <asl/engine/host_root.h>
#include <asl/engine/ingest.h>
#include <asl/engine/restore.h>
#include <asl/engine/verify.h>

#include "benchmark/disk_rates.h"
#include "benchmark/work_place.h"
#include "io/disk_facts.h"
#include "io/target_fs.h"

namespace asl {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kGranularityBytes = 8 << 20;
// Beside the data and what is made of them: segments, the log, the reserve, the cache.
constexpr std::uint64_t kRoomBytes = 256 << 20;
constexpr std::size_t kReadBytes = 4 << 20;
constexpr std::size_t kHashBytes = 256 << 20;
// Write, read, ingest, verify, read, restore.
constexpr std::uint64_t kPasses = 6;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

Result<BenchmarkRate> measure_hash(const StopToken& stop) {
  AlignedBuffer buffer(kReadBytes);
  for (std::size_t at = 0; at < buffer.size(); at += 8) store_le<std::uint64_t>(buffer.data() + at, at);
  const auto began = Clock::now();
  Sha256 hash;
  for (std::size_t done = 0; done < kHashBytes; done += buffer.size()) {
    ASL_TRY(stop.check());
    hash.update(buffer.span());
  }
  static_cast<void>(hash.finish());
  return BenchmarkRate{kHashBytes, seconds_since(began)};
}

// So that what follows reads the file from the disk. Direct I/O has left nothing in memory.
Result<void> forget_pages(io::Io& io, const std::string& path) {
  ASL_ASSIGN(const io::File file, io.open(path, {}));
  return io::drop_pages(file);
}

class Nowhere : public ContentSink {
  Result<void> data(ByteSpan) override { return {}; }
  Result<void> zeros(std::uint64_t) override { return {}; }
};

class StoreBenchmark {
 public:
  StoreBenchmark(io::Io& io, const BenchmarkOptions& options, const WorkPlace& place,
                 ProgressCounters& progress, const StopToken& stop)
      : io_(io), options_(options), place_(place), progress_(progress), stop_(stop) {}

  Result<void> open() {
    ASL_ASSIGN(HostRoot root, HostRoot::init(io_, place_.path("store")));
    ASL_ASSIGN(const DomainSummary summary, root.create_local_domain("bench"));
    ASL_ASSIGN(domain_, Domain::open(io_, summary.directory, {}));
    return {};
  }

  Result<BenchmarkRate> ingest_file(const std::string& path) {
    IngestOptions how;
    how.sources = {path};
    how.jobs = options_.jobs;
    how.use_stat_cache = false;
    ProgressCounters counters;
    const auto began = Clock::now();
    ASL_ASSIGN(const IngestReport report, ingest(*domain_, how, counters, stop_));
    if (report.problem_count > 0)
      return fail(ErrorCode::kIo, "the made-up data could not be read: " + report.problems.front().operation);
    return rate(report.bytes_read, began);
  }

  Result<BenchmarkRate> verify_all() {
    ASL_TRY(domain_->refresh());
    ProgressCounters counters;
    const auto began = Clock::now();
    ASL_ASSIGN(const VerifyReport report, verify(*domain_, {.data = true}, counters, stop_));
    if (report.finding_count > 0) return fail(report.findings.front().error);
    return rate(report.bytes_read, began);
  }

  Result<BenchmarkRate> read_artifact() {
    ASL_ASSIGN(const Snapshot snapshot, domain_->snapshot(1));
    ASL_ASSIGN(const FileContent content, FileContent::open(*domain_, snapshot.roots.front().entry));
    Nowhere nowhere;
    ProgressCounters counters;
    const auto began = Clock::now();
    ASL_TRY(copy_content(content, nowhere, counters, stop_));
    return rate(content.length(), began);
  }

  Result<BenchmarkRate> restore_all() {
    RestoreOptions how;
    how.target = place_.path("restored");
    ProgressCounters counters;
    const auto began = Clock::now();
    ASL_ASSIGN(const RestoreReport report,
               restore(*domain_, SnapshotPath{.snapshot_id = 1, .path = ""}, how, counters, stop_));
    if (!report.problems.empty()) return fail(report.problems.front().error);
    ASL_ASSIGN(const io::File directory, io_.open(how.target, {.directory = true}));
    ASL_TRY(io::sync_file_system(directory.fd()));
    return rate(report.bytes_written, began);
  }

 private:
  BenchmarkRate rate(std::uint64_t bytes, Clock::time_point began) {
    progress_add(progress_.bytes_done, bytes);
    return {bytes, seconds_since(began)};
  }

  io::Io& io_;
  const BenchmarkOptions& options_;
  const WorkPlace& place_;
  ProgressCounters& progress_;
  const StopToken& stop_;
  std::unique_ptr<Domain> domain_;
};

}  // namespace

BenchmarkRate BenchmarkReport::disk_copy() const {
  return {disk_write.bytes, disk_write.seconds + disk_read.seconds};
}

Result<BenchmarkReport> run_benchmark(io::Io& io, const BenchmarkOptions& options, ProgressCounters& progress,
                                      const StopToken& stop) {
  const std::uint64_t size = round_up(std::max<std::uint64_t>(options.size_bytes, 1), kGranularityBytes);
  ASL_ASSIGN(const WorkPlace place, WorkPlace::make(io, options.directory));
  ASL_TRY(place.require_free(2 * size + kRoomBytes));
  progress.bytes_total = kPasses * size;
  progress.totals_final = true;
  BenchmarkReport report;
  report.direct = io::has_direct_io(options.directory);
  const std::string source = place.path("data");
  ASL_ASSIGN(report.disk_write, measure_write(io, source, size, progress, stop));
  if (!report.direct) ASL_TRY(forget_pages(io, source));
  ASL_ASSIGN(report.disk_read, measure_read(io, source, progress, stop));
  ASL_ASSIGN(const SyncTimes syncs, measure_syncs(io, place.path("synced"), options.syncs, stop));
  report.sync_median_s = syncs.median_s;
  report.sync_worst_s = syncs.worst_s;
  ASL_ASSIGN(report.hash, measure_hash(stop));
  if (!report.direct) ASL_TRY(forget_pages(io, source));
  StoreBenchmark store(io, options, place, progress, stop);
  ASL_TRY(store.open());
  ASL_ASSIGN(report.ingest, store.ingest_file(source));
  ASL_TRY(io.remove(source));  // its room is for what is restored
  ASL_ASSIGN(report.verify, store.verify_all());
  ASL_ASSIGN(report.read, store.read_artifact());
  ASL_ASSIGN(report.restore, store.restore_all());
  return report;
}

}  // namespace asl
