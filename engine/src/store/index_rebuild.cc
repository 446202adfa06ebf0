#include <chrono>
#include <filesystem>
#include <system_error>

#include <asl/engine/index_rebuild.h>

#include "store/domain_impl.h"
#include "store/session_opening.h"
#include "store/writer_session.h"

namespace asl {
namespace {

// RocksDB's directory is the one thing that is not behind the I/O seam.
std::uint64_t size_below(const std::string& directory) {
  std::uint64_t bytes = 0;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory, ignored))
    if (entry.is_regular_file(ignored)) bytes += entry.file_size(ignored);
  return bytes;
}

void count_segments(const Index& index, IndexRebuildReport& report, ProgressCounters& progress) {
  std::uint64_t bytes = 0;
  for (const Index::Segment& segment : index.segments()) {
    ++report.segments;
    if (segment.reader == nullptr) continue;
    report.artifacts += segment.reader->record_count();
    bytes += segment.reader->file_size();
  }
  progress.files_total = report.artifacts;
  progress.bytes_total = bytes;
  progress.totals_final = true;
}

Result<void> check_segments(const Index& index, IndexRebuildReport& report, ProgressCounters& progress,
                            const StopToken& stop) {
  progress.set_phase(ProgressPhase::kVerifying);
  for (const Index::Segment& segment : index.segments()) {
    ASL_TRY(stop.check());
    auto checked = segment.reader == nullptr ? Result<void>(fail(*segment.error))
                                             : segment.reader->verify_whole(&segment.live.hash);
    if (segment.reader != nullptr) progress_add(progress.bytes_done, segment.reader->file_size());
    if (checked) continue;
    Error error = std::move(checked).error();
    error.object = "segment " + std::to_string(segment.live.number);
    error.hint = "asl verify names the files it touches";
    report.damaged.push_back(std::move(error));
  }
  return {};
}

}  // namespace

Result<IndexRebuildReport> rebuild_index(Domain& domain, ProgressCounters& progress, const StopToken& stop) {
  const auto start = std::chrono::steady_clock::now();
  const std::string cache = DomainLayout(domain.directory()).index_cache();
  IndexRebuildReport report;
  report.cache_bytes_before = size_below(cache);
  progress.set_phase(ProgressPhase::kIndexing);
  WriterOptions options;
  options.progress = &progress;
  StoreWriter::Impl session(domain, options);
  session.rebuild_cache = true;
  session.stop = stop;
  count_segments(*domain.view()->index, report, progress);
  ASL_TRY(open_session(domain, session));
  // What another writer committed meanwhile counts too.
  const std::shared_ptr<const View> view = domain.view();
  report.segments = 0;
  report.artifacts = 0;
  count_segments(*view->index, report, progress);
  auto done = [&]() -> Result<void> {
    ASL_ASSIGN(report.blooms_written, view->index->write_missing_blooms());
    ASL_TRY(session.cache->flush());
    return check_segments(*view->index, report, progress, stop);
  }();
  report.notices = session.notices;
  close_session(domain, session, true);
  ASL_TRY(done);
  report.cache_bytes = size_below(cache);
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

}  // namespace asl
