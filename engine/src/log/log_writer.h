// Appends commit groups to a domain's log. The caller holds the domain's write lock.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include <asl/engine/bytes.h>
#include <asl/engine/error.h>
#include <asl/engine/host_root.h>
#include <asl/engine/io.h>
#include <asl/engine/log_record.h>

#include "log/log_file.h"
#include "log/log_format.h"
#include "log/log_reader.h"

namespace asl {

struct AppendedGroup {
  std::uint64_t first_logseq = 0;
  std::uint64_t last_logseq = 0;  // of the COMMIT record
  Digest record_hash{};           // of the COMMIT record
  LogPosition end;
  // log/head could not be written. The group is durable all the same: head is a hint.
  std::optional<Error> head_error;
};

struct LogWriterOptions {
  std::uint64_t rotate_bytes = kLogRotateSize;  // tests use less
};

// One thread. Not usable after a failed append: every later call fails with the same error code.
class LogWriter {
 public:
  // Makes the log directory if needed, and the first file with its header; durable on return. kRefused if the
  // log has a group already. The first append must start with GENESIS.
  static Result<LogWriter> create(io::Io& io, const LogFiles& files, const DomainId& domain_id,
                                  const LogWriterOptions& options);
  // After a replay, under the lock that was held during it. Keeps and cuts a torn tail (see tail_kept()),
  // writes every group beyond head again and syncs it, makes an empty newest file anew. kIntegrity if the
  // replay found damage, kNotFound if there is no group.
  static Result<LogWriter> open(io::Io& io, const LogFiles& files, const ReplayOutcome& outcome,
                                const LogWriterOptions& options);

  // Appends one group: durable and visible on return. Fails with kUsage, and stays usable, if the records
  // cannot be written as they are (see build_group). After a failed write or sync the file is cut back to the
  // last synced end and the writer is done; whether the group survived is then decided by the next replay.
  Result<AppendedGroup> append(std::span<const NewRecord> records);

  const LogPosition& end() const { return end_; }
  std::uint64_t next_logseq() const { return end_.logseq + 1; }
  // Where open() kept a torn tail; empty if there was none.
  const std::string& tail_kept() const { return tail_kept_; }

 private:
  LogWriter(io::Io& io, const LogFiles& files, const DomainId& domain_id, const LogWriterOptions& options)
      : io_(&io), files_(files), domain_id_(domain_id), options_(options) {}
  Result<void> keep_tail(const LogRange& tail);
  Result<void> rewrite(const LogRange& range);
  Result<void> start_file(std::uint64_t first_logseq);
  Result<void> write_group(ByteSpan group);
  std::optional<Error> write_head();

  io::Io* io_;
  LogFiles files_;
  DomainId domain_id_;
  LogWriterOptions options_;
  LogPosition end_;  // of the last group
  io::File file_;    // the newest file, which is appended to
  std::uint64_t file_first_logseq_ = 0;
  std::uint64_t file_end_ = 0;
  io::File head_;
  std::string tail_kept_;
  std::optional<Error> broken_;
};

}  // namespace asl
