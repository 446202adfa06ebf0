#include "ingest/single_source.h"

#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "ingest/command_pipe.h"
#include "ingest/content_stream.h"
#include "ingest/tree_scanner.h"
#include "io/tree_fs.h"

namespace asl {
namespace {

constexpr std::uint32_t kStreamMode = 0600;

bool is_device(std::uint32_t mode) {
  return S_ISBLK(mode);
}

// A device's size is not its inode's, and its times move when it is read.
bool changed_between(const io::SourceStat& before, const io::SourceStat& after) {
  if (is_device(before.mode)) return false;
  return before.size != after.size || before.mtime != after.mtime || before.ctime != after.ctime ||
         before.inode != after.inode;
}

struct Opened {
  io::File file;
  io::SourceStat stat;
  std::uint64_t size = 0;
  std::uint32_t sector_bytes = kPageSize;
};

Result<Opened> open_source(IngestRun& run, const std::string& path) {
  Opened opened;
  // Not waiting: a fifo would wait for somebody to write to it, and is no source.
  ASL_ASSIGN(opened.file, run.source_io.open(path, {.direct = true, .no_atime = true, .no_wait = true}));
  auto stat = io::stat_fd(opened.file.fd());
  if (!stat) return fail(std::move(stat).error().with_path(path));
  opened.stat = *stat;
  opened.size = stat->size;
  if (is_device(stat->mode)) {
    auto device = io::block_device(opened.file.fd());
    if (!device) return fail(std::move(device).error().with_path(path));
    opened.size = device->size_bytes;
    opened.sector_bytes = device->logical_sector_bytes;
  } else if (!stat->is_regular()) {
    return fail(Error{.code = ErrorCode::kUnsupported,
                      .message = "neither a directory, a file nor a block device",
                      .path = path});
  }
  return opened;
}

}  // namespace

Result<void> ingest_file(IngestRun& run, const std::string& path, Entry& entry) {
  ASL_ASSIGN(const std::unique_ptr<Lane> lane, run.writer.make_lane());
  ASL_ASSIGN(const std::unique_ptr<ContentStream> stream, ContentStream::make(run, *lane));
  ASL_ASSIGN(Opened source, open_source(run, path));
  progress_add(run.progress.files_total, 1);
  progress_add(run.progress.bytes_total, source.size);
  run.progress.totals_final = true;
  run.add_owner(source.stat.uid, source.stat.gid);
  for (unsigned attempt = 0;; ++attempt) {
    const bool sparse = !is_device(source.stat.mode) && source.stat.blocks_512 * 512 < source.size;
    ASL_ASSIGN(const StreamedContent content,
               stream->read_file(source.file, source.size, sparse, source.sector_bytes));
    run.count_read(RereadReason::kNew, content.length);
    const auto after = io::stat_fd(source.file.fd());
    const bool changed = !after || changed_between(source.stat, *after) || content.length != source.size;
    if (changed && attempt == 0) {
      if (after) source.stat = *after;
      if (after && !is_device(after->mode)) source.size = after->size;
      continue;
    }
    fill_entry(entry, source.stat);
    entry.type = EntryType::kFile;
    entry.rdev = 0;
    entry.size_bytes = content.length;
    entry.content = content.content;
    entry.hole_bytes = content.hole_bytes;
    if (content.partial) {
      entry.flags |= kEntryPartial;
      run.add_problem(path, "read", stream->first_read_errno());
    }
    if (changed) {
      entry.flags |= kEntryChanged;
      run.count_changed_while_read();
      run.add_problem(path, "changed while read", 0);
    }
    break;
  }
  progress_add(run.progress.files_done, 1);
  if (!is_device(source.stat.mode)) ASL_TRY(add_xattrs(run, entry, io::read_xattrs(source.file.fd()), path));
  run.count_entry(entry);
  return {};
}

Result<void> ingest_stream(IngestRun& run, Entry& entry) {
  ASL_ASSIGN(const std::unique_ptr<Lane> lane, run.writer.make_lane());
  ASL_ASSIGN(const std::unique_ptr<ContentStream> stream, ContentStream::make(run, *lane));
  std::optional<CommandPipe> command;
  if (!run.options.stdin_command.empty()) {
    ASL_ASSIGN(CommandPipe started, CommandPipe::start(run.options.stdin_command));
    command.emplace(std::move(started));
  }
  ASL_ASSIGN(const StreamedContent content, stream->read_pipe(command ? command->fd() : STDIN_FILENO));
  if (command) ASL_TRY(command->finish());
  entry.type = EntryType::kFile;
  entry.mode = kStreamMode;
  entry.uid = geteuid();
  entry.gid = getegid();
  entry.nlink = 1;
  entry.mtime_s = run.options.created_s.value_or(
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
          .count());
  entry.size_bytes = content.length;
  entry.content = content.content;
  entry.hole_bytes = content.hole_bytes;
  run.add_owner(entry.uid, entry.gid);
  run.count_read(RereadReason::kNew, content.length);
  run.count_entry(entry);
  return {};
}

}  // namespace asl
