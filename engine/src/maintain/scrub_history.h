// store/cache/scrub: which blocks were read whole and checked, and when.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include <asl/engine/block.h>
#include <asl/engine/bytes.h>
#include <asl/engine/error.h>
#include <asl/engine/io.h>

namespace asl {

// One whole reading of a block.
struct BlockCheck {
  std::int64_t time_s = 0;      // when it ended, in seconds since 1970 by the clock of that moment
  std::uint64_t change_ns = 0;  // the file's change time (st_ctim): another file, or a copy, has another
  bool damaged = false;         // something in it was wrong
};

// A memory aid, never truth: what is lost of it is checked once more. A record is appended, unsynced, as soon
// as a block was read, so that a killed run loses at most the block it was at; after a power cut some seconds
// of records may be gone or torn. Every record carries its own sum, and one that fails it is passed over. Two
// runs at the same time may cost each other records. Memory: about 80 bytes a block. Not thread-safe.
//
// Format: records of 64 bytes: block id 32 | i64 time | u64 change time | u32 flags (bit0 damaged) | u32 zero
// | u64 XXH3-64 of the 56 bytes before.
class ScrubHistory {
 public:
  // A missing, unreadable or damaged file is an empty history. `io` must outlive the object.
  static ScrubHistory load(io::Io& io, std::string path);

  // What is known of the file with this change time; nothing if it was never read, or is another file now.
  std::optional<BlockCheck> find(const BlockId& id, std::uint64_t change_ns) const;
  // A failure to write is no error: the block counts as unchecked.
  void note(const BlockId& id, const BlockCheck& check);
  // Writes the file anew without what is superseded, where that is most of it.
  void compact();

 private:
  ScrubHistory(io::Io& io, std::string path) : io_(&io), path_(std::move(path)) {}
  void append(ByteSpan record);

  io::Io* io_;
  std::string path_;
  std::unordered_map<BlockId, BlockCheck, DigestHash> checks_;
  std::size_t records_ = 0;  // in the file
};

// `status` is that of a block's file.
std::uint64_t change_time_of(const struct stat& status);

}  // namespace asl
