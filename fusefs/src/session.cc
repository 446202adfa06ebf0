#include "session.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdarg>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <unistd.h>
#include <utility>

#include "content_search.h"
#include "memory.h"
#include "mount_table.h"
#include "unmount_helper.h"

namespace asl::fusefs {
namespace {

constexpr auto kWatchInterval = std::chrono::seconds(1);
// What a program that has files open gets to finish in, once a signal asked to stop.
constexpr auto kStopGrace = std::chrono::seconds(2);
// Each serves one request at a time. More than processors: most wait for the disk.
constexpr unsigned kThreadsMax = 16;
// Requests of the largest size on their way at once, for one file that is read from end to end.
constexpr unsigned kReadAheadKib = 8192;

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, number);
  return set;
}

// libfuse has words for what went wrong, and only there.
thread_local std::string said;

__attribute__((format(printf, 2, 0))) void hear(fuse_log_level, const char* format, va_list arguments) {
  char text[1024];
  const int size = std::vsnprintf(text, sizeof text, format, arguments);
  if (size > 0) said.append(text, std::min(static_cast<std::size_t>(size), sizeof text - 1));
}

Error mount_error(const SessionOptions& options) {
  while (said.ends_with('\n')) said.pop_back();
  Error error{.code = ErrorCode::kIo, .message = "cannot mount", .path = options.mount_point};
  if (!said.empty()) error.message += " (" + said + ")";
  if (::access("/dev/fuse", F_OK) != 0) {
    error.code = ErrorCode::kUnsupported;
    error.message = "cannot mount: this system has no /dev/fuse";
    error.hint = "modprobe fuse, as root";
  } else if (::access("/dev/fuse", R_OK | W_OK) != 0) {
    error.hint = "chmod a+rw /dev/fuse, as root: users mount by it (udev sets this where it runs)";
  } else if (::geteuid() != 0 && std::ranges::count(options.kernel_options, "allow_other") > 0) {
    error.hint = "put user_allow_other into /etc/fuse.conf, as root: -o allow_other needs it";
  } else if (::geteuid() != 0) {
    error.hint =
        "install fuse3 (its fusermount3 mounts for users), and see that you may write to the directory";
  }
  return error;
}

}  // namespace

Result<std::unique_ptr<Session>> Session::mount(Served& served, const SessionOptions& options) {
  std::unique_ptr<Session> session(new Session(served, options));
  const sigset_t stops = stop_signals();
  ::pthread_sigmask(SIG_BLOCK, &stops, nullptr);
  fuse_set_log_func(hear);
  fuse_args arguments = FUSE_ARGS_INIT(0, nullptr);
  fuse_opt_add_arg(&arguments, "asl");
  std::string joined = fmt::format("max_read={},subtype=asl,fsname=", kRequestBytesMax);
  for (const char c : options.source) {
    if (c == ',' || c == '\\') joined += '\\';
    joined += c;
  }
  for (const std::string& option : options.kernel_options) joined += "," + option;
  fuse_opt_add_arg(&arguments, ("-o" + joined).c_str());
  said.clear();
  session->session_.reset(fuse_session_new(&arguments, &operations(), sizeof(fuse_lowlevel_ops), &served));
  fuse_opt_free_args(&arguments);
  if (!session->session_) return fail(mount_error(options));
  if (fuse_session_mount(session->session_.get(), options.mount_point.c_str()) != 0)
    return fail(mount_error(options));
  session->mounted_ = true;
  session->neighbours_ = std::make_unique<NeighbourReader>(
      served.view, [self = session.get()](std::uint64_t node, MutableByteSpan content) {
        return self->store(node, content);
      });
  served.neighbours = session->neighbours_.get();
  session->read_ahead_ = std::make_unique<FileReadAhead>();
  served.read_ahead = session->read_ahead_.get();
  return session;
}

Session::~Session() {
  served_.neighbours = nullptr;
  neighbours_.reset();
  served_.read_ahead = nullptr;
  read_ahead_.reset();
  if (mounted_) fuse_session_unmount(session_.get());
}

Result<void> Session::serve(const std::function<void()>& ready) {
  std::thread signals([this] { wait_for_signal(); });
  std::thread watcher([&] { watch(ready); });
  fuse_loop_config* config = fuse_loop_cfg_create();
  fuse_loop_cfg_set_clone_fd(config, 1);
  fuse_loop_cfg_set_max_threads(config, kThreadsMax);
  fuse_loop_cfg_set_idle_threads(config, kThreadsMax);
  const int outcome = fuse_session_loop_mt(session_.get(), config);
  fuse_loop_cfg_destroy(config);
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  ended_changed_.notify_all();
  // It waits for a signal that need not come any more.
  ::pthread_kill(signals.native_handle(), SIGTERM);
  signals.join();
  watcher.join();
  if (outcome < 0) return fail(system_error(-outcome, "the mount ended", options_.mount_point));
  return {};
}

void Session::wait_for_signal() {
  const sigset_t stops = stop_signals();
  int number = 0;
  ::sigwait(&stops, &number);
  std::unique_lock lock(mutex_);
  if (ended_) return;
  lock.unlock();
  fuse_session_exit(session_.get());
  // Threads that wait for requests end when the mount is gone; it stays as long as files on it are open.
  if (auto gone = take_away(options_.mount_point, true); !gone) served_.log(gone.error().to_string());
  lock.lock();
  if (ended_changed_.wait_for(lock, kStopGrace, [&] { return ended_; })) return;
  // Somebody holds a file open. There is nothing here to lose: the kernel ends the mount with the process.
  ::_exit(0);
}

// The kernel's 128 KiB would keep one request on its way at a time. Only root may raise it.
void Session::raise_read_ahead() {
  const auto found = find_mount(options_.mount_point);
  if (!found || !*found) return;
  const std::string path = "/sys/class/bdi/" + (*found)->device + "/read_ahead_kb";
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  const std::string value = std::to_string(kReadAheadKib);
  // Without it reading is slower, not wrong.
  static_cast<void>(::write(fd, value.data(), value.size()) < 0);
  ::close(fd);
}

void Session::watch(const std::function<void()>& ready) {
  // The kernel settles its own read-ahead when the mount answers for the first time.
  struct stat status{};
  static_cast<void>(::stat(options_.mount_point.c_str(), &status));
  raise_read_ahead();
  ready();
  std::unique_lock lock(mutex_);
  while (!ended_changed_.wait_for(lock, kWatchInterval, [&] { return ended_; })) {
    lock.unlock();
    give_back_spare_memory();
    for (DomainView* domain : served_.view.domains().all()) {
      const auto change = domain->take_change();
      if (!change)
        served_.log(change.error().to_string());
      else if (change->moved)
        tell(*domain, *change);
    }
    lock.lock();
  }
}

// What the kernel keeps of a withdrawn file goes: the next read asks, and is refused.
void Session::withdraw(DomainView& domain, const std::vector<Reference>& contents) {
  const References wanted(contents.begin(), contents.end());
  const auto done = find_nodes(domain, wanted, [&](std::uint64_t node) {
    static_cast<void>(fuse_lowlevel_notify_inval_inode(session_.get(), node, 0, 0));
  });
  if (!done) served_.log(done.error().words);
}

bool Session::store(std::uint64_t node, MutableByteSpan content) {
  fuse_bufvec buffers = FUSE_BUFVEC_INIT(content.size());
  buffers.buf[0].mem = content.data();
  return fuse_lowlevel_notify_store(session_.get(), node, 0, &buffers, FUSE_BUF_NO_SPLICE) == 0;
}

void Session::tell(DomainView& domain, const DomainChange& change) {
  served_.view.drop_contents();
  if (!change.withdrawn.empty()) withdraw(domain, change.withdrawn);
  if (!served_.view.shows_everything()) return;
  const auto drop = [&](std::uint64_t directory, const std::string& name) {
    // Most often the kernel does not know the name, which is as good.
    static_cast<void>(fuse_lowlevel_notify_inval_entry(session_.get(), directory, name.c_str(), name.size()));
  };
  drop(ControlTree::domain_directory(domain.slot()), "latest");
  drop(ControlTree::facts_directory(domain.slot()), "log.txt");
  drop(ControlTree::facts_directory(domain.slot()), "domain.json");
  for (const std::uint64_t id : change.forgotten)
    drop(ControlTree::snapshots_directory(domain.slot()), std::to_string(id));
  // Their times of change have moved: the next listing is a new one.
  for (const std::uint64_t directory :
       {ControlTree::domain_directory(domain.slot()), ControlTree::snapshots_directory(domain.slot()),
        ControlTree::labels_directory(domain.slot()), ControlTree::facts_directory(domain.slot())})
    static_cast<void>(fuse_lowlevel_notify_inval_inode(session_.get(), directory, -1, 0));
}

}  // namespace asl::fusefs
