#include "restore/removal.h"

#include <cerrno>
#include <linux/stat.h>
#include <sys/stat.h>
#include <utility>

#include "io/target_fs.h"

namespace asl {
namespace {

using Kind = RestoreProblemKind;

class Remover {
 public:
  Remover(RestoreRun& run, const TargetTree& tree, RemovalReason reason)
      : run_(run), tree_(tree), reason_(reason) {}

  void remove(const io::File& directory, const char* name, const std::string& path, std::uint32_t depth) {
    if (reason_ == RemovalReason::kExtraneous && run_.must_stop()) return;
    const auto status = io::stat_at(directory.fd(), name);
    if (!status) {
      if (status.error().sys_errno != ENOENT) report(path, status.error());
      return;
    }
    if (!status->is_directory()) {
      unlock(directory, name, *status);
      return done(io::remove_at(directory.fd(), name), path);
    }
    if (tree_.is_protected(status->device, status->inode))
      return report(path, Error{.code = ErrorCode::kRefused, .message = "it belongs to the store"});
    if (depth >= kRemovalDepthMax)
      return report(path, Error{.code = ErrorCode::kUnsupported, .message = "it is nested too deeply"});
    empty(directory, name, path, depth);
    unlock(directory, name, *status);
    done(io::remove_directory_at(directory.fd(), name), path);
  }

  std::uint64_t removed() const { return removed_; }

 private:
  void empty(const io::File& directory, const char* name, const std::string& path, std::uint32_t depth) {
    const auto inner = run_.target_io.open_at(directory, name, {.no_follow = true, .directory = true});
    if (!inner) return report(path, inner.error());
    io::NameList names;
    if (auto listed = io::list_all(inner->fd(), names); !listed) return report(path, listed.error());
    for (std::size_t i = 0; i < names.size(); ++i)
      remove(*inner, names.c_name(i), path + "/" + std::string(names.name(i)), depth + 1);
  }

  void unlock(const io::File& directory, const char* name, const io::SourceStat& status) {
    if ((status.attributes & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND)) == 0) return;
    if (!status.is_regular() && !status.is_directory()) return;
    const auto opened = run_.target_io.open_at(directory, name, {.no_follow = true, .no_wait = true});
    // If this fails, so does the removal, which is reported.
    if (opened) (void)io::set_inode_flags(opened->fd(), 0, io::kInodeFlagsLocking);
  }

  void done(Result<void> result, const std::string& path) {
    if (result)
      ++removed_;
    else
      report(path, std::move(result).error());
  }

  void report(const std::string& path, Error error) {
    run_.problem(Kind::kNotRemoved, path, std::move(error).with_path(""));
  }

  RestoreRun& run_;
  const TargetTree& tree_;
  const RemovalReason reason_;
  std::uint64_t removed_ = 0;
};

}  // namespace

Result<ExistingNames> ExistingNames::list(const io::File& directory) {
  ExistingNames out;
  ASL_TRY(io::list_all(directory.fd(), out.names_));
  out.names_.sort_by_name();
  out.kept_.resize(out.names_.size());
  return out;
}

void ExistingNames::keep(std::string_view name) {
  while (next_ < names_.size() && names_.name(next_) < name) ++next_;
  if (next_ < names_.size() && names_.name(next_) == name) kept_[next_++] = true;
}

std::uint64_t remove_entry(RestoreRun& run, const TargetTree& tree, const io::File& directory,
                           const char* name, const std::string& path, RemovalReason reason) {
  Remover remover(run, tree, reason);
  remover.remove(directory, name, path, 0);
  return remover.removed();
}

}  // namespace asl
