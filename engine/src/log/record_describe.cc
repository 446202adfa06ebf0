#include <algorithm>
#include <chrono>
#include <fmt/format.h>

#include <asl/engine/log_record.h>

namespace asl {
namespace {

// A line for people stays a line; JSON has them all.
constexpr std::size_t kIdsShownMax = 16;

// Text of a record shown on a terminal: quoted, with control characters (C1 ones arrive as 0xC2 0x80-0x9F)
// and quotes escaped, so that a label cannot move the cursor.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool c1 = byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (c1) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(text[++i]));
    } else if (byte < 0x20 || byte == 0x7F) {
      out += fmt::format("\\u{:04x}", byte);
    } else {
      if (byte == '"' || byte == '\\') out += '\\';
      out += text[i];
    }
  }
  return out + '"';
}

std::string hex_text(ByteSpan bytes) {
  return to_hex(bytes);
}

std::string utc_text(std::int64_t unix_seconds) {
  // Years 1 to 9999; anything else is shown as the number it is.
  if (unix_seconds < -62135596800 || unix_seconds > 253402300799) return fmt::format("{} s", unix_seconds);
  const std::chrono::sys_seconds at{std::chrono::seconds(unix_seconds)};
  const std::chrono::sys_days day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{at - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", int{date.year()}, unsigned{date.month()},
                     unsigned{date.day()}, time.hours().count(), time.minutes().count(),
                     time.seconds().count());
}

void say(const SegmentSealRecord& r, LogDescription& out) {
  out.words = fmt::format("segment {} sealed", r.segment_id);
  out.fields = {{"segment_id", r.segment_id}, {"file_hash", hex_text(r.file_hash)}};
}
void say(const SnapshotAnchorRecord& r, LogDescription& out) {
  out.words = fmt::format("snapshot {} is {}", r.snapshot_id, to_text(r.reference));
  out.fields = {{"snapshot_id", r.snapshot_id}, {"reference", to_text(r.reference)}};
}
void say(const SnapshotForgetRecord& r, LogDescription& out) {
  out.words = fmt::format("snapshot {} forgotten", r.snapshot_id);
  out.fields = {{"snapshot_id", r.snapshot_id}};
}
void say(const SnapshotLabelRecord& r, LogDescription& out) {
  out.words = r.label.empty() ? fmt::format("snapshot {} has no label any more", r.snapshot_id)
                              : fmt::format("snapshot {} labelled {}", r.snapshot_id, quoted(r.label));
  out.fields = {{"snapshot_id", r.snapshot_id}, {"label", r.label}};
}
void say(const SnapshotHoldRecord& r, LogDescription& out) {
  out.words = fmt::format("snapshot {} {}", r.snapshot_id, r.on ? "held" : "released");
  if (!r.reason.empty()) out.words += ": " + quoted(r.reason);
  out.fields = {{"snapshot_id", r.snapshot_id}, {"on", r.on}, {"reason", r.reason}};
}
void say(const GenesisRecord& r, LogDescription& out) {
  out.words = fmt::format("{} domain {} begins", r.local ? "local" : "keyed", to_hex(ByteSpan(r.domain_id)));
  out.fields = {{"domain_id", hex_text(r.domain_id)},
                {"local", r.local},
                {"root_public_key", hex_text(r.root_public_key)}};
}
void say(const TombstoneRecord& r, LogDescription& out) {
  const bool reached = r.scope == TombstoneScope::kReached;
  out.words = fmt::format("{} tombstoned{}, reason {}", to_text(r.reference),
                          reached ? " with all it reached" : "", tombstone_reason_name(r.reason));
  out.fields = {{"reference", to_text(r.reference)},
                {"scope", std::string(reached ? "reached" : "this")},
                {"reason", std::string(tombstone_reason_name(r.reason))}};
}
void say(const TombstoneLiftRecord& r, LogDescription& out) {
  out.words = fmt::format("tombstone {} of {} lifted", r.tombstone_logseq, to_text(r.reference));
  out.fields = {{"reference", to_text(r.reference)}, {"tombstone_logseq", r.tombstone_logseq}};
}
void say(const PublishRecord& r, LogDescription& out) {
  out.words = fmt::format("snapshot {} published by {}", r.snapshot_id, to_text(r.publication));
  out.fields = {{"snapshot_id", r.snapshot_id}, {"publication", to_text(r.publication)}};
}
void say(const UnpublishRecord& r, LogDescription& out) {
  out.words = fmt::format("snapshot {} unpublished by {}", r.snapshot_id, to_text(r.publication));
  out.fields = {{"snapshot_id", r.snapshot_id}, {"publication", to_text(r.publication)}};
}
void say(const ArtifactUnpinRecord& r, LogDescription& out) {
  out.words = fmt::format("{} unpinned", to_text(r.reference));
  out.fields = {{"reference", to_text(r.reference)}};
}
void say(const AuthorityBindRecord& r, LogDescription& out) {
  out.words = fmt::format("authority object {} of type {:08x} bound", to_text(r.reference), r.type_tag);
  out.fields = {{"type_tag", std::uint64_t{r.type_tag}}, {"reference", to_text(r.reference)}};
}
void say(const ExecutionRecord& r, LogDescription& out) {
  out.words = fmt::format("program run, receipt {}", to_text(r.receipt));
  out.fields = {{"receipt", to_text(r.receipt)},
                {"request_id", hex_text(r.request_id)},
                {"request_hash", hex_text(r.request_hash)}};
}
void say(const RequestRecord& r, LogDescription& out) {
  out.words = fmt::format("request {} of {} accepted for execution", hex_text(r.request_id),
                          hex_text(r.requester_key_id));
  out.fields = {{"requester_key_id", hex_text(r.requester_key_id)},
                {"request_id", hex_text(r.request_id)},
                {"request_hash", hex_text(r.request_hash)}};
}
void say(const RefusalRecord& r, LogDescription& out) {
  out.words = fmt::format("request {} of {} refused, reason {}", hex_text(r.request_id),
                          hex_text(r.requester_key_id), r.reason);
  out.fields = {{"requester_key_id", hex_text(r.requester_key_id)},
                {"request_id", hex_text(r.request_id)},
                {"request_hash", hex_text(r.request_hash)},
                {"reason", std::uint64_t{r.reason}},
                {"refusal", to_text(r.refusal)}};
}
void say(const ResponseRecord& r, LogDescription& out) {
  const std::size_t line_end = r.medium.find('\n');
  const std::string serial = r.medium.substr(0, line_end);
  const std::string label = r.medium.substr(line_end + 1);
  out.words = fmt::format("response {} sealed for medium {} {}", r.sequence, quoted(serial), quoted(label));
  out.fields = {{"sequence", r.sequence},
                {"response_hash", hex_text(r.response_hash)},
                {"medium_serial", serial},
                {"medium_label", label}};
}
void say(const DomainStateRecord& r, LogDescription& out) {
  out.words = fmt::format("domain {} is {} by {}", hex_text(r.domain_id), domain_standing_name(r.standing),
                          to_text(r.reference));
  out.fields = {{"domain_id", hex_text(r.domain_id)},
                {"state", std::string(domain_standing_name(r.standing))},
                {"reference", to_text(r.reference)}};
}
void say(const DateRecord& r, LogDescription& out) {
  out.words =
      fmt::format("date {} to {}", r.correction ? "corrected" : "confirmed", utc_text(r.unix_seconds));
  if (!r.words.empty()) out.words += ": " + quoted(r.words);
  out.fields = {{"unix_seconds", r.unix_seconds}, {"correction", r.correction}, {"words", r.words}};
}
void say(const BundleRecord& r, LogDescription& out) {
  out.words = fmt::format("bundle {} used up", hex_text(r.bundle_id));
  out.fields = {{"bundle_id", hex_text(r.bundle_id)}, {"object_hash", hex_text(r.object_hash)}};
}
void say(const SegmentRetireRecord& r, LogDescription& out) {
  out.words = "segments retired:";
  const std::size_t shown = std::min(r.segment_ids.size(), kIdsShownMax);
  for (std::size_t i = 0; i < shown; ++i) out.words += fmt::format(" {}", r.segment_ids[i]);
  if (shown < r.segment_ids.size()) out.words += fmt::format(" and {} more", r.segment_ids.size() - shown);
  out.fields = {{"segment_ids", r.segment_ids}};
}
void say(const CommitRecord& r, LogDescription& out) {
  out.words = fmt::format("commit of {} records", r.records);
  out.fields = {{"records", std::uint64_t{r.records}}, {"previous_hash", hex_text(r.previous_hash)}};
}

template <typename Record>
bool try_say(const LogRecord& record, Result<LogDescription>& out) {
  if (record.type != Record::kType) return false;
  Result<Record> decoded = Record::decode(record.payload);
  if (decoded)
    say(*decoded, *out);
  else
    out = std::unexpected(std::move(decoded).error());
  return true;
}

template <typename... Records>
bool try_each(const LogRecord& record, Result<LogDescription>& out) {
  return (try_say<Records>(record, out) || ...);
}

}  // namespace

Result<LogDescription> describe(const LogRecord& record) {
  Result<LogDescription> out = LogDescription{log_type_name(record.type), {}, {}};
  const bool known =
      try_each<SegmentSealRecord, SnapshotAnchorRecord, SnapshotForgetRecord, SnapshotLabelRecord,
               SnapshotHoldRecord, GenesisRecord, TombstoneRecord, TombstoneLiftRecord, PublishRecord,
               UnpublishRecord, ArtifactUnpinRecord, AuthorityBindRecord, ExecutionRecord, RequestRecord,
               RefusalRecord, ResponseRecord, DomainStateRecord, DateRecord, BundleRecord,
               SegmentRetireRecord, CommitRecord>(record, out);
  if (!known) {
    out->words = fmt::format("record of unknown type 0x{:02x}, {} bytes", record.type, record.payload.size());
    out->fields = {{"type", std::uint64_t{record.type}}, {"payload", to_hex(record.payload)}};
  }
  return out;
}

}  // namespace asl
