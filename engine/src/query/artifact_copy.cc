#include <algorithm>
#include <optional>
#include <vector>

#include <asl/engine/artifact_copy.h>
#include <asl/engine/hash.h>

#include "query/ahead_of_reader.h"

namespace asl {
namespace {

// What is asked for at a time: what was read ahead, in step with it.
constexpr std::size_t kStepBytes = AheadOfReader::kPieceBytes;
constexpr std::size_t kZeroBytes = 64 << 10;
alignas(64) constexpr std::byte kZeros[kZeroBytes]{};

class Proof {
 public:
  explicit Proof(const Artifact& artifact) : artifact_(artifact) {
    // The digest of an untyped artifact of one extent is that extent's, which reading has compared.
    if (!artifact.type_tag() && artifact.extent_count() == 1) return;
    hash_.emplace();
    if (artifact.type_tag()) hash_->update(typed_prefix(*artifact.type_tag(), artifact.length()));
  }

  void data(ByteSpan bytes) {
    if (hash_) hash_->update(bytes);
  }
  Result<void> zeros(std::uint64_t length, const StopToken& stop) {
    for (std::uint64_t left = hash_ ? length : 0; left > 0;) {
      const std::size_t step = std::min<std::uint64_t>(left, kZeroBytes);
      ASL_TRY(stop.check());
      hash_->update({kZeros, step});
      left -= step;
    }
    return {};
  }
  Result<void> check() {
    if (!hash_ || hash_->finish() == artifact_.reference().digest) return {};
    return fail(Error{.code = ErrorCode::kIntegrity,
                      .message = "the bytes are not those of the reference, though each extent is good",
                      .object = to_text(artifact_.reference()),
                      .hint = "asl verify --artifacts looks for more of this kind"});
  }

 private:
  const Artifact& artifact_;
  std::optional<Sha256> hash_;
};

}  // namespace

Result<void> copy_artifact(const Artifact& artifact, ContentSink& sink, ProgressCounters& progress,
                           const StopToken& stop) {
  Proof proof(artifact);
  AheadOfReader ahead(artifact.length(), [&](std::uint64_t offset, std::uint64_t length) {
    artifact.read_ahead(offset, length);
  });
  const AlignedBuffer scratch(std::clamp<std::uint64_t>(artifact.length(), 1, kStepBytes));
  std::vector<Artifact::Piece> pieces;
  for (std::uint64_t at = 0; at < artifact.length();) {
    ASL_TRY(stop.check());
    ASL_ASSIGN(const Artifact::Run run, artifact.run_at(at));
    const std::uint64_t left = run.offset + run.length - at;
    if (run.hole) {
      ASL_TRY(proof.zeros(left, stop));
      ASL_TRY(sink.zeros(left));
      at += left;
      progress_add(progress.bytes_done, left);
      continue;
    }
    pieces.clear();
    const std::size_t wanted = std::min<std::uint64_t>(left, scratch.size());
    ahead.will_read(at, wanted);
    ASL_ASSIGN(const std::size_t got, artifact.read_pieces(at, scratch.span().first(wanted), pieces));
    if (got != wanted)
      return fail(Error{.code = ErrorCode::kIntegrity,
                        .message = "the artifact ended before its length",
                        .object = to_text(artifact.reference())});
    for (const Artifact::Piece& piece : pieces) {
      proof.data(piece.bytes);
      ASL_TRY(sink.data(piece.bytes));
    }
    at += got;
    progress_add(progress.bytes_done, got);
  }
  return proof.check();
}

Result<void> copy_content(const FileContent& content, ContentSink& sink, ProgressCounters& progress,
                          const StopToken& stop) {
  AheadOfReader ahead(content.length(), [&](std::uint64_t offset, std::uint64_t length) {
    content.read_ahead(offset, length);
  });
  const AlignedBuffer scratch(std::clamp<std::uint64_t>(content.length(), 1, kStepBytes));
  std::vector<Artifact::Piece> pieces;
  std::uint64_t hole = 0;  // the first that is not behind us
  for (std::uint64_t at = 0; at < content.length();) {
    ASL_TRY(stop.check());
    if (at == hole) {
      ASL_ASSIGN(const std::uint64_t data, content.next_data(at));
      if (data > at) ASL_TRY(sink.zeros(data - at));
      progress_add(progress.bytes_done, data - at);
      at = data;
      if (at == content.length()) break;
      ASL_ASSIGN(hole, content.next_hole(at));
    }
    pieces.clear();
    const std::size_t wanted = std::min<std::uint64_t>(hole - at, scratch.size());
    ahead.will_read(at, wanted);
    ASL_ASSIGN(const std::size_t got, content.read_pieces(at, scratch.span().first(wanted), pieces));
    if (got != wanted) return fail(ErrorCode::kIntegrity, "the content ended before its length");
    for (const Artifact::Piece& piece : pieces) ASL_TRY(sink.data(piece.bytes));
    at += got;
    progress_add(progress.bytes_done, got);
  }
  return {};
}

}  // namespace asl
