#include <chrono>
#include <sys/stat.h>
#include <utility>

#include <asl/engine/history.h>
#include <asl/engine/tar.h>

#include "store/domain_layout.h"
#include "store/snapshot_anchor.h"
#include "transfer/archive_source.h"
#include "transfer/tar_importer.h"

namespace asl {
namespace {

// A file's length is known; how much it unpacks to is not.
void set_totals(int fd, ProgressCounters& progress) {
  struct stat status{};
  if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return;
  progress_add(progress.bytes_total, static_cast<std::uint64_t>(status.st_size));
  progress.totals_final = true;
}

Result<void> make_snapshot(const TarImporter& importer, StoreWriter& writer, const Domain& domain,
                           const TarImportOptions& options, Entry root, TarImportReport& report) {
  Snapshot snapshot;
  snapshot.domain_id = domain.id();
  snapshot.snapshot_id = domain.state()->next_snapshot_id();
  snapshot.created_s = options.created_s ? options.created_s : std::optional(unix_seconds_now());
  snapshot.host = options.host.empty() ? this_host_name() : options.host;
  snapshot.label = options.label;
  snapshot.tags = sorted_tags(options.tags);
  report.root = root.content;
  snapshot.roots.push_back({options.source_path, std::move(root)});
  snapshot.counts = report.counts;
  snapshot.users = importer.users().list();
  snapshot.groups = importer.groups().list();
  if (!importer.problems().all().empty()) {
    ASL_ASSIGN(snapshot.errors, writer.put_typed(kTagErrors, importer.problems().all().encode()));
  }
  snapshot.parent_id = find_parent(domain, snapshot);
  ASL_ASSIGN(report.snapshot, anchor_snapshot(writer, domain, snapshot, {}, report.notices));
  report.snapshot_id = snapshot.snapshot_id;
  return {};
}

Result<void> read_archive(TarImporter& importer, int fd, const TarImportOptions& options,
                          ProgressCounters& progress, const StopToken& stop, TarImportReport& report) {
  ASL_ASSIGN(const std::unique_ptr<ArchiveSource> source, ArchiveSource::open(fd, progress, stop));
  TarReader reader([&source](MutableByteSpan into) { return source->read(into); });
  auto done = importer.read(reader);
  report.bytes_read = source->bytes_read();
  if (done) return done;
  Error error = std::move(done).error();
  if (error.code == ErrorCode::kMalformed && error.path.empty()) error.path = options.source_path;
  return fail(std::move(error));
}

Result<void> import_with(Domain& domain, StoreWriter& writer, int fd, const TarImportOptions& options,
                         ProgressCounters& progress, const StopToken& stop, TarImportReport& report) {
  TarImporter importer(writer, domain.io(), DomainLayout(domain.directory()).tmp(), progress, stop);
  ASL_TRY(read_archive(importer, fd, options, progress, stop, report));
  ASL_ASSIGN(Entry root, importer.make_trees(report));
  report.problems = importer.problems().first();
  report.problem_count = importer.problems().all().total();
  if (importer.stripped()) report.notices.push_back("leading '/' removed from names");
  return make_snapshot(importer, writer, domain, options, std::move(root), report);
}

}  // namespace

Result<TarImportReport> import_tar(Domain& domain, int fd, const TarImportOptions& options,
                                   ProgressCounters& progress, const StopToken& stop) {
  const auto start = std::chrono::steady_clock::now();
  if (!options.label.empty()) ASL_TRY(check_label(options.label));
  set_totals(fd, progress);
  TarImportReport report;
  ASL_ASSIGN(const std::unique_ptr<StoreWriter> writer,
             StoreWriter::open(domain, {.compression = options.compression,
                                        .commit_bytes = options.commit_bytes,
                                        .commit_artifacts = options.commit_artifacts,
                                        .progress = &progress}));
  report.notices = writer->notices();
  progress.set_phase(ProgressPhase::kIngesting);
  auto done = import_with(domain, *writer, fd, options, progress, stop, report);
  if (!done) {
    // What was read is kept: the same archive, read again, writes only the rest.
    if (done.error().code == ErrorCode::kInterrupted) static_cast<void>(writer->commit());
    return fail(std::move(done).error());
  }
  report.written = writer->totals();
  if (auto merged = writer->merge_segments(); !merged)
    report.notices.push_back("small index segments could not be joined: " + merged.error().to_string());
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

}  // namespace asl
