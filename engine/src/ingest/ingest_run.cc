#include "ingest/ingest_run.h"

#include <algorithm>
#include <array>
#include <grp.h>
#include <linux/stat.h>
#include <pwd.h>
#include <sys/stat.h>

namespace asl {
namespace {

// What statx tells without opening the file; the values are those of FS_IOC_GETFLAGS.
constexpr std::uint64_t kInodeFlagAttributes =
    STATX_ATTR_COMPRESSED | STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND | STATX_ATTR_NODUMP;
// Room for one passwd or group line; a group with a hundred thousand members has a longer one and stays a
// number.
constexpr std::size_t kNameBufferSize = 1 << 20;

EntryType type_of(std::uint32_t mode) {
  switch (mode & S_IFMT) {
    case S_IFDIR:
      return EntryType::kDirectory;
    case S_IFLNK:
      return EntryType::kSymlink;
    case S_IFCHR:
      return EntryType::kCharDevice;
    case S_IFBLK:
      return EntryType::kBlockDevice;
    case S_IFIFO:
      return EntryType::kFifo;
    case S_IFSOCK:
      return EntryType::kSocket;
    default:
      return EntryType::kFile;
  }
}

}  // namespace

std::string_view reread_reason_name(RereadReason reason) {
  switch (reason) {
    case RereadReason::kNew:
      return "new";
    case RereadReason::kSize:
      return "size changed";
    case RereadReason::kTime:
      return "time changed";
    case RereadReason::kIdentity:
      return "another inode";
    case RereadReason::kNotTrusted:
      return "was incomplete";
    case RereadReason::kStoreChanged:
      return "store changed";
    case RereadReason::kCount:
      break;
  }
  return "";
}

void fill_entry(Entry& entry, const io::SourceStat& stat) {
  entry.type = type_of(stat.mode);
  entry.mode = static_cast<std::uint16_t>(stat.mode & kModeMask);
  entry.uid = stat.uid;
  entry.gid = stat.gid;
  entry.mtime_s = stat.mtime.seconds;
  entry.mtime_ns = stat.mtime.nanoseconds;
  entry.nlink = stat.nlink;
  if (entry.type == EntryType::kFile) entry.size_bytes = stat.size;
  if (entry.type == EntryType::kCharDevice || entry.type == EntryType::kBlockDevice) entry.rdev = stat.rdev;
  if (stat.btime) {
    entry.btime_s = stat.btime->seconds;
    entry.btime_ns = stat.btime->nanoseconds;
  }
  entry.inode_flags = static_cast<std::uint32_t>(stat.attributes & kInodeFlagAttributes);
}

Result<void> add_xattrs(IngestRun& run, Entry& entry, Result<io::XattrSet> set, const std::string& path) {
  if (!set || set->failed_errno != 0) {
    run.add_problem(path, "xattrs", set ? set->failed_errno : set.error().sys_errno);
    entry.flags |= kEntryMetadataIncomplete;
    if (!set) return {};
  }
  for (io::Xattr& xattr : set->items) {
    const ByteSpan name = as_bytes(xattr.name);
    entry.xattrs.push_back({Bytes(name.begin(), name.end()), std::move(xattr.value), {}});
  }
  const bool all = xattrs_need_references(entry);
  for (Xattr& xattr : entry.xattrs) {
    if (!all && xattr.value.size() <= kXattrInlineSizeMax) continue;
    ASL_ASSIGN(xattr.ref, run.writer.put_untyped(xattr.value));
    xattr.value.clear();
  }
  return {};
}

void IngestRun::abort(Error error) {
  const std::lock_guard lock(failure_mutex_);
  if (!failure_) failure_ = std::move(error);
  aborted_.store(true, std::memory_order_relaxed);
}

std::optional<Error> IngestRun::failure() const {
  const std::lock_guard lock(failure_mutex_);
  return failure_;
}

bool IngestRun::must_stop() {
  if (aborted()) return true;
  if (auto go_on = stop.check(); !go_on) {
    abort(std::move(go_on).error());
    return true;
  }
  return false;
}

void IngestRun::add_problem(const std::string& path, std::string operation, int sys_errno) {
  problem_count_.fetch_add(1);
  progress_add(progress.errors, 1);
  const std::lock_guard lock(problems_mutex_);
  if (first_problems_.size() < IngestReport::kProblemsShown)
    first_problems_.push_back({path, operation, sys_errno});
  problems_.add({path, std::move(operation), sys_errno});
}

Bytes IngestRun::encode_problems() const {
  const std::lock_guard lock(problems_mutex_);
  return problems_.empty() ? Bytes() : problems_.encode();
}

void IngestRun::count_entry(const Entry& entry) {
  const auto add = [](std::atomic<std::uint64_t>& counter, std::uint64_t amount) {
    counter.fetch_add(amount, std::memory_order_relaxed);
  };
  switch (entry.type) {
    case EntryType::kFile:
      add(files_, 1);
      add(bytes_, entry.size_bytes);
      if ((entry.flags & kEntryPartial) != 0) add(partial_, 1);
      break;
    case EntryType::kDirectory:
      add(directories_, 1);
      break;
    case EntryType::kSymlink:
      add(symlinks_, 1);
      break;
    default:
      add(others_, 1);
  }
}

void IngestRun::count_read(RereadReason reason, std::uint64_t bytes) {
  reads_[static_cast<std::size_t>(reason)].fetch_add(1, std::memory_order_relaxed);
  bytes_read_.fetch_add(bytes, std::memory_order_relaxed);
}

void IngestRun::report_to(IngestReport& report) const {
  report.counts = {.files = files_,
                   .directories = directories_,
                   .symlinks = symlinks_,
                   .others = others_,
                   .bytes = bytes_,
                   .errors = problem_count_,
                   .partial = partial_};
  report.files_unchanged = unchanged_;
  for (std::size_t reason = 0; reason < reads_.size(); ++reason) report.files_read[reason] = reads_[reason];
  report.bytes_read = bytes_read_;
  report.changed_while_read = changed_;
  report.excluded = excluded_;
  report.problem_count = problem_count_;
  const std::lock_guard lock(problems_mutex_);
  report.problems = first_problems_;
}

std::optional<LinkedContent> IngestRun::find_link(std::uint64_t device, std::uint64_t inode) const {
  const std::lock_guard lock(links_mutex_);
  const auto at = links_.find({device, inode});
  if (at == links_.end()) return std::nullopt;
  return at->second;
}

void IngestRun::remember_link(const io::SourceStat& stat, const Entry& entry) {
  const std::lock_guard lock(links_mutex_);
  if (links_.size() >= kLinkMemoryMax) links_.clear();
  links_.try_emplace({stat.device, stat.inode}, LinkedContent{stat, entry});
}

void IngestRun::add_owner(std::uint32_t uid, std::uint32_t gid) {
  const std::lock_guard lock(owners_mutex_);
  uids_.insert(uid);
  gids_.insert(gid);
}

std::vector<SnapshotName> IngestRun::user_names() const {
  std::vector<SnapshotName> names;
  std::vector<char> buffer(kNameBufferSize);
  const std::lock_guard lock(owners_mutex_);
  for (const std::uint32_t uid : uids_) {
    struct passwd entry{};
    struct passwd* found = nullptr;
    if (getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr)
      names.push_back({uid, found->pw_name});
  }
  return names;
}

std::vector<SnapshotName> IngestRun::group_names() const {
  std::vector<SnapshotName> names;
  std::vector<char> buffer(kNameBufferSize);
  const std::lock_guard lock(owners_mutex_);
  for (const std::uint32_t gid : gids_) {
    struct group entry{};
    struct group* found = nullptr;
    if (getgrgid_r(gid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr)
      names.push_back({gid, found->gr_name});
  }
  return names;
}

}  // namespace asl
