// One mount while it is served.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "operations.h"

namespace asl::fusefs {

struct SessionOptions {
  std::string mount_point;  // as settled_path gives it
  std::string source;       // what `mount` and `df` show as the device
  std::vector<std::string> kernel_options;
};

// Blocks SIGTERM, SIGINT and SIGHUP in the thread that makes it, and so in all that are started later; they
// end the mount.
class Session {
 public:
  // Mounts; requests wait until serve() runs. `served` must outlive the object. Errors: kUnsupported without
  // FUSE, kIo where the system refuses.
  static Result<std::unique_ptr<Session>> mount(Served& served, const SessionOptions& options);
  ~Session();

  // Until the mount is taken away or a signal asks to stop. Calls `ready` when the mount answers.
  Result<void> serve(const std::function<void()>& ready);

 private:
  struct Destroy {
    void operator()(fuse_session* session) const { fuse_session_destroy(session); }
  };
  Session(Served& served, SessionOptions options) : served_(served), options_(std::move(options)) {}
  // Looks every second whether the log of a domain has grown, and tells the kernel what that changes.
  void watch(const std::function<void()>& ready);
  void tell(DomainView& domain, const DomainChange& change);
  void wait_for_signal();
  void raise_read_ahead();

  void withdraw(DomainView& domain, const std::vector<Reference>& contents);
  bool store(std::uint64_t node, MutableByteSpan content);

  Served& served_;
  const SessionOptions options_;
  std::unique_ptr<fuse_session, Destroy> session_;
  bool mounted_ = false;
  std::unique_ptr<NeighbourReader> neighbours_;
  std::unique_ptr<FileReadAhead> read_ahead_;
  std::mutex mutex_;
  std::condition_variable ended_changed_;
  bool ended_ = false;
};

}  // namespace asl::fusefs
