#include <algorithm>

#include <asl/engine/cm.h>
#include <asl/engine/partial.h>

#include "format/encode_error.h"

namespace asl {
namespace {

constexpr std::string_view kPartialMagic = "asl-partial";
constexpr std::uint64_t kPartialVersion = 1;
constexpr std::uint32_t kPartialFields = 5;
constexpr std::uint32_t kRangeFields = 3;
constexpr std::string_view kGapStatuses = "?*/-";

// Walks both sorted lists at once: the range that begins where the last one ended must come next.
std::string_view violated_cover_rule(const Partial& partial) {
  constexpr std::string_view kNotCovering = "pieces and gaps do not cover the file without overlap, in order";
  auto piece = partial.pieces.begin();
  auto gap = partial.gaps.begin();
  std::uint64_t end = 0;
  while (piece != partial.pieces.end() || gap != partial.gaps.end()) {
    std::uint64_t length = 0;
    if (piece != partial.pieces.end() && piece->offset_bytes == end) {
      length = (piece++)->length_bytes;
    } else if (gap != partial.gaps.end() && gap->offset_bytes == end) {
      length = (gap++)->length_bytes;
    } else {
      return kNotCovering;
    }
    if (length == 0) return "a range is empty";
    if (length > partial.length_bytes - end) return kNotCovering;
    end += length;
  }
  return end == partial.length_bytes ? std::string_view{} : kNotCovering;
}

std::string_view violated_rule(const Partial& partial) {
  if (partial.length_bytes > kArtifactLengthMax) return "a partial file is too long";
  for (const PartialPiece& piece : partial.pieces)
    if (piece.ref.is_null() || piece.ref.is_typed()) return "a piece is not an untyped artifact";
  for (const PartialGap& gap : partial.gaps)
    if (kGapStatuses.find(static_cast<char>(gap.status)) == std::string_view::npos)
      return "a gap has an unknown status";
  if (const auto rule = violated_cover_rule(partial); !rule.empty()) return rule;
  if (partial.gaps.empty() && partial.length_bytes != 0) return "a partial file has no gap";
  return {};
}

Result<PartialPiece> read_piece(CmReader& reader) {
  PartialPiece piece;
  ASL_TRY(reader.array_exactly(kRangeFields));
  ASL_ASSIGN(piece.offset_bytes, reader.uint());
  ASL_ASSIGN(piece.length_bytes, reader.uint());
  ASL_ASSIGN(piece.ref, reader.reference());
  return piece;
}

Result<PartialGap> read_gap(CmReader& reader) {
  PartialGap gap;
  ASL_TRY(reader.array_exactly(kRangeFields));
  ASL_ASSIGN(gap.offset_bytes, reader.uint());
  ASL_ASSIGN(gap.length_bytes, reader.uint());
  ASL_ASSIGN(const std::string_view status, reader.str());
  if (status.size() != 1) return fail(reader.violation("a gap's status is not one character"));
  gap.status = static_cast<GapStatus>(status.front());
  return gap;
}

}  // namespace

Result<Bytes> encode_partial(const Partial& partial) {
  if (const auto rule = violated_rule(partial); !rule.empty()) return encode_malformed(rule);
  // A range takes five bytes or more: this keeps the counts below in their 32 bits.
  if (partial.pieces.size() + partial.gaps.size() > kPartialSizeMax) return encode_too_large("a partial");
  Bytes bytes;
  CmWriter writer(bytes);
  writer.array(kPartialFields);
  writer.str(kPartialMagic);
  writer.uint(kPartialVersion);
  writer.uint(partial.length_bytes);
  writer.array(static_cast<std::uint32_t>(partial.pieces.size()));
  for (const PartialPiece& piece : partial.pieces) {
    writer.array(kRangeFields);
    writer.uint(piece.offset_bytes);
    writer.uint(piece.length_bytes);
    writer.reference(piece.ref);
  }
  writer.array(static_cast<std::uint32_t>(partial.gaps.size()));
  for (const PartialGap& gap : partial.gaps) {
    writer.array(kRangeFields);
    writer.uint(gap.offset_bytes);
    writer.uint(gap.length_bytes);
    const char status = static_cast<char>(gap.status);
    writer.str({&status, 1});
  }
  if (bytes.size() > kPartialSizeMax) return encode_too_large("a partial");
  return bytes;
}

Result<Partial> decode_partial(ByteSpan bytes) {
  if (bytes.size() > kPartialSizeMax)
    return fail(CmReader::violation_at(kPartialSizeMax, "a partial is too large"));
  CmReader reader(bytes);
  ASL_TRY(reader.array_exactly(kPartialFields));
  ASL_TRY(reader.header(kPartialMagic, kPartialVersion));
  Partial partial;
  ASL_ASSIGN(partial.length_bytes, reader.uint());
  // Grown item by item: a count is trusted only as far as items were really there.
  ASL_ASSIGN(const std::uint32_t pieces, reader.array());
  for (std::uint32_t i = 0; i < pieces; ++i) {
    ASL_ASSIGN(const PartialPiece piece, read_piece(reader));
    partial.pieces.push_back(piece);
  }
  ASL_ASSIGN(const std::uint32_t gaps, reader.array());
  for (std::uint32_t i = 0; i < gaps; ++i) {
    ASL_ASSIGN(const PartialGap gap, read_gap(reader));
    partial.gaps.push_back(gap);
  }
  ASL_TRY(reader.finish());
  if (const auto rule = violated_rule(partial); !rule.empty()) return fail(CmReader::violation_at(0, rule));
  return partial;
}

}  // namespace asl
