// The bytes of a log: file header, commit group, head (doc/format-log.md). Pure functions; no I/O.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <asl/engine/bytes.h>
#include <asl/engine/error.h>
#include <asl/engine/host_root.h>
#include <asl/engine/log_record.h>

namespace asl {

inline constexpr std::size_t kLogAlignment = 4096;  // groups start and end at multiples of this
inline constexpr std::size_t kLogHeaderSize = 4096;
inline constexpr std::size_t kLogRecordHeadSize = 16;  // logseq, type, payload length
inline constexpr std::size_t kLogRecordOverhead = kLogRecordHeadSize + sizeof(Digest);
// What the 16 digits of a file name can say.
inline constexpr std::uint64_t kLogseqMax = 9'999'999'999'999'999;
inline constexpr std::size_t kLogRotateSize = 64 << 20;
// A reader holds one group in memory, twice while it grows, and 64 bytes for each record in it.
inline constexpr std::size_t kLogGroupMax = 16 << 20;

struct LogFileHeader {
  std::uint64_t first_logseq = 0;
  DomainId domain_id{};
  Digest previous_hash{};  // of the last record of the file before; zero in the first file
};
Bytes encode_log_header(const LogFileHeader& header);
// kIntegrity naming `path` and the offset of the first field that is wrong.
Result<LogFileHeader> decode_log_header(ByteSpan bytes, const std::string& path);

// The hint in log/head: where the log ended when it was last synced.
struct LogHead {
  std::uint64_t logseq = 0;
  std::uint64_t file_first_logseq = 0;
  std::uint64_t end_offset = 0;
  Digest record_hash{};
};
inline constexpr std::size_t kLogHeadSize = 96;
std::array<std::byte, kLogHeadSize> encode_log_head(const LogHead& head);
// Nothing if the size, magic or the head's own hash is wrong.
std::optional<LogHead> decode_log_head(ByteSpan bytes);

// record_hash of one record; `head_and_payload` is the record without its hash, as it lies.
Digest chain_hash(const Digest& previous, ByteSpan head_and_payload);

struct ParsedGroup {
  Digest previous_hash{};          // as its COMMIT states it
  std::vector<LogRecord> records;  // COMMIT last; payloads point into the parsed bytes
  std::size_t size_bytes = 0;
};
struct GroupProblem {
  enum class Kind : std::uint8_t {
    kNeedMore,  // the bytes end before the group does
    kBroken,    // no group that verifies starts here: what a torn write leaves, or damage
    kInvalid,   // its hashes verify, yet it breaks a rule: never the work of a torn write
  };
  Kind kind = Kind::kBroken;
  std::string message;
  std::size_t offset_bytes = 0;  // into the group, of what is wrong
  std::size_t size_bytes = 0;    // of the whole group, for kInvalid
};
// Parses the group at the start of `bytes` and verifies it from its own previous_hash.
std::expected<ParsedGroup, GroupProblem> parse_group(ByteSpan bytes);

// One padded group, COMMIT added, ready to be written at a multiple of kLogAlignment. `hash_out` is its last
// record hash. kUsage if a payload does not check, a type is unknown or COMMIT, or the group would be empty
// or larger than kLogGroupMax.
Result<Bytes> build_group(std::uint64_t first_logseq, const Digest& previous_hash,
                          std::span<const NewRecord> records, Digest& hash_out);

}  // namespace asl
