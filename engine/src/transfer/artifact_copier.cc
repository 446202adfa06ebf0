#include "transfer/artifact_copier.h"

#include <algorithm>
#include <utility>

namespace asl {
namespace {

// Shorter artifacts are read whole.
constexpr std::uint64_t kWholeMax = 1 << 20;
// Long enough that most extents are read whole, straight to their place.
constexpr std::uint64_t kStepBytes = 8 << 20;
// A hole costs hashing, about a second a GiB: somebody may want to stop meanwhile.
constexpr std::uint64_t kHoleStepBytes = 64 << 20;
// Typed artifacts are held in memory; those of the store's own formats are far shorter.
constexpr std::uint64_t kTypedMax = 256 << 20;
// Tasks that wait; a few hundred KiB of paths.
constexpr std::size_t kQueueMax = 1024;

}  // namespace

Result<std::unique_ptr<ArtifactCopier>> ArtifactCopier::make(CopyRun& run) {
  ASL_ASSIGN(std::unique_ptr<Lane> lane, run.writer.make_lane());
  return std::unique_ptr<ArtifactCopier>(new ArtifactCopier(run, std::move(lane)));
}

// An error of reading: noted, unless it must end the run.
Result<void> ArtifactCopier::settle(const CopyTask& task, const Error& error) {
  if (run_.note(task.place, task.ref, error)) return {};
  return fail(error);
}

// The extents were each what the source's index says; whether the whole is what its name says shows only now.
Result<void> ArtifactCopier::settle_written(const CopyTask& task, const Reference& written,
                                            std::uint64_t length) {
  run_.count_copied(length);
  if (written == task.ref) return {};
  return settle(task, Error{.code = ErrorCode::kIntegrity,
                            .message = "the bytes are not what their reference says",
                            .object = to_text(task.ref)});
}

Result<void> ArtifactCopier::copy(const CopyTask& task) {
  run_.progress.set_phase(ProgressPhase::kCopying);
  if (!task.pinned) {
    ASL_ASSIGN(const bool present, run_.present(task.ref));
    if (present) {
      progress_add(run_.progress.bytes_done, task.bytes);
      return {};
    }
  }
  const auto artifact = run_.source.find(task.ref);
  if (!artifact) return settle(task, artifact.error());
  if (task.ref.is_typed()) return copy_typed(task, *artifact);
  return artifact->length() <= kWholeMax ? copy_whole(task, *artifact) : copy_long(task, *artifact);
}

Result<void> ArtifactCopier::copy_typed(const CopyTask& task, const Artifact& artifact) {
  if (!artifact.type_tag() || artifact.length() > kTypedMax)
    return settle(task, Error{.code = ErrorCode::kUnsupported,
                              .message = "a typed artifact that is too long to be copied",
                              .object = to_text(task.ref)});
  const auto bytes = run_.source.read_typed(task.ref, *artifact.type_tag(), kTypedMax);
  if (!bytes) return settle(task, bytes.error());
  ASL_ASSIGN(const Reference written, run_.writer.put_typed(*artifact.type_tag(), *bytes, task.pinned));
  return settle_written(task, written, bytes->size());
}

Result<void> ArtifactCopier::copy_whole(const CopyTask& task, const Artifact& artifact) {
  buffer_.resize(artifact.length());
  if (const auto got = artifact.read(0, buffer_); !got) return settle(task, got.error());
  progress_add(run_.progress.bytes_done, buffer_.size());
  ASL_ASSIGN(const WrittenArtifact written, lane_->put(buffer_, task.pinned));
  return settle_written(task, written.reference, written.length);
}

Result<void> ArtifactCopier::copy_long(const CopyTask& task, const Artifact& artifact) {
  ASL_ASSIGN(const std::unique_ptr<ArtifactStream> stream, ArtifactStream::open(*lane_));
  for (std::uint64_t at = 0; at < artifact.length();) {
    ASL_TRY(run_.stop.check());
    const auto run = artifact.run_at(at);
    if (!run) return settle(task, run.error());
    const std::uint64_t left = run->offset + run->length - at;
    if (run->hole) {
      const std::uint64_t step = std::min(left, kHoleStepBytes);
      ASL_TRY(stream->zeros(step));
      at += step;
      progress_add(run_.progress.bytes_done, step);
      continue;
    }
    const std::uint64_t step = std::min(left, kStepBytes);
    stream->wait_for_space(at + step);
    const auto got = artifact.read(at, {stream->space(at), step});
    if (!got) return settle(task, got.error());
    at += step;
    ASL_TRY(stream->filled_to(at));
    progress_add(run_.progress.bytes_done, step);
  }
  ASL_ASSIGN(const WrittenArtifact written, stream->finish(task.pinned));
  return settle_written(task, written.reference, written.length);
}

Result<std::unique_ptr<CopyWorkers>> CopyWorkers::start(CopyRun& run, unsigned count) {
  std::unique_ptr<CopyWorkers> workers(new CopyWorkers(run));
  for (unsigned k = 0; k < count; ++k) {
    ASL_ASSIGN(auto copier, ArtifactCopier::make(run));
    workers->copiers_.push_back(std::move(copier));
  }
  for (auto& copier : workers->copiers_)
    workers->threads_.emplace_back([&self = *workers, &own = *copier] { self.work(own); });
  return workers;
}

CopyWorkers::~CopyWorkers() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
}

void CopyWorkers::work(ArtifactCopier& copier) {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return ending_ || !queue_.empty(); });
    if (ending_) return;
    const CopyTask task = std::move(queue_.front());
    queue_.pop_front();
    ++busy_;
    lock.unlock();
    if (!run_.aborted()) {
      auto done = run_.stop.check();
      if (done) done = copier.copy(task);
      if (!done) run_.abort(std::move(done).error());
      progress_add(run_.progress.files_done, 1);
    }
    lock.lock();
    --busy_;
    changed_.notify_all();
  }
}

Result<void> CopyWorkers::check() const {
  if (!run_.aborted()) return {};
  return fail(*run_.failure());
}

Result<void> CopyWorkers::add(CopyTask task) {
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return queue_.size() < kQueueMax; });
    queue_.push_back(std::move(task));
  }
  changed_.notify_all();
  return check();
}

Result<void> CopyWorkers::finish() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return queue_.empty() && busy_ == 0; });
  return check();
}

}  // namespace asl
