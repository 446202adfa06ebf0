// Look-ups in one segment. Digests are uniform, so a position can be guessed to within a page or so; two
// pages of digests and one of records are read where a plain binary search would touch a page a step.
#include <algorithm>
#include <cstring>

#include "index/segment_reader.h"

namespace asl {

// Digests by position, keeping hold of the last page used.
class DigestProbe {
 public:
  explicit DigestProbe(const SegmentReader& reader) : reader_(reader) {}

  Result<Digest> at(std::uint64_t number) {
    const std::uint64_t offset = reader_.header_.digests_offset + number * sizeof(Digest);
    const std::size_t within = offset % kPageSize;
    Digest digest;
    if (within + sizeof digest > kPageSize) {
      ASL_TRY(reader_.read_at(offset, digest));
      return digest;
    }
    if (!page_ || page_number_ != offset / kPageSize) {
      page_number_ = offset / kPageSize;
      ASL_ASSIGN(page_, reader_.page(page_number_));
    }
    std::memcpy(digest.data(), page_->data() + within, sizeof digest);
    return digest;
  }

 private:
  const SegmentReader& reader_;
  PageCache::PagePtr page_;
  std::uint64_t page_number_ = 0;
};

namespace {

std::uint64_t start_of(const Digest& digest) {
  return load_be<std::uint64_t>(digest.data());
}

// How far apart two positions with these digest starts should be, among `count` uniform digests.
std::int64_t expected_distance(std::uint64_t from, std::uint64_t to, std::uint64_t count) {
  const __int128 difference = static_cast<__int128>(to) - static_cast<__int128>(from);
  return static_cast<std::int64_t>((difference * static_cast<__int128>(count)) >> 64);
}

}  // namespace

Result<std::uint64_t> SegmentReader::typed_count() const {
  std::uint64_t known = typed_count_.load(std::memory_order_relaxed);
  if (known != kNotCounted) return known;
  std::uint64_t first = 0;
  std::uint64_t last = header_.record_count;
  while (first < last) {
    const std::uint64_t middle = first + (last - first) / 2;
    ASL_ASSIGN(const RecordHandle handle, load_record(middle, {}));
    if (handle.record.ref.is_typed())
      first = middle + 1;
    else
      last = middle;
  }
  // Threads that race here find the same number.
  typed_count_.store(first, std::memory_order_relaxed);
  return first;
}

Result<SegmentReader::Range> SegmentReader::range_of(std::uint16_t hash_id) const {
  ASL_ASSIGN(const std::uint64_t typed, typed_count());
  if (hash_id == kHashIdAsl1) return Range{0, typed};
  if (hash_id == kHashIdSha256) return Range{typed, header_.record_count};
  return Range{0, 0};
}

Result<std::uint64_t> SegmentReader::lower_bound(const Range& range, const Digest& digest) const {
  const auto [first, last] = range;
  if (first == last) return first;
  constexpr std::uint64_t kNear = 16;  // entries: well inside a page of digests
  constexpr int kGuesses = 3;
  const std::uint64_t count = last - first;
  DigestProbe probe(*this);
  std::uint64_t position = first + static_cast<std::uint64_t>(expected_distance(0, start_of(digest), count));
  Digest here{};
  for (int guess = 0; guess < kGuesses; ++guess) {
    ASL_ASSIGN(here, probe.at(position));
    const std::int64_t step = expected_distance(start_of(here), start_of(digest), count);
    if (static_cast<std::uint64_t>(step < 0 ? -step : step) < kNear) break;
    position = step < 0 ? position - std::min(position - first, static_cast<std::uint64_t>(-step))
                        : position + std::min(last - 1 - position, static_cast<std::uint64_t>(step));
  }

  // From the guess outwards in doubling steps until the place is bracketed, then by halves: still logarithmic
  // where the digests are not uniform.
  ASL_ASSIGN(here, probe.at(position));
  std::uint64_t low = first;
  std::uint64_t high = last;
  const bool upwards = here < digest;
  (upwards ? low : high) = upwards ? position + 1 : position;
  for (std::uint64_t step = kNear; high - low > step; step *= 2) {
    const std::uint64_t at = upwards ? low + step : high - step;
    ASL_ASSIGN(here, probe.at(at));
    const bool below = here < digest;
    (below ? low : high) = below ? at + 1 : at;
    if (below != upwards) break;
  }
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    ASL_ASSIGN(here, probe.at(middle));
    (here < digest ? low : high) = here < digest ? middle + 1 : middle;
  }
  return low;
}

Result<std::optional<RecordHandle>> SegmentReader::find(const Reference& ref) const {
  ASL_ASSIGN(const Range range, range_of(ref.hash_id));
  ASL_ASSIGN(const std::uint64_t number, lower_bound(range, ref.digest));
  if (number == range.last) return std::nullopt;
  Digest digest;
  ASL_TRY(read_at(header_.digests_offset + number * sizeof(Digest), digest));
  if (digest != ref.digest) return std::nullopt;
  return load_record(number, digest);
}

Result<void> SegmentReader::find_prefix(const ReferencePrefix& prefix, std::size_t limit,
                                        std::vector<Reference>& out) const {
  std::string padded = prefix.hex;
  padded.resize(2 * sizeof(Digest), '0');
  const auto start = digest_from_hex(padded);
  if (!start) return fail(ErrorCode::kUsage, "a reference prefix is not hex");
  ASL_ASSIGN(const Range range, range_of(prefix.hash_id));
  ASL_ASSIGN(std::uint64_t number, lower_bound(range, *start));
  DigestProbe probe(*this);
  for (; number < range.last && out.size() < limit; ++number) {
    ASL_ASSIGN(const Digest digest, probe.at(number));
    const Reference ref{prefix.hash_id, digest};
    if (!prefix.matches(ref)) break;
    out.push_back(ref);
  }
  return {};
}

}  // namespace asl
