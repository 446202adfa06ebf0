#include <algorithm>
#include <optional>

#include <asl/engine/artifact_copy.h>
#include <asl/engine/hash.h>

namespace asl {
namespace {

// Long enough that most extents are read whole into it, straight from the disk.
constexpr std::size_t kBufferBytes = 8 << 20;
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
  const AlignedBuffer buffer(std::clamp<std::uint64_t>(artifact.length(), 1, kBufferBytes));
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
    const MutableByteSpan into = buffer.span().first(std::min<std::uint64_t>(left, buffer.size()));
    ASL_ASSIGN(const std::size_t got, artifact.read(at, into));
    if (got != into.size())
      return fail(Error{.code = ErrorCode::kIntegrity,
                        .message = "the artifact ended before its length",
                        .object = to_text(artifact.reference())});
    proof.data(into);
    ASL_TRY(sink.data(into));
    at += got;
    progress_add(progress.bytes_done, got);
  }
  return proof.check();
}

}  // namespace asl
