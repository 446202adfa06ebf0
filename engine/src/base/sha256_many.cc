#include <algorithm>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <vector>

#include <asl/engine/hash.h>

#include "base/sha256_kernel.h"

namespace asl {
namespace {

// From here on sixteen lanes, however few are in use, are faster than pairs of single streams.
constexpr std::size_t kWideWorthwhile = 9;

// One message on its way: first its whole blocks where they lie, then its padded end from a copy. Freely
// copied.
struct Progress {
  std::size_t message = 0;
  const std::byte* body = nullptr;
  std::size_t blocks = 0;  // left at data()
  bool in_tail = false;
  std::size_t tail_begin = 0;
  std::size_t tail_blocks = 0;
  Sha256Tail tail = {};

  void begin(std::size_t index, ByteSpan bytes) {
    message = index;
    body = bytes.data();
    blocks = bytes.size() / kSha256BlockSize;
    in_tail = false;
    tail_begin = 0;
    tail_blocks = sha256_pad(tail, bytes.subspan(blocks * kSha256BlockSize), bytes.size());
    enter_tail_if_due();
  }
  const std::byte* data() const { return in_tail ? tail.data() + tail_begin : body; }
  void advance(std::size_t count) {
    if (in_tail)
      tail_begin += count * kSha256BlockSize;
    else
      body += count * kSha256BlockSize;
    blocks -= count;
    enter_tail_if_due();
  }
  bool done() const { return in_tail && blocks == 0; }

 private:
  void enter_tail_if_due() {
    if (blocks != 0 || in_tail) return;
    in_tail = true;
    blocks = tail_blocks;
  }
};

class ManyHasher {
 public:
  ManyHasher(const Sha256Kernel& narrow, const Sha256WideKernel* wide, std::span<const ByteSpan> messages,
             std::span<Digest> digests)
      : narrow_(narrow), wide_(wide), messages_(messages), digests_(digests), order_(messages.size()) {
    // The longest first: so the lanes end at about the same time.
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    std::ranges::sort(order_,
                      [&](std::size_t a, std::size_t b) { return messages[a].size() > messages[b].size(); });
  }

  void run() {
    if (wide_ != nullptr && messages_.size() >= kWideWorthwhile) run_wide();
    run_narrow();
  }

 private:
  struct Narrow {
    Progress progress;
    Sha256State state;
  };

  bool start_next(Progress& progress) {
    if (next_ == order_.size()) return false;
    const std::size_t index = order_[next_++];
    progress.begin(index, messages_[index]);
    return true;
  }

  void run_wide();
  void step(std::span<const std::size_t> active);
  Sha256State state_of(std::size_t lane) const;
  void set_state(std::size_t lane, const Sha256State& state);
  std::optional<Narrow> take_narrow();
  void run_narrow();
  void finish(Narrow& one);

  const Sha256Kernel& narrow_;
  const Sha256WideKernel* wide_;
  std::span<const ByteSpan> messages_;
  std::span<Digest> digests_;
  std::vector<std::size_t> order_;
  std::size_t next_ = 0;
  std::array<Progress, kSha256WideLanes> lanes_;
  Sha256WideState wide_state_;
  std::vector<std::size_t> left_over_;  // lanes that the wide kernel did not finish
};

void ManyHasher::run_wide() {
  std::vector<std::size_t> active;
  for (std::size_t lane = 0; lane < kSha256WideLanes && start_next(lanes_[lane]); ++lane) {
    set_state(lane, kSha256Initial);
    active.push_back(lane);
  }
  while (active.size() >= kWideWorthwhile) {
    step(active);
    std::erase_if(active, [&](std::size_t lane) {
      if (!lanes_[lane].done()) return false;
      digests_[lanes_[lane].message] = sha256_digest_of(state_of(lane));
      set_state(lane, kSha256Initial);
      return !start_next(lanes_[lane]);
    });
  }
  left_over_ = std::move(active);
}

// As far as all lanes go together; idle lanes follow one in use, and nobody looks at what they compute.
void ManyHasher::step(std::span<const std::size_t> active) {
  Sha256WideData data;
  data.fill(lanes_[active.front()].data());
  std::size_t blocks = lanes_[active.front()].blocks;
  for (const std::size_t lane : active) {
    data[lane] = lanes_[lane].data();
    blocks = std::min(blocks, lanes_[lane].blocks);
  }
  wide_->sixteen(wide_state_, data, blocks);
  for (const std::size_t lane : active) lanes_[lane].advance(blocks);
}

Sha256State ManyHasher::state_of(std::size_t lane) const {
  Sha256State state;
  for (std::size_t i = 0; i < state.size(); ++i) state[i] = wide_state_.words[i][lane];
  return state;
}

void ManyHasher::set_state(std::size_t lane, const Sha256State& state) {
  for (std::size_t i = 0; i < state.size(); ++i) wide_state_.words[i][lane] = state[i];
}

// The next message that a narrow kernel has to finish or to do from the start.
std::optional<ManyHasher::Narrow> ManyHasher::take_narrow() {
  Narrow one = {.progress = {}, .state = kSha256Initial};
  if (!left_over_.empty()) {
    const std::size_t lane = left_over_.back();
    left_over_.pop_back();
    one.progress = lanes_[lane];
    one.state = state_of(lane);
    return one;
  }
  if (!start_next(one.progress)) return std::nullopt;
  return one;
}

// Two at a time; whichever ends gives its place to the next.
void ManyHasher::run_narrow() {
  std::optional<Narrow> first = take_narrow();
  std::optional<Narrow> second = take_narrow();
  while (first && second) {
    const std::size_t blocks = std::min(first->progress.blocks, second->progress.blocks);
    narrow_.two(first->state, first->progress.data(), second->state, second->progress.data(), blocks);
    for (std::optional<Narrow>* one : {&first, &second}) {
      (*one)->progress.advance(blocks);
      if (!(*one)->progress.done()) continue;
      finish(**one);
      *one = take_narrow();
    }
  }
  if (first) finish(*first);
  if (second) finish(*second);
}

void ManyHasher::finish(Narrow& one) {
  while (!one.progress.done()) {
    const std::size_t blocks = one.progress.blocks;
    narrow_.one(one.state, one.progress.data(), blocks);
    one.progress.advance(blocks);
  }
  digests_[one.progress.message] = sha256_digest_of(one.state);
}

}  // namespace

void sha256_many_with(const Sha256Kernel& narrow, const Sha256WideKernel* wide,
                      std::span<const ByteSpan> messages, std::span<Digest> digests) {
  if (messages.size() != digests.size())
    throw std::logic_error("sha256_many needs a digest for each message");
  ManyHasher(narrow, wide, messages, digests).run();
}

}  // namespace asl
