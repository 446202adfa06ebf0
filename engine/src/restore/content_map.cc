#include "restore/content_map.h"

#include <algorithm>
#include <utility>

#include "store/domain_impl.h"

namespace asl {

Result<ContentMap> ContentMap::open(const Domain& domain, const Entry& entry) {
  ContentMap content;
  content.domain_ = &domain;
  content.length_ = entry.size_bytes;
  std::uint64_t length = 0;
  if ((entry.flags & kEntryPartial) != 0) {
    ASL_ASSIGN(const Bytes bytes, domain.read_typed(entry.content, kTagPartial, kPartialSizeMax));
    ASL_ASSIGN(Partial partial, decode_partial(bytes));
    length = partial.length_bytes;
    content.pieces_ = std::move(partial.pieces);
    content.gaps_ = std::move(partial.gaps);
  } else {
    ASL_ASSIGN(Artifact artifact, domain.find(entry.content));
    length = artifact.length();
    content.pieces_.push_back({0, length, entry.content});
    content.only_ = std::move(artifact);
  }
  if (length != entry.size_bytes)
    return fail(integrity_error("a file's content is not as long as its directory says", {}, 0)
                    .with_object(to_text(entry.content)));
  return content;
}

Result<Artifact> ContentMap::artifact_of(const PartialPiece& piece) const {
  if (only_) return *only_;
  return domain_->find(piece.ref);
}

void ContentMap::parts(std::uint64_t begin, std::uint64_t end, std::vector<ContentPart>& out,
                       std::vector<LostPart>& lost) const {
  const auto ends_after = [begin](const PartialPiece& piece) {
    return piece.offset_bytes + piece.length_bytes <= begin;
  };
  auto piece = std::partition_point(pieces_.begin(), pieces_.end(), ends_after);
  for (; piece != pieces_.end() && piece->offset_bytes < end; ++piece) {
    const std::uint64_t stop = std::min(end, piece->offset_bytes + piece->length_bytes);
    std::uint64_t at = std::max(begin, piece->offset_bytes);
    const auto collect = [&]() -> Result<void> {
      ASL_ASSIGN(const Artifact artifact, artifact_of(*piece));
      const ArtifactHandle& handle = artifact.impl().handle;
      if (handle.length() != piece->length_bytes)
        return fail(integrity_error("a piece of a file is not as long as it should be", {}, 0)
                        .with_object(to_text(piece->ref)));
      if (at == stop) return {};
      ASL_ASSIGN(std::uint32_t number, handle.find_extent_at(at - piece->offset_bytes));
      for (; at < stop; ++number) {
        ASL_ASSIGN(const ArtifactExtent extent, handle.extent(number));
        const std::uint64_t extent_offset = piece->offset_bytes + extent.artifact_offset;
        const std::uint64_t part_end = std::min(stop, extent_offset + extent.raw_length);
        out.push_back({at, part_end - at, at - extent_offset, extent.hole, extent.location});
        at = part_end;
      }
      return {};
    };
    if (auto collected = collect(); !collected) lost.push_back({at, stop - at, std::move(collected).error()});
  }
}

Result<Bytes> ContentMap::read_elsewhere(const ContentPart& part) const {
  const auto before = [&](const PartialPiece& piece) {
    return piece.offset_bytes + piece.length_bytes <= part.offset;
  };
  const auto piece = std::partition_point(pieces_.begin(), pieces_.end(), before);
  ASL_ASSIGN(const Artifact artifact, artifact_of(*piece));
  Bytes bytes(part.length);
  ASL_TRY(artifact.read(part.offset - piece->offset_bytes, bytes));
  return bytes;
}

}  // namespace asl
