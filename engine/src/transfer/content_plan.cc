#include "transfer/content_plan.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <asl/engine/partial.h>

namespace asl {

Result<ContentPlan> ContentPlan::make(const Domain& domain, const Entry& file) {
  ContentPlan plan(domain);
  if ((file.flags & kEntryPartial) == 0) {
    ASL_ASSIGN(const Artifact artifact, domain.find(file.content));
    plan.length_ = artifact.length();
    plan.pieces_.push_back({0, artifact.length(), file.content});
  } else {
    ASL_ASSIGN(const Bytes bytes, domain.read_typed(file.content, kTagPartial, kPartialSizeMax));
    ASL_ASSIGN(const Partial partial, decode_partial(bytes));
    plan.length_ = partial.length_bytes;
    plan.has_gaps_ = true;
    for (const PartialPiece& piece : partial.pieces)
      plan.pieces_.push_back({piece.offset_bytes, piece.length_bytes, piece.ref});
  }
  // The tree's size is what everything else goes by.
  if (plan.length_ != file.size_bytes)
    return fail(Error{.code = ErrorCode::kIntegrity,
                      .message = "a file's content is not as long as its directory says",
                      .object = to_text(file.content)});
  for (const Piece& piece : plan.pieces_) ASL_TRY(plan.add_runs(piece));
  const TarRun all{0, plan.length_};
  const bool one_run = plan.length_ == 0 || (plan.runs_.size() == 1 && plan.runs_.front() == all);
  plan.sparse_ = !one_run && plan.runs_.size() <= kSparseRunsMax;
  if (!plan.sparse_) plan.runs_.assign(plan.length_ == 0 ? 0 : 1, all);
  return plan;
}

void ContentPlan::add_run(std::uint64_t offset, std::uint64_t length) {
  if (!runs_.empty() && runs_.back().offset + runs_.back().length == offset)
    runs_.back().length += length;
  else
    runs_.push_back({offset, length});
}

Result<void> ContentPlan::add_runs(const Piece& piece) {
  if (piece.length == 0) return {};
  ASL_ASSIGN(const Artifact artifact, domain_->find(piece.ref));
  if (artifact.length() != piece.length)
    return fail(Error{.code = ErrorCode::kIntegrity,
                      .message = "a piece of a partial is not as long as it should be",
                      .object = to_text(piece.ref)});
  for (std::uint64_t at = 0; at < piece.length;) {
    ASL_ASSIGN(const Artifact::Run run, artifact.run_at(at));
    if (!run.hole) add_run(piece.offset + run.offset, run.length);
    at = run.offset + run.length;
    if (runs_.size() > kSparseRunsMax) return {};
  }
  return {};
}

Result<void> ContentPlan::read(std::uint64_t offset, MutableByteSpan into) {
  while (!into.empty()) {
    const auto next =
        std::upper_bound(pieces_.begin(), pieces_.end(), offset,
                         [](std::uint64_t at, const Piece& piece) { return at < piece.offset; });
    const Piece* piece = next == pieces_.begin() ? nullptr : &*std::prev(next);
    std::size_t count = 0;
    if (piece == nullptr || offset >= piece->offset + piece->length) {
      const std::uint64_t gap_end = next == pieces_.end() ? length_ : next->offset;
      count = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), gap_end - offset));
      std::memset(into.data(), 0, count);
    } else {
      const auto index = static_cast<std::size_t>(piece - pieces_.data());
      if (!artifact_ || open_piece_ != index) {
        ASL_ASSIGN(artifact_, domain_->find(piece->ref));
        open_piece_ = index;
      }
      count = static_cast<std::size_t>(
          std::min<std::uint64_t>(into.size(), piece->offset + piece->length - offset));
      ASL_ASSIGN(const std::size_t got, artifact_->read(offset - piece->offset, into.first(count)));
      if (got != count) return fail(ErrorCode::kIntegrity, "an artifact ended early");
    }
    offset += count;
    into = into.subspan(count);
  }
  return {};
}

}  // namespace asl
