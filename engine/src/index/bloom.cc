#include "index/bloom.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <asl/engine/hash.h>

namespace asl {
namespace {

constexpr std::string_view kBloomMagic = "ASLBLM01";
constexpr std::uint32_t kBloomVersion = 1;

struct BloomHeader {
  std::array<char, 8> magic;
  std::uint32_t version;
  std::uint32_t blocks;
  Digest segment_hash;
  std::array<std::byte, 16> zero;
};
static_assert(sizeof(BloomHeader) == 64);

// One cache line: a look-up touches one.
constexpr std::uint64_t kBloomBlockSize = 64;
constexpr std::uint64_t kBloomBlockBits = kBloomBlockSize * 8;
// About 1 absent key in 200 passes, given that the load of single blocks varies.
constexpr std::uint64_t kBloomBitsPerRecord = 12;
constexpr std::size_t kBloomProbes = 8;
constexpr std::size_t kBloomProbesOffset = 8;  // into the digest; the bytes before choose the block

// A filter under construction larger than this is made in slices, each from one pass over the segment's
// digests.
constexpr std::uint64_t kBloomSliceBytes = 16 << 20;
static_assert(kBloomSliceBytes % kBloomBlockSize == 0);

std::uint64_t block_count_for(std::uint64_t records) {
  return std::max<std::uint64_t>(1, (records * kBloomBitsPerRecord + kBloomBlockBits - 1) / kBloomBlockBits);
}

std::uint64_t block_of(const Digest& digest, std::uint64_t blocks) {
  const auto start = load_le<std::uint64_t>(digest.data());
  return static_cast<std::uint64_t>((static_cast<unsigned __int128>(start) * blocks) >> 64);
}

struct Bit {
  std::size_t byte;
  std::byte mask;
};
Bit probe_bit(const Digest& digest, std::size_t probe) {
  const auto value = load_le<std::uint16_t>(digest.data() + kBloomProbesOffset + 2 * probe) % kBloomBlockBits;
  return {static_cast<std::size_t>(value / 8), std::byte{1} << (value % 8)};
}

void set_bits(std::byte* block, const Digest& digest) {
  for (std::size_t probe = 0; probe < kBloomProbes; ++probe) {
    const Bit bit = probe_bit(digest, probe);
    block[bit.byte] |= bit.mask;
  }
}

bool has_bits(const std::byte* block, const Digest& digest) {
  for (std::size_t probe = 0; probe < kBloomProbes; ++probe) {
    const Bit bit = probe_bit(digest, probe);
    if ((block[bit.byte] & bit.mask) == std::byte{0}) return false;
  }
  return true;
}

// Appends to a file and hashes what it appends.
struct HashedFile {
  io::Io* io;
  io::File file;
  std::uint64_t offset = 0;
  Sha256 hash;

  Result<void> append(ByteSpan bytes) {
    hash.update(bytes);
    ASL_TRY(io->write(file, bytes, offset));
    offset += bytes.size();
    return {};
  }
};

// Sets the bits of every record whose block lies in [first, first + slice).
Result<void> fill_slice(SegmentCursor& cursor, std::uint64_t blocks, std::uint64_t first,
                        MutableByteSpan slice) {
  cursor.rewind();
  RecordHandle handle;
  while (true) {
    ASL_ASSIGN(const bool more, cursor.next(handle));
    if (!more) return {};
    const Digest& digest = handle.record.ref.digest;
    const std::uint64_t block = block_of(digest, blocks);
    if (block < first || (block - first) * kBloomBlockSize >= slice.size()) continue;
    set_bits(slice.data() + (block - first) * kBloomBlockSize, digest);
  }
}

Result<void> write_filter(HashedFile& out, const std::shared_ptr<const SegmentReader>& segment,
                          const Digest& segment_hash) {
  const std::uint64_t blocks = block_count_for(segment->record_count());
  BloomHeader header{};
  std::ranges::copy(kBloomMagic, header.magic.begin());
  header.version = kBloomVersion;
  header.blocks = static_cast<std::uint32_t>(blocks);
  header.segment_hash = segment_hash;
  ASL_TRY(out.append(std::as_bytes(std::span(&header, 1))));

  SegmentCursor cursor(segment);
  const std::uint64_t blocks_per_slice = kBloomSliceBytes / kBloomBlockSize;
  for (std::uint64_t first = 0; first < blocks; first += blocks_per_slice) {
    Bytes slice(static_cast<std::size_t>(std::min(blocks_per_slice, blocks - first) * kBloomBlockSize));
    ASL_TRY(fill_slice(cursor, blocks, first, slice));
    ASL_TRY(out.append(slice));
  }
  const Digest digest = out.hash.finish();
  return out.io->write(out.file, digest, out.offset);
}

bool header_fits(const BloomHeader& header, const Digest& segment_hash, std::uint64_t record_count) {
  return std::string_view(header.magic.data(), header.magic.size()) == kBloomMagic &&
         header.version == kBloomVersion && header.segment_hash == segment_hash &&
         header.blocks == block_count_for(record_count) && all_zero(header.zero);
}

}  // namespace

std::unique_ptr<const BloomFilter> BloomFilter::open(io::Io& io, const std::string& path,
                                                     const Digest& segment_hash, std::uint64_t record_count,
                                                     std::uint64_t resident_bytes_max) {
  auto file = io.open(path, {});
  if (!file) return nullptr;
  BloomHeader header{};
  const auto header_bytes = std::as_writable_bytes(std::span(&header, 1));
  auto got = io.read(*file, header_bytes, 0);
  if (!got || *got != sizeof header || !header_fits(header, segment_hash, record_count)) return nullptr;

  std::unique_ptr<BloomFilter> filter(new BloomFilter());
  filter->io_ = &io;
  filter->block_count_ = header.blocks;
  const std::uint64_t size = header.blocks * kBloomBlockSize;
  const bool resident = size <= resident_bytes_max;
  Sha256 hash;
  hash.update(header_bytes);
  constexpr std::size_t kReadBytes = 1 << 20;
  if (resident) filter->blocks_.resize(static_cast<std::size_t>(size));
  Bytes scratch(resident ? 0 : kReadBytes);
  for (std::uint64_t at = 0; at < size;) {
    const auto take = static_cast<std::size_t>(std::min<std::uint64_t>(kReadBytes, size - at));
    const MutableByteSpan into =
        resident ? MutableByteSpan(filter->blocks_).subspan(static_cast<std::size_t>(at), take)
                 : MutableByteSpan(scratch).first(take);
    got = io.read(*file, into, sizeof header + at);
    if (!got || *got != take) return nullptr;
    hash.update(into);
    at += take;
  }
  // One byte more than the digest is asked for, so that a longer file is noticed.
  std::array<std::byte, sizeof(Digest) + 1> tail{};
  got = io.read(*file, tail, sizeof header + size);
  if (!got || *got != sizeof(Digest)) return nullptr;
  if (!std::ranges::equal(hash.finish(), std::span(tail).first(sizeof(Digest)))) return nullptr;
  if (!resident) filter->file_ = std::move(*file);
  return filter;
}

bool BloomFilter::may_contain(const Digest& digest) const {
  const std::uint64_t at = block_of(digest, block_count_) * kBloomBlockSize;
  if (resident()) return has_bits(blocks_.data() + at, digest);
  std::array<std::byte, kBloomBlockSize> block;
  const auto got = io_->read(file_, block, sizeof(BloomHeader) + at);
  return !got || *got != block.size() || has_bits(block.data(), digest);
}

Result<void> write_bloom(const SegmentStore& store, const std::shared_ptr<const SegmentReader>& segment,
                         const Digest& segment_hash) {
  // The u32 block count in the header would overflow past 180 thousand million records.
  if (block_count_for(segment->record_count()) > 0xFFFFFFFF)
    return fail(ErrorCode::kUnsupported, "a segment has too many records for a bloom file");
  const std::string path = store.bloom_tmp_path(segment->number());
  // What a dead writer left in the way is of no use to anybody.
  if (io::exists(store.io(), path)) ASL_TRY(store.io().remove(path));
  ASL_ASSIGN(io::File file, store.io().open(path, {.write = true, .create_new = true}));
  HashedFile out{.io = &store.io(), .file = std::move(file), .offset = 0, .hash = Sha256()};
  auto written = write_filter(out, segment, segment_hash);
  out.file.close();
  if (written) written = store.publish_bloom(segment->number());
  if (!written) (void)store.io().remove(path);
  return written;
}

}  // namespace asl
