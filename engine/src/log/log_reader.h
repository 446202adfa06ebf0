// Replay: every group of a domain's log that verifies, in order, and what is wrong with the rest.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <asl/engine/bytes.h>
#include <asl/engine/error.h>
#include <asl/engine/host_root.h>
#include <asl/engine/io.h>
#include <asl/engine/log_record.h>

#include "log/log_file.h"
#include "log/log_format.h"

namespace asl {

// The end of a group: what was seen up to. logseq 0 is the beginning of the log.
struct LogPosition {
  std::uint64_t logseq = 0;
  Digest record_hash{};
  std::uint64_t file_first_logseq = 0;
  std::uint64_t end_offset = 0;
};

// One verified commit group. Spans are valid during the callback.
struct LogGroup {
  std::uint64_t file_first_logseq = 0;
  std::uint64_t offset = 0;
  std::uint64_t size_bytes = 0;
  std::span<const LogRecord> records;  // COMMIT last
  bool after_gap = false;              // records before this group are lost: see LogState::apply_after_gap
};
// An error of kind kIntegrity is taken as damage at that group (path and offset are added) and reading goes
// on with after_gap set; any other error stops the replay and is returned.
using LogGroupCallback = std::function<Result<void>(const LogGroup&)>;

struct LogDamage {
  Error error;                      // kIntegrity; path and offset of what is wrong
  std::uint64_t missing_first = 0;  // logseqs lost here; 0: none known
  std::uint64_t missing_last = 0;   // 0: to the end of the log
};
// Beyond this many the rest of a log is not worth listing; reading goes on.
inline constexpr std::size_t kLogDamageListMax = 1000;

struct LogRange {
  std::uint64_t file_first_logseq = 0;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

enum class LogHeadState : std::uint8_t { kMissing, kIgnored, kGood };

struct ReplayOutcome {
  LogPosition end;                   // of the last group delivered
  DomainId domain_id{};              // as the file headers say
  std::vector<std::uint64_t> files;  // first logseqs
  LogHeadState head_state = LogHeadState::kMissing;
  // Empty: the log is sound (a torn tail is no damage). Otherwise the store is read-only from now on, exit 5.
  std::vector<LogDamage> damage;
  // What an interrupted append left after the last group of the newest file; only a writer removes it.
  std::optional<LogRange> torn_tail;
  // The newest file has no group: a writer makes it anew. Its first logseq.
  std::optional<std::uint64_t> empty_newest;
  // Verified groups (and headers) that head does not vouch for; a writer writes them again before it appends.
  std::vector<LogRange> beyond_head;

  // The first damage, with a hint; nothing if there is none.
  std::optional<Error> corruption() const;
};

struct ReplayOptions {
  // Start after this position instead of genesis. kNotFound from replay_log if the log does not hold exactly
  // this record there: replay from genesis then.
  std::optional<LogPosition> from;
  // The domain the log must belong to; otherwise what its first readable header says.
  std::optional<DomainId> domain_id;
};

// Reads the log in pieces of at most kLogGroupMax and gives every group that verifies to `callback`. A group
// beyond head is given only after its file was synced (EROFS ignored), so that nothing is seen that power
// loss could take back. Safe beside a writer. Damage is in the outcome; the error is for what stops reading
// (I/O, the callback, no log directory). A log without any group gives end.logseq 0.
Result<ReplayOutcome> replay_log(io::Io& io, const LogFiles& files, const ReplayOptions& options,
                                 const LogGroupCallback& callback);

}  // namespace asl
