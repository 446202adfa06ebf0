// The one pass behind replay_log. Private to log_reader.cc and log_replay.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "log/log_reader.h"
#include "log/log_scanner.h"

namespace asl {

class LogReplay {
 public:
  LogReplay(io::Io& io, const LogFiles& files, const ReplayOptions& options, const LogGroupCallback& callback)
      : io_(io), files_(files), options_(options), callback_(callback) {}
  Result<ReplayOutcome> run();

 private:
  // What is known of the file being read.
  struct Place {
    std::uint64_t first_logseq = 0;
    bool newest = false;
    std::uint64_t synced_to = 0;     // bytes read before this survive power loss
    std::uint64_t refreshed_at = 0;  // the offset a possible race with the writer was ruled out for
  };

  Result<void> read_head();
  Result<void> read_file(std::uint64_t first_logseq, bool newest);
  Result<bool> accept_header(LogScanner& scanner, const Place& place);
  Result<void> start_at(LogScanner& scanner, const LogPosition& from);
  Result<void> read_groups(LogScanner& scanner, Place& place, std::uint64_t offset);
  // Returns where to go on; the end of the file to stop there.
  Result<std::uint64_t> take_group(LogScanner& scanner, Place& place, std::uint64_t offset,
                                   const ParsedGroup& group);
  Result<std::uint64_t> skip_broken(LogScanner& scanner, Place& place, std::uint64_t offset,
                                    GroupProblem problem);
  Result<void> deliver(LogScanner& scanner, Place& place, std::uint64_t offset, const ParsedGroup& group);
  Result<void> sync_beyond_head(LogScanner& scanner, Place& place, std::uint64_t group_end);
  void check_head(const std::string& path, std::uint64_t group_end);
  Result<void> finish();
  void note_damage(Error error, std::uint64_t missing_first = 0);
  // Where in this file head stops vouching: 0 for the whole file, nothing if head vouches for all of it.
  std::optional<std::uint64_t> beyond_head_from(std::uint64_t file_first_logseq, bool newest) const;

  io::Io& io_;
  const LogFiles& files_;
  const ReplayOptions& options_;
  const LogGroupCallback& callback_;
  ReplayOutcome out_;
  std::optional<LogHead> head_;
  bool head_found_ = false;
  bool gap_ = false;      // records were lost since the last group delivered
  bool damaged_ = false;  // anything was lost or refused so far
  std::optional<DomainId> domain_id_;
};

}  // namespace asl
