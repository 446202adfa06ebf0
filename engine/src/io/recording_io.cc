#include "io/recording_io.h"

#include <filesystem>
#include <utility>

#include "io/recording_queue.h"

namespace asl::io {

std::size_t RecordingIo::operation_count() const {
  const std::scoped_lock hold(mutex_);
  return operations_.size();
}

Result<void> RecordingIo::materialise(std::size_t count, const CrashPolicy& policy,
                                      const std::string& destination) const {
  const std::scoped_lock hold(mutex_);
  return state_after_crash(base_, operations_, count, policy).write_to(inner_, destination);
}

Result<File> RecordingIo::open(const std::string& path, const OpenOptions& options) {
  const std::scoped_lock hold(mutex_);
  ASL_ASSIGN(File file, inner_.open(path, options));
  const auto where = place(path);
  if (!where) {
    const bool is_root = relative(path) == "";
    return keep_open(std::move(file), is_root ? std::optional(kRootNode) : std::nullopt, "");
  }
  if (options.create_new) log_create(*where, OperationKind::kCreate, {});
  return keep_open(std::move(file), node_at(*where), where->path);
}

Result<File> RecordingIo::open_at(const File& directory, const std::string& name,
                                  const OpenOptions& options) {
  const std::scoped_lock hold(mutex_);
  ASL_ASSIGN(File file, inner_.open_at(directory, name, options));
  const OpenFile* const parent = find_open(directory);
  if (parent == nullptr) return keep_open(std::move(file), std::nullopt, "");
  if (name == ".") return keep_open(std::move(file), parent->node, std::string(parent->path));
  const Place where = {parent->node, name, parent->path.empty() ? name : parent->path + "/" + name};
  if (options.create_new) log_create(where, OperationKind::kCreate, {});
  return keep_open(std::move(file), node_at(where), where.path);
}

Result<std::size_t> RecordingIo::read(const File& file, MutableByteSpan into, std::uint64_t offset) {
  return inner_.read(file, into, offset);
}

Result<void> RecordingIo::write(const File& file, ByteSpan from, std::uint64_t offset) {
  const std::scoped_lock hold(mutex_);
  const auto operation = log_write(file, from, offset);
  ASL_TRY(inner_.write(file, from, offset));
  if (operation) operations_[*operation].completed_at = operations_.size();
  return {};
}

Result<void> RecordingIo::truncate(const File& file, std::uint64_t length) {
  const std::scoped_lock hold(mutex_);
  ASL_TRY(inner_.truncate(file, length));
  log_data(OperationKind::kTruncate, file, length);
  return {};
}

Result<void> RecordingIo::allocate(const File& file, std::uint64_t length) {
  const std::scoped_lock hold(mutex_);
  ASL_TRY(inner_.allocate(file, length));
  log_data(OperationKind::kAllocate, file, length);
  return {};
}

Result<void> RecordingIo::sync_data(const File& file) {
  const std::scoped_lock hold(mutex_);
  auto result = inner_.sync_data(file);
  if (const OpenFile* const open = find_open(file))
    log_sync(OperationKind::kSyncData, open->node, open->path, result.has_value());
  return result;
}

Result<void> RecordingIo::sync(const File& file) {
  const std::scoped_lock hold(mutex_);
  auto result = inner_.sync(file);
  if (const OpenFile* const open = find_open(file))
    log_sync(OperationKind::kSync, open->node, open->path, result.has_value());
  return result;
}

Result<struct stat> RecordingIo::status(const File& file) {
  return inner_.status(file);
}
Result<struct stat> RecordingIo::status(const std::string& path) {
  return inner_.status(path);
}
Result<std::vector<ListedEntry>> RecordingIo::list(const std::string& path) {
  return inner_.list(path);
}

Result<void> RecordingIo::make_directory(const std::string& path) {
  const std::scoped_lock hold(mutex_);
  ASL_TRY(inner_.make_directory(path));
  if (const auto where = place(path)) log_create(*where, OperationKind::kMakeDirectory, {});
  return {};
}

Result<void> RecordingIo::rename(const std::string& from, const std::string& to, bool replace) {
  const std::scoped_lock hold(mutex_);
  ASL_TRY(inner_.rename(from, to, replace));
  if (!place(to)) {
    log_removal(OperationKind::kRemove, from);
    return {};
  }
  return log_arrival(from, to, OperationKind::kRename);
}

Result<void> RecordingIo::link(const std::string& from, const std::string& to) {
  const std::scoped_lock hold(mutex_);
  ASL_TRY(inner_.link(from, to));
  if (!place(to)) return {};
  return log_arrival(from, to, OperationKind::kLink);
}

Result<void> RecordingIo::remove(const std::string& path) {
  const std::scoped_lock hold(mutex_);
  ASL_TRY(inner_.remove(path));
  log_removal(OperationKind::kRemove, path);
  return {};
}

Result<void> RecordingIo::remove_directory(const std::string& path) {
  const std::scoped_lock hold(mutex_);
  ASL_TRY(inner_.remove_directory(path));
  log_removal(OperationKind::kRemoveDirectory, path);
  return {};
}

Result<void> RecordingIo::sync_directory(const std::string& path) {
  const std::scoped_lock hold(mutex_);
  auto result = inner_.sync_directory(path);
  const auto name = relative(path);
  const auto node = name ? live_.find(*name) : std::nullopt;
  if (node) log_sync(OperationKind::kSync, *node, *name, result.has_value());
  return result;
}

Result<std::unique_ptr<Lock>> RecordingIo::lock(const std::string& path, std::uint32_t wait_ms) {
  // Waiting for another holder must not keep that one from writing, so only the logging is serialised.
  ASL_ASSIGN(auto lock, inner_.lock(path, wait_ms));
  const std::scoped_lock hold(mutex_);
  if (const auto where = place(path); where && !node_at(*where))
    log_create(*where, OperationKind::kCreate, {});
  return lock;
}

Result<std::unique_ptr<Queue>> RecordingIo::make_queue(std::size_t capacity) {
  ASL_ASSIGN(auto queue, inner_.make_queue(capacity));
  return std::make_unique<RecordingQueue>(*this, std::move(queue));
}

void RecordingIo::close(int fd) {
  {
    const std::scoped_lock hold(mutex_);
    open_files_.erase(fd);
  }
  File(&inner_, fd).close();
}

}  // namespace asl::io
