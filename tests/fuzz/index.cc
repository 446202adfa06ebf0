// Segments, bloom files, and the values of the cache over them.
#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include <asl/engine/hash.h>

#include "fuzz.h"
#include "index/bloom.h"
#include "index/cache_entry.h"
#include "index/segment_reader.h"
#include "index/segment_store.h"
#include "index/segment_writer.h"
#include "memory_io.h"

namespace asl::fuzz {
namespace {

constexpr SegmentNumber kNumber = 7;
constexpr std::uint8_t kReseal = 1U << 0;  // sums and hashes are made to fit, so that only the rules object
constexpr std::uint8_t kShrink = 1U << 1;  // a cache of one page a shard: every read goes to the file
constexpr std::uint64_t kRecordsLookedAt = 64;

// Sums of all pages, the file size and the hash, as far as the header's offsets allow.
void reseal(Bytes& file) {
  if (file.size() < sizeof(SegmentHeader) + sizeof(SegmentFooter)) return;
  SegmentHeader header;
  std::memcpy(&header, file.data(), sizeof header);
  const std::uint64_t footer_at = file.size() - sizeof(SegmentFooter);
  const std::uint64_t sums_at = header.page_sums_offset;
  for (std::uint64_t page = 0; sums_at < footer_at && page < sums_at / kPageSize; ++page) {
    const std::uint64_t sum_at = sums_at + page * kPageSumSize;
    if (sum_at + kPageSumSize > footer_at) break;
    store_le(file.data() + sum_at, xxh3(ByteSpan(file).subspan(page * kPageSize, kPageSize)));
  }
  store_le<std::uint64_t>(file.data() + footer_at + offsetof(SegmentFooter, file_size), file.size());
  const Digest hash = sha256(ByteSpan(file).first(footer_at));
  std::ranges::copy(hash,
                    file.begin() + static_cast<std::ptrdiff_t>(footer_at + offsetof(SegmentFooter, sha256)));
}

bool same(const RecordHandle& a, const RecordHandle& b) {
  return a.number == b.number && a.record.ref == b.record.ref && a.record.length == b.record.length &&
         a.record.flags == b.record.flags && a.record.type_tag == b.record.type_tag &&
         a.record.visibility == b.record.visibility && a.extent_first == b.extent_first &&
         a.extent_count == b.extent_count;
}

bool same(const ArtifactExtent& a, const ArtifactExtent& b) {
  return a.artifact_offset == b.artifact_offset && a.raw_length == b.raw_length && a.hole == b.hole &&
         a.location == b.location;
}

// Every question that a reader answers, twice. `whole`: the segment kept every rule, so none may fail.
void ask(const SegmentReader& reader, bool whole) {
  const std::uint64_t count = std::min(reader.record_count(), kRecordsLookedAt);
  for (std::uint64_t number = 0; number < count; ++number) {
    const auto handle = reader.record(number);
    require_same(handle, reader.record(number), "a record reads the same again");
    require(handle.has_value() || !whole, "a whole segment gives every record");
    if (!handle) continue;
    const auto found = reader.find(handle->record.ref);
    if (whole) require(found && *found && same(**found, *handle), "a whole segment finds every record");
    std::vector<Reference> refs;
    static_cast<void>(
        reader.find_prefix({handle->record.ref.hash_id, to_hex(handle->record.ref.digest)}, 2, refs));
    if (whole) require(refs.size() == 1 && refs[0] == handle->record.ref, "a prefix of all digits finds one");
    for (std::uint32_t k = 0; k < std::min<std::uint32_t>(handle->extent_count, 16); ++k) {
      const auto extent = reader.extent(*handle, k);
      require_same(extent, reader.extent(*handle, k), "an extent reads the same again");
      require(extent.has_value() || !whole, "a whole segment gives every extent");
      if (!extent || !whole) continue;
      require(same(*extent, *reader.extent(*handle, k)), "an extent reads the same again");
      const auto at = reader.find_extent_at(*handle, extent->artifact_offset + extent->raw_length - 1);
      require(at && *at == k, "the last byte of an extent is found in it");
    }
    if (handle->record.length > 0)
      static_cast<void>(reader.find_extent_at(*handle, handle->record.length / 2));
  }
}

// There is one file only that says what a whole segment says.
void write_again(const std::shared_ptr<const SegmentReader>& reader, ByteSpan file) {
  SegmentCursor cursor(reader);
  const auto ids = must(cursor.blocks(), "a whole segment's blocks are read");
  BlockTable blocks;
  SegmentBuilder builder(blocks);
  RecordHandle handle;
  while (must(cursor.next(handle), "a whole segment is walked")) {
    require(same(handle, must(reader->record(handle.number), "a walked record is read")), "and is the same");
    std::vector<ExtentRecord> extents(handle.extent_count);
    std::size_t filled = 0;
    while (filled < extents.size()) {
      const auto more = must(cursor.next_extents(std::span(extents).subspan(filled)),
                             "a whole segment's extents are walked");
      require(more > 0, "a record has as many extents as it says");
      filled += more;
    }
    for (ExtentRecord& extent : extents) {
      if (!extent.is_hole()) extent.block_index = blocks.number_of(ids[extent.block_index]);
    }
    builder.add(handle.record, extents);
  }
  const SegmentHeader& header = reader->header();
  DomainId domain;
  std::ranges::copy(header.domain_id, domain.begin());
  MemoryIo io;
  must(builder.write(io, "/copy",
                     {.domain_id = domain,
                      .snapshot_min = header.snapshot_min,
                      .snapshot_max = header.snapshot_max,
                      .visibility = header.visibility}),
       "what a whole segment says can be written");
  require(std::ranges::equal(*io.find("/copy"), file), "a whole segment is written the same way again");
}

}  // namespace

void fuzz_segment(ByteSpan input) {
  Choices choices(input);
  const std::uint8_t how = choices.byte();
  Bytes file(choices.rest().begin(), choices.rest().end());
  if ((how & kReseal) != 0) reseal(file);
  MemoryIo io;
  const SegmentStore store(io, "/store");
  io.put(store.segment_path(kNumber), file);
  const auto pages = std::make_shared<PageCache>((how & kShrink) != 0 ? 0 : kPageCacheBytes);
  const auto reader = SegmentReader::open(io, store.segment_path(kNumber), kNumber, pages);
  require_same(reader, SegmentReader::open(io, store.segment_path(kNumber), kNumber, pages),
               "a segment opens the same again");
  if (!reader) return;
  const auto whole = (*reader)->verify_whole(nullptr);
  require_same(whole, (*reader)->verify_whole(nullptr), "a segment verifies the same again");
  ask(**reader, whole.has_value());
  if (!whole) return;
  const Digest hash = sha256(file);
  must((*reader)->verify_whole(&hash), "a whole segment has the hash of its bytes");
  write_again(*reader, file);
  must(write_bloom(store, *reader, hash), "a whole segment gets a bloom file");
  const auto bloom = BloomFilter::open(io, store.bloom_path(kNumber), hash, (*reader)->record_count());
  require(bloom != nullptr, "which opens");
  for (std::uint64_t number = 0; number < std::min((*reader)->record_count(), kRecordsLookedAt); ++number)
    require(bloom->may_contain((*reader)->record(number)->record.ref.digest), "and knows every record");
}

void fuzz_bloom(ByteSpan input) {
  Choices choices(input);
  const std::uint8_t how = choices.byte();
  const std::uint16_t records = choices.word();
  Bytes file(choices.rest().begin(), choices.rest().end());
  constexpr std::size_t kHashAt = 16;
  Digest segment_hash{};
  if (file.size() >= kHashAt + sizeof segment_hash)
    std::memcpy(segment_hash.data(), file.data() + kHashAt, sizeof segment_hash);
  if ((how & kReseal) != 0 && file.size() >= sizeof(Digest)) {
    const std::size_t end = file.size() - sizeof(Digest);
    std::ranges::copy(sha256(ByteSpan(file).first(end)), file.begin() + static_cast<std::ptrdiff_t>(end));
  }
  MemoryIo io;
  io.put("/bloom", file);
  const auto resident = BloomFilter::open(io, "/bloom", segment_hash, records);
  const auto probed = BloomFilter::open(io, "/bloom", segment_hash, records, 0);
  require((resident == nullptr) == (probed == nullptr), "a filter opens in memory as in its file");
  if (!resident) return;
  for (std::uint32_t number = 0; number < 32; ++number) {
    const Digest digest = sha256(std::as_bytes(std::span(&number, 1)));
    require(resident->may_contain(digest) == probed->may_contain(digest),
            "a filter answers in memory as in its file");
  }
}

void fuzz_cache_entry(ByteSpan input) {
  CacheEntries entries;
  if (!add_missing_entries(as_text(input), entries)) return;
  const std::string encoded = encode_entries(entries);
  CacheEntries again;
  require(add_missing_entries(encoded, again), "what was decoded is encoded so that it decodes");
  require(again == entries, "to the same");
  require(encode_entries(again) == encoded, "in one form");
}

}  // namespace asl::fuzz
