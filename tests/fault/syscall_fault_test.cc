// System calls that fail, below the I/O seam: the linker puts the functions of this file between the engine
// and the C library (and liburing), so that interrupted calls, short transfers and errors meet the real plain
// and io_uring layers. RocksDB is a shared library and is not reached.
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <fcntl.h>
#include <liburing.h>
#include <limits>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include <asl/engine/hash.h>
#include <asl/engine/ingest.h>

#include "store_fixture.h"
#include "thinning.h"

namespace asl {
namespace {

enum class Call : std::uint8_t {
  kRead,
  kWrite,
  kSync,
  kSyncData,
  kOpen,
  kTruncate,
  kAllocate,
  kRename,
  kSubmit,    // io_uring_enter itself
  kComplete,  // what a ring says of a transfer
  kCount,
};
constexpr const char* kCallNames[] = {"read",     "write",    "sync",   "sync-data", "open",
                                      "truncate", "allocate", "rename", "submit",    "complete"};
constexpr std::uint64_t kForEver = std::numeric_limits<std::uint64_t>::max();

// What is to go wrong. One test at a time; any thread of the engine.
struct Plan {
  std::atomic<bool> armed{false};
  Call call = Call::kCount;
  std::uint64_t first = 1;  // of the calls of this kind, the first that fails, and how many do
  std::uint64_t count = 1;
  int sys_errno = 0;  // 0: a transfer of half of what was asked for
  std::atomic<std::uint64_t> seen[static_cast<std::size_t>(Call::kCount)] = {};
  std::atomic<std::uint64_t> injected{0};

  void reset() {
    armed = false;
    injected = 0;
    for (auto& calls : seen) calls = 0;
  }
};
Plan plan;

// Whether this call is to fail.
bool strikes(Call call) {
  const std::uint64_t number = ++plan.seen[static_cast<std::size_t>(call)];
  if (!plan.armed || plan.call != call || number < plan.first || number - plan.first >= plan.count)
    return false;
  ++plan.injected;
  return true;
}

bool strikes_with_errno(Call call) {
  if (!strikes(call)) return false;
  errno = plan.sys_errno;
  return true;
}

// Half, in whole pages where there are several: a short direct transfer ends at a page.
std::size_t half(std::size_t size) {
  return size > 2 * kPageSize ? size / 2 / kPageSize * kPageSize : std::max<std::size_t>(size / 2, 1);
}

}  // namespace
}  // namespace asl

using asl::Call;
using asl::plan;

// The linker's names; --wrap is given in meson.build.
extern "C" {
ssize_t __real_pread64(int fd, void* into, size_t size, off_t offset);
ssize_t __real_pwrite64(int fd, const void* from, size_t size, off_t offset);
int __real_fsync(int fd);
int __real_fdatasync(int fd);
int __real_openat64(int directory, const char* path, int flags, ...);
int __real_ftruncate64(int fd, off_t length);
int __real_renameat2(int from_directory, const char* from, int to_directory, const char* to, unsigned flags);
int __real_rename(const char* from, const char* to);
int __real_io_uring_submit(io_uring* ring);
int __real_io_uring_submit_and_wait(io_uring* ring, unsigned wait_count);

ssize_t __wrap_pread64(int fd, void* into, size_t size, off_t offset) {
  if (asl::strikes(Call::kRead)) {
    if (plan.sys_errno == 0) return __real_pread64(fd, into, asl::half(size), offset);
    errno = plan.sys_errno;
    return -1;
  }
  return __real_pread64(fd, into, size, offset);
}

ssize_t __wrap_pwrite64(int fd, const void* from, size_t size, off_t offset) {
  if (asl::strikes(Call::kWrite)) {
    if (plan.sys_errno == 0) return __real_pwrite64(fd, from, asl::half(size), offset);
    errno = plan.sys_errno;
    return -1;
  }
  return __real_pwrite64(fd, from, size, offset);
}

int __wrap_fsync(int fd) {
  return asl::strikes_with_errno(Call::kSync) ? -1 : __real_fsync(fd);
}

int __wrap_fdatasync(int fd) {
  return asl::strikes_with_errno(Call::kSyncData) ? -1 : __real_fdatasync(fd);
}

int __wrap_openat64(int directory, const char* path, int flags, ...) {
  std::va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return asl::strikes_with_errno(Call::kOpen) ? -1 : __real_openat64(directory, path, flags, mode);
}

int __wrap_ftruncate64(int fd, off_t length) {
  return asl::strikes_with_errno(Call::kTruncate) ? -1 : __real_ftruncate64(fd, length);
}

// Lengthens without reserving: where files lie in memory, each block would fill 256 MiB with zeros.
int __wrap_fallocate64(int fd, int, off_t offset, off_t length) {
  if (asl::strikes_with_errno(Call::kAllocate)) return -1;
  struct stat now = {};
  if (::fstat(fd, &now) != 0) return -1;
  return now.st_size < offset + length ? __real_ftruncate64(fd, offset + length) : 0;
}

int __wrap_renameat2(int from_directory, const char* from, int to_directory, const char* to, unsigned flags) {
  return asl::strikes_with_errno(Call::kRename)
             ? -1
             : __real_renameat2(from_directory, from, to_directory, to, flags);
}

int __wrap_rename(const char* from, const char* to) {
  return asl::strikes_with_errno(Call::kRename) ? -1 : __real_rename(from, to);
}

// Completions that nobody has seen yet are changed in the ring.
static int after_entering(io_uring* ring, unsigned before, int result) {
  const unsigned tail = io_uring_smp_load_acquire(ring->cq.ktail);
  for (unsigned at = before; at != tail; ++at) {
    if (!asl::strikes(Call::kComplete)) continue;
    std::int32_t& told = ring->cq.cqes[at & ring->cq.ring_mask].res;
    if (plan.sys_errno != 0)
      told = -plan.sys_errno;
    else if (told > 1)
      told = static_cast<std::int32_t>(asl::half(static_cast<std::size_t>(told)));
  }
  return result;
}

int __wrap_io_uring_submit(io_uring* ring) {
  if (asl::strikes(Call::kSubmit)) return -plan.sys_errno;
  const unsigned before = io_uring_smp_load_acquire(ring->cq.ktail);
  return after_entering(ring, before, __real_io_uring_submit(ring));
}

int __wrap_io_uring_submit_and_wait(io_uring* ring, unsigned wait_count) {
  if (asl::strikes(Call::kSubmit)) return -plan.sys_errno;
  const unsigned before = io_uring_smp_load_acquire(ring->cq.ktail);
  return after_entering(ring, before, __real_io_uring_submit_and_wait(ring, wait_count));
}
}

namespace asl {
namespace {

using test::open_domain;
using test::random_bytes;
using test::read_artifact;
using test::value_of;

// Of each kind, so many calls are failed in turn, spread over all there are.
constexpr std::uint64_t kCallsTried = 6;

struct Layer {
  const char* name;
  std::unique_ptr<io::Io> (*make)();
};
void PrintTo(const Layer& layer, std::ostream* out) {
  *out << layer.name;
}

class SyscallFault : public test::StoreTest, public ::testing::WithParamInterface<Layer> {
 protected:
  void SetUp() override {
    old_ = random_bytes(50'000, 30);
    value_of(test::put_all(domain(), {old_}));
    domain_.reset();
    test::fs::remove(in_store("reserve"));
    test::fs::create_directories(source() + "/deep");
    test::write_text(source() + "/small", std::string(as_text(random_bytes(600, 31))));
    test::write_text(source() + "/deep/middle", std::string(as_text(random_bytes(100'000, 32))));
    test::write_text(source() + "/large", std::string(as_text(random_bytes(3'000'000, 33))));
    plan.reset();
    value_of(session(fresh_copy()));
    for (std::size_t call = 0; call < std::size(calls_); ++call) calls_[call] = plan.seen[call];
  }
  void TearDown() override {
    plan.reset();
    std::printf("%llu faults injected\n", static_cast<unsigned long long>(injected_));
    RecordProperty("faults", static_cast<int>(injected_));
  }

  std::string source() const { return directory_ / "source"; }
  std::string fresh_copy() const {
    const std::string copy = directory_ / "copy";
    test::fs::remove_all(copy);
    test::fs::copy(at(), copy, test::fs::copy_options::recursive);
    return copy;
  }

  // Ingests the source through the layer under test.
  Result<IngestReport> session(const std::string& directory) const {
    const auto io = GetParam().make();
    ASL_ASSIGN(const auto domain, Domain::open(*io, directory, {}));
    IngestOptions options;
    options.sources = {source()};
    options.jobs = 2;
    ProgressCounters progress;
    return ingest(*domain, options, progress, {});
  }

  // The contents of a snapshot that an ingest said was whole.
  void expect_whole(const Domain& domain, const IngestReport& report) const {
    EXPECT_EQ(report.problem_count, 0U);
    for (const Bytes& bytes :
         {random_bytes(600, 31), random_bytes(100'000, 32), random_bytes(3'000'000, 33)}) {
      const auto got = read_artifact(domain, untyped_reference(sha256(bytes)));
      ASSERT_TRUE(got.has_value()) << got.error().to_string();
      EXPECT_EQ(*got, bytes);
    }
  }

  // What the session said, and what is true afterwards.
  Result<IngestReport> run_with(Call call, std::uint64_t first, std::uint64_t count, int sys_errno) {
    const std::string copy = fresh_copy();
    plan.reset();
    plan.call = call;
    plan.first = first;
    plan.count = count;
    plan.sys_errno = sys_errno;
    plan.armed = true;
    const auto done = session(copy);
    plan.armed = false;
    EXPECT_GT(plan.injected.load(), 0U);
    injected_ += plan.injected;
    const auto plain = io::make_plain_io();
    const auto domain = open_domain(*plain, copy);
    EXPECT_FALSE(domain->corruption().has_value());
    EXPECT_EQ(value_of(read_artifact(*domain, untyped_reference(sha256(old_)))), old_);
    if (done && done->problem_count == 0) expect_whole(*domain, *done);
    if (!done && sys_errno == ENOSPC) {
      EXPECT_EQ(done.error().code, ErrorCode::kNoSpace) << done.error().to_string();
    }
    const IngestReport again = value_of(session(copy));
    value_of(domain->refresh());
    expect_whole(*domain, again);
    const VerifyReport report = test::verify_all(*domain);
    for (const Finding& finding : report.findings) ADD_FAILURE() << finding.error.to_string();
    return done;
  }

  void run_for(std::initializer_list<Call> kinds, std::uint64_t count, int sys_errno,
               bool must_succeed = false) {
    for (const Call call : kinds) {
      const std::uint64_t calls = calls_[static_cast<std::size_t>(call)];
      const std::uint64_t step = std::max<std::uint64_t>(1, calls / kCallsTried) * test::case_step();
      // How many calls there are differs a little from run to run with several threads.
      for (std::uint64_t nth = 1; (nth == 1 || nth + calls / 20 + 3 <= calls) && calls > 0 && !HasFailure();
           nth += step) {
        SCOPED_TRACE(std::string(kCallNames[static_cast<std::size_t>(call)]) + ", call " +
                     std::to_string(nth) + " of " + std::to_string(calls));
        const auto done = run_with(call, nth, count, sys_errno);
        if (!must_succeed) continue;
        ASSERT_TRUE(done.has_value()) << done.error().to_string();
        EXPECT_EQ(done->problem_count, 0U);
        EXPECT_EQ(done->attempts, 1U);
      }
    }
  }

  Bytes old_;
  std::uint64_t calls_[static_cast<std::size_t>(Call::kCount)] = {};
  std::uint64_t injected_ = 0;
};

TEST_P(SyscallFault, InterruptedCallsAreMadeAgain) {
  for (const std::uint64_t in_a_row : {1U, 25U})
    run_for({Call::kRead, Call::kWrite, Call::kSync, Call::kSyncData, Call::kOpen, Call::kTruncate,
             Call::kAllocate, Call::kSubmit},
            in_a_row, EINTR, /*must_succeed=*/true);
  run_for({Call::kComplete}, 1, EINTR, /*must_succeed=*/true);
}

TEST_P(SyscallFault, ShortTransfersAreCompleted) {
  for (const std::uint64_t in_a_row : {1U, 3U})
    run_for({Call::kRead, Call::kWrite, Call::kComplete}, in_a_row, 0, /*must_succeed=*/true);
}

TEST_P(SyscallFault, OneIoErrorLosesNothing) {
  run_for({Call::kRead, Call::kWrite, Call::kSync, Call::kSyncData, Call::kOpen, Call::kTruncate,
           Call::kRename, Call::kSubmit, Call::kComplete},
          1, EIO);
}

TEST_P(SyscallFault, IoErrorsFromSomeCallOnLoseNothing) {
  // Not kSubmit: a process that can never again ask its ring what is in flight ends (doc/io.md).
  run_for({Call::kRead, Call::kWrite, Call::kSync, Call::kSyncData, Call::kOpen, Call::kTruncate,
           Call::kRename, Call::kComplete},
          kForEver, EIO);
}

TEST_P(SyscallFault, ADiskThatIsFullFromSomeCallOnLosesNothing) {
  run_for({Call::kWrite, Call::kAllocate, Call::kComplete}, kForEver, ENOSPC);
  run_for({Call::kWrite, Call::kAllocate, Call::kComplete, Call::kSyncData}, 1, ENOSPC);
}

INSTANTIATE_TEST_SUITE_P(Layers, SyscallFault,
                         ::testing::Values(Layer{"plain", io::make_plain_io},
                                           Layer{"uring", io::make_uring_io}),
                         [](const auto& layer) { return std::string(layer.param.name); });

}  // namespace
}  // namespace asl
