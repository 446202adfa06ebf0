// Reading artifacts: index, extents, check, bytes.
#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "store/damage_list.h"
#include "store/domain_impl.h"

namespace asl {
namespace {

// Holes are handed out as pieces of this much: few enough for one reply, small enough to stay in a cache.
constexpr std::size_t kZeroPieceBytes = 64 << 10;

}  // namespace

const Reference& Artifact::reference() const {
  return impl_->handle.reference();
}
std::uint64_t Artifact::length() const {
  return impl_->handle.length();
}
std::optional<std::uint32_t> Artifact::type_tag() const {
  return impl_->handle.type_tag();
}
std::uint64_t Artifact::extent_count() const {
  return impl_->handle.extent_count();
}

Result<std::size_t> Artifact::read(std::uint64_t offset, MutableByteSpan into) const {
  if (offset >= length()) return 0;
  const std::uint64_t end = offset + std::min<std::uint64_t>(into.size(), length() - offset);
  ASL_ASSIGN(std::uint32_t number, impl_->noted(impl_->handle.find_extent_at(offset)));
  for (std::uint64_t at = offset; at < end; ++number) {
    ASL_ASSIGN(const ArtifactExtent extent, impl_->noted(impl_->handle.extent(number)));
    const std::uint64_t skip = at - extent.artifact_offset;
    const std::size_t count = std::min(extent.raw_length - skip, end - at);
    const MutableByteSpan part = into.subspan(at - offset, count);
    if (extent.hole) {
      std::memset(part.data(), 0, part.size());
    } else if (count == extent.raw_length) {
      ASL_TRY(impl_->read_extent(extent, part));
    } else {
      // A piece of an extent: the whole of it is read, checked and kept for the pieces that follow.
      ASL_ASSIGN(const auto shared, impl_->share_extent(extent));
      std::memcpy(part.data(), shared->bytes().data() + skip, count);
    }
    at += count;
  }
  return end - offset;
}

Result<std::size_t> Artifact::read_pieces(std::uint64_t offset, MutableByteSpan scratch,
                                          std::vector<Piece>& pieces) const {
  static const Bytes zeros(kZeroPieceBytes);
  if (offset >= length()) return 0;
  const std::uint64_t end = offset + std::min<std::uint64_t>(scratch.size(), length() - offset);
  ASL_ASSIGN(std::uint32_t number, impl_->handle.find_extent_at(offset));
  for (std::uint64_t at = offset; at < end; ++number) {
    ASL_ASSIGN(const ArtifactExtent extent, impl_->handle.extent(number));
    const std::uint64_t skip = at - extent.artifact_offset;
    const std::size_t count = std::min(extent.raw_length - skip, end - at);
    if (extent.hole) {
      for (std::size_t left = count; left > 0; left -= pieces.back().bytes.size())
        pieces.push_back({ByteSpan(zeros).first(std::min(left, zeros.size())), nullptr});
    } else if (count == extent.raw_length && count < kSmallExtentMax) {
      const MutableByteSpan part = scratch.subspan(at - offset, count);
      ASL_TRY(impl_->read_extent(extent, part));
      pieces.push_back({part, nullptr});
    } else {
      ASL_ASSIGN(auto shared, impl_->share_extent(extent));
      const ByteSpan bytes = shared->bytes().subspan(skip, count);
      pieces.push_back({bytes, std::move(shared)});
    }
    at += count;
  }
  return end - offset;
}

void Artifact::read_ahead(std::uint64_t from, std::uint64_t length_bytes) const {
  if (from >= length()) return;
  const std::uint64_t end = from + std::min(length_bytes, length() - from);
  const auto first = impl_->handle.find_extent_at(from);
  if (!first) return;
  std::vector<ExtentLocation> places;
  for (std::uint32_t number = *first; number < impl_->handle.extent_count(); ++number) {
    const auto extent = impl_->handle.extent(number);
    if (!extent || extent->artifact_offset >= end) break;
    if (!extent->hole) places.push_back(extent->location);
  }
  impl_->domain->block_reader().read_ahead(places);
}

Result<std::shared_ptr<const ExtentBytes>> Artifact::Impl::share_extent(const ArtifactExtent& extent) const {
  auto shared = domain->block_reader().read_shared(extent.location);
  if (shared) return shared;
  AlignedBuffer whole(extent.raw_length);
  ASL_TRY(read_other_copy(extent, whole.span().first(extent.raw_length), std::move(shared).error()));
  return std::make_shared<const ExtentBytes>(std::move(whole), extent.raw_length);
}

Result<void> Artifact::Impl::read_extent(const ArtifactExtent& extent, MutableByteSpan into) const {
  auto got = domain->block_reader().read(extent.location, into);
  if (got) return got;
  return read_other_copy(extent, into, std::move(got).error());
}

// The extent cannot be read where it was found. It may have moved (gc), or another copy of it may be good.
Result<void> Artifact::Impl::read_other_copy(const ArtifactExtent& extent, MutableByteSpan into,
                                             Error first) const {
  if (first.code == ErrorCode::kIntegrity) {
    // A healed block has the same name and is another file than the one that was kept open here.
    domain->blocks().forget(extent.location.block);
    if (domain->block_reader().read(extent.location, into)) return {};
  }
  if (first.code == ErrorCode::kIntegrity || first.code == ErrorCode::kIo)
    DamageList::report(domain->io(), DomainLayout(domain->directory()).damaged_file(), extent.location);
  const auto try_place = [&](const ExtentLocation& place) {
    return place != extent.location && place.digest == extent.location.digest &&
           place.raw_length_bytes == into.size() && domain->block_reader().read(place, into).has_value();
  };
  // An older copy of the same artifact.
  for (ArtifactHandle copy = handle;;) {
    auto next = view->index->next_copy(copy);
    if (!next || !*next) break;
    copy = std::move(**next);
    const auto number = copy.find_extent_at(extent.artifact_offset);
    if (!number) continue;
    const auto other = copy.extent(*number);
    if (other && !other->hole && try_place(other->location)) return {};
  }
  // Any place of the same bytes, in the newest state there is.
  auto latest = domain->view();
  if (latest == view && first.code == ErrorCode::kNotFound) {
    if (auto moved = domain->refresh(); moved && *moved) latest = domain->view();
  }
  if (latest != view) {
    if (auto again = latest->index->find(handle.reference()); again && *again) {
      const auto number = (*again)->find_extent_at(extent.artifact_offset);
      const auto other = number ? (*again)->extent(*number) : Result<ArtifactExtent>(fail(first));
      if (other && !other->hole && try_place(other->location)) return {};
    }
  }
  if (auto found = latest->index->find_extent(extent.location.digest, ExtentSearch::kIndexed);
      found && *found) {
    if (try_place((*found)->location)) return {};
  }
  // Gone for good, and not moved: what looked for it last has seen the newest state.
  if (first.code == ErrorCode::kNotFound)
    DamageList::report(domain->io(), DomainLayout(domain->directory()).damaged_file(), extent.location);
  first.object = to_text(handle.reference());
  if (first.hint.empty())
    first.hint = "asl verify --data lists what is damaged; ingesting the original again heals it";
  return fail(std::move(first));
}

Result<Artifact::Run> Artifact::run_at(std::uint64_t offset) const {
  if (offset >= length()) return fail(ErrorCode::kUsage, "an offset beyond the end of an artifact");
  ASL_ASSIGN(std::uint32_t number, impl_->handle.find_extent_at(offset));
  ASL_ASSIGN(const ArtifactExtent first, impl_->handle.extent(number));
  Run run{first.artifact_offset, first.raw_length, first.hole};
  const std::uint64_t stop =
      std::min<std::uint64_t>(impl_->handle.extent_count(), std::uint64_t{number} + kRunExtentsMax);
  while (!run.hole && ++number < stop) {
    ASL_ASSIGN(const ArtifactExtent next, impl_->handle.extent(number));
    if (next.hole) break;
    run.length += next.raw_length;
  }
  return run;
}

}  // namespace asl
