#include "index/segment_writer.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "index/segment_format.h"
#include "index/segment_output.h"

namespace asl {
namespace {

// Extents taken from a source at a time.
constexpr std::size_t kExtentBatch = 256;

Error misuse(std::string message, const ArtifactRecord& record) {
  Error error;
  error.code = ErrorCode::kUsage;
  error.message = std::move(message);
  error.object = to_text(record.ref);
  return error;
}

// What a first pass over the source finds out, so that the file can then be written front to back.
struct Survey {
  std::uint64_t record_count = 0;
  std::uint64_t extent_count = 0;
  std::vector<BlockId> blocks;                 // sorted, unique
  std::vector<std::uint32_t> index_by_number;  // BlockTable number -> position in `blocks`
};

// Calls `each(extent)` for the extents of the current record and checks that they are `count` and cover it.
template <typename Each>
Result<void> for_each_extent(RecordSource& source, const ArtifactRecord& record, std::uint64_t count,
                             Each&& each) {
  std::array<ExtentRecord, kExtentBatch> batch;
  ExtentChain chain(record.length);
  std::uint64_t seen = 0;
  while (true) {
    ASL_ASSIGN(const std::size_t got, source.next_extents(batch));
    if (got == 0) break;
    for (const ExtentRecord& extent : std::span(batch).first(got)) {
      if (const auto bad = chain.add(extent)) return fail(misuse(std::string(bad.rule), record));
      ASL_TRY(each(extent));
    }
    seen += got;
  }
  if (const auto bad = chain.finish()) return fail(misuse(std::string(bad.rule), record));
  if (seen != count) return fail(misuse("an artifact has another number of extents than announced", record));
  return {};
}

Result<void> list_blocks(const std::vector<bool>& used, const BlockTable& table, Survey& survey) {
  survey.index_by_number.assign(used.size(), kHoleBlock);
  for (std::uint32_t number = 0; number < used.size(); ++number) {
    if (!used[number]) continue;
    const auto id = table.find(number);
    if (!id) return fail(ErrorCode::kUsage, "an extent lies in a block that is not sealed");
    survey.blocks.push_back(*id);
  }
  std::ranges::sort(survey.blocks);
  const auto repeats = std::ranges::unique(survey.blocks);
  survey.blocks.erase(repeats.begin(), repeats.end());
  for (std::uint32_t number = 0; number < used.size(); ++number) {
    if (!used[number]) continue;
    const auto at = std::ranges::lower_bound(survey.blocks, *table.find(number));
    survey.index_by_number[number] = static_cast<std::uint32_t>(at - survey.blocks.begin());
  }
  return {};
}

Result<Survey> survey_source(RecordSource& source, const BlockTable& table) {
  Survey survey;
  std::vector<bool> used(table.size());
  Reference previous;
  ArtifactRecord record;
  std::uint64_t extent_count = 0;
  ASL_TRY(source.rewind());
  while (true) {
    ASL_ASSIGN(const bool more, source.next(record, extent_count));
    if (!more) break;
    if (survey.record_count > 0 && !(previous < record.ref))
      return fail(misuse("records are not in order", record));
    if (extent_count > kArtifactExtentsMax) return fail(misuse("an artifact has too many extents", record));
    ASL_TRY(for_each_extent(source, record, extent_count, [&](const ExtentRecord& extent) -> Result<void> {
      if (extent.is_hole()) return {};
      // A source may number blocks as it goes.
      if (extent.block_index >= used.size()) used.resize(table.size());
      if (extent.block_index >= used.size())
        return fail(misuse("an extent lies in an unknown block", record));
      used[extent.block_index] = true;
      return {};
    }));
    previous = record.ref;
    ++survey.record_count;
    survey.extent_count += extent_count;
  }
  ASL_TRY(list_blocks(used, table, survey));
  return survey;
}

SegmentHeader make_header(const SegmentProperties& properties, const Survey& survey) {
  SegmentHeader header{};
  std::ranges::copy(kSegmentMagic, header.magic.begin());
  header.version = kSegmentVersion;
  header.header_size = sizeof header;
  header.snapshot_min = properties.snapshot_min;
  header.snapshot_max = properties.snapshot_max;
  header.record_count = survey.record_count;
  header.block_count = static_cast<std::uint32_t>(survey.blocks.size());
  header.extent_count = survey.extent_count;
  header.domain_id = properties.domain_id;
  header.visibility = properties.visibility;
  set_layout(header);
  return header;
}

template <typename T>
Result<void> append_struct(SegmentOutput& output, const T& value) {
  return output.append(std::as_bytes(std::span(&value, 1)));
}

// What is written is first read back by the reader's own rules.
Result<void> write_records(SegmentOutput& output, RecordSource& source, const SegmentHeader& header) {
  ArtifactRecord record;
  ArtifactRecord read_back;
  std::uint64_t extent_count = 0;
  std::uint64_t extent_first = 0;
  ASL_TRY(source.rewind());
  for (std::uint64_t number = 0;; ++number) {
    ASL_ASSIGN(const bool more, source.next(record, extent_count));
    if (!more) return {};
    const auto disk =
        encode_record(record, header, number, extent_first, static_cast<std::uint32_t>(extent_count));
    if (const auto bad = decode_record(disk, header, number, read_back))
      return fail(misuse(std::string(bad.rule), record));
    if (record.type_tag.has_value() != record.ref.is_typed())
      return fail(misuse("a type tag does not go with its hash id", record));
    ASL_TRY(append_struct(output, disk));
    extent_first += extent_count;
  }
}

Result<void> write_digests(SegmentOutput& output, RecordSource& source) {
  ArtifactRecord record;
  std::uint64_t extent_count = 0;
  ASL_TRY(source.rewind());
  while (true) {
    ASL_ASSIGN(const bool more, source.next(record, extent_count));
    if (!more) return {};
    ASL_TRY(output.append(record.ref.digest));
  }
}

Result<void> write_extents(SegmentOutput& output, RecordSource& source, const Survey& survey) {
  ArtifactRecord record;
  ExtentRecord read_back;
  std::uint64_t extent_count = 0;
  const auto block_count = static_cast<std::uint32_t>(survey.blocks.size());
  ASL_TRY(source.rewind());
  while (true) {
    ASL_ASSIGN(const bool more, source.next(record, extent_count));
    if (!more) return {};
    ASL_TRY(for_each_extent(source, record, extent_count, [&](const ExtentRecord& extent) -> Result<void> {
      if (!extent.is_hole() && extent.block_index >= survey.index_by_number.size())
        return fail(misuse("an extent moved while its segment was written", record));
      const std::uint32_t index = extent.is_hole() ? kHoleBlock : survey.index_by_number[extent.block_index];
      const auto disk = encode_extent(extent, index);
      if (const auto bad = decode_extent(disk, block_count, read_back))
        return fail(misuse(std::string(bad.rule), record));
      return append_struct(output, disk);
    }));
  }
}

Result<WrittenSegment> write_sections(SegmentOutput& output, const SegmentHeader& header,
                                      RecordSource& source, const Survey& survey) {
  const auto moved = [] {
    return fail(ErrorCode::kUsage, "the records of a segment changed while it was written");
  };
  ASL_TRY(append_struct(output, header));
  ASL_TRY(write_records(output, source, header));
  if (output.offset() != header.digests_offset) return moved();
  ASL_TRY(write_digests(output, source));
  if (output.offset() != header.blocks_offset) return moved();
  ASL_TRY(output.append(std::as_bytes(std::span(survey.blocks))));
  ASL_TRY(write_extents(output, source, survey));
  if (round_up(output.offset(), kPageSize) != header.page_sums_offset) return moved();
  ASL_ASSIGN(const auto hashes, output.finish());
  return WrittenSegment{.hash = hashes.whole,
                        .file_size = hashes.file_size,
                        .record_count = header.record_count,
                        .extent_count = header.extent_count,
                        .block_count = header.block_count};
}

}  // namespace

Result<WrittenSegment> write_segment(io::Io& io, const std::string& path, const SegmentProperties& properties,
                                     RecordSource& source, const BlockTable& blocks) {
  ASL_ASSIGN(const Survey survey, survey_source(source, blocks));
  const SegmentHeader header = make_header(properties, survey);
  if (const auto bad = check_header(header)) return fail(ErrorCode::kUsage, std::string(bad.rule));
  ASL_ASSIGN(io::File file, io.open(path, {.write = true, .create_new = true}));
  SegmentOutput output(io, file);
  auto written = write_sections(output, header, source, survey);
  if (!written) {
    file.close();
    // The first error is the one to report; a leftover is swept with the rest of store/tmp.
    (void)io.remove(path);
  }
  return written;
}

// The builder's entries in sorted order.
class BuilderSource : public RecordSource {
 public:
  BuilderSource(SegmentBuilder& builder, std::span<const std::uint32_t> order)
      : builder_(&builder), order_(order) {}

  Result<void> rewind() override {
    position_ = 0;
    return {};
  }

  Result<bool> next(ArtifactRecord& record, std::uint64_t& extent_count) override {
    if (position_ == order_.size()) return false;
    entry_ = &builder_->entries_[order_[position_++]];
    given_ = 0;
    record = entry_->record;
    extent_count = entry_->extent_count;
    if (entry_->from_source) {
      ASL_TRY(extents().rewind());
    }
    return true;
  }

  Result<std::size_t> next_extents(std::span<ExtentRecord> out) override {
    if (entry_->from_source) return extents().next(out);
    const auto take =
        static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), entry_->extent_count - given_));
    std::copy_n(builder_->extents_.begin() + static_cast<std::ptrdiff_t>(entry_->first_extent + given_), take,
                out.begin());
    given_ += take;
    return take;
  }

 private:
  ExtentSource& extents() { return *builder_->sources_[entry_->first_extent]; }

  SegmentBuilder* builder_;
  std::span<const std::uint32_t> order_;
  std::size_t position_ = 0;
  std::size_t given_ = 0;
  const SegmentBuilder::Entry* entry_ = nullptr;
};

void SegmentBuilder::add(const ArtifactRecord& record, std::span<const ExtentRecord> extents) {
  entries_.push_back({.record = record,
                      .first_extent = extents_.size(),
                      .extent_count = extents.size(),
                      .from_source = false});
  extents_.insert(extents_.end(), extents.begin(), extents.end());
}

void SegmentBuilder::add(const ArtifactRecord& record, std::unique_ptr<ExtentSource> extents) {
  entries_.push_back({.record = record,
                      .first_extent = sources_.size(),
                      .extent_count = extents->size(),
                      .from_source = true});
  sources_.push_back(std::move(extents));
}

std::size_t SegmentBuilder::memory_bytes() const {
  return entries_.capacity() * sizeof(Entry) + extents_.capacity() * sizeof(ExtentRecord);
}

std::vector<std::uint32_t> SegmentBuilder::sort_and_join() {
  // Sorting 16 bytes an entry instead of whole entries is several times as fast; the first eight bytes of a
  // digest decide almost always.
  struct Key {
    std::uint64_t start;
    std::uint32_t entry;
    std::uint16_t hash_id;
  };
  std::vector<Key> keys;
  keys.reserve(entries_.size());
  for (std::uint32_t i = 0; i < entries_.size(); ++i) {
    const Reference& ref = entries_[i].record.ref;
    keys.push_back({load_be<std::uint64_t>(ref.digest.data()), i, ref.hash_id});
  }
  std::ranges::sort(keys, [this](const Key& a, const Key& b) {
    if (a.hash_id != b.hash_id) return a.hash_id < b.hash_id;
    if (a.start != b.start) return a.start < b.start;
    const auto order = entries_[a.entry].record.ref.digest <=> entries_[b.entry].record.ref.digest;
    return order != 0 ? order < 0 : a.entry < b.entry;
  });
  std::vector<std::uint32_t> order;
  order.reserve(keys.size());
  for (const Key& key : keys) {
    Entry& entry = entries_[key.entry];
    if (!order.empty() && entries_[order.back()].record.ref == entry.record.ref) {
      entry.record.flags |= entries_[order.back()].record.flags;
      order.back() = key.entry;
    } else {
      order.push_back(key.entry);
    }
  }
  return order;
}

Result<WrittenSegment> SegmentBuilder::write(io::Io& io, const std::string& path,
                                             const SegmentProperties& properties) {
  const auto order = sort_and_join();
  BuilderSource source(*this, order);
  auto written = write_segment(io, path, properties, source, *blocks_);
  entries_.clear();
  extents_.clear();
  sources_.clear();
  return written;
}

}  // namespace asl
