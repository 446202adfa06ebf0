#include "io/faulting_io.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "io/faulting_queue.h"

namespace asl::io {

std::size_t FaultingIo::add(FaultRule rule) {
  const std::scoped_lock hold(mutex_);
  rules_.push_back({.what = std::move(rule)});
  return rules_.size() - 1;
}

void FaultingIo::clear() {
  const std::scoped_lock hold(mutex_);
  for (Rule& rule : rules_) rule.active = false;
}

std::uint64_t FaultingIo::fired(std::size_t rule) const {
  const std::scoped_lock hold(mutex_);
  return rules_.at(rule).fired;
}

std::uint64_t FaultingIo::calls(CallKind kind) const {
  const std::scoped_lock hold(mutex_);
  return calls_[static_cast<std::size_t>(kind)];
}

std::uint64_t FaultingIo::calls() const {
  const std::scoped_lock hold(mutex_);
  return std::accumulate(calls_.begin(), calls_.end(), std::uint64_t{0});
}

std::optional<FaultingIo::Fault> FaultingIo::judge(CallKind kind, const std::string& path,
                                                   const std::string& other_path) {
  const std::scoped_lock hold(mutex_);
  ++calls_[static_cast<std::size_t>(kind)];
  std::optional<Fault> fault;
  // Every rule counts what it matches, whether or not another fires first.
  for (Rule& rule : rules_) {
    const FaultRule& what = rule.what;
    if (!rule.active || (what.kind && *what.kind != kind)) continue;
    if (!path.contains(what.path_contains) && !other_path.contains(what.path_contains)) continue;
    ++rule.matched;
    if (fault || rule.matched < what.first || rule.matched - what.first >= what.count) continue;
    ++rule.fired;
    fault = {.sys_errno = what.sys_errno, .transferred_bytes = what.transferred_bytes};
  }
  return fault;
}

Result<void> FaultingIo::pass(CallKind kind, const std::string& path, const std::string& other_path) {
  const auto fault = judge(kind, path, other_path);
  if (fault && fault->sys_errno != 0)
    return fail(system_error(fault->sys_errno, "call failed by a test's rule", path));
  return {};
}

std::string FaultingIo::opened_path(const File& file) const {
  const std::scoped_lock hold(mutex_);
  const auto found = paths_.find(file.fd());
  return found == paths_.end() ? std::string() : found->second;
}

File FaultingIo::keep_open(File file, const std::string& path) {
  const std::scoped_lock hold(mutex_);
  const int fd = file.release();
  paths_[fd] = path;
  return File(this, fd);
}

Result<File> FaultingIo::open(const std::string& path, const OpenOptions& options) {
  ASL_TRY(pass(options.create_new ? CallKind::kCreate : CallKind::kOpen, path));
  ASL_ASSIGN(File file, inner_.open(path, options));
  return keep_open(std::move(file), path);
}

Result<File> FaultingIo::open_at(const File& directory, const std::string& name, const OpenOptions& options) {
  const std::string path = opened_path(directory) + "/" + name;
  ASL_TRY(pass(options.create_new ? CallKind::kCreate : CallKind::kOpen, path));
  ASL_ASSIGN(File file, inner_.open_at(directory, name, options));
  return keep_open(std::move(file), path);
}

Result<std::size_t> FaultingIo::read(const File& file, MutableByteSpan into, std::uint64_t offset) {
  const auto fault = judge(CallKind::kRead, file);
  if (!fault) return inner_.read(file, into, offset);
  const std::size_t size = std::min(into.size(), fault->transferred_bytes);
  ASL_ASSIGN(const std::size_t done, inner_.read(file, into.first(size), offset));
  if (fault->sys_errno == 0) return done;
  return fail(system_error(fault->sys_errno, "cannot read", opened_path(file)).with_offset(offset));
}

Result<void> FaultingIo::write(const File& file, ByteSpan from, std::uint64_t offset) {
  const auto fault = judge(CallKind::kWrite, file);
  if (!fault || fault->sys_errno == 0) return inner_.write(file, from, offset);
  const std::size_t size = std::min(from.size(), fault->transferred_bytes);
  if (size > 0) ASL_TRY(inner_.write(file, from.first(size), offset));
  return fail(system_error(fault->sys_errno, "cannot write", opened_path(file)).with_offset(offset));
}

Result<void> FaultingIo::truncate(const File& file, std::uint64_t length) {
  ASL_TRY(pass(CallKind::kTruncate, file));
  return inner_.truncate(file, length);
}

Result<void> FaultingIo::allocate(const File& file, std::uint64_t length) {
  ASL_TRY(pass(CallKind::kAllocate, file));
  return inner_.allocate(file, length);
}

Result<void> FaultingIo::sync_data(const File& file) {
  ASL_TRY(pass(CallKind::kSyncData, file));
  return inner_.sync_data(file);
}

Result<void> FaultingIo::sync(const File& file) {
  ASL_TRY(pass(CallKind::kSync, file));
  return inner_.sync(file);
}

Result<struct stat> FaultingIo::status(const File& file) {
  ASL_TRY(pass(CallKind::kStatus, file));
  return inner_.status(file);
}

Result<struct stat> FaultingIo::status(const std::string& path) {
  ASL_TRY(pass(CallKind::kStatus, path));
  return inner_.status(path);
}

Result<std::vector<ListedEntry>> FaultingIo::list(const std::string& path) {
  ASL_TRY(pass(CallKind::kList, path));
  return inner_.list(path);
}

Result<void> FaultingIo::make_directory(const std::string& path) {
  ASL_TRY(pass(CallKind::kMakeDirectory, path));
  return inner_.make_directory(path);
}

Result<void> FaultingIo::rename(const std::string& from, const std::string& to, bool replace) {
  ASL_TRY(pass(CallKind::kRename, from, to));
  return inner_.rename(from, to, replace);
}

Result<void> FaultingIo::link(const std::string& from, const std::string& to) {
  ASL_TRY(pass(CallKind::kLink, from, to));
  return inner_.link(from, to);
}

Result<void> FaultingIo::remove(const std::string& path) {
  ASL_TRY(pass(CallKind::kRemove, path));
  return inner_.remove(path);
}

Result<void> FaultingIo::remove_directory(const std::string& path) {
  ASL_TRY(pass(CallKind::kRemoveDirectory, path));
  return inner_.remove_directory(path);
}

Result<void> FaultingIo::sync_directory(const std::string& path) {
  ASL_TRY(pass(CallKind::kSyncDirectory, path));
  return inner_.sync_directory(path);
}

Result<std::unique_ptr<Lock>> FaultingIo::lock(const std::string& path, std::uint32_t wait_ms) {
  ASL_TRY(pass(CallKind::kLock, path));
  return inner_.lock(path, wait_ms);
}

Result<std::unique_ptr<Queue>> FaultingIo::make_queue(std::size_t capacity) {
  ASL_TRY(pass(CallKind::kMakeQueue, std::string()));
  ASL_ASSIGN(auto queue, inner_.make_queue(capacity));
  return std::make_unique<FaultingQueue>(*this, std::move(queue));
}

void FaultingIo::close(int fd) {
  {
    const std::scoped_lock hold(mutex_);
    paths_.erase(fd);
  }
  File(&inner_, fd).close();
}

}  // namespace asl::io
