// Power cuts while a damaged log is mended. After every prefix of what was written, synced and renamed, in
// several ways each: every log file is as it was or as it shall be, no record is lost that verified, and a
// second mending ends as the first would have.
#include <algorithm>
#include <map>

#include "crash_policies.h"
#include "io/recording_io.h"
#include "lazy_io.h"
#include "log/log_reader.h"
#include "log/log_writer.h"
#include "maintain/log_healer.h"
#include "store/domain_layout.h"
#include "store_fixture.h"

namespace asl {
namespace {

namespace fs = test::fs;
using test::value_of;

// Log files by name; what is kept of damaged ones left out.
std::map<std::string, Bytes> log_files(io::Io& io, const std::string& directory) {
  std::map<std::string, Bytes> found;
  for (const std::string& path : test::files_below(directory + "/log")) {
    const std::string name = fs::path(path).filename().string();
    if (!name.starts_with("torn-")) found[name] = value_of(io::read_file(io, path, kLogRotateSize));
  }
  return found;
}

std::vector<std::uint64_t> verified_records(io::Io& io, const std::string& directory) {
  std::vector<std::uint64_t> found;
  value_of(replay_log(io, LogFiles(directory), {}, [&](const LogGroup& group) -> Result<void> {
    for (const LogRecord& record : group.records) found.push_back(record.logseq);
    return {};
  }));
  return found;
}

TEST(LogHealCrash, EveryCutLeavesEachFileAsItWasOrMended) {
  const test::TempDirectory place(test::memory_directory());
  const std::string directory = place / "domain";
  const std::string copy = place / "copy";
  const std::vector<std::string> copies{copy};
  test::LazyIo io;
  ASL_ASSERT_OK(DomainLayout(directory).create_directories(io));
  {
    // Two groups in a file.
    LogWriter writer = value_of(LogWriter::create(io, LogFiles(directory), DomainId{std::byte{1}},
                                                  {.rotate_bytes = kLogHeaderSize + 2 * kLogAlignment}));
    value_of(writer.append(
        std::vector{new_record(GenesisRecord{.domain_id = DomainId{std::byte{1}}, .local = true})}));
    for (std::uint64_t id = 1; id <= 5; ++id)
      value_of(writer.append(std::vector{new_record(SnapshotAnchorRecord{
          .snapshot_id = id,
          .reference = untyped_reference(Digest{std::byte{static_cast<unsigned char>(id)}})})}));
  }
  fs::copy(directory, copy, fs::copy_options::recursive);
  const auto good = log_files(io, directory);
  ASSERT_EQ(good.size(), 4U);
  for (const auto& [name, bytes] : good) {
    if (name != "head") test::flip_byte(directory + "/log/" + name, kLogHeaderSize + 20);
  }
  const auto bad = log_files(io, directory);
  const std::vector<std::uint64_t> before = verified_records(io, directory);

  const auto recorder = value_of(io::RecordingIo::create(io, directory));
  EXPECT_EQ(value_of(heal_log(*recorder, directory, copies, false, {})).files.size(), 3U);
  ASSERT_TRUE(log_files(io, directory) == good);
  const std::string state = place / "state";
  const std::size_t last = recorder->operation_count();
  std::size_t states = 0;
  for (std::size_t count = 0; count <= last; ++count) {
    const auto all = test::crash_policies(count);
    for (std::size_t number = 0; number < all.size() && !testing::Test::HasFailure(); ++number, ++states) {
      SCOPED_TRACE("operations " + std::to_string(count) + ", policy " + std::to_string(number));
      ASL_ASSERT_OK(recorder->materialise(count, all[number], state));
      const auto there = log_files(io, state);
      EXPECT_EQ(there.size(), good.size());
      for (const auto& [name, bytes] : there)
        EXPECT_TRUE(bytes == good.at(name) || bytes == bad.at(name)) << name;
      EXPECT_TRUE(count < last || there == good) << "what was reported mended is not";
      EXPECT_TRUE(std::ranges::includes(verified_records(io, state), before));
      value_of(heal_log(io, state, copies, false, {}));
      EXPECT_TRUE(log_files(io, state) == good);
      fs::remove_all(state);
    }
  }
  std::printf("%zu operations, %zu states\n", last, states);
}

}  // namespace
}  // namespace asl
