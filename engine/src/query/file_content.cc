#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <optional>
#include <utility>

#include <asl/engine/file_content.h>

namespace asl {
namespace {

// An error message stays readable; stat lists them all.
constexpr std::size_t kGapsShownMax = 8;

}  // namespace

std::string describe_gaps(const std::vector<PartialGap>& gaps) {
  std::string text;
  for (std::size_t k = 0; k < std::min(gaps.size(), kGapsShownMax); ++k) {
    if (k > 0) text += ", ";
    text += fmt::format("{}-{}", gaps[k].offset_bytes, gaps[k].offset_bytes + gaps[k].length_bytes - 1);
  }
  if (gaps.size() > kGapsShownMax) text += fmt::format(" and {} more", gaps.size() - kGapsShownMax);
  return text;
}

Result<FileContent> FileContent::open(const Domain& domain, const Entry& entry) {
  if (entry.type != EntryType::kFile) return fail(ErrorCode::kUsage, "not a regular file");
  return open(domain, entry.content);
}

Result<FileContent> FileContent::open(const Domain& domain, const Reference& reference) {
  FileContent content;
  if (reference.is_typed()) {
    ASL_TRY(content.open_partial(domain, reference));
    return content;
  }
  ASL_ASSIGN(Artifact artifact, domain.find(reference));
  content.length_ = artifact.length();
  content.pieces_.push_back({0, std::move(artifact)});
  return content;
}

Result<void> FileContent::open_partial(const Domain& domain, const Reference& reference) {
  ASL_ASSIGN(const Bytes bytes, domain.read_typed(reference, kTagPartial, kPartialSizeMax));
  ASL_ASSIGN(Partial partial, decode_partial(bytes));
  length_ = partial.length_bytes;
  gaps_ = std::move(partial.gaps);
  for (const PartialPiece& piece : partial.pieces) {
    ASL_ASSIGN(Artifact artifact, domain.find(piece.ref));
    if (artifact.length() != piece.length_bytes)
      return fail(Error{.code = ErrorCode::kIntegrity,
                        .message = "a piece of a partial file has another length than its partial says",
                        .object = to_text(reference)});
    pieces_.push_back({piece.offset_bytes, std::move(artifact)});
  }
  return {};
}

void FileContent::read_ahead(std::uint64_t offset, std::uint64_t length) const {
  if (gaps_.empty() && pieces_.size() == 1) pieces_.front().artifact.read_ahead(offset, length);
}

std::size_t FileContent::memory_bytes() const {
  // What an artifact holds of its own: a handle into the index.
  constexpr std::size_t kArtifactBytes = 512;
  return sizeof *this + pieces_.capacity() * (sizeof(Piece) + kArtifactBytes) +
         gaps_.capacity() * sizeof(PartialGap);
}

Result<void> FileContent::require_whole() const {
  if (gaps_.empty()) return {};
  return fail(ErrorCode::kIntegrity, "these bytes were never read from the source: " + describe_gaps(gaps_));
}

Result<void> FileContent::visit(
    std::uint64_t offset, std::uint64_t end,
    const std::function<Result<void>(const Piece&, std::uint64_t, std::size_t)>& take_data,
    const std::function<Result<void>(std::uint64_t, std::size_t)>& take_gap) const {
  auto piece = std::ranges::upper_bound(pieces_, offset, {}, &Piece::offset);
  if (piece != pieces_.begin()) --piece;
  for (std::uint64_t at = offset; at < end;) {
    while (piece != pieces_.end() && piece->offset + piece->artifact.length() <= at) ++piece;
    const std::uint64_t next_data = piece == pieces_.end() ? end : std::clamp(piece->offset, at, end);
    if (next_data > at) {
      ASL_TRY(take_gap(at, next_data - at));
      at = next_data;
      continue;
    }
    const std::uint64_t left = std::min(end, piece->offset + piece->artifact.length()) - at;
    ASL_TRY(take_data(*piece, at, left));
    at += left;
  }
  return {};
}

Result<std::size_t> FileContent::read(std::uint64_t offset, MutableByteSpan into) const {
  if (offset >= length_) return 0;
  const std::uint64_t end = offset + std::min<std::uint64_t>(into.size(), length_ - offset);
  const auto data = [&](const Piece& piece, std::uint64_t at, std::size_t count) -> Result<void> {
    ASL_ASSIGN(const std::size_t got,
               piece.artifact.read(at - piece.offset, into.subspan(at - offset, count)));
    if (got != count) return fail(ErrorCode::kIntegrity, "an artifact ended before its length");
    return {};
  };
  ASL_TRY(visit(offset, end, data, [&](std::uint64_t at, std::size_t count) -> Result<void> {
    std::memset(into.data() + (at - offset), 0, count);
    return {};
  }));
  return end - offset;
}

Result<std::size_t> FileContent::read_pieces(std::uint64_t offset, MutableByteSpan scratch,
                                             std::vector<Artifact::Piece>& pieces) const {
  if (offset >= length_) return 0;
  const std::uint64_t end = offset + std::min<std::uint64_t>(scratch.size(), length_ - offset);
  const auto data = [&](const Piece& piece, std::uint64_t at, std::size_t count) -> Result<void> {
    ASL_ASSIGN(const std::size_t got,
               piece.artifact.read_pieces(at - piece.offset, scratch.subspan(at - offset, count), pieces));
    if (got != count) return fail(ErrorCode::kIntegrity, "an artifact ended before its length");
    return {};
  };
  ASL_TRY(visit(offset, end, data, [&](std::uint64_t at, std::size_t count) -> Result<void> {
    const MutableByteSpan part = scratch.subspan(at - offset, count);
    std::memset(part.data(), 0, count);
    pieces.push_back({part, nullptr});
    return {};
  }));
  return end - offset;
}

Result<std::uint64_t> FileContent::next_of(std::uint64_t offset, bool hole) const {
  std::optional<std::uint64_t> found;
  const auto data = [&](const Piece& piece, std::uint64_t begin, std::size_t count) -> Result<void> {
    for (std::uint64_t at = begin; !found && at < begin + count;) {
      ASL_ASSIGN(const Artifact::Run run, piece.artifact.run_at(at - piece.offset));
      if (run.hole == hole) found = at;
      at = piece.offset + run.offset + run.length;
    }
    return {};
  };
  ASL_TRY(visit(offset, length_, data, [&](std::uint64_t at, std::size_t) -> Result<void> {
    if (!hole && !found) found = at;
    return {};
  }));
  return found.value_or(length_);
}

Result<std::uint64_t> FileContent::next_hole(std::uint64_t offset) const {
  return next_of(offset, true);
}
Result<std::uint64_t> FileContent::next_data(std::uint64_t offset) const {
  return next_of(offset, false);
}

bool FileContent::has_gap(std::uint64_t offset, std::uint64_t length) const {
  const auto after = std::ranges::lower_bound(gaps_, offset + length, {}, &PartialGap::offset_bytes);
  if (after == gaps_.begin()) return false;
  const PartialGap& last = *std::prev(after);
  return last.offset_bytes + last.length_bytes > offset;
}

}  // namespace asl
