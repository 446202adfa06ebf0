#include <algorithm>

#include <asl/engine/cm.h>
#include <asl/engine/snapshot.h>

#include "format/encode_error.h"
#include "format/entry_codec.h"
#include "format/snapshot_rules.h"

namespace asl {
namespace {

constexpr std::string_view kSnapshotMagic = "asl-snapshot";
constexpr std::uint64_t kSnapshotVersion = 1;
constexpr std::uint32_t kSnapshotFields = 16;
constexpr std::uint32_t kRootFields = 2;
constexpr std::uint32_t kCountFields = 7;
constexpr std::uint32_t kNameFields = 2;
constexpr std::uint32_t kOriginFields = 2;

void write_counts(CmWriter& writer, const SnapshotCounts& counts) {
  writer.array(kCountFields);
  for (const std::uint64_t count : {counts.files, counts.directories, counts.symlinks, counts.others,
                                    counts.bytes, counts.errors, counts.partial})
    writer.uint(count);
}

Result<SnapshotCounts> read_counts(CmReader& reader) {
  SnapshotCounts counts;
  ASL_TRY(reader.array_exactly(kCountFields));
  for (std::uint64_t* count : {&counts.files, &counts.directories, &counts.symlinks, &counts.others,
                               &counts.bytes, &counts.errors, &counts.partial}) {
    ASL_ASSIGN(*count, reader.uint());
  }
  return counts;
}

void write_names(CmWriter& writer, const std::vector<SnapshotName>& names) {
  writer.array(static_cast<std::uint32_t>(names.size()));
  for (const SnapshotName& item : names) {
    writer.array(kNameFields);
    writer.uint(item.id);
    writer.str(item.name);
  }
}

Result<std::vector<SnapshotName>> read_names(CmReader& reader) {
  std::vector<SnapshotName> names;
  ASL_ASSIGN(const std::uint32_t count, reader.array());
  for (std::uint32_t i = 0; i < count; ++i) {
    ASL_TRY(reader.array_exactly(kNameFields));
    SnapshotName& item = names.emplace_back();
    ASL_ASSIGN(const std::uint64_t id, reader.uint(std::numeric_limits<std::uint32_t>::max()));
    item.id = static_cast<std::uint32_t>(id);
    ASL_ASSIGN(item.name, reader.str(kSnapshotTextSizeMax));
  }
  return names;
}

Result<DomainId> read_domain_id(CmReader& reader) {
  DomainId id;
  ASL_ASSIGN(const ByteSpan bytes, reader.bin(sizeof(DomainId)));
  if (bytes.size() != sizeof(DomainId)) return fail(reader.violation("a domain id must have 20 bytes"));
  std::ranges::copy(bytes, id.begin());
  return id;
}

Result<std::vector<std::string>> read_tags(CmReader& reader) {
  std::vector<std::string> tags;
  ASL_ASSIGN(const std::uint32_t count, reader.array());
  for (std::uint32_t i = 0; i < count; ++i) {
    ASL_ASSIGN(const std::string_view tag, reader.str(kSnapshotTextSizeMax));
    tags.emplace_back(tag);
  }
  return tags;
}

Result<std::vector<SnapshotRoot>> read_roots(CmReader& reader) {
  std::vector<SnapshotRoot> roots;
  ASL_ASSIGN(const std::uint32_t count, reader.array());
  for (std::uint32_t i = 0; i < count; ++i) {
    ASL_TRY(reader.array_exactly(kRootFields));
    SnapshotRoot& root = roots.emplace_back();
    ASL_ASSIGN(const ByteSpan path, reader.bin(kSourcePathSizeMax));
    root.source_path = as_text(path);
    ASL_TRY(read_entry(reader, root.entry, NameRule::kNameOrEmpty));
  }
  return roots;
}

Result<std::optional<SnapshotOrigin>> read_origin(CmReader& reader) {
  if (reader.at_nil()) {
    ASL_TRY(reader.nil());
    return std::nullopt;
  }
  SnapshotOrigin origin;
  ASL_TRY(reader.array_exactly(kOriginFields));
  ASL_ASSIGN(origin.domain_id, read_domain_id(reader));
  ASL_ASSIGN(origin.ref, reader.reference());
  return origin;
}

Result<std::optional<std::int64_t>> read_created(CmReader& reader) {
  if (reader.at_nil()) {
    ASL_TRY(reader.nil());
    return std::nullopt;
  }
  return reader.sint();
}

void write_roots(CmWriter& writer, const std::vector<SnapshotRoot>& roots) {
  writer.array(static_cast<std::uint32_t>(roots.size()));
  for (const SnapshotRoot& root : roots) {
    writer.array(kRootFields);
    writer.bin(as_bytes(root.source_path));
    write_entry(writer, root.entry);
  }
}

void write_origin(CmWriter& writer, const std::optional<SnapshotOrigin>& origin) {
  if (!origin) return writer.nil();
  writer.array(kOriginFields);
  writer.bin(origin->domain_id);
  writer.reference(origin->ref);
}

}  // namespace

Result<Bytes> encode_snapshot(const Snapshot& snapshot) {
  if (const auto rule = violated_rule(snapshot); !rule.empty()) return encode_malformed(rule);
  Bytes bytes;
  CmWriter writer(bytes);
  writer.array(kSnapshotFields);
  writer.str(kSnapshotMagic);
  writer.uint(kSnapshotVersion);
  writer.bin(snapshot.domain_id);
  writer.uint(snapshot.snapshot_id);
  writer.uint(snapshot.parent_id);
  if (snapshot.created_s) {
    writer.sint(*snapshot.created_s);
  } else {
    writer.nil();
  }
  writer.str(snapshot.host);
  writer.str(snapshot.label);
  writer.array(static_cast<std::uint32_t>(snapshot.tags.size()));
  for (const std::string& tag : snapshot.tags) writer.str(tag);
  write_roots(writer, snapshot.roots);
  write_counts(writer, snapshot.counts);
  writer.reference_or_nil(snapshot.errors);
  write_names(writer, snapshot.users);
  write_names(writer, snapshot.groups);
  writer.reference_or_nil(snapshot.claim);
  write_origin(writer, snapshot.origin);
  if (bytes.size() > kSnapshotSizeMax) return encode_too_large("a snapshot");
  return bytes;
}

Result<Snapshot> decode_snapshot(ByteSpan bytes) {
  if (bytes.size() > kSnapshotSizeMax)
    return fail(CmReader::violation_at(kSnapshotSizeMax, "a snapshot is too large"));
  CmReader reader(bytes);
  ASL_TRY(reader.array_exactly(kSnapshotFields));
  ASL_TRY(reader.header(kSnapshotMagic, kSnapshotVersion));
  Snapshot snapshot;
  ASL_ASSIGN(snapshot.domain_id, read_domain_id(reader));
  ASL_ASSIGN(snapshot.snapshot_id, reader.uint());
  ASL_ASSIGN(snapshot.parent_id, reader.uint());
  ASL_ASSIGN(snapshot.created_s, read_created(reader));
  ASL_ASSIGN(snapshot.host, reader.str(kSnapshotTextSizeMax));
  ASL_ASSIGN(snapshot.label, reader.str(kSnapshotTextSizeMax));
  ASL_ASSIGN(snapshot.tags, read_tags(reader));
  ASL_ASSIGN(snapshot.roots, read_roots(reader));
  ASL_ASSIGN(snapshot.counts, read_counts(reader));
  ASL_ASSIGN(snapshot.errors, reader.reference_or_nil());
  ASL_ASSIGN(snapshot.users, read_names(reader));
  ASL_ASSIGN(snapshot.groups, read_names(reader));
  ASL_ASSIGN(snapshot.claim, reader.reference_or_nil());
  ASL_ASSIGN(snapshot.origin, read_origin(reader));
  ASL_TRY(reader.finish());
  if (const auto rule = violated_rule(snapshot); !rule.empty()) return fail(CmReader::violation_at(0, rule));
  return snapshot;
}

}  // namespace asl
