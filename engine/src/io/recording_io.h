// An Io that logs what changes a directory, and can show that directory as a power cut might have left it.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include <asl/engine/io.h>

#include "io/crash_model.h"

namespace asl::io {

// Passes every call to `inner`, and logs those that succeed, change something below `root` and go through
// this object. What was there at the start is read into memory and counts as durable; so does what is later
// linked or renamed into the root. Files made behind its back (RocksDB's) are unknown to it and part of no
// state.
//
// Thread-safe: changes are logged in the order in which they happen, one at a time. A queued write is logged
// when it is queued, and is covered only by syncs that begin after it was reaped. All bytes written stay in
// memory.
class RecordingIo : public Io {
 public:
  // `root` is an existing directory; `inner` must outlive the new object.
  static Result<std::unique_ptr<RecordingIo>> create(Io& inner, const std::string& root);

  // The number of operations so far: note it when something was promised to be durable.
  std::size_t operation_count() const;
  // For when nothing is being recorded.
  const std::vector<Operation>& operations() const { return operations_; }
  // Makes `destination`, a path that does not exist and lies outside the root, a directory as `root` could be
  // after a power cut that came when `count` operations had been done.
  Result<void> materialise(std::size_t count, const CrashPolicy& policy,
                           const std::string& destination) const;

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
  friend class RecordingQueue;
  struct OpenFile {
    NodeId node;
    std::string path;  // relative to the root
  };
  // A name in a known directory; what it names need not exist.
  struct Place {
    NodeId directory;
    std::string name;
    std::string path;
  };

  RecordingIo(Io& inner, std::string root) : inner_(inner), root_(std::move(root)) {}
  Result<void> load_base();
  Result<void> load_directory(const std::string& relative, NodeId directory,
                              std::unordered_map<std::uint64_t, NodeId>& by_inode,
                              std::vector<std::pair<std::string, NodeId>>& pending);

  // All below: with mutex_ held.
  std::optional<std::string> relative(const std::string& path) const;
  std::optional<Place> place(const std::string& path) const;
  std::optional<NodeId> node_at(const Place& place) const;
  File keep_open(File file, std::optional<NodeId> node, const std::string& path);
  const OpenFile* find_open(const File& file) const;
  // Index of the new operation.
  std::size_t log(Operation operation);
  void log_create(const Place& place, OperationKind kind, Bytes content);
  std::optional<std::size_t> log_write(const File& file, ByteSpan from, std::uint64_t offset);
  void log_data(OperationKind kind, const File& file, std::uint64_t length);
  void log_sync(OperationKind kind, NodeId node, const std::string& path, bool succeeded);
  void log_removal(OperationKind kind, const std::string& path);
  Result<void> log_arrival(const std::string& from, const std::string& to, OperationKind kind);

  Io& inner_;
  const std::string root_;
  ModelTree base_;
  mutable std::mutex mutex_;
  ModelTree live_;  // the names as they are now; no content
  std::vector<Operation> operations_;
  std::unordered_map<int, OpenFile> open_files_;  // by descriptor
};

}  // namespace asl::io
