// The log: files, records, head.
#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <asl/engine/log_record.h>
#include <asl/engine/log_state.h>

#include "fuzz.h"
#include "log/log_file.h"
#include "log/log_format.h"
#include "log/log_reader.h"
#include "memory_io.h"

namespace asl::fuzz {
namespace {

constexpr std::uint8_t kRechain = 1U << 0;  // every record hash is made to fit, so that only the rules object
constexpr std::uint8_t kHead = 1U << 1;     // the input ends in log/head
constexpr std::uint8_t kFittingHead = 1U << 2;  // log/head is made to name the last record

constexpr std::string_view kLogFileMagic = "ASLLOG01";
constexpr std::size_t kFirstLogseqAt = 24;
constexpr std::size_t kHeaderPreviousHashAt = 56;
constexpr std::size_t kCommitPreviousHashAt = 8;

// Makes the hashes of one file's records fit, up to the first thing that is no record. `head` follows.
void rechain(Bytes& file, LogHead& head) {
  if (file.size() < kLogHeaderSize) return;
  Digest chain = head.record_hash;
  std::ranges::copy(chain, file.begin() + kHeaderPreviousHashAt);
  Digest group_chain = chain;
  std::size_t at = kLogHeaderSize;
  while (file.size() - at >= kLogRecordOverhead) {
    const auto type = load_le<std::uint32_t>(file.data() + at + 8);
    const std::size_t length = load_le<std::uint32_t>(file.data() + at + 12);
    if (length > kLogPayloadMax || file.size() - at < kLogRecordOverhead + length) break;
    std::byte* payload = file.data() + at + kLogRecordHeadSize;
    const bool commit = type == kLogCommit && length >= kCommitPreviousHashAt + sizeof(Digest);
    if (commit) std::ranges::copy(group_chain, payload + kCommitPreviousHashAt);
    chain = chain_hash(chain, ByteSpan(file).subspan(at, kLogRecordHeadSize + length));
    std::ranges::copy(chain, payload + length);
    const auto logseq = load_le<std::uint64_t>(file.data() + at);
    at += kLogRecordOverhead + length;
    if (!commit) continue;
    group_chain = chain;
    head = {.logseq = logseq,
            .file_first_logseq = load_le<std::uint64_t>(file.data() + kFirstLogseqAt),
            .end_offset = at,
            .record_hash = chain};
  }
}

// A file begins at every page that has a header's magic.
std::vector<Bytes> split(ByteSpan input) {
  std::vector<Bytes> files;
  for (std::size_t at = 0; at < input.size(); at += kLogAlignment) {
    const ByteSpan page = input.subspan(at, std::min(kLogAlignment, input.size() - at));
    if (files.empty() || as_text(page).starts_with(kLogFileMagic)) files.emplace_back();
    files.back().insert(files.back().end(), page.begin(), page.end());
  }
  return files;
}

struct Replayed {
  std::string told;  // what replay said, as text
  LogPosition end;
  LogState state;
};

// A group that was delivered is the only encoding of what it says.
void build_again(const MemoryIo& io, const LogFiles& files, const LogGroup& group) {
  const Bytes* file = io.find(files.file_path(group.file_first_logseq));
  require(file != nullptr && group.offset + group.size_bytes <= file->size(), "a group lies in its file");
  const ByteSpan bytes = ByteSpan(*file).subspan(group.offset, group.size_bytes);
  std::vector<NewRecord> records;
  for (const LogRecord& record : group.records.first(group.records.size() - 1)) {
    if (!log_type_known(record.type) || record.type == kLogCommit) return;
    records.push_back({.type = record.type, .payload = {record.payload.begin(), record.payload.end()}});
    must(describe(record), "a record that was accepted is described");
  }
  if (records.empty()) return;  // accepted, never written
  const CommitRecord commit =
      must(CommitRecord::decode(group.records.back().payload), "a group ends in COMMIT");
  Digest hash{};
  const Bytes built = must(build_group(group.records.front().logseq, commit.previous_hash, records, hash),
                           "a group that was accepted can be built");
  require(hash == group.records.back().hash, "with the same hash");
  require(std::ranges::equal(built, bytes), "and the same bytes");
}

Replayed replay(MemoryIo& io, const LogFiles& files, const ReplayOptions& options) {
  Replayed result;
  const auto callback = [&](const LogGroup& group) -> Result<void> {
    build_again(io, files, group);
    for (const LogRecord& record : group.records)
      result.told += std::to_string(record.logseq) + " " + std::to_string(record.type) + "\n";
    if (group.after_gap) {
      result.told += std::to_string(result.state.apply_after_gap(group.records)) + " refused\n";
      return {};
    }
    const std::uint64_t before = result.state.last_logseq();
    const auto applied = result.state.apply(group.records);
    require(applied || result.state.last_logseq() == before,
            "a group that contradicts the state changes nothing");
    return applied;
  };
  const auto outcome = replay_log(io, files, options, callback);
  if (!outcome) {
    result.told += outcome.error().to_string();
    return result;
  }
  result.end = outcome->end;
  for (const LogDamage& damage : outcome->damage) result.told += damage.error.to_string() + "\n";
  const auto add = [&](const char* word, const LogRange& range) {
    result.told += word + std::to_string(range.file_first_logseq) + " " + std::to_string(range.begin) + " " +
                   std::to_string(range.end) + "\n";
  };
  if (outcome->torn_tail) add("torn ", *outcome->torn_tail);
  for (const LogRange& range : outcome->beyond_head) add("beyond head ", range);
  return result;
}

template <typename Record>
bool record_round_trip(std::uint32_t type, ByteSpan payload) {
  if (type != Record::kType) return false;
  const auto record = Record::decode(payload);
  require(record.has_value() == check_payload(type, payload).has_value(), "a payload checks if it decodes");
  if (record) require(std::ranges::equal(record->encode(), payload), "a record has one encoding");
  return true;
}

}  // namespace

void fuzz_log(ByteSpan input) {
  Choices choices(input);
  const std::uint8_t how = choices.byte();
  ByteSpan rest = choices.rest();
  MemoryIo io;
  const LogFiles files("/domain");
  if ((how & kHead) != 0 && rest.size() >= kLogHeadSize) {
    io.put(files.head_path(), rest.last(kLogHeadSize));
    rest = rest.first(rest.size() - kLogHeadSize);
  }
  LogHead head;
  for (Bytes& file : split(rest)) {
    if ((how & kRechain) != 0) rechain(file, head);
    const std::uint64_t first =
        file.size() < kLogHeaderSize ? 1 : load_le<std::uint64_t>(&file[kFirstLogseqAt]);
    io.put(files.file_path(first % (kLogseqMax + 1)), file);
  }
  if ((how & kFittingHead) != 0 && head.logseq != 0) io.put(files.head_path(), encode_log_head(head));

  const Replayed first = replay(io, files, {});
  const Replayed second = replay(io, files, {});
  require(first.told == second.told, "a log replays the same again");
  require(first.state.last_logseq() == second.state.last_logseq(), "to the same state");
  if (first.end.logseq == 0) return;
  ReplayOptions from_end;
  from_end.from = first.end;
  const Replayed nothing = replay(io, files, from_end);
  require(nothing.state.last_logseq() == 0, "nothing follows the end");
}

void fuzz_log_record(ByteSpan input) {
  Choices choices(input);
  const std::uint32_t type = choices.byte();
  const ByteSpan payload = choices.rest();
  const auto any = [&]<typename... Records>() { return (record_round_trip<Records>(type, payload) || ...); };
  const bool known =
      any.operator()<SegmentSealRecord, SnapshotAnchorRecord, SnapshotForgetRecord, SnapshotLabelRecord,
                     SnapshotHoldRecord, GenesisRecord, TombstoneRecord, TombstoneLiftRecord, PublishRecord,
                     UnpublishRecord, ArtifactUnpinRecord, AuthorityBindRecord, ExecutionRecord,
                     RequestRecord, RefusalRecord, ResponseRecord, DomainStateRecord, DateRecord,
                     BundleRecord, SegmentRetireRecord, CommitRecord>();
  require(known == log_type_known(type), "every known type has a record");
  const LogRecord record{.logseq = 1, .type = type, .payload = payload, .hash = {}};
  const auto described = describe(record);
  require(described.has_value() || !check_payload(type, payload), "what checks is described");
  if (!described) return;
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  require(std::ranges::none_of(described->words, is_control), "what is told cannot drive a terminal");
}

void fuzz_log_head(ByteSpan input) {
  const auto head = decode_log_head(input);
  if (head) require(std::ranges::equal(encode_log_head(*head), input), "a head has one encoding");
  // The same bytes with a hash that fits.
  if (input.size() != kLogHeadSize) return;
  LogHead made;
  made.logseq = load_le<std::uint64_t>(input.data() + 8);
  made.file_first_logseq = load_le<std::uint64_t>(input.data() + 16);
  made.end_offset = load_le<std::uint64_t>(input.data() + 24);
  const auto back = decode_log_head(encode_log_head(made));
  require(back && back->logseq == made.logseq && back->file_first_logseq == made.file_first_logseq &&
              back->end_offset == made.end_offset && back->record_hash == made.record_hash,
          "a head that was written is read");
}

}  // namespace asl::fuzz
