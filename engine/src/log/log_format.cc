#include "log/log_format.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <string_view>

#include <asl/engine/hash.h>

namespace asl {
namespace {

constexpr std::string_view kFileMagic = "ASLLOG01";
constexpr std::string_view kHeadMagic = "ASLHEAD1";
constexpr std::uint32_t kVersion = 1;

// Both structs have natural alignment, so they are the bytes on disk.
struct RawFileHeader {
  char magic[8];
  std::uint32_t version;
  std::uint32_t header_size;
  std::uint64_t flags;
  std::uint64_t first_logseq;
  DomainId domain_id;
  std::uint32_t zero;
  Digest previous_hash;
  std::byte rest[4008];
};
static_assert(sizeof(RawFileHeader) == kLogHeaderSize);
static_assert(offsetof(RawFileHeader, previous_hash) == 56);

struct RawHead {
  char magic[8];
  std::uint64_t logseq;
  std::uint64_t file_first_logseq;
  std::uint64_t end_offset;
  Digest record_hash;
  Digest own_hash;
};
static_assert(sizeof(RawHead) == kLogHeadSize);

// COMMIT without padding: counters and previous hash between the record's head and its hash.
constexpr std::size_t kCommitSizeMin = kLogRecordOverhead + 40;

std::unexpected<GroupProblem> problem(GroupProblem::Kind kind, std::string message, std::size_t offset,
                                      std::size_t size = 0) {
  return std::unexpected(GroupProblem{kind, std::move(message), offset, size});
}

// Follows the length fields to the first COMMIT. No hash is checked yet: the one to start from is in the
// COMMIT.
std::expected<ParsedGroup, GroupProblem> walk_records(ByteSpan bytes) {
  using Kind = GroupProblem::Kind;
  ParsedGroup group;
  std::size_t at = 0;
  while (true) {
    if (bytes.size() - at < kLogRecordHeadSize) return problem(Kind::kNeedMore, "a record is cut off", at);
    LogRecord record;
    record.logseq = load_le<std::uint64_t>(&bytes[at]);
    record.type = load_le<std::uint32_t>(&bytes[at + 8]);
    const std::size_t length = load_le<std::uint32_t>(&bytes[at + 12]);
    if (record.logseq == 0 || record.logseq > kLogseqMax)
      return problem(Kind::kBroken, "a record has no possible logseq", at);
    if (!group.records.empty() && record.logseq != group.records.back().logseq + 1)
      return problem(Kind::kBroken, "a record is out of sequence", at);
    if (length > kLogPayloadMax) return problem(Kind::kBroken, "a record is longer than its limit", at);
    if (at + kLogRecordOverhead + length > kLogGroupMax)
      return problem(Kind::kBroken, "a group is longer than its limit", at);
    if (bytes.size() - at < kLogRecordOverhead + length)
      return problem(Kind::kNeedMore, "a record is cut off", at);
    record.payload = bytes.subspan(at + kLogRecordHeadSize, length);
    std::memcpy(record.hash.data(), &bytes[at + kLogRecordHeadSize + length], sizeof(Digest));
    group.records.push_back(record);
    at += kLogRecordOverhead + length;
    if (record.type == kLogCommit) break;
  }
  group.size_bytes = at;
  return group;
}

// What a record in a chain that verifies may still get wrong.
std::string rule_broken(const ParsedGroup& group, const LogRecord& record) {
  if (Result<void> checked = check_payload(record.type, record.payload); !checked)
    return checked.error().message;
  if ((record.type == kLogGenesis) != (record.logseq == 1)) return "genesis is not the first record";
  if (record.type != kLogCommit) return {};
  const Result<CommitRecord> commit = CommitRecord::decode(record.payload);
  if (!commit || commit->records != group.records.size()) return "the commit record counts other records";
  if (group.size_bytes % kLogAlignment != 0) return "a group does not end at a multiple of 4096";
  return {};
}

}  // namespace

Bytes encode_log_header(const LogFileHeader& header) {
  RawFileHeader raw{};
  std::ranges::copy(kFileMagic, raw.magic);
  raw.version = kVersion;
  raw.header_size = kLogHeaderSize;
  raw.first_logseq = header.first_logseq;
  raw.domain_id = header.domain_id;
  raw.previous_hash = header.previous_hash;
  Bytes bytes(sizeof raw);
  std::memcpy(bytes.data(), &raw, sizeof raw);
  return bytes;
}

Result<LogFileHeader> decode_log_header(ByteSpan bytes, const std::string& path) {
  if (bytes.size() != kLogHeaderSize)
    return fail(integrity_error("log file header is cut off", path, bytes.size()));
  RawFileHeader raw;
  std::memcpy(&raw, bytes.data(), sizeof raw);
  const auto wrong = [&](const char* what, std::size_t offset) {
    return fail(integrity_error(what, path, offset));
  };
  if (std::string_view(raw.magic, 8) != kFileMagic) return wrong("not a log file: wrong magic", 0);
  if (raw.version != kVersion) return wrong("unknown log file version", offsetof(RawFileHeader, version));
  if (raw.header_size != kLogHeaderSize)
    return wrong("wrong log header size", offsetof(RawFileHeader, header_size));
  if (raw.flags != 0) return wrong("unknown log file flags", offsetof(RawFileHeader, flags));
  if (raw.zero != 0)
    return wrong("a zero field of the log header is not zero", offsetof(RawFileHeader, zero));
  if (!all_zero(raw.rest))
    return wrong("the rest of the log header is not zero", offsetof(RawFileHeader, rest));
  return LogFileHeader{raw.first_logseq, raw.domain_id, raw.previous_hash};
}

std::array<std::byte, kLogHeadSize> encode_log_head(const LogHead& head) {
  RawHead raw{};
  std::ranges::copy(kHeadMagic, raw.magic);
  raw.logseq = head.logseq;
  raw.file_first_logseq = head.file_first_logseq;
  raw.end_offset = head.end_offset;
  raw.record_hash = head.record_hash;
  std::array<std::byte, kLogHeadSize> bytes;
  std::memcpy(bytes.data(), &raw, sizeof raw);
  const Digest own = sha256(ByteSpan(bytes).first(offsetof(RawHead, own_hash)));
  std::ranges::copy(own, bytes.begin() + offsetof(RawHead, own_hash));
  return bytes;
}

std::optional<LogHead> decode_log_head(ByteSpan bytes) {
  if (bytes.size() != kLogHeadSize) return std::nullopt;
  RawHead raw;
  std::memcpy(&raw, bytes.data(), sizeof raw);
  if (std::string_view(raw.magic, 8) != kHeadMagic) return std::nullopt;
  if (sha256(bytes.first(offsetof(RawHead, own_hash))) != raw.own_hash) return std::nullopt;
  return LogHead{raw.logseq, raw.file_first_logseq, raw.end_offset, raw.record_hash};
}

Digest chain_hash(const Digest& previous, ByteSpan head_and_payload) {
  Sha256 hash;
  hash.update(previous);
  hash.update(head_and_payload);
  return hash.finish();
}

std::expected<ParsedGroup, GroupProblem> parse_group(ByteSpan bytes) {
  using Kind = GroupProblem::Kind;
  auto walked = walk_records(bytes);
  if (!walked) return walked;
  ParsedGroup& group = *walked;
  const LogRecord& commit = group.records.back();
  const std::size_t commit_at = group.size_bytes - kLogRecordOverhead - commit.payload.size();
  if (commit.payload.size() + kLogRecordOverhead < kCommitSizeMin)
    return problem(Kind::kBroken, "the commit record is too short", commit_at);
  std::memcpy(group.previous_hash.data(), &commit.payload[8], sizeof(Digest));

  Digest chain = group.previous_hash;
  std::size_t at = 0;
  for (const LogRecord& record : group.records) {
    chain = chain_hash(chain, bytes.subspan(at, kLogRecordHeadSize + record.payload.size()));
    if (chain != record.hash) return problem(Kind::kBroken, "a log record fails its hash", at);
    at += kLogRecordOverhead + record.payload.size();
  }
  at = 0;
  for (const LogRecord& record : group.records) {
    if (std::string broken = rule_broken(group, record); !broken.empty())
      return problem(Kind::kInvalid, std::move(broken), at, round_up(group.size_bytes, kLogAlignment));
    at += kLogRecordOverhead + record.payload.size();
  }
  return walked;
}

}  // namespace asl
