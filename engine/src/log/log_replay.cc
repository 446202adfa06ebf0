#include "log/log_replay.h"

#include <algorithm>
#include <cerrno>
#include <fmt/format.h>
#include <utility>

namespace asl {

Result<ReplayOutcome> LogReplay::run() {
  domain_id_ = options_.domain_id;
  // Head before the list of files: the log only grows, so whatever head names is then in the list.
  ASL_TRY(read_head());
  ASL_ASSIGN(out_.files, files_.list(io_));
  std::uint64_t first = 0;
  if (options_.from && options_.from->logseq != 0) {
    out_.end = *options_.from;
    first = options_.from->file_first_logseq;
    if (std::ranges::find(out_.files, first) == out_.files.end())
      return fail(ErrorCode::kNotFound, "the log does not hold the position to go on from");
  }
  for (const std::uint64_t file : out_.files)
    if (file >= first) ASL_TRY(read_file(file, file == out_.files.back()));
  ASL_TRY(finish());
  return std::move(out_);
}

Result<void> LogReplay::read_head() {
  Result<Bytes> bytes = io::read_file(io_, files_.head_path(), kPageSize);
  if (!bytes) {
    // An unreadable hint is worth no more than a missing one.
    out_.head_state =
        bytes.error().code == ErrorCode::kNotFound ? LogHeadState::kMissing : LogHeadState::kIgnored;
    return {};
  }
  head_ = decode_log_head(*bytes);
  out_.head_state = head_ ? LogHeadState::kGood : LogHeadState::kIgnored;
  return {};
}

std::optional<std::uint64_t> LogReplay::beyond_head_from(std::uint64_t file_first_logseq, bool newest) const {
  if (!head_) return newest ? std::optional<std::uint64_t>(0) : std::nullopt;
  if (file_first_logseq < head_->file_first_logseq) return std::nullopt;
  return file_first_logseq == head_->file_first_logseq ? head_->end_offset : 0;
}

Result<void> LogReplay::read_file(std::uint64_t first_logseq, bool newest) {
  const std::string path = files_.file_path(first_logseq);
  ASL_ASSIGN(LogScanner scanner, LogScanner::open(io_, path));
  Place place{.first_logseq = first_logseq, .newest = newest};
  const bool resume =
      options_.from && options_.from->logseq != 0 && out_.end.file_first_logseq == first_logseq;
  std::uint64_t offset = kLogHeaderSize;
  if (resume) {
    ASL_TRY(start_at(scanner, *options_.from));
    offset = options_.from->end_offset;
  }
  ASL_ASSIGN(const bool accepted, accept_header(scanner, place));
  if (!accepted) return {};
  return read_groups(scanner, place, offset);
}

// The record before the position must be the one it names, or the position is of another history.
Result<void> LogReplay::start_at(LogScanner& scanner, const LogPosition& from) {
  Digest hash{};
  bool same = from.end_offset > kLogHeaderSize && from.end_offset % kLogAlignment == 0 &&
              from.end_offset <= scanner.size();
  if (same) {
    ASL_ASSIGN(const std::size_t got, io_.read(scanner.file(), hash, from.end_offset - hash.size()));
    same = got == hash.size() && hash == from.record_hash;
  }
  if (!same) return fail(ErrorCode::kNotFound, "the log does not hold the position to go on from");
  check_head(scanner.path(), from.end_offset);
  return {};
}

// False if nothing of this file can be used: it is the newest and a writer will make it anew, or it is
// foreign.
Result<bool> LogReplay::accept_header(LogScanner& scanner, const Place& place) {
  ASL_ASSIGN(const Bytes page, scanner.header());
  Result<LogFileHeader> header = decode_log_header(page, scanner.path());
  const auto wrong = [&](std::string message, std::uint64_t offset) {
    header = std::unexpected(integrity_error(std::move(message), scanner.path(), offset));
  };
  bool foreign = false;
  const bool resumed = out_.end.file_first_logseq == place.first_logseq;
  if (header && domain_id_ && header->domain_id != *domain_id_) {
    foreign = true;
    wrong("the log file belongs to another domain", 32);
  } else if (header && header->first_logseq != place.first_logseq) {
    wrong("the log file's name and header disagree", 24);
  } else if (header && !resumed && !gap_ && place.first_logseq == out_.end.logseq + 1 &&
             header->previous_hash != out_.end.record_hash) {
    wrong("the log file does not continue the chain of the one before", 56);
  }
  if (header) {
    domain_id_ = header->domain_id;
    if (place.first_logseq > out_.end.logseq + 1 && !gap_ && !resumed) {
      note_damage(integrity_error(fmt::format("the log lacks records from {}", out_.end.logseq + 1),
                                  scanner.path(), 0),
                  out_.end.logseq + 1);
    }
    return true;
  }
  const std::optional<std::uint64_t> beyond = beyond_head_from(place.first_logseq, place.newest);
  if (place.newest && beyond == 0U) {
    ASL_ASSIGN(const std::optional<std::uint64_t> group, scanner.find_group(kLogHeaderSize));
    if (!group) {
      out_.empty_newest = place.first_logseq;
      if (scanner.size() > 0) out_.torn_tail = LogRange{place.first_logseq, 0, scanner.size()};
      return false;
    }
  }
  note_damage(std::move(header).error(), foreign ? out_.end.logseq + 1 : 0);
  return !foreign;
}

Result<void> LogReplay::read_groups(LogScanner& scanner, Place& place, std::uint64_t offset) {
  while (offset < scanner.size()) {
    ASL_ASSIGN(auto parsed, scanner.group_at(offset));
    if (parsed) {
      ASL_ASSIGN(offset, take_group(scanner, place, offset, *parsed));
    } else {
      ASL_ASSIGN(offset, skip_broken(scanner, place, offset, std::move(parsed).error()));
    }
  }
  if (place.newest && offset <= kLogHeaderSize) out_.empty_newest = place.first_logseq;
  return {};
}

Result<std::uint64_t> LogReplay::take_group(LogScanner& scanner, Place& place, std::uint64_t offset,
                                            const ParsedGroup& group) {
  const std::uint64_t expected = out_.end.logseq + 1;
  const std::uint64_t first = group.records.front().logseq;
  if (first < expected) {
    note_damage(integrity_error("a commit group appears again", scanner.path(), offset));
    return offset + group.size_bytes;
  }
  if (first == expected && group.previous_hash != out_.end.record_hash) {
    // Another history of the same domain. Nothing in this file after the fork can be told from forgery.
    note_damage(integrity_error("the log's chain breaks", scanner.path(), offset), expected);
    return scanner.size();
  }
  if (first > expected) {
    if (!gap_) {
      note_damage(integrity_error(fmt::format("the log lacks records {} to {}", expected, first - 1),
                                  scanner.path(), offset),
                  expected);
    }
    if (!out_.damage.empty() && out_.damage.back().missing_first != 0)
      out_.damage.back().missing_last = first - 1;
  }
  ASL_TRY(deliver(scanner, place, offset, group));
  return offset + group.size_bytes;
}

Result<std::uint64_t> LogReplay::skip_broken(LogScanner& scanner, Place& place, std::uint64_t offset,
                                             GroupProblem problem) {
  // In a group that fails its hashes no length can be trusted either, so only its start is sure.
  const std::uint64_t known = problem.kind == GroupProblem::Kind::kInvalid ? problem.offset_bytes : 0;
  Error error = integrity_error(std::move(problem.message), scanner.path(), offset + known);
  const std::uint64_t expected = out_.end.logseq + 1;
  if (problem.kind == GroupProblem::Kind::kInvalid) {
    note_damage(std::move(error), expected);
    return offset + problem.size_bytes;
  }
  const std::optional<std::uint64_t> beyond = beyond_head_from(place.first_logseq, place.newest);
  const bool may_be_torn = place.newest && beyond && offset >= *beyond;
  ASL_ASSIGN(const std::optional<std::uint64_t> later, scanner.find_group(offset + kLogAlignment));
  if (!later && may_be_torn) {
    out_.torn_tail = LogRange{place.first_logseq, offset, scanner.size()};
    if (offset == kLogHeaderSize) out_.empty_newest = place.first_logseq;
    return scanner.size();
  }
  if (later && may_be_torn && place.refreshed_at != offset) {
    // A writer may have finished this group and a later one between two of our reads.
    place.refreshed_at = offset;
    place.synced_to = offset;
    ASL_TRY(scanner.refresh());
    return offset;
  }
  note_damage(std::move(error), expected);
  return later ? *later : scanner.size();
}

Result<void> LogReplay::deliver(LogScanner& scanner, Place& place, std::uint64_t offset,
                                const ParsedGroup& group) {
  const std::uint64_t group_end = offset + group.size_bytes;
  ASL_TRY(sync_beyond_head(scanner, place, group_end));
  const LogRecord& last = group.records.back();
  Result<void> taken = callback_(LogGroup{.file_first_logseq = place.first_logseq,
                                          .offset = offset,
                                          .size_bytes = group.size_bytes,
                                          .records = group.records,
                                          .after_gap = damaged_});
  gap_ = false;
  out_.end = LogPosition{last.logseq, last.hash, place.first_logseq, group_end};
  check_head(scanner.path(), group_end);
  if (taken) return {};
  if (taken.error().code != ErrorCode::kIntegrity) return taken;
  Error error = std::move(taken).error();
  if (error.path.empty()) {
    error.path = scanner.path();
    error.offset = offset;
  }
  note_damage(std::move(error));
  return {};
}

// What was read from the page cache may not be on the medium yet; a reader must not act on it before it is.
Result<void> LogReplay::sync_beyond_head(LogScanner& scanner, Place& place, std::uint64_t group_end) {
  const std::optional<std::uint64_t> beyond = beyond_head_from(place.first_logseq, place.newest);
  if (!beyond || group_end <= *beyond || group_end <= place.synced_to) return {};
  if (Result<void> synced = io_.sync(scanner.file()); !synced && synced.error().sys_errno != EROFS)
    return synced;
  place.synced_to = scanner.read_end();
  return {};
}

void LogReplay::check_head(const std::string& path, std::uint64_t group_end) {
  if (!head_ || head_found_ || out_.end.logseq < head_->logseq) return;
  if (options_.from && options_.from->logseq > head_->logseq) {
    head_found_ = true;  // head is older than where this replay began, so it was looked for then
    return;
  }
  if (out_.end.logseq == head_->logseq && out_.end.record_hash == head_->record_hash &&
      out_.end.file_first_logseq == head_->file_first_logseq && group_end == head_->end_offset) {
    head_found_ = true;
    return;
  }
  head_found_ = true;  // one report is enough
  note_damage(integrity_error(
      fmt::format("log/head names record {}, which the log does not hold", head_->logseq), path, group_end));
}

void LogReplay::note_damage(Error error, std::uint64_t missing_first) {
  damaged_ = true;
  // One gap is reported once, however many unreadable groups it is made of.
  if (missing_first != 0 && gap_) return;
  if (missing_first != 0) gap_ = true;
  if (out_.damage.size() < kLogDamageListMax)
    out_.damage.push_back(LogDamage{std::move(error), missing_first, 0});
}

Result<void> LogReplay::finish() {
  if (head_ && !head_found_) {
    note_damage(integrity_error(
        fmt::format("log/head names record {}, but the log ends at {}", head_->logseq, out_.end.logseq),
        files_.head_path(), 0));
  }
  if (domain_id_) out_.domain_id = *domain_id_;
  if (!out_.damage.empty()) {
    // A damaged log is never cut or written to.
    out_.torn_tail.reset();
    out_.empty_newest.reset();
    return {};
  }
  for (const std::uint64_t file : out_.files) {
    if (out_.end.logseq == 0 || file > out_.end.file_first_logseq) break;
    // An empty newest file holds no group: without head, the file before it is then the one to vouch for.
    const bool newest = file == out_.end.file_first_logseq;
    const std::optional<std::uint64_t> begin = beyond_head_from(file, newest);
    if (!begin) continue;
    std::uint64_t end = out_.end.end_offset;
    if (!newest) {
      ASL_ASSIGN(const struct stat status, io_.status(files_.file_path(file)));
      end = static_cast<std::uint64_t>(status.st_size);
    }
    if (*begin < end) out_.beyond_head.push_back(LogRange{file, *begin, end});
  }
  return {};
}

}  // namespace asl
