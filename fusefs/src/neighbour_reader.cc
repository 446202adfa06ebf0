#include "neighbour_reader.h"

#include <algorithm>
#include <vector>

namespace asl::fusefs {
namespace {

// Larger files are read ahead by the kernel well enough, and would push out much for one wrong guess.
constexpr std::size_t kFileBytesMax = 256 << 10;
// What a first guess may cost; 16 times as much may be on its way in a long run.
constexpr std::uint32_t kFilesFirst = 32;
constexpr std::size_t kBytesFirst = 512 << 10;
constexpr unsigned kDoublingsMax = 4;
// Between a file and the next one lie directories, links and empty files, which nobody asks for.
constexpr std::uint32_t kGapMax = 256;
constexpr unsigned kHitsToBelieve = 2;
// A reader that is this many jobs ahead needs no help.
constexpr std::size_t kJobsMax = 16;
constexpr std::size_t kDirectoriesMax = 64;
constexpr std::size_t kCandidatesMax = 64;

std::uint64_t root_of(const TreePlace& place) {
  return TreePlace{place.slot, place.snapshot, 0}.node_id();
}

}  // namespace

NeighbourReader::NeighbourReader(FileView& view, Store store)
    : view_(view), store_(std::move(store)), buffer_(kFileBytesMax), worker_([this] { work(); }) {}

NeighbourReader::~NeighbourReader() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  worker_.join();
}

// The reader that is expected there, null if there is none.
NeighbourReader::Stream* NeighbourReader::stream_at(const TreePlace& place) {
  const std::uint64_t root = root_of(place);
  for (Stream& stream : streams_) {
    if (stream.serial == 0 || stream.snapshot != root || place.position <= stream.read) continue;
    if (place.position <= std::uint64_t{std::max(stream.read, stream.stored)} + kGapMax) return &stream;
  }
  return nullptr;
}

NeighbourReader::Stream* NeighbourReader::stream_with(std::uint64_t serial) {
  const auto found = std::ranges::find(streams_, serial, &Stream::serial);
  return found == streams_.end() ? nullptr : &*found;
}

void NeighbourReader::file_read(std::uint64_t node) {
  const TreePlace place = TreePlace::of(node);
  const std::lock_guard lock(mutex_);
  ++requests_;
  Stream* stream = stream_at(place);
  if (stream == nullptr) {
    stream = &*std::ranges::min_element(streams_, {}, &Stream::used);
    *stream = {.serial = requests_, .snapshot = root_of(place)};
  }
  stream->read = place.position;
  stream->used = requests_;
  stream->ahead_files = 0;
  stream->ahead_bytes = 0;
  if (std::exchange(stream->marked, false))
    stream->doublings = std::min(stream->doublings + 1, kDoublingsMax);
  if (++stream->hits >= kHitsToBelieve)
    enqueue({.node = node, .is_directory = false, .stream = stream->serial});
}

void NeighbourReader::directory_listed(std::uint64_t node) {
  const std::lock_guard lock(mutex_);
  const Stream* stream = stream_at(TreePlace::of(node));
  if (stream != nullptr && stream->hits >= kHitsToBelieve)
    enqueue({.node = node, .is_directory = true, .stream = stream->serial});
}

void NeighbourReader::enqueue(const Job& job) {
  if (jobs_.size() == kJobsMax) jobs_.pop_front();
  jobs_.push_back(job);
  if (!busy_) changed_.notify_all();
}

void NeighbourReader::settle() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return jobs_.empty() && !busy_; });
}

void NeighbourReader::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return ending_ || !jobs_.empty(); });
    if (ending_) return;
    const Job job = jobs_.front();
    jobs_.pop_front();
    busy_ = true;
    lock.unlock();
    run(job);
    lock.lock();
    busy_ = false;
    if (jobs_.empty()) changed_.notify_all();
  }
}

void NeighbourReader::run(const Job& job) {
  if (job.is_directory) return store_files(job.stream, job.node, 0);
  // What fails here is met again, and reported, when somebody asks for it.
  if (const auto place = view_.place_in_directory(job.node))
    store_files(job.stream, place->directory, place->index + 1);
}

std::uint64_t& NeighbourReader::next_index(std::uint64_t stream, std::uint64_t directory) {
  const auto [at, is_new] = next_index_.try_emplace({stream, directory}, 0);
  if (is_new) {
    directories_.push_back(at->first);
    if (directories_.size() > kDirectoriesMax) {
      next_index_.erase(directories_.front());
      directories_.pop_front();
    }
  }
  return at->second;
}

void NeighbourReader::store_files(std::uint64_t stream, std::uint64_t directory, std::uint64_t index) {
  struct Candidate {
    std::uint64_t index, node, size_bytes;
  };
  std::vector<Candidate> candidates;
  std::uint64_t& next = next_index(stream, directory);
  next = std::max(next, index);
  for (;;) {
    candidates.clear();
    std::uint64_t seen = next;
    const auto listed = view_.list_tree(directory, next, [&](const TreeItem& item) {
      seen = item.index + 1;
      const auto size = static_cast<std::uint64_t>(item.status->st_size);
      if (S_ISREG(item.status->st_mode) && size > 0 && size <= kFileBytesMax)
        candidates.push_back({item.index, item.node, size});
      return candidates.size() < kCandidatesMax;
    });
    if (!listed || seen == next) return;
    for (const Candidate& file : candidates) {
      const Verdict verdict = judge(stream, TreePlace::of(file.node).position, file.size_bytes);
      if (verdict == Verdict::kStop) return;
      next = file.index + 1;
      if (verdict == Verdict::kSkip) continue;
      const auto opened = view_.open_content(file.node);
      const MutableByteSpan content = buffer_.span().first(file.size_bytes);
      if (!opened || (*opened)->read(0, content) != content.size()) continue;
      if (!store_(file.node, content)) return;
    }
    next = seen;
  }
}

NeighbourReader::Verdict NeighbourReader::judge(std::uint64_t serial, std::uint32_t position,
                                                std::size_t size_bytes) {
  const std::lock_guard lock(mutex_);
  Stream* stream = stream_with(serial);
  if (ending_ || stream == nullptr) return Verdict::kStop;
  if (position <= stream->read) return Verdict::kSkip;  // the reader was quicker
  const std::uint32_t files_max = kFilesFirst << stream->doublings;
  const std::size_t bytes_max = kBytesFirst << stream->doublings;
  if (stream->ahead_files >= files_max || stream->ahead_bytes + size_bytes > bytes_max) return Verdict::kStop;
  const bool past_half = stream->ahead_files >= files_max / 2 || stream->ahead_bytes >= bytes_max / 2;
  if (past_half && !std::exchange(stream->marked, true)) return Verdict::kSkip;
  ++stream->ahead_files;
  stream->ahead_bytes += size_bytes;
  stream->stored = std::max(stream->stored, position);
  return Verdict::kStore;
}

}  // namespace asl::fusefs
