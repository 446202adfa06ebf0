// An Io that fails on demand.
#pragma once

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <asl/engine/io.h>

namespace asl::io {

enum class CallKind : std::uint8_t {
  kOpen,  // of something that exists
  kCreate,
  kRead,  // also by queues, as is
  kWrite,
  kTruncate,
  kAllocate,
  kSyncData,
  kSync,
  kStatus,
  kList,
  kMakeDirectory,
  kRename,
  kLink,
  kRemove,
  kRemoveDirectory,
  kSyncDirectory,
  kLock,
  kMakeQueue,
};
inline constexpr std::size_t kCallKindCount = 18;

struct FaultRule {
  static constexpr std::uint64_t kForEver = std::numeric_limits<std::uint64_t>::max();

  // Which calls: of this kind (of any, if none) on a path that contains this text. A rename and a link match
  // by either name; a call on an open file by the path it was opened with.
  std::optional<CallKind> kind = std::nullopt;
  std::string path_contains = {};
  // Of the calls that match, the first to fail (1 is the next) and how many do.
  std::uint64_t first = 1;
  std::uint64_t count = kForEver;
  // How: with this errno; or, if 0, a read or write that transfers too little and says so. (An Io::write,
  // which transfers everything or fails, then does everything.)
  int sys_errno = EIO;
  // Of a read or write: how many bytes are transferred all the same. More than were asked for means all.
  std::size_t transferred_bytes = 0;
};

// Passes every call to `inner` unless a rule says otherwise; a call that fails by a rule without transferred
// bytes does not reach `inner`. The first rule that fires decides. Thread-safe. `inner` must outlive it.
class FaultingIo : public Io {
 public:
  explicit FaultingIo(Io& inner) : inner_(inner) {}

  // From now on; its calls are counted from here. Returns the rule's number, for fired().
  std::size_t add(FaultRule rule);
  // No more faults.
  void clear();
  // How many calls the rule has failed.
  std::uint64_t fired(std::size_t rule) const;
  // How many calls there were since the start, failed ones included: run once without rules, then fail the
  // 1st, the 2nd, ... of so many.
  std::uint64_t calls(CallKind kind) const;
  std::uint64_t calls() const;

  Result<File> open(const std::string& path, const OpenOptions& options) override;
  Result<File> open_at(const File& directory, const std::string& name, const OpenOptions& options) override;
  Result<std::size_t> read(const File& file, MutableByteSpan into, std::uint64_t offset) override;
  Result<void> write(const File& file, ByteSpan from, std::uint64_t offset) override;
  Result<void> truncate(const File& file, std::uint64_t length) override;
  Result<void> allocate(const File& file, std::uint64_t length) override;
  Result<void> sync_data(const File& file) override;
  Result<void> sync(const File& file) override;
  Result<struct stat> status(const File& file) override;
  Result<struct stat> status(const std::string& path) override;
  Result<std::vector<ListedEntry>> list(const std::string& path) override;
  Result<void> make_directory(const std::string& path) override;
  Result<void> rename(const std::string& from, const std::string& to, bool replace) override;
  Result<void> link(const std::string& from, const std::string& to) override;
  Result<void> remove(const std::string& path) override;
  Result<void> remove_directory(const std::string& path) override;
  Result<void> sync_directory(const std::string& path) override;
  Result<std::unique_ptr<Lock>> lock(const std::string& path, std::uint32_t wait_ms) override;
  Result<std::unique_ptr<Queue>> make_queue(std::size_t capacity) override;

 protected:
  void close(int fd) override;

 private:
  friend class FaultingQueue;
  struct Fault {
    int sys_errno;
    std::size_t transferred_bytes;
  };
  struct Rule {
    FaultRule what;
    std::uint64_t matched = 0;
    std::uint64_t fired = 0;
    bool active = true;
  };

  // Counts the call and says whether it fails. `other_path` is the second name of a rename or link.
  std::optional<Fault> judge(CallKind kind, const std::string& path, const std::string& other_path = {});
  std::optional<Fault> judge(CallKind kind, const File& file) { return judge(kind, opened_path(file)); }
  // The error of a call that is not a transfer, if it fails.
  Result<void> pass(CallKind kind, const std::string& path, const std::string& other_path = {});
  Result<void> pass(CallKind kind, const File& file) { return pass(kind, opened_path(file)); }
  std::string opened_path(const File& file) const;
  File keep_open(File file, const std::string& path);

  Io& inner_;
  mutable std::mutex mutex_;
  std::vector<Rule> rules_;
  std::array<std::uint64_t, kCallKindCount> calls_ = {};
  std::unordered_map<int, std::string> paths_;  // by descriptor
};

}  // namespace asl::io
