#include <algorithm>

#include <asl/engine/put.h>

#include "ingest/netstring.h"
#include "ingest/put_work.h"
#include "io/tree_fs.h"

namespace asl {
namespace {

// More threads than this wait for each other's commits.
constexpr unsigned kPutJobsMax = 16;
// Work that waits for each thread: enough that none is idle.
constexpr std::size_t kWaitingPerThread = 4;

}  // namespace

struct Putter::Impl {
  Impl(io::Io& seam, const PutOptions& put_options, PutSink put_sink, ProgressCounters& counters,
       const StopToken& token)
      : io(seam), options(put_options), sink(std::move(put_sink)), progress(counters), stop(token) {}
  ~Impl() { end_threads(); }

  io::Io& io;
  const PutOptions options;
  const PutSink sink;
  ProgressCounters& progress;
  const StopToken stop;
  unsigned threads_max = 1;
  std::unique_ptr<StoreWriter> writer;
  std::unique_ptr<Lane> own_lane;
  std::optional<PutReader> own_reader;
  std::deque<std::unique_ptr<PutWork>>
      order;               // everything handed out and not yet told; touched by one thread
  std::uint64_t told = 0;  // outcomes

  std::mutex mutex;  // guards everything below, and `done` of the work
  std::condition_variable changed;
  std::deque<PutWork*> waiting;
  std::vector<Bytes> spare_buffers;
  std::size_t idle = 0;
  std::size_t under_way = 0;  // handed out and not done
  bool ending = false;
  std::optional<Error> failure;
  std::vector<std::thread> threads;

  void end_threads() {
    {
      const std::lock_guard lock(mutex);
      ending = true;
      waiting.clear();
    }
    changed.notify_all();
    for (std::thread& thread : threads) thread.join();
    threads.clear();
  }

  void run() {
    auto failed = [this]() -> Result<void> {
      ASL_ASSIGN(const auto lane, writer->make_lane());
      PutReader reader(io, *writer, *lane, options, progress, stop);
      while (PutWork* work = take()) {
        ASL_TRY(work_on(reader, *work));
      }
      return {};
    }();
    if (failed) return;
    const std::lock_guard lock(mutex);
    if (!failure) failure = std::move(failed).error();
    changed.notify_all();
  }

  PutWork* take() {
    std::unique_lock lock(mutex);
    ++idle;
    changed.wait(lock, [this] { return ending || !waiting.empty(); });
    --idle;
    if (waiting.empty()) return nullptr;
    PutWork* work = waiting.front();
    waiting.pop_front();
    changed.notify_all();
    return work;
  }

  Result<void> work_on(PutReader& reader, PutWork& work) {
    ASL_TRY(stop.check());
    std::vector<PutOutcome> outcomes;
    if (work.path.empty()) {
      ASL_TRY(reader.put_pieces(work, outcomes));
    } else {
      outcomes.emplace_back().name = work.path;
      ASL_TRY(reader.put_file(work.path, outcomes.front()));
    }
    finish_work(work, std::move(outcomes));
    return {};
  }

  void finish_work(PutWork& work, std::vector<PutOutcome> outcomes) {
    // Read after everything of it was put: a commit that comes later holds it all.
    const std::uint64_t commits = writer->totals().commits;
    const std::lock_guard lock(mutex);
    work.outcomes = std::move(outcomes);
    work.done_at_commits = commits;
    work.done = true;
    --under_way;
    if (!work.buffer.empty()) spare_buffers.push_back(std::move(work.buffer));
    changed.notify_all();
  }

  // What this thread did by itself.
  void add_done(std::vector<PutOutcome> outcomes) {
    order.push_back(std::make_unique<PutWork>());
    {
      const std::lock_guard lock(mutex);
      ++under_way;
    }
    finish_work(*order.back(), std::move(outcomes));
  }

  Bytes make_buffer() {
    {
      const std::lock_guard lock(mutex);
      if (!spare_buffers.empty()) {
        Bytes buffer = std::move(spare_buffers.back());
        spare_buffers.pop_back();
        return buffer;
      }
    }
    return Bytes(kPutChunkBytes);
  }

  Result<void> check() {
    const std::lock_guard lock(mutex);
    if (failure) return fail(*failure);
    return {};
  }

  Result<void> hand_out(std::unique_ptr<PutWork> work) {
    PutWork* const item = work.get();
    order.push_back(std::move(work));
    {
      std::unique_lock lock(mutex);
      changed.wait(lock, [this] { return failure || waiting.size() < kWaitingPerThread * threads_max; });
      if (failure) return fail(*failure);
      waiting.push_back(item);
      ++under_way;
      if (idle == 0 && threads.size() < threads_max) threads.emplace_back([this] { run(); });
    }
    changed.notify_all();
    return tell(false);
  }

  // To the sink, in order, what is durable or could not be stored.
  Result<void> tell(bool all_durable) {
    const std::uint64_t commits = writer->totals().commits;
    while (!order.empty()) {
      PutWork& work = *order.front();
      {
        const std::lock_guard lock(mutex);
        if (!work.done) break;
      }
      if (!all_durable && work.done_at_commits >= commits) break;
      for (PutOutcome& outcome : work.outcomes) {
        outcome.number = ++told;
        ASL_TRY(sink(outcome));
      }
      order.pop_front();
    }
    return {};
  }

  Result<void> wait_for_all() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return failure || under_way == 0; });
    if (failure) return fail(*failure);
    return {};
  }

  Result<void> add_long_piece(ByteSpan begun, int fd, std::uint64_t length);
};

Putter::Putter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Putter::~Putter() = default;

Result<std::unique_ptr<Putter>> Putter::open(Domain& domain, const PutOptions& options, PutSink sink,
                                             ProgressCounters& progress, const StopToken& stop) {
  if (options.type_tag && *options.type_tag >= kTagStoreFirst && *options.type_tag <= kTagStoreLast)
    return fail(Error{.code = ErrorCode::kRefused,
                      .message =
                          "types 0x00a50000 to 0x00a5000f are those of the store's own trees, snapshots "
                          "and lists, which only the store makes"});
  auto impl = std::make_unique<Impl>(domain.io(), options, std::move(sink), progress, stop);
  const unsigned wanted = options.jobs == 0 ? std::thread::hardware_concurrency() : options.jobs;
  impl->threads_max = std::clamp(wanted, 1U, kPutJobsMax);
  ASL_ASSIGN(impl->writer,
             StoreWriter::open(domain, {.compression = options.compression, .progress = &progress}));
  progress.set_phase(ProgressPhase::kIngesting);
  ASL_ASSIGN(impl->own_lane, impl->writer->make_lane());
  impl->own_reader.emplace(impl->io, *impl->writer, *impl->own_lane, impl->options, progress, stop);
  return std::unique_ptr<Putter>(new Putter(std::move(impl)));
}

Result<void> Putter::add_file(std::string path) {
  ASL_TRY(impl_->stop.check());
  auto work = std::make_unique<PutWork>();
  work->path = std::move(path);
  return impl_->hand_out(std::move(work));
}

Result<void> Putter::add_stream(int fd, std::string name) {
  ASL_TRY(impl_->check());
  std::vector<PutOutcome> outcomes(1);
  outcomes.front().name = std::move(name);
  ASL_TRY(impl_->own_reader->put_stream(fd, outcomes.front()));
  impl_->add_done(std::move(outcomes));
  return impl_->tell(false);
}

Result<void> Putter::Impl::add_long_piece(ByteSpan begun, int fd, std::uint64_t length) {
  std::vector<PutOutcome> outcomes(1);
  ASL_ASSIGN(const bool whole, own_reader->put_begun(begun, fd, length, outcomes.front()));
  std::byte end{};
  std::size_t got = 0;
  if (whole) {
    ASL_ASSIGN(got, io::read_pipe(fd, {&end, 1}));
  }
  if (got == 0) return fail(ErrorCode::kMalformed, "a batch ends within a netstring");
  if (end != std::byte{','}) return fail(ErrorCode::kMalformed, "',' was expected after a netstring");
  add_done(std::move(outcomes));
  return tell(false);
}

// Cuts a stream of netstrings into runs of short ones. A run's buffer is full when the next does not fit.
class PutBatch {
 public:
  PutBatch(Putter::Impl& putter, int fd) : putter_(putter), fd_(fd) { start_run({}); }

  Result<void> read() {
    while (true) {
      ASL_TRY(putter_.stop.check());
      ASL_TRY(take_pieces());
      if (filled_ == run_->buffer.size()) {
        ASL_TRY(make_room());
        continue;
      }
      ASL_ASSIGN(const std::size_t got, io::read_pipe(fd_, MutableByteSpan(run_->buffer).subspan(filled_)));
      if (got == 0) break;
      filled_ += got;
    }
    if (next_ < filled_) return malformed("a batch ends within a netstring", 0);
    return {};
  }

  // Also after a failure: what came before it.
  Result<void> hand_out_rest() {
    if (run_->pieces.empty()) return {};
    return putter_.hand_out(std::move(run_));
  }

  Error at_position(Error error) const {
    if (error.code == ErrorCode::kMalformed) error.offset = run_start_ + next_ + error.offset.value_or(0);
    return error;
  }

 private:
  std::uint64_t position() const { return run_start_ + next_; }

  static std::unexpected<Error> malformed(std::string message, std::uint64_t offset) {
    return fail(Error{.code = ErrorCode::kMalformed, .message = std::move(message), .offset = offset});
  }

  void start_run(ByteSpan begun) {
    auto run = std::make_unique<PutWork>();
    run->buffer = putter_.make_buffer();
    std::ranges::copy(begun, run->buffer.begin());
    run_start_ += next_;
    next_ = 0;
    filled_ = begun.size();
    run_ = std::move(run);
  }

  Result<void> take_pieces() {
    while (true) {
      const ByteSpan bytes = ByteSpan(run_->buffer).subspan(next_, filled_ - next_);
      ASL_ASSIGN(const auto prefix, parse_netstring_prefix(bytes));
      if (!prefix || prefix->length >= bytes.size() - prefix->size_bytes) return {};
      const auto length = static_cast<std::size_t>(prefix->length);
      if (bytes[prefix->size_bytes + length] != std::byte{','})
        return malformed("',' was expected after a netstring", prefix->size_bytes + length);
      run_->pieces.emplace_back(static_cast<std::uint32_t>(next_ + prefix->size_bytes),
                                static_cast<std::uint32_t>(length));
      next_ += prefix->size_bytes + length + 1;
    }
  }

  // The buffer is full: what is whole goes, what is begun goes on in a new one, or is too long for any.
  Result<void> make_room() {
    const ByteSpan begun = ByteSpan(run_->buffer).subspan(next_);
    if (!run_->pieces.empty()) {
      std::unique_ptr<PutWork> full = std::move(run_);
      start_run(begun);
      return putter_.hand_out(std::move(full));
    }
    ASL_ASSIGN(const auto prefix, parse_netstring_prefix(begun));
    const std::uint64_t start = position();
    auto added = putter_.add_long_piece(begun.subspan(prefix->size_bytes), fd_, prefix->length);
    if (!added) return added;
    next_ = 0;
    filled_ = 0;
    run_start_ = start + prefix->size_bytes + prefix->length + 1;
    return {};
  }

  Putter::Impl& putter_;
  const int fd_;
  std::unique_ptr<PutWork> run_;
  std::uint64_t run_start_ = 0;  // in the stream
  std::size_t next_ = 0;         // in the run's buffer: what was not cut yet
  std::size_t filled_ = 0;
};

Result<void> Putter::add_batch(int fd, const std::string& name) {
  PutBatch batch(*impl_, fd);
  auto read = batch.read();
  if (read || read.error().code == ErrorCode::kMalformed) ASL_TRY(batch.hand_out_rest());
  if (read) return {};
  Error error = batch.at_position(std::move(read).error());
  if (error.path.empty()) error.path = name;
  return fail(std::move(error));
}

Result<WriterTotals> Putter::finish() {
  ASL_TRY(impl_->wait_for_all());
  impl_->end_threads();
  impl_->own_lane.reset();
  ASL_TRY(impl_->writer->commit());
  ASL_TRY(impl_->tell(true));
  ASL_TRY(impl_->writer->merge_segments());
  return impl_->writer->totals();
}

const std::vector<std::string>& Putter::notices() const {
  return impl_->writer->notices();
}

}  // namespace asl
