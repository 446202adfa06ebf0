#include "block/cutter.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>
#include <string>
#include <vector>

#include <asl/engine/hash.h>

#include "block/gear_table.h"

namespace asl {
namespace {

struct Piece {
  std::uint64_t length;
  bool hole;
  bool operator==(const Piece&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Piece& piece) {
  return out << (piece.hole ? "hole " : "data ") << piece.length;
}
using Pieces = std::vector<Piece>;

// The rules as the format states them, with no thought for speed.
namespace reference {

std::size_t cut_of_run(ByteSpan run) {
  std::uint64_t hash = 0;
  for (std::size_t i = 128 << 10; i < run.size(); ++i) {
    hash = hash * 2 + kGear[std::to_integer<std::size_t>(run[i])];
    const std::uint64_t mask = ~0ULL << (i < (512U << 10) ? 64 - 21 : 64 - 17);
    if ((hash & mask) == 0 || i + 1 == (2U << 20)) return i + 1;
  }
  return run.size();
}

void cut_run(ByteSpan run, Pieces& pieces) {
  while (!run.empty()) {
    const std::size_t length = cut_of_run(run);
    pieces.push_back({length, false});
    run = run.subspan(length);
  }
}

Pieces cut(ByteSpan bytes) {
  Pieces pieces;
  std::size_t run_start = 0;
  for (std::size_t at = 0; at + 4096 <= bytes.size();) {
    std::size_t end = at;
    while (end + 4096 <= bytes.size() &&
           std::ranges::all_of(bytes.subspan(end, 4096), [](std::byte byte) { return byte == std::byte{0}; }))
      end += 4096;
    if (end - at >= 16 * 4096) {
      cut_run(bytes.subspan(run_start, at - run_start), pieces);
      pieces.push_back({end - at, true});
      run_start = end;
    }
    at = std::max(end, at + 4096);
  }
  cut_run(bytes.subspan(run_start), pieces);
  return pieces;
}

}  // namespace reference

void add(Pieces& pieces, const Cut& cut) {
  if (cut.hole && !pieces.empty() && pieces.back().hole)
    pieces.back().length += cut.length_bytes;
  else
    pieces.push_back({cut.length_bytes, cut.hole});
}

// Shows the cutter `first` bytes at once and `more` further ones whenever it asks.
Pieces cut_fed(ByteSpan bytes, std::size_t first, std::size_t more) {
  Cutter cutter;
  Pieces pieces;
  std::size_t shown = std::min(first, bytes.size());
  for (;;) {
    const auto at = static_cast<std::size_t>(cutter.position());
    const bool at_end = shown == bytes.size();
    if (const auto cut = cutter.next(bytes.subspan(at, shown - at), at_end)) {
      EXPECT_GT(cut->length_bytes, 0U);
      EXPECT_EQ(cutter.position(), at + cut->length_bytes);
      EXPECT_LE(cutter.position(), shown);
      add(pieces, *cut);
    } else if (at_end) {
      EXPECT_EQ(cutter.position(), bytes.size());
      return pieces;
    } else {
      EXPECT_LT(shown - at, kCutWindowMax) << "a full window must be enough";
      shown = std::min(shown + more, bytes.size());
    }
  }
}

Bytes random_bytes(std::size_t size, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Bytes bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

void zero(Bytes& bytes, std::size_t offset, std::size_t length) {
  std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), length, std::byte{0});
}

TEST(Cutter, GearValuesFollowFromTheirDefinition) {
  for (unsigned i = 0; i < 256; ++i) {
    const std::string text = "asl-gear/1" + std::string(1, static_cast<char>(i));
    EXPECT_EQ(kGear[i], load_le<std::uint64_t>(sha256(as_bytes(text)).data())) << i;
  }
}

TEST(Cutter, CutsNothingOutOfNothing) {
  Cutter cutter;
  EXPECT_EQ(cutter.next({}, false), std::nullopt);
  EXPECT_EQ(cutter.next({}, true), std::nullopt);
}

TEST(Cutter, AgreesWithTheReferenceAtEveryEdgeSize) {
  const Bytes random = random_bytes(5 << 20, 1);
  const Bytes zeros(5 << 20);
  // Bytes whose hash never has the top bits clear would be cut at the maximum only; a constant does that.
  const Bytes ones(5 << 20, std::byte{0x5A});
  for (const std::size_t edge : {std::size_t{0}, std::size_t{4096}, std::size_t{8192}, kHoleMin, kCutMin,
                                 kCutAverage, kCutMax, kCutWindowMax, kCutMax + kCutMin, 2 * kCutMax})
    for (const int delta : {-4096, -1, 0, 1, 4096}) {
      if (delta < 0 && edge < static_cast<std::size_t>(-delta)) continue;
      const std::size_t size = edge + static_cast<std::size_t>(delta);
      for (const Bytes* bytes : {&random, &zeros, &ones}) {
        const ByteSpan span = ByteSpan(*bytes).first(size);
        EXPECT_EQ(cut_fed(span, size, 1), reference::cut(span)) << size;
        EXPECT_EQ(cut_fed(span, 0, kCutWindowMax), reference::cut(span)) << size;
      }
    }
}

TEST(Cutter, CutsAtTheMaximumWhereNoCutPointIsFound) {
  const Bytes bytes(5 << 20, std::byte{0x5A});
  EXPECT_EQ(cut_fed(bytes, bytes.size(), 1), (Pieces{{2 << 20, false}, {2 << 20, false}, {1 << 20, false}}));
}

TEST(Cutter, FindsHolesOfEveryLengthAndAlignment) {
  Bytes bytes = random_bytes(1 << 20, 2);
  for (std::size_t pages = 14; pages <= 19; ++pages)
    for (const int head : {-4095, -1, 0, 1, 4095})
      for (const int tail : {-4095, -1, 0, 1, 4095})
        for (const std::size_t start :
             {std::size_t{4096}, kCutMin, kCutMin + 5 * 4096, std::size_t{960} << 10}) {
          Bytes holed = bytes;
          const auto from = static_cast<std::size_t>(static_cast<std::ptrdiff_t>(start) + head);
          const auto to =
              std::min(static_cast<std::size_t>(static_cast<std::ptrdiff_t>(start + pages * 4096) + tail),
                       holed.size());
          zero(holed, from, to - from);
          // A random neighbour might be zero itself.
          holed[from - 1] = std::byte{1};
          if (to < holed.size()) holed[to] = std::byte{1};
          const Pieces expected = reference::cut(holed);
          ASSERT_EQ(cut_fed(holed, holed.size(), 1), expected) << pages << ' ' << head << ' ' << tail;
          ASSERT_EQ(cut_fed(holed, 100, 12345), expected) << pages << ' ' << head << ' ' << tail;
        }
}

TEST(Cutter, TakesOnlyWholeZeroPagesIntoAHole) {
  Bytes bytes(40 * 4096, std::byte{1});
  zero(bytes, 4095, 17 * 4096 + 2);  // the last byte of page 0, pages 1 to 17, the first byte of page 18
  EXPECT_EQ(cut_fed(bytes, bytes.size(), 1), (Pieces{{4096, false}, {17 * 4096, true}, {22 * 4096, false}}));
}

TEST(Cutter, KeepsABrokenLastPageAsData) {
  const Bytes zeros(16 * 4096 + 4095);
  EXPECT_EQ(cut_fed(zeros, zeros.size(), 1), (Pieces{{16 * 4096, true}, {4095, false}}));
  const Bytes shorter(16 * 4096 - 1);
  EXPECT_EQ(cut_fed(shorter, shorter.size(), 1), (Pieces{{16 * 4096 - 1, false}}));
}

TEST(Cutter, CutsTheSameHoweverItIsFed) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 40; ++round) {
    Bytes bytes = random_bytes((random() % (12 << 20)) + 1, random());
    const std::size_t runs = random() % 12;
    for (std::size_t i = 0; i < runs; ++i) {
      std::size_t from = random() % bytes.size();
      if (random() % 2 == 0) from = from / 4096 * 4096;
      const std::size_t scale = random() % 3 == 0 ? 3 << 20 : 40 * 4096;
      zero(bytes, from, std::min<std::size_t>(random() % scale, bytes.size() - from));
    }
    const Pieces expected = reference::cut(bytes);
    ASSERT_EQ(cut_fed(bytes, bytes.size(), 1), expected);
    ASSERT_EQ(cut_fed(bytes, kCutWindowMax, kCutWindowMax), expected);
    ASSERT_EQ(cut_fed(bytes, random() % (4 << 20), random() % (1 << 20) + 1), expected);
    ASSERT_EQ(cut_fed(bytes, 0, random() % 70000 + 3000), expected);
  }
}

TEST(Cutter, CutsTheSameFedByteByByte) {
  Bytes bytes = random_bytes(700 << 10, 4);
  zero(bytes, 300000, 150000);
  EXPECT_EQ(cut_fed(bytes, 0, 1), reference::cut(bytes));
}

// Feeds as a reader of a sparse file does: [hole_begin, hole_end) is never shown beyond what the contract
// asks.
Pieces cut_sparse(ByteSpan bytes, std::size_t hole_begin, std::size_t hole_end) {
  Cutter cutter;
  Pieces pieces;
  std::size_t shown_end = hole_begin + kHoleMin + kPageSize;
  for (;;) {
    const auto at = static_cast<std::size_t>(cutter.position());
    const std::size_t shown = at >= hole_end ? bytes.size() : std::max(at, std::min(shown_end, bytes.size()));
    if (const auto cut = cutter.next(bytes.subspan(at, shown - at), shown == bytes.size())) {
      add(pieces, *cut);
      continue;
    }
    if (cutter.position() == bytes.size()) return pieces;
    if (cutter.in_hole() && at > hole_begin && at < hole_end && hole_end - at >= kPageSize) {
      const std::size_t skipped = (hole_end - at) / kPageSize * kPageSize;
      cutter.skip_hole(skipped);
      pieces.back().length += skipped;
    }
    shown_end = std::min(static_cast<std::size_t>(cutter.position()) + kCutWindowMax, bytes.size());
  }
}

TEST(Cutter, SkippingAKnownHoleGivesTheSameAsShowingIt) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 30; ++round) {
    Bytes bytes = random_bytes(4 << 20, random());
    const std::size_t begin = random() % (2 << 20);
    const std::size_t end = begin + 2 * kHoleMin + random() % (1 << 20);
    zero(bytes, begin, end - begin);
    // Zeros around the known range belong to the hole as well.
    if (round % 3 == 0)
      zero(bytes, begin - std::min<std::size_t>(begin, 9000), std::min<std::size_t>(begin, 9000));
    if (round % 3 == 1) zero(bytes, end, 50000);
    ASSERT_EQ(cut_sparse(bytes, begin, end), reference::cut(bytes)) << begin << ' ' << end;
  }
}

// The example of doc/format-block.md.
TEST(Cutter, CutsThePublishedExample) {
  Bytes bytes;
  for (std::uint32_t i = 0; bytes.size() < (4U << 20); ++i) {
    std::array<std::byte, 4> counter;
    store_le(counter.data(), i);
    const Digest digest = sha256(counter);
    bytes.insert(bytes.end(), digest.begin(), digest.end());
  }
  zero(bytes, 1000000, 200 << 10);
  EXPECT_EQ(cut_fed(bytes, bytes.size(), 1), (Pieces{{586450, false},
                                                     {417070, false},
                                                     {200704, true},
                                                     {706202, false},
                                                     {697171, false},
                                                     {595851, false},
                                                     {559820, false},
                                                     {431036, false}}));
}

}  // namespace
}  // namespace asl
