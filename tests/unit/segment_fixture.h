// Artifacts, segments and broken segments for the tests of the index.
#pragma once

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <asl/engine/hash.h>
#include <asl/engine/io.h>

#include "index/segment_format.h"
#include "index/segment_reader.h"
#include "index/segment_store.h"
#include "index/segment_writer.h"
#include "support.h"

namespace asl::test {

struct ModelArtifact {
  ArtifactRecord record;
  std::vector<ArtifactExtent> extents;
};
using Model = std::map<Reference, ModelArtifact>;

inline bool same_extent(const ArtifactExtent& a, const ArtifactExtent& b) {
  return a.artifact_offset == b.artifact_offset && a.raw_length == b.raw_length && a.hole == b.hole &&
         a.location == b.location;
}

// Makes artifacts out of a seed: most of one extent, some typed, empty, long or with holes.
class ArtifactMaker {
 public:
  explicit ArtifactMaker(std::uint64_t seed, std::size_t block_count = 5) : random_(seed) {
    for (std::size_t i = 0; i < block_count; ++i) blocks_.push_back(digest());
  }

  Digest digest() {
    Digest value;
    for (std::byte& byte : value) byte = static_cast<std::byte>(random_());
    return value;
  }
  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }

  ModelArtifact make() {
    const std::uint64_t shape = below(100);
    std::uint32_t extents = 1;
    if (shape < 3) extents = 0;
    if (shape >= 90) extents = static_cast<std::uint32_t>(2 + below(6));
    return make_of(extents, shape % 7 == 3);
  }

  ModelArtifact make_of(std::uint32_t extents, bool typed) {
    ModelArtifact artifact;
    artifact.record.ref = {typed ? kHashIdAsl1 : kHashIdSha256, digest()};
    if (typed) artifact.record.type_tag = kTagTree;
    if (below(10) == 0) artifact.record.flags = kRecordPinned;
    for (std::uint32_t i = 0; i < extents; ++i) {
      const bool after_hole = i > 0 && artifact.extents.back().hole;
      artifact.extents.push_back(extent(artifact.record.length, extents > 1 && !after_hole && below(4) == 0));
      artifact.record.length += artifact.extents.back().raw_length;
    }
    // The digest of an untyped artifact of one extent is that of the extent.
    if (extents == 1 && !typed && !artifact.extents[0].hole)
      artifact.extents[0].location.digest = artifact.record.ref.digest;
    return artifact;
  }

  ArtifactExtent extent(std::uint64_t artifact_offset, bool hole) {
    ArtifactExtent made;
    made.artifact_offset = artifact_offset;
    made.hole = hole;
    made.raw_length = hole ? 65536 + below(1ULL << 40) : 1 + below(kExtentLengthMax);
    if (hole) return made;
    const bool zstd = made.raw_length > 1 && below(3) == 0;
    made.location = {
        .block = blocks_[below(blocks_.size())],
        .offset_bytes = static_cast<std::uint32_t>(below(kBlockLengthMax - kExtentLengthMax)),
        .stored_length_bytes = static_cast<std::uint32_t>(zstd ? made.raw_length / 2 : made.raw_length),
        .raw_length_bytes = static_cast<std::uint32_t>(made.raw_length),
        .codec = zstd ? Codec::kZstd : Codec::kNone,
        .digest = digest()};
    return made;
  }

  Model make_many(std::size_t count) {
    Model model;
    while (model.size() < count) {
      ModelArtifact artifact = make();
      model.emplace(artifact.record.ref, std::move(artifact));
    }
    return model;
  }

 private:
  std::mt19937_64 random_;
  std::vector<BlockId> blocks_;
};

inline std::vector<ExtentRecord> records_of(const ModelArtifact& artifact, BlockTable& blocks) {
  std::vector<ExtentRecord> records;
  for (const ArtifactExtent& extent : artifact.extents) {
    if (extent.hole) {
      records.push_back(hole_record(extent.artifact_offset, extent.raw_length));
      continue;
    }
    records.push_back({.artifact_offset = extent.artifact_offset,
                       .raw_length = extent.raw_length,
                       .block_index = blocks.number_of(extent.location.block),
                       .block_offset = extent.location.offset_bytes,
                       .stored_length = extent.location.stored_length_bytes,
                       .codec = extent.location.codec,
                       .digest = extent.location.digest});
  }
  return records;
}

// A store directory with segments in it.
class SegmentDirectory {
 public:
  SegmentDirectory() {
    for (const char* name : {"store", "store/index", "store/tmp", "store/cache"})
      std::filesystem::create_directory(directory_ / name);
  }

  io::Io& io() { return *io_; }
  const SegmentStore& store() const { return store_; }
  const std::shared_ptr<PageCache>& pages() const { return pages_; }
  std::string path(const std::string& name) const { return directory_ / name; }

  WrittenSegment write(SegmentNumber number, const Model& model) {
    BlockTable blocks;
    SegmentBuilder builder(blocks);
    // Backwards: the builder sorts.
    for (auto at = model.rbegin(); at != model.rend(); ++at)
      builder.add(at->second.record, records_of(at->second, blocks));
    const auto written = value_of(builder.write(*io_, store_.segment_tmp_path(number), {}));
    value_of(store_.publish_segment(number));
    return written;
  }

  Result<std::shared_ptr<const SegmentReader>> open(SegmentNumber number) {
    return SegmentReader::open(*io_, store_.segment_path(number), number, pages_);
  }

  Bytes load(const std::string& file) { return value_of(io::read_file(*io_, file, 1ULL << 32)); }
  // Unsynced: tests save thousands of broken files.
  void save(const std::string& file, ByteSpan bytes) {
    std::ofstream out(file, std::ios::binary | std::ios::trunc);
    const auto text = as_text(bytes);
    out.write(text.data(), static_cast<std::streamsize>(text.size()));
  }

 private:
  TempDirectory directory_;
  std::unique_ptr<io::Io> io_ = io::make_plain_io();
  SegmentStore store_{*io_, directory_ / "store"};
  std::shared_ptr<PageCache> pages_ = std::make_shared<PageCache>();
};

inline SegmentHeader header_of(ByteSpan file) {
  SegmentHeader header;
  std::memcpy(&header, file.data(), sizeof header);
  return header;
}

// Makes sums and hash right again after the bytes were tampered with, so that only the rules themselves
// object.
inline void reseal(Bytes& file, std::uint64_t page_sums_offset) {
  for (std::uint64_t page = 0; page < page_sums_offset / kPageSize; ++page)
    store_le(file.data() + page_sums_offset + 8 * page,
             xxh3(ByteSpan(file).subspan(page * kPageSize, kPageSize)));
  const std::size_t footer = file.size() - sizeof(SegmentFooter);
  const Digest hash = sha256(ByteSpan(file).first(footer));
  std::ranges::copy(hash,
                    file.begin() + static_cast<std::ptrdiff_t>(footer + offsetof(SegmentFooter, sha256)));
}

class SegmentTest : public ::testing::Test {
 protected:
  static constexpr SegmentNumber kNumber = 7;
  SegmentDirectory directory_;

  std::shared_ptr<const SegmentReader> write_and_open(const Model& model) {
    directory_.write(kNumber, model);
    return value_of(directory_.open(kNumber));
  }
  std::string path() const { return directory_.store().segment_path(kNumber); }
};

}  // namespace asl::test
