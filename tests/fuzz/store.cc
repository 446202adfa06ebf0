// What else lies in a store: cache rows, lists, names, extents' bytes.
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <asl/engine/host_root.h>

#include "block/codec.h"
#include "block/cutter.h"
#include "fuzz.h"
#include "index/segment_store.h"
#include "ingest/stat_cache.h"
#include "memory_io.h"
#include "store/damage_list.h"
#include "store/domain_layout.h"

namespace asl::fuzz {
namespace {

constexpr std::size_t kCutterBytesMax = 5 << 19;  // more than the longest extent and a hole after it

// Runs of zeros and of noise, some of them whole pages.
Bytes runs_of(Choices& choices) {
  Bytes bytes;
  while (!choices.empty() && bytes.size() < kCutterBytesMax) {
    const std::uint8_t kind = choices.byte();
    const std::size_t size = std::size_t{choices.word()} * ((kind & 2) != 0 ? 64 : 1);
    std::uint64_t noise = kind;
    std::size_t at = bytes.size();
    bytes.resize(std::min(at + size, kCutterBytesMax));
    for (; (kind & 1) != 0 && at + sizeof noise <= bytes.size(); at += sizeof noise) {
      noise = noise * 6364136223846793005ULL + 1442695040888963407ULL;
      store_be(bytes.data() + at, noise ^ noise >> 29);
    }
    if ((kind & 4) != 0) bytes.resize(round_up(bytes.size(), kPageSize));
  }
  bytes.resize(std::min(bytes.size(), kCutterBytesMax));
  return bytes;
}

// The cuts, adjacent holes joined, when the cutter is shown `step` bytes more each time it asks.
std::vector<Cut> cut_all(ByteSpan bytes, std::size_t step) {
  std::vector<Cut> cuts;
  Cutter cutter;
  std::size_t shown = 0;
  while (true) {
    const auto at = static_cast<std::size_t>(cutter.position());
    shown = std::max(shown, at);
    const auto cut = cutter.next(bytes.subspan(at, shown - at), shown == bytes.size());
    if (!cut) {
      if (shown == bytes.size()) break;
      require(shown - at < kCutWindowMax, "a full window always decides");
      shown = std::min(bytes.size(), shown + step);
      continue;
    }
    require(cut->length_bytes > 0 && cutter.position() <= shown, "a cut lies in what was shown");
    require(!cut->hole || all_zero(bytes.subspan(at, cut->length_bytes)), "a hole is zeros");
    require(cut->hole || cut->length_bytes <= kExtentLengthMax, "an extent has its longest length at most");
    if (cut->hole && !cuts.empty() && cuts.back().hole)
      cuts.back().length_bytes += cut->length_bytes;
    else
      cuts.push_back(*cut);
  }
  require(cutter.position() == bytes.size(), "everything is cut");
  return cuts;
}

}  // namespace

void fuzz_stat_row(ByteSpan input) {
  const auto row = decode_stat_row(input);
  if (!row) return;
  const Bytes encoded = encode_stat_row(*row);
  require(std::ranges::equal(encoded, input), "a row has one encoding");
}

void fuzz_damage_list(ByteSpan input) {
  MemoryIo io;
  io.put("/damaged", input);
  const auto list = DamageList::load(io, "/damaged");
  if (!list) return;
  const std::set<SegmentNumber> segments = list->segments();
  require(!list->empty() || segments.empty(), "an empty list names no segment");
  const auto again = must(DamageList::load(io, "/damaged"), "a list loads again");
  require(again.segments() == segments && again.empty() == list->empty(), "to the same");
}

void fuzz_names(ByteSpan input) {
  const std::string_view text = as_text(input);
  MemoryIo io;
  const SegmentStore store(io, "/store");
  if (const auto number = parse_segment_name(text))
    require(store.segment_path(*number) == "/store/index/" + std::string(text), "a segment has one name");
  if (const auto number = parse_bloom_name(text))
    require(store.bloom_path(*number) == "/store/index/" + std::string(text), "a bloom file has one name");
  if (const auto id = parse_domain_id(text)) require(to_hex(*id) == text, "a domain id has one text");
  io.put("/layout", input);
  const auto read_only = check_layout_file(io, "/layout");
  require_same(read_only, check_layout_file(io, "/layout"), "a layout is judged the same again");
  if (read_only && !*read_only)
    require(text.substr(0, kLayoutLine.size()) == kLayoutLine, "only the known layout is written to");
}

void fuzz_codec(ByteSpan input) {
  Choices choices(input);
  Bytes raw(choices.word());
  Decompressor decompressor;
  if (!decompressor.decompress(choices.rest(), raw)) return;
  Bytes again(raw.size());
  must(decompressor.decompress(choices.rest(), again), "what decompressed does so again");
  require(again == raw, "to the same bytes");
  Compressor compressor;
  const ByteSpan compressed = must(compressor.compress(raw), "any bytes can be given to compress");
  require(compressed.size() < raw.size() || raw.empty() || compressed.empty(), "compressed bytes are fewer");
  if (compressed.empty()) return;
  must(decompressor.decompress(compressed, again), "what was compressed decompresses");
  require(again == raw, "to the same bytes");
}

void fuzz_cutter(ByteSpan input) {
  Choices choices(input);
  const std::size_t step = 1 + std::size_t{choices.word()} * 8;
  const Bytes bytes = runs_of(choices);
  const auto same = [](const Cut& a, const Cut& b) {
    return a.length_bytes == b.length_bytes && a.hole == b.hole;
  };
  const std::vector<Cut> at_once = cut_all(bytes, bytes.size() + 1);
  const std::vector<Cut> in_steps = cut_all(bytes, std::max(step, bytes.size() / 16));
  require(std::ranges::equal(at_once, in_steps, same), "cuts depend on the bytes alone");
}

}  // namespace asl::fuzz
