// The groups of a log wherever they still verify, and the chain that joins them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include <asl/engine/domain_id.h>
#include <asl/engine/stop.h>

#include "log/log_file.h"
#include "log/log_format.h"

namespace asl {

// A group that verifies by itself, and where it lies.
struct LogPiece {
  std::string path;
  std::uint64_t file_first_logseq = 0;  // by the file's name
  std::uint64_t offset = 0;
  std::uint64_t size_bytes = 0;
  std::uint64_t first_logseq = 0;
  std::uint64_t last_logseq = 0;
  Digest previous_hash{};
  Digest hash{};  // of its last record
  bool own = false;
  std::optional<DomainId> file_domain;  // as its file's header says, if that reads

  std::uint64_t end_offset() const { return offset + size_bytes; }
};

// Every group in the log files of a directory, on its page; what does not verify or cannot be read is passed
// over. Errors: kInterrupted only.
Result<std::vector<LogPiece>> collect_pieces(io::Io& io, const LogFiles& files, bool own,
                                             const StopToken& stop);

// From the first record on, each the next of the one before.
using LogChain = std::vector<LogPiece>;

class LogChains {
 public:
  // Own pieces before others: of two that are the same, the first is used.
  void add(std::span<const LogPiece> pieces);
  // The chain that ends with the record of this hash, all the way back; nothing if a piece of it is nowhere.
  std::optional<LogChain> ending_with(const Digest& hash) const;
  // The only piece that continues after `last`; null if there is none or more than one.
  const LogPiece* following(const LogPiece& last) const;

 private:
  std::unordered_map<Digest, LogPiece, DigestHash> by_hash_;
  std::unordered_multimap<Digest, Digest, DigestHash> next_;  // previous hash -> hash
};

}  // namespace asl
