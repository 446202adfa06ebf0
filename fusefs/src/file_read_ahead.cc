#include "file_read_ahead.h"

#include <algorithm>

namespace asl::fusefs {
namespace {

// One reads from the disk while the other hashes.
constexpr unsigned kWorkers = 2;
// Shorter requests are those of somebody who looks here and there.
constexpr std::uint64_t kLongRequestBytes = 256 << 10;
// Some sixteen extents at a time, the number that are hashed together, and two such pieces in front.
constexpr std::uint64_t kPieceBytes = 8 << 20;
constexpr std::uint64_t kAheadBytes = 2 * kPieceBytes;
constexpr std::uint64_t kDisorderBytes = 4 << 20;
constexpr std::size_t kJobsMax = 8;

}  // namespace

FileReadAhead::FileReadAhead() {
  for (unsigned k = 0; k < kWorkers; ++k) workers_.emplace_back([this] { work(); });
}

FileReadAhead::~FileReadAhead() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void FileReadAhead::file_read(const std::shared_ptr<const OpenFile>& file, std::uint64_t offset,
                              std::uint64_t size) {
  if (size < kLongRequestBytes) return;
  const std::uint64_t end = offset + size;
  const std::uint64_t length = file->length();
  const std::lock_guard lock(mutex_);
  OpenFile::ReadSoFar& so_far = file->read_so_far();
  // Requests of one reader come a little out of order.
  const bool goes_on = offset <= so_far.asked_to + kDisorderBytes && end + kDisorderBytes >= so_far.asked_to;
  so_far.asked_to = goes_on ? std::max(so_far.asked_to, end) : end;
  if (!goes_on) {
    so_far.ahead_to = end;  // to be believed with the next request
    return;
  }
  so_far.ahead_to = std::max(so_far.ahead_to, end);
  while (so_far.ahead_to < std::min(length, end + kAheadBytes) && jobs_.size() < kJobsMax) {
    jobs_.push_back({file, so_far.ahead_to, kPieceBytes});
    so_far.ahead_to += kPieceBytes;
    changed_.notify_one();
  }
}

void FileReadAhead::settle() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return jobs_.empty() && busy_ == 0; });
}

void FileReadAhead::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return ending_ || !jobs_.empty(); });
    if (ending_) return;
    const Job job = std::move(jobs_.front());
    jobs_.pop_front();
    ++busy_;
    lock.unlock();
    job.file->read_ahead(job.offset, job.size);
    lock.lock();
    --busy_;
    if (jobs_.empty() && busy_ == 0) changed_.notify_all();
  }
}

}  // namespace asl::fusefs
