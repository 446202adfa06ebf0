#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <utility>

#include <asl/engine/io.h>
#include <asl/engine/tar.h>

#include "commands/compression.h"
#include "commands/open_store.h"
#include "commands/problems.h"
#include "json_out.h"
#include "program.h"
#include "text.h"

namespace asl::cli {
namespace {

// An archive on its way in; closed with the object unless it is standard input.
class ArchiveFile {
 public:
  static Result<ArchiveFile> open(const std::string& path) {
    if (path == "-") return ArchiveFile(STDIN_FILENO, "-");
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return fail(system_error(errno, "cannot open the archive", path));
    char* const resolved = ::realpath(path.c_str(), nullptr);
    ArchiveFile file(fd, resolved != nullptr ? resolved : path);
    std::free(resolved);
    return file;
  }
  ~ArchiveFile() {
    if (fd_ > STDERR_FILENO) ::close(fd_);
  }
  ArchiveFile(ArchiveFile&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}
  ArchiveFile& operator=(ArchiveFile&&) = delete;

  int fd() const { return fd_; }
  const std::string& path() const { return path_; }

 private:
  ArchiveFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  int fd_;
  std::string path_;
};

Json report_json(const TarImportReport& report) {
  Json json = make_json("import-tar");
  json["snapshot_id"] = report.snapshot_id;
  json["snapshot"] = to_text(report.snapshot);
  json["root"] = to_text(report.root);
  json["members"] = report.members;
  json["replaced"] = report.replaced;
  json["made_up_directories"] = report.made_up_directories;
  json["files"] = report.counts.files;
  json["directories"] = report.counts.directories;
  json["symlinks"] = report.counts.symlinks;
  json["others"] = report.counts.others;
  json["bytes"] = report.counts.bytes;
  json["bytes_read"] = report.bytes_read;
  json["bytes_new"] = report.written.bytes_new;
  json["bytes_stored"] = report.written.bytes_stored;
  json["artifacts_new"] = report.written.artifacts_new;
  json["extents_new"] = report.written.extents_new;
  json["extents_healed"] = report.written.extents_healed;
  json["commits"] = report.written.commits;
  json["seconds"] = report.seconds;
  put_problems(json, report.problems, report.problem_count);
  return json;
}

void print_report(Context& context, const TarImportReport& report) {
  const double seconds = report.seconds > 0 ? report.seconds : 1e-9;
  context.out.line(fmt::format("snapshot {}  {}", report.snapshot_id, to_text(report.snapshot)));
  context.out.line(fmt::format("  {} files, {} directories, {} symlinks, {} others; {}",
                               format_count(report.counts.files), format_count(report.counts.directories),
                               format_count(report.counts.symlinks), format_count(report.counts.others),
                               format_size(report.counts.bytes)));
  std::string odd;
  if (report.replaced > 0) odd += fmt::format(", {} replaced by later ones", format_count(report.replaced));
  if (report.made_up_directories > 0)
    odd += fmt::format(", {} directories made up", format_count(report.made_up_directories));
  context.out.line(fmt::format("  read {}: {} members{}", format_size(report.bytes_read),
                               format_count(report.members), odd));
  context.out.line(fmt::format(
      "  {} new, {} stored, in {:.1f} s ({})", format_size(report.written.bytes_new),
      format_size(report.written.bytes_stored), report.seconds,
      format_rate(static_cast<std::uint64_t>(static_cast<double>(report.counts.bytes) / seconds))));
  if (report.written.extents_healed > 0)
    context.out.line(fmt::format("  {} damaged extents of the store healed", report.written.extents_healed));
}

Result<TarImportOptions> import_options(const ParsedOptions& options, const std::string& path) {
  TarImportOptions import;
  import.source_path = path;
  import.label = options.text("label").value_or("");
  import.tags = options.list("tag");
  import.host = options.text("host").value_or("");
  ASL_ASSIGN(import.compression, parse_compression(options.text("compress").value_or("off")));
  return import;
}

}  // namespace

Result<int> run_import_tar(Context& context, const ParsedOptions& options) {
  const auto& given = options.arguments("FILE");
  if (given.empty() && ::isatty(STDIN_FILENO) == 1)
    return fail(Error{.code = ErrorCode::kUsage,
                      .message = "an archive is not read from a terminal",
                      .hint = "name a file, or pipe an archive into the command"});
  ASL_ASSIGN(const ArchiveFile archive, ArchiveFile::open(given.empty() ? "-" : given.front()));
  ASL_ASSIGN(const TarImportOptions import, import_options(options, archive.path()));
  ASL_ASSIGN(const OpenStore store, open_store(context, {.pin_snapshots = options.flag("pin")}));
  Result<TarImportReport> report;
  {
    ProgressScope progress(context);
    report = import_tar(*store.domain, archive.fd(), import, progress.counters(), context.stop);
  }
  if (!report) {
    Error error = std::move(report).error();
    if (error.code == ErrorCode::kInterrupted)
      error.hint = "run the same command again: what was committed is kept and not written twice";
    return fail(std::move(error));
  }
  for (const std::string& notice : report->notices) context.warn(notice);
  warn_of_problems(context, report->problems, report->problem_count);
  if (context.json)
    print_json(context.out, report_json(*report));
  else if (!context.quiet)
    print_report(context, *report);
  return report->problem_count > 0 ? kExitSourceIncomplete : kExitOk;
}

}  // namespace asl::cli
