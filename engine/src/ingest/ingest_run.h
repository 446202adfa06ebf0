// What the threads of one ingest share: options, session, counters, the list of problems, and the first
// failure.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include <asl/engine/ingest.h>
#include <asl/engine/source_errors.h>

#include "ingest/device_paths.h"
#include "ingest/filter.h"
#include "io/tree_fs.h"

namespace asl {

// Contents of hard-linked inodes remembered so that they are read once. A few MiB; when full it starts over,
// and a link met later is read again and found known.
inline constexpr std::size_t kLinkMemoryMax = 65'536;

struct LinkedContent {
  io::SourceStat stat;  // when it was read
  Entry entry;          // content, hole_bytes, flags
};

// Thread-safe.
class IngestRun {
 public:
  IngestRun(const IngestOptions& run_options, io::Io& source, StoreWriter& session,
            SourceFilter source_filter, ProgressCounters& counters, const StopToken& stop_token)
      : options(run_options),
        source_io(source),
        writer(session),
        filter(std::move(source_filter)),
        progress(counters),
        stop(stop_token) {}

  const IngestOptions& options;
  io::Io& source_io;
  StoreWriter& writer;
  const SourceFilter filter;
  ProgressCounters& progress;
  const StopToken stop;
  DevicePaths devices;

  // Ends the run: the first failure counts, everybody sees aborted().
  void abort(Error error);
  bool aborted() const { return aborted_.load(std::memory_order_relaxed); }
  std::optional<Error> failure() const;
  // True if the run must end now, by the user's wish or a failure.
  bool must_stop();

  // A part of the source that could not be read or is not to be trusted.
  void add_problem(const std::string& path, std::string operation, int sys_errno);
  // The errors artifact's bytes; empty if there were no problems.
  Bytes encode_problems() const;
  std::uint64_t problem_count() const { return problem_count_.load(); }

  void count_entry(const Entry& entry);
  void add_excluded() { excluded_.fetch_add(1, std::memory_order_relaxed); }
  void count_read(RereadReason reason, std::uint64_t bytes);
  void count_unchanged() { unchanged_.fetch_add(1, std::memory_order_relaxed); }
  void count_changed_while_read() { changed_.fetch_add(1, std::memory_order_relaxed); }
  // Fills counts, problems, and what was read and why.
  void report_to(IngestReport& report) const;

  // Hard links: what another link of the inode turned out to hold.
  std::optional<LinkedContent> find_link(std::uint64_t device, std::uint64_t inode) const;
  void remember_link(const io::SourceStat& stat, const Entry& entry);

  void add_owner(std::uint32_t uid, std::uint32_t gid);
  std::vector<SnapshotName> user_names() const;
  std::vector<SnapshotName> group_names() const;

 private:
  struct PairHash {
    std::size_t operator()(const std::pair<std::uint64_t, std::uint64_t>& key) const noexcept {
      return key.second * 0x9E3779B97F4A7C15ULL ^ key.first;
    }
  };

  std::atomic<bool> aborted_{false};
  mutable std::mutex failure_mutex_;
  std::optional<Error> failure_;

  mutable std::mutex problems_mutex_;
  SourceErrorList problems_;                 // all of them, encoded
  std::vector<SourceError> first_problems_;  // for the report
  std::atomic<std::uint64_t> problem_count_{0};

  std::atomic<std::uint64_t> files_{0}, directories_{0}, symlinks_{0}, others_{0}, bytes_{0}, partial_{0};
  std::atomic<std::uint64_t> excluded_{0}, unchanged_{0}, changed_{0}, bytes_read_{0};
  std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(RereadReason::kCount)> reads_{};

  mutable std::mutex links_mutex_;
  std::unordered_map<std::pair<std::uint64_t, std::uint64_t>, LinkedContent, PairHash> links_;

  mutable std::mutex owners_mutex_;
  std::set<std::uint32_t> uids_;
  std::set<std::uint32_t> gids_;
};

// Everything of an entry but its name, content and xattrs.
void fill_entry(Entry& entry, const io::SourceStat& stat);
// Adds the xattrs that were read to an entry; long values become artifacts. What could not be read is a
// problem.
Result<void> add_xattrs(IngestRun& run, Entry& entry, Result<io::XattrSet> set, const std::string& path);

}  // namespace asl
