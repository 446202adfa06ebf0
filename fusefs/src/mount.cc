#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <dirent.h>
#include <memory>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include <asl/fusefs/mount.h>

#include "file_view.h"
#include "handshake.h"
#include "log_sink.h"
#include "memory.h"
#include "mount_options.h"
#include "mount_table.h"
#include "session.h"
#include "unmount_helper.h"

namespace asl::fusefs {
namespace {

// Of 512 MiB that the process may use: windows and extents here, leaves of trees 64 MiB, and the buffers of
// threads.
constexpr std::size_t kReadCacheBytes = 128 << 20;

std::unexpected<Error> bad_mount_point(ErrorCode code, std::string message, const std::string& path,
                                       std::string hint) {
  return fail(Error{.code = code, .message = std::move(message), .path = path, .hint = std::move(hint)});
}

Result<void> check_mount_point(const std::string& path) {
  ASL_ASSIGN(const auto mounted, find_mount(path));
  if (mounted && mounted->type == kFileSystemType)
    return bad_mount_point(ErrorCode::kLocked, "a store is mounted there already", path,
                           "asl umount " + path);
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) {
    Error error = system_error(errno, "cannot mount", path);
    if (error.sys_errno == ENOENT) error.hint = "mkdir " + path;
    return fail(std::move(error));
  }
  if (!S_ISDIR(status.st_mode))
    return bad_mount_point(ErrorCode::kUsage, "cannot mount: not a directory", path,
                           "mkdir another, and name it");
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), ::closedir);
  if (!directory) return fail(system_error(errno, "cannot mount", path));
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    return bad_mount_point(ErrorCode::kUsage, "cannot mount: the directory is not empty", path,
                           "mkdir another: what is in it would be hidden");
  }
  return {};
}

Result<std::string> absolute(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
  if (!real) {
    Error error = system_error(errno, "there is no store here", path);
    error.hint = "asl init " + path + ", or name another with --root";
    return fail(std::move(error));
  }
  return std::string(real.get());
}

Result<void> serve(const MountOptions& options, const ParsedMountOptions& parsed, LogSink& log,
                   const Ready& ready) {
  keep_freed_memory();
  const auto io = io::make_plain_io();
  const auto write_line = [&](const std::string& words) { log.line(words); };
  FileViewOptions view_options{.directory = options.store,
                               .only = {},
                               .domain = {.verify = options.verify,
                                          .read_cache_bytes = kReadCacheBytes,
                                          .use_index_cache = !options.media},
                               .bad_ranges = parsed.bad_ranges,
                               .log = write_line};
  if (!options.only.empty()) view_options.only = OnlyPlace{options.domain, options.only};
  ASL_ASSIGN(const auto view, FileView::open(*io, std::move(view_options)));
  Served served{.view = *view, .log = write_line};
  ASL_ASSIGN(const auto session, Session::mount(served, {.mount_point = options.mount_point,
                                                         .source = "asl:" + options.store,
                                                         .kernel_options = parsed.kernel}));
  return session->serve(ready);
}

}  // namespace

Result<void> mount(const MountOptions& given) {
  MountOptions options = given;
  ASL_ASSIGN(const ParsedMountOptions parsed, parse_mount_options(options.options, ::geteuid() == 0));
  ASL_ASSIGN(options.mount_point, settled_path(given.mount_point));
  ASL_TRY(check_mount_point(options.mount_point));
  ASL_ASSIGN(options.store, absolute(given.store));
  const bool to_file = !options.log_file.empty();
  const LogSink::Kind fallback = options.foreground ? LogSink::Kind::kStandardError : LogSink::Kind::kSystem;
  ASL_ASSIGN(LogSink log, LogSink::open(to_file ? LogSink::Kind::kFile : fallback, options.log_file));
  if (options.foreground) return serve(options, parsed, log, [] {});
  return run_in_background([&](const Ready& ready) { return serve(options, parsed, log, ready); });
}

Result<void> unmount(const std::string& mount_point) {
  ASL_ASSIGN(const std::string path, settled_path(mount_point));
  ASL_ASSIGN(const auto mounted, find_mount(path));
  if (!mounted || mounted->type != kFileSystemType)
    return bad_mount_point(ErrorCode::kNotFound, "no store is mounted there", path, "findmnt -t fuse.asl");
  // A mount whose process is gone answers nothing: then nothing can be in use that could still be used.
  struct stat status{};
  const bool dead = ::stat(path.c_str(), &status) != 0 && errno == ENOTCONN;
  return take_away(path, dead);
}

}  // namespace asl::fusefs
