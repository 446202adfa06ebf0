#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include <asl/engine/hash.h>

#include "store/writer_session.h"

namespace asl {
namespace {

// The cutter decides about a hole once it has seen this much of it.
constexpr std::uint64_t kZerosShown = kHoleMin + 2 * kPageSize;
// Cuts hashed at once: as many as the widest kernel takes, or enough bytes to be worth it.
constexpr std::size_t kCutsTogether = 16;
constexpr std::uint64_t kCutBytesTogether = 12 << 20;
static_assert(ArtifactStream::kRingBytes >= 2 * (kCutBytesTogether + kCutWindowMax),
              "what is read ahead shares the ring with what waits to be hashed");

}  // namespace

ArtifactStream::ArtifactStream(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

ArtifactStream::~ArtifactStream() {
  const Gate::Pass pass(impl_->lane->session.gate);
  // What an unfinished artifact has packed stays in the batch: whoever interrupted it may go on later.
  if (!impl_->lane->session.ended) static_cast<void>(impl_->record_finished_extents());
  impl_->lane->stream = nullptr;
}

Result<std::unique_ptr<ArtifactStream>> ArtifactStream::open(Lane& lane) {
  auto impl = std::make_unique<Impl>();
  impl->lane = lane.impl_.get();
  if (impl->lane->stream != nullptr) return fail(ErrorCode::kUsage, "a lane writes one stream at a time");
  if (!impl->lane->ring) {
    ASL_ASSIGN(RingBuffer ring, RingBuffer::make(kRingBytes));
    impl->lane->ring.emplace(std::move(ring));
  }
  impl->ring = &*impl->lane->ring;
  impl->whole = std::make_unique<StreamHasher>(*impl->ring);
  impl->extents = std::make_unique<ExtentList>(impl->lane->session.extent_budget);
  const Gate::Pass pass(impl->lane->session.gate);
  impl->lane->stream = impl.get();
  return std::unique_ptr<ArtifactStream>(new ArtifactStream(std::move(impl)));
}

std::byte* ArtifactStream::space(std::uint64_t offset) const {
  return impl_->ring->at(offset);
}
// Bytes stay in the ring until they are both cut and hashed.
std::uint64_t ArtifactStream::limit() const {
  const std::uint64_t needed = std::min(impl_->placed_to(), impl_->whole->hashed_to());
  return needed / kPageSize * kPageSize + kRingBytes;
}
void ArtifactStream::wait_for_space(std::uint64_t offset) const {
  if (offset > limit()) impl_->whole->wait_for(offset - kRingBytes + kPageSize);
}
std::uint64_t ArtifactStream::position() const {
  return impl_->given;
}

Result<void> ArtifactStream::filled_to(std::uint64_t offset) {
  if (offset < impl_->given || offset > limit())
    return fail(ErrorCode::kUsage, "beyond the space of a stream");
  impl_->whole->add(offset - impl_->given);
  impl_->given = offset;
  {
    const Gate::Pass pass(impl_->lane->session.gate);
    ASL_TRY(impl_->consume(false));
  }
  return impl_->lane->session.commit_if_due();
}

Result<void> ArtifactStream::zeros(std::uint64_t length) {
  Impl& impl = *impl_;
  std::uint64_t left = length;
  while (left > 0) {
    const bool at_zeros = impl.cutter.in_hole() && impl.cutter.position() == impl.given;
    const std::uint64_t whole_pages = left / kPageSize * kPageSize;
    if (at_zeros && impl.given % kPageSize == 0 && whole_pages > 0) {
      const Gate::Pass pass(impl.lane->session.gate);
      impl.cutter.skip_hole(whole_pages);
      impl.open_hole->raw_length += whole_pages;
      impl.given += whole_pages;
      impl.whole->add_zeros(whole_pages);
      left -= whole_pages;
      continue;
    }
    wait_for_space(impl.given + 1);
    const std::uint64_t shown = std::min({left, kZerosShown, limit() - impl.given});
    std::memset(space(impl.given), 0, shown);
    left -= shown;
    ASL_TRY(filled_to(impl.given + shown));
  }
  return {};
}

// Cuts as long as the cutter can decide. The caller holds a Pass.
Result<void> ArtifactStream::Impl::consume(bool at_end) {
  ASL_TRY(lane->session.check_alive());
  while (true) {
    const std::uint64_t position = cutter.position();
    const auto cut = cutter.next({ring->at(position), given - position}, at_end);
    if (!cut) break;
    if (cut->hole) {
      ASL_TRY(place_cuts(false));
      if (open_hole)
        open_hole->raw_length += cut->length_bytes;
      else
        open_hole = hole_record(position, cut->length_bytes);
      continue;
    }
    ASL_TRY(close_hole());
    if (cut_lengths.empty()) cuts_start = position;
    cut_lengths.push_back(cut->length_bytes);
    const bool enough =
        cut_lengths.size() == kCutsTogether || cutter.position() - cuts_start >= kCutBytesTogether;
    if (enough) ASL_TRY(place_cuts(false));
  }
  return at_end ? place_cuts(true) : Result<void>();
}

// Hashes the waiting cuts together and stores them.
Result<void> ArtifactStream::Impl::place_cuts(bool at_end) {
  std::array<ByteSpan, kCutsTogether> spans;
  std::array<Digest, kCutsTogether> digests;
  const std::size_t count = cut_lengths.size();
  std::uint64_t position = cuts_start;
  for (std::size_t k = 0; k < count; ++k) {
    spans[k] = {ring->at(position), cut_lengths[k]};
    position += cut_lengths[k];
  }
  // The whole artifact in one extent: its digest is the artifact's.
  const bool single = at_end && count == 1 && cut_lengths.front() == given;
  if (single) {
    whole_digest = whole->finish();
    digests[0] = *whole_digest;
  } else {
    sha256_many(std::span(spans).first(count), std::span(digests).first(count));
  }
  for (std::size_t k = 0; k < count; ++k) {
    ASL_ASSIGN(PlacedExtent placed, lane->place(spans[k], digests[k], false));
    placed.extent.artifact_offset = cuts_start;
    cuts_start += spans[k].size();
    if (placed.is_new) bytes_new += spans[k].size();
    stored_anew = stored_anew || placed.is_new;
    ASL_TRY(extents->append(placed.extent));
    if (placed.is_new) unrecorded.push_back(placed.extent);
  }
  cut_lengths.clear();
  return {};
}

Result<void> ArtifactStream::Impl::close_hole() {
  if (!open_hole) return {};
  hole_bytes += open_hole->raw_length;
  ASL_TRY(extents->append(*open_hole));
  open_hole.reset();
  return {};
}

Result<void> ArtifactStream::Impl::record_finished_extents() {
  for (ExtentRecord extent : unrecorded) {
    extent.artifact_offset = 0;
    const ArtifactRecord artifact{.ref = untyped_reference(extent.digest), .length = extent.raw_length};
    ASL_TRY(lane->session.record(artifact, std::span(&extent, 1), true));
  }
  unrecorded.clear();
  return {};
}

Result<WrittenArtifact> ArtifactStream::finish(bool pinned) {
  Impl& impl = *impl_;
  WrittenArtifact written;
  {
    const Gate::Pass pass(impl.lane->session.gate);
    ASL_TRY(impl.consume(true));
    ASL_TRY(impl.close_hole());
    written.length = impl.given;
    written.hole_bytes = impl.hole_bytes;
    written.bytes_new = impl.bytes_new;
    if (!impl.whole_digest) impl.whole_digest = impl.whole->finish();
    written.reference = untyped_reference(*impl.whole_digest);
    impl.unrecorded.clear();
    const ArtifactRecord artifact{
        .ref = written.reference, .length = impl.given, .flags = pinned ? kRecordPinned : 0};
    ASL_TRY(impl.lane->session.record(artifact, std::move(impl.extents), impl.stored_anew));
  }
  ASL_TRY(impl.lane->session.commit_if_due());
  return written;
}

}  // namespace asl
