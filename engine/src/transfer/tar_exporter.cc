#include "transfer/tar_exporter.h"

#include <algorithm>
#include <sys/sysmacros.h>
#include <utility>

#include "transfer/acl_text.h"

namespace asl {
namespace {

// Long files are read in steps of this.
constexpr std::size_t kStepBytes = 4 << 20;
// The kernel's limit for one attribute is 64 KiB; a longer one comes from elsewhere and fits no archive.
constexpr std::uint64_t kXattrValueMax = kPaxRecordsMax;
// Room for the records that are not attributes: names, times, sizes.
constexpr std::size_t kPaxRecordsReserve = 192 << 10;

TarType type_of(EntryType type) {
  switch (type) {
    case EntryType::kDirectory:
      return TarType::kDirectory;
    case EntryType::kSymlink:
      return TarType::kSymlink;
    case EntryType::kCharDevice:
      return TarType::kCharDevice;
    case EntryType::kBlockDevice:
      return TarType::kBlockDevice;
    case EntryType::kFifo:
      return TarType::kFifo;
    default:
      return TarType::kFile;
  }
}

std::string name_or_empty(const std::unordered_map<std::uint32_t, std::string>& names, std::uint32_t id) {
  const auto at = names.find(id);
  return at == names.end() ? std::string() : at->second;
}

}  // namespace

TarExporter::TarExporter(const Domain& domain, const Snapshot& snapshot, const TarExportOptions& options,
                         const TarSink& sink, ProgressCounters& progress, const StopToken& stop)
    : domain_(domain),
      snapshot_(snapshot),
      options_(options),
      progress_(progress),
      stop_(stop),
      writer_(sink) {
  for (const SnapshotName& user : snapshot.users) users_.emplace(user.id, user.name);
  for (const SnapshotName& group : snapshot.groups) groups_.emplace(group.id, group.name);
}

Result<TarExportReport> TarExporter::run() {
  progress_.set_phase(ProgressPhase::kScanning);
  file_name_ = options_.path.substr(options_.path.rfind('/') + 1);
  ASL_ASSIGN(ExportLinks links, ExportLinks::find(domain_, snapshot_, options_.path, stop_));
  links_.emplace(std::move(links));
  progress_.set_phase(ProgressPhase::kRestoring);
  if (options_.path.empty()) {
    progress_add(progress_.bytes_total, snapshot_.counts.bytes);
    progress_add(progress_.files_total, snapshot_.counts.files);
    progress_.totals_final = true;
  }
  const auto on_error = [this](const std::string& path, const Error& error) -> Result<void> {
    if (!leave_out(path, error)) return fail(error);
    return {};
  };
  ASL_TRY(walk_snapshot(
      domain_, snapshot_, options_.path,
      [this](const std::string& path, const Entry& entry) { return visit(path, entry); }, on_error));
  ASL_TRY(writer_.finish());
  report_.archive_bytes = writer_.bytes_written();
  return std::move(report_);
}

std::string TarExporter::shown(const std::string& path) const {
  if (options_.path.empty() || path.empty()) return options_.path + path;
  return options_.path + "/" + path;
}

void TarExporter::omit(TarOmission::Kind kind, const std::string& path, std::string reason) {
  ++report_.omission_count;
  progress_add(progress_.errors, 1);
  report_.damaged = report_.damaged || kind == TarOmission::Kind::kDamaged;
  if (report_.omissions.size() < TarExportReport::kOmissionsShown)
    report_.omissions.push_back({kind, shown(path), std::move(reason)});
}

bool TarExporter::leave_out(const std::string& path, const Error& error) {
  if (error.code == ErrorCode::kInterrupted || error.code == ErrorCode::kNoSpace) return false;
  const bool withdrawn = error.code == ErrorCode::kRefused;
  omit(withdrawn ? TarOmission::Kind::kWithdrawn : TarOmission::Kind::kDamaged, path, error.to_string());
  return true;
}

Result<WalkStep> TarExporter::visit(const std::string& path, const Entry& entry) {
  ASL_TRY(stop_.check());
  // The directory that is made up over several sources has nothing to say.
  const bool made_up = path.empty() && entry.type == EntryType::kDirectory && entry.content.is_null();
  if (!made_up) ASL_TRY(add_member(path, entry));
  ++position_;
  return WalkStep::kContinue;
}

Result<void> TarExporter::add_member(const std::string& path, const Entry& entry) {
  if (entry.type == EntryType::kSocket) {
    ++report_.sockets;
    return {};
  }
  if ((entry.flags & kEntryPartial) != 0) {
    omit(TarOmission::Kind::kPartial, path,
         options_.fill_gaps ? "parts of it were never read; they are zeros in the archive"
                            : "parts of it were never read");
    if (!options_.fill_gaps) return {};
  }
  TarMember member;
  member.type = type_of(entry.type);
  ASL_ASSIGN(const std::optional<std::string> first, links_->first_name(position_));
  ASL_TRY(describe(member, path, entry));
  if (first && missing_.contains(*first)) {
    omit(TarOmission::Kind::kDamaged, path, "another name of " + shown(*first) + ", which is left out");
    return {};
  }
  if (first) {
    member.type = TarType::kHardLink;
    member.link_target = *first;
    member.extra.clear();
    return begin(member);
  }
  if (entry.type == EntryType::kFile) return add_file(member, path, entry);
  return begin(member);
}

Result<void> TarExporter::begin(const TarMember& member) {
  ++report_.members;
  return writer_.begin(member);
}

Result<void> TarExporter::describe(TarMember& member, const std::string& path, const Entry& entry) {
  member.name = path;
  if (path.empty()) member.name = entry.type == EntryType::kDirectory ? "." : file_name_;
  if (entry.type == EntryType::kDirectory) member.name += '/';
  member.mode = entry.mode;
  member.uid = entry.uid;
  member.gid = entry.gid;
  member.user = name_or_empty(users_, entry.uid);
  member.group = name_or_empty(groups_, entry.gid);
  member.mtime_s = entry.mtime_s;
  member.mtime_ns = entry.mtime_ns;
  member.link_target = entry.symlink_target;
  member.device_major = gnu_dev_major(entry.rdev);
  member.device_minor = gnu_dev_minor(entry.rdev);
  return add_attributes(member, path, entry);
}

std::optional<std::pair<std::string, Bytes>> TarExporter::attribute_record(const Xattr& xattr,
                                                                           Bytes value) const {
  const std::string_view name = as_text(xattr.name);
  if (name == kAclAccessXattr || name == kAclDefaultXattr) {
    if (const auto acl = decode_acl(value)) {
      const std::string text = acl_to_text(
          *acl, [this](std::uint32_t id) { return name_or_empty(users_, id); },
          [this](std::uint32_t id) { return name_or_empty(groups_, id); });
      const ByteSpan bytes = as_bytes(text);
      return std::pair(name == kAclAccessXattr ? "SCHILY.acl.access" : "SCHILY.acl.default",
                       Bytes(bytes.begin(), bytes.end()));
    }
  }
  return std::pair(xattr_record_key(name), std::move(value));
}

Result<void> TarExporter::add_attributes(TarMember& member, const std::string& path, const Entry& entry) {
  std::size_t total = kPaxRecordsReserve;
  for (const Xattr& xattr : entry.xattrs) {
    Bytes value = xattr.value;
    if (!xattr.ref.is_null()) {
      const auto artifact = domain_.find(xattr.ref);
      Result<std::size_t> got = artifact ? Result<std::size_t>(0) : fail(artifact.error());
      if (artifact && artifact->length() <= kXattrValueMax) {
        value.resize(artifact->length());
        got = artifact->read(0, value);
      } else if (artifact) {
        total = kPaxRecordsMax;
      }
      if (!got) {
        if (!leave_out(path, got.error())) return fail(got.error());
        continue;
      }
    }
    auto record = attribute_record(xattr, std::move(value));
    total += pax_record_size(record->first, record->second.size());
    if (total > kPaxRecordsMax) {
      omit(TarOmission::Kind::kMetadata, path,
           "the extended attribute " + std::string(as_text(xattr.name)) +
               " is longer than an archive can hold");
      total = kPaxRecordsMax;
      continue;
    }
    member.extra.push_back(std::move(*record));
  }
  return {};
}

Result<void> TarExporter::add_file(TarMember& member, const std::string& path, const Entry& entry) {
  auto plan = ContentPlan::make(domain_, entry);
  if (!plan) {
    if (!leave_out(path, plan.error())) return fail(plan.error());
    missing_.insert(path);
    return {};
  }
  member.size_bytes = plan->length();
  member.sparse = plan->sparse() && !options_.dense;
  if (member.sparse) member.data_runs = plan->data_runs();
  if (plan->length() <= kTarReadWholeMax) return add_whole_file(member, path, *plan);
  return add_long_file(member, *plan);
}

// Read before its header is written: damage leaves out this file and no other.
Result<void> TarExporter::add_whole_file(TarMember& member, const std::string& path, ContentPlan& plan) {
  buffer_.resize(plan.length());
  if (auto read = plan.read(0, buffer_); !read) {
    if (!leave_out(path, read.error())) return read;
    missing_.insert(path);
    return {};
  }
  ASL_TRY(begin(member));
  ++report_.files;
  report_.bytes += plan.length();
  if (!member.sparse) ASL_TRY(writer_.content(buffer_));
  for (const TarRun& run : member.data_runs)
    ASL_TRY(writer_.content(ByteSpan(buffer_).subspan(run.offset, run.length)));
  progress_add(progress_.bytes_done, plan.length());
  progress_add(progress_.files_done, 1);
  return {};
}

Result<void> TarExporter::add_long_file(const TarMember& member, ContentPlan& plan) {
  ASL_TRY(begin(member));
  ++report_.files;
  report_.bytes += plan.length();
  buffer_.resize(kStepBytes);
  std::uint64_t done = 0;
  const auto hole_to = [&](std::uint64_t offset) -> Result<void> {
    progress_add(progress_.bytes_done, offset - done);
    const std::uint64_t length = offset - std::exchange(done, offset);
    if (member.sparse) return {};
    return writer_.zeros(length);
  };
  for (const TarRun& run : plan.data_runs()) {
    ASL_TRY(hole_to(run.offset));
    while (done < run.offset + run.length) {
      ASL_TRY(stop_.check());
      const auto step =
          static_cast<std::size_t>(std::min<std::uint64_t>(buffer_.size(), run.offset + run.length - done));
      const MutableByteSpan part = MutableByteSpan(buffer_).first(step);
      if (auto read = plan.read(done, part); !read) {
        Error error = std::move(read).error();
        error.message =
            "the archive is not whole, a long file is damaged (" + member.name + "): " + error.message;
        return fail(std::move(error));
      }
      ASL_TRY(writer_.content(part));
      done += step;
      progress_add(progress_.bytes_done, step);
    }
  }
  ASL_TRY(hole_to(plan.length()));
  progress_add(progress_.files_done, 1);
  return {};
}

Result<TarExportReport> export_tar(const Domain& domain, const Snapshot& snapshot,
                                   const TarExportOptions& options, const TarSink& sink,
                                   ProgressCounters& progress, const StopToken& stop) {
  TarExporter exporter(domain, snapshot, options, sink, progress, stop);
  return exporter.run();
}

}  // namespace asl
