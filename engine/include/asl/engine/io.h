// The I/O seam. Every byte of a store is read and written through an Io, so that tests can record, lose,
// tear and fail any operation; sources are read through one too. Four implementations: io_uring, plain,
// recording, faulting (make_* below, and src/io/).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <vector>

#include <asl/engine/bytes.h>
#include <asl/engine/error.h>

namespace asl::io {

class Io;

// An open file. Owns its descriptor, closes it through the Io that opened it (which must outlive it).
// Closing reports nothing: what must be durable is synced first.
class File {
 public:
  File() = default;
  File(Io* owner, int fd) : owner_(owner), fd_(fd) {}
  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  ~File();
  int fd() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void close();
  // Gives up the descriptor, which the caller then owns: for an Io that wraps another.
  [[nodiscard]] int release();

 private:
  Io* owner_ = nullptr;
  int fd_ = -1;
};

struct OpenOptions {
  bool write = false;       // read and write; otherwise read only
  bool create_new = false;  // create, fail with kIo/EEXIST if it exists; mode 0600
  bool direct = false;      // O_DIRECT where the file system knows it, silently without elsewhere
  bool no_follow = false;   // a symlink in the last place is ELOOP
  bool directory = false;
  bool no_atime = false;   // O_NOATIME where permitted
  bool path_only = false;  // O_PATH
  bool no_wait = false;    // opening a fifo or a device does not wait for a partner (reading it may)
};

struct ListedEntry {
  std::string name;
  std::uint64_t inode = 0;
  std::uint8_t type = 0;  // DT_* of <dirent.h>
};

struct Completion {
  std::uint64_t token = 0;
  std::int64_t result = 0;  // bytes transferred (may be fewer than asked), or -errno
};

// Asynchronous reads and writes, used by one thread at a time (another may take over, if the caller orders
// the two). Buffers and files must stay alive, in place and untouched until their completion is reaped;
// destroying the queue waits for everything in flight. Completions come in any order. Interrupted transfers
// are retried inside; short ones are reported, not hidden: see src/io/transfer.h.
class Queue {
 public:
  virtual ~Queue() = default;
  // At most capacity() operations may be in flight (queued and not yet reaped); one more is a programming
  // error.
  virtual std::size_t capacity() const = 0;
  virtual std::size_t in_flight() const = 0;
  virtual Result<void> read(const File& file, MutableByteSpan into, std::uint64_t offset,
                            std::uint64_t token) = 0;
  virtual Result<void> write(const File& file, ByteSpan from, std::uint64_t offset, std::uint64_t token) = 0;
  // Hands what was queued to the kernel without waiting (reap does so too).
  virtual Result<void> submit() = 0;
  // Takes finished operations into `out`; with `wait` blocks until at least one is there (returns 0 only if
  // nothing is in flight). Returns how many.
  virtual Result<std::size_t> reap(std::span<Completion> out, bool wait) = 0;
};

// More in flight than any disk can use, and well inside the kernel's limit of 32768.
inline constexpr std::size_t kQueueCapacityMax = 4096;

// An exclusive advisory lock on a file (OFD), held while this object lives.
class Lock {
 public:
  virtual ~Lock() = default;
};

// Thread-safe, except where said. Interrupted calls (EINTR) are retried inside. Paths are byte strings.
class Io {
 public:
  virtual ~Io() = default;

  virtual Result<File> open(const std::string& path, const OpenOptions& options) = 0;
  // Relative to an open directory; `name` is one path component (or "." for a new handle on the directory).
  virtual Result<File> open_at(const File& directory, const std::string& name,
                               const OpenOptions& options) = 0;

  // Reads until `into` is full or the file ends; returns the bytes read.
  virtual Result<std::size_t> read(const File& file, MutableByteSpan into, std::uint64_t offset) = 0;
  // Writes everything or fails.
  virtual Result<void> write(const File& file, ByteSpan from, std::uint64_t offset) = 0;
  virtual Result<void> truncate(const File& file, std::uint64_t length) = 0;
  // Reserves space for [0, length), zeros where nothing was written, and grows the size to at least `length`.
  // kUnsupported where the file system cannot.
  virtual Result<void> allocate(const File& file, std::uint64_t length) = 0;
  // Data and the metadata needed to read it back are on the medium when it returns (fdatasync, fsync).
  virtual Result<void> sync_data(const File& file) = 0;
  virtual Result<void> sync(const File& file) = 0;

  virtual Result<struct stat> status(const File& file) = 0;
  // Does not follow a final symlink.
  virtual Result<struct stat> status(const std::string& path) = 0;
  // Unsorted, without "." and "..".
  virtual Result<std::vector<ListedEntry>> list(const std::string& path) = 0;

  // Durable only after sync_directory of the parents concerned.
  virtual Result<void> make_directory(const std::string& path) = 0;  // EEXIST is an error
  // Without `replace` an existing `to` is EEXIST.
  virtual Result<void> rename(const std::string& from, const std::string& to, bool replace) = 0;
  virtual Result<void> link(const std::string& from, const std::string& to) = 0;
  virtual Result<void> remove(const std::string& path) = 0;            // a file
  virtual Result<void> remove_directory(const std::string& path) = 0;  // an empty directory
  virtual Result<void> sync_directory(const std::string& path) = 0;

  // Creates the file if needed. kLocked if another process (or another Lock of this one) holds it;
  // `wait_ms` is how long to keep trying. The lock ends with the object or with the last process that
  // inherited it.
  virtual Result<std::unique_ptr<Lock>> lock(const std::string& path, std::uint32_t wait_ms) = 0;

  // `capacity` is 1 to kQueueCapacityMax. The Io must outlive the queue.
  virtual Result<std::unique_ptr<Queue>> make_queue(std::size_t capacity) = 0;

 protected:
  friend class File;
  virtual void close(int fd) = 0;
};

// Synchronous system calls; its queue completes each operation as it is queued.
std::unique_ptr<Io> make_plain_io();
// Queues run on io_uring, everything else as plain. Falls back to plain where the kernel refuses io_uring
// (a container, seccomp, kernel.io_uring_disabled).
std::unique_ptr<Io> make_uring_io();
// The one a program should use: io_uring unless the environment variable ASL_IO=plain says otherwise.
std::unique_ptr<Io> make_default_io();

// Helpers over any Io.
// The whole file; kMalformed if it is longer than `size_max`.
Result<Bytes> read_file(Io& io, const std::string& path, std::uint64_t size_max);
// Writes `path` whole through a temporary file beside it, synced before it is renamed over `path`; then the
// directory is synced: on return the new content is durable, and at any moment either the old or the new is
// there. The temporary file is `path` with ".new" added; one left by a crash is overwritten. One writer at a
// time.
Result<void> replace_file(Io& io, const std::string& path, ByteSpan bytes);
// Also true for a dangling symlink; false where the path cannot be reached.
bool exists(Io& io, const std::string& path);

}  // namespace asl::io
