// Mending a damaged log from copies: every byte of a small one, and never a record lost that verified.
#include "maintain/log_healer.h"

#include <algorithm>
#include <set>

#include "io/faulting_io.h"
#include "log_fixture.h"
#include "thinning.h"

namespace asl {
namespace {

namespace fs = std::filesystem;

class LogHealing : public LogTest {
 protected:
  // Two groups in a file.
  static constexpr LogWriterOptions kSmallFiles{.rotate_bytes = kLogHeaderSize + 2 * kLogAlignment};

  ~LogHealing() override { fs::remove_all(copy()); }
  std::string copy() const { return directory_ + "-copy"; }
  void make_copy() {
    fs::remove_all(copy());
    fs::create_directories(copy());
    fs::copy(files().directory(), copy() + "/log", fs::copy_options::recursive);
  }
  void append(std::uint64_t id) {
    LogWriter writer = take(reopen(kSmallFiles));
    take(writer.append(anchor(id)));
  }

  // Log files by name, without what is kept of damaged ones.
  std::map<std::string, std::string> contents() const {
    std::map<std::string, std::string> all;
    for (const auto& entry : fs::directory_iterator(files().directory())) {
      const std::string name = entry.path().filename().string();
      if (!name.starts_with("torn-")) all[name] = load(entry.path().string());
    }
    return all;
  }
  void put_back(const std::map<std::string, std::string>& all) const {
    fs::remove_all(files().directory());
    fs::create_directories(files().directory());
    for (const auto& [name, bytes] : all) save(files().directory() + "/" + name, bytes);
  }
  static void flip_some(std::string& bytes, std::size_t offset) {
    bytes[offset] = static_cast<char>(bytes[offset] ^ 0x10);
  }

  Result<asl::LogHealing> heal(const std::vector<std::string>& copies, bool dry_run = false) {
    return heal_log(io_, directory_, copies, dry_run, {});
  }
  void expect_sound(std::uint64_t last_logseq) {
    const Replayed replayed = replay();
    EXPECT_TRUE(replayed.outcome.damage.empty());
    EXPECT_EQ(replayed.outcome.end.logseq, last_logseq);
    EXPECT_EQ(replayed.logseqs.size(), last_logseq);
  }
  // Refused, and nothing is changed.
  void expect_refusal(const std::vector<std::string>& copies, const std::string& reason) {
    const auto before = contents();
    const auto healing = heal(copies);
    ASSERT_FALSE(healing.has_value());
    EXPECT_EQ(healing.error().code, ErrorCode::kIntegrity);
    EXPECT_NE(healing.error().message.find(reason), std::string::npos) << healing.error().message;
    EXPECT_FALSE(healing.error().hint.empty());
    EXPECT_EQ(contents(), before);
  }
};

TEST_F(LogHealing, ASoundLogIsLeftAlone) {
  make_log(3, kSmallFiles);
  const auto before = contents();
  EXPECT_TRUE(take(heal({})).files.empty());
  EXPECT_EQ(contents(), before);
}

TEST_F(LogHealing, EveryByteFromACopy) {
  make_log(2, kSmallFiles);
  make_copy();
  const auto good = contents();
  for (const auto& [name, bytes] : good) {
    const std::string file = files().directory() + "/" + name;
    for (std::size_t at = 0; at < bytes.size(); at += test::case_step()) {
      flip(file, at);
      const std::string bad = load(file);
      const asl::LogHealing healing = take(heal({copy()}));
      if (name == "head") {
        EXPECT_TRUE(healing.files.empty()) << at;
        flip(file, at);
        continue;
      }
      ASSERT_EQ(healing.files.size(), 1u) << name << " at " << at;
      ASSERT_TRUE(contents() == good) << name << " at " << at;
      ASSERT_EQ(healing.kept.size(), 1u);
      EXPECT_TRUE(load(healing.kept[0]) == bad) << "what was damaged is kept";
      fs::remove(healing.kept[0]);
    }
  }
}

// Without any copy, and with one that is damaged at the same place: a header can be told from the rest, and
// for anything else it is refused with every byte as it was.
TEST_F(LogHealing, EveryByteWithoutACopyIsHealedRightOrLeftAsItWas) {
  make_log(2, kSmallFiles);
  const auto good = contents();
  std::size_t healed = 0;
  std::size_t refused = 0;
  for (const auto& [name, bytes] : good) {
    if (name == "head") continue;
    const std::string file = files().directory() + "/" + name;
    for (std::size_t at = 0; at < bytes.size(); at += test::case_step()) {
      flip(file, at);
      const auto bad = contents();
      if (at % 64 == 0) make_copy();
      const auto healing = heal(at % 64 == 0 ? std::vector{copy()} : std::vector<std::string>{});
      if (healing) {
        ++healed;
        ASSERT_LT(at, kLogHeaderSize) << name;
        ASSERT_TRUE(contents() == good) << name << " at " << at;
        fs::remove(healing->kept.at(0));
      } else {
        ++refused;
        ASSERT_EQ(healing.error().code, ErrorCode::kIntegrity);
        ASSERT_TRUE(contents() == bad) << name << " at " << at;
        flip(file, at);
      }
    }
  }
  EXPECT_GT(healed, 0u);
  EXPECT_GT(refused, 0u);
}

TEST_F(LogHealing, EveryLengthThatHeadDoesNotExplain) {
  make_log(3, kSmallFiles);
  make_copy();
  const auto good = contents();
  const std::string newest = good.rbegin()->first;
  for (std::size_t length = 0; length < good.at(newest).size(); length += 64) {
    auto bad = good;
    bad[newest].resize(length);
    put_back(bad);
    take(heal({copy()}));
    ASSERT_TRUE(contents() == good) << length;
  }
}

TEST_F(LogHealing, FilesThatAreGone) {
  make_log(5, kSmallFiles);
  make_copy();
  const auto good = contents();
  ASSERT_EQ(good.size(), 4u);
  for (const auto& [name, bytes] : good) {
    if (name == "head") continue;
    auto bad = good;
    bad.erase(name);
    put_back(bad);
    take(heal({copy()}));
    EXPECT_TRUE(contents() == good) << name;
  }
  // Head alone says where it ended.
  put_back({{"head", good.at("head")}});
  take(heal({copy()}));
  EXPECT_TRUE(contents() == good);
}

TEST_F(LogHealing, AnOlderCopyHealsWhatItHasAndTheNewerRecordsStay) {
  make_log(2, kSmallFiles);
  make_copy();
  append(3);
  append(4);
  const auto good = contents();
  flip(path(1), kLogHeaderSize + kLogAlignment + 20);
  take(heal({copy()}));
  EXPECT_TRUE(contents() == good);
  // What it does not have it cannot heal: snapshot 3's group stands between two that verify.
  flip(path(5), kLogHeaderSize + kLogAlignment + 20);
  expect_refusal({copy()}, "cannot be joined");
}

TEST_F(LogHealing, WhatACopyHasBeyondThisLogIsNotTakenOver) {
  make_log(2, kSmallFiles);
  const auto older = contents();
  append(3);
  append(4);
  make_copy();
  put_back(older);
  flip(path(1), kLogHeaderSize + 20);
  take(heal({copy()}));
  EXPECT_TRUE(contents() == older);
  expect_sound(6);
}

// Head is lost, so only the bytes that lie there say that there was a last group.
TEST_F(LogHealing, ADamagedEndWithoutHeadIsHealedWhereBytesOfItLie) {
  make_log(3, kSmallFiles);
  make_copy();
  auto good = contents();
  good.erase("head");
  auto bad = good;
  flip_some(bad.begin()->second, kLogHeaderSize + 20);
  flip_some(bad.rbegin()->second, bad.rbegin()->second.size() - 100);
  put_back(bad);
  take(heal({copy()}));
  EXPECT_TRUE(contents() == good);
}

TEST_F(LogHealing, PartsFromSeveralCopies) {
  make_log(5, kSmallFiles);
  const auto good = contents();
  make_copy();
  const std::string other = copy() + "-2";
  fs::remove_all(other);
  fs::copy(copy(), other, fs::copy_options::recursive);
  flip(LogFiles(copy()).file_path(1), kLogHeaderSize + 20);
  flip(LogFiles(other).file_path(5), kLogHeaderSize + 20);
  flip(path(1), kLogHeaderSize + 20);
  flip(path(5), kLogHeaderSize + 20);
  expect_refusal({copy()}, "no place has the records");
  EXPECT_EQ(take(heal({copy(), other})).files.size(), 2u);
  EXPECT_TRUE(contents() == good);
  fs::remove_all(other);
}

// The same domain went two ways from one copy; the other way's records must not come in, nor ours go.
TEST_F(LogHealing, AnotherHistoryIsNeverTaken) {
  make_log(2, kSmallFiles);
  const auto common = contents();
  append(77);
  append(78);
  append(79);
  make_copy();
  put_back(common);
  append(3);
  append(4);
  append(5);
  const auto good = contents();
  flip(path(5), kLogHeaderSize + kLogAlignment + 20);
  expect_refusal({copy()}, "cannot be joined");
  put_back(good);
  flip(path(1), kLogHeaderSize + 20);
  take(heal({copy()}));
  EXPECT_TRUE(contents() == good);
  // A file of the other history in the place of ours: what is ours of it is known nowhere.
  put_back(good);
  save(path(5), load(LogFiles(copy()).file_path(5)));
  expect_refusal({copy()}, "");
}

// One group of the other history that begins in what is damaged and reaches over what is not.
TEST_F(LogHealing, AnotherHistoryDoesNotReachOverWhatVerifies) {
  make_log(1);
  const auto common = contents();
  LogWriter other = take(reopen());
  std::vector<NewRecord> many;
  for (std::uint64_t id = 100; id < 160; ++id) many.push_back(anchor(id).front());
  take(other.append(many));
  make_copy();
  put_back(common);
  for (const std::uint64_t id : {std::uint64_t{2}, std::uint64_t{3}}) {
    LogWriter writer = take(reopen());
    take(writer.append(anchor(id)));
  }
  remove_head();
  flip(path(1), kLogHeaderSize + 2 * kLogAlignment + 20);
  ASSERT_GT(fs::file_size(LogFiles(copy()).file_path(1)), kLogHeaderSize + 3 * kLogAlignment);
  expect_refusal({copy()}, "cannot be joined");
}

TEST_F(LogHealing, AFileOfAnotherDomainIsPutAside) {
  make_log(5, kSmallFiles);
  make_copy();
  const auto good = contents();
  domain_[3] = std::byte{0xEE};
  fs::remove_all(files().directory());
  make_log(5, kSmallFiles);
  const std::string foreign = load(path(5));
  domain_[3] = std::byte{4};
  put_back(good);
  save(path(5), foreign);
  const asl::LogHealing healing = take(heal({copy()}));
  EXPECT_TRUE(contents() == good);
  ASSERT_EQ(healing.kept.size(), 1u);
  EXPECT_TRUE(load(healing.kept[0]) == foreign);
}

TEST_F(LogHealing, ADryRunChangesNothing) {
  make_log(2, kSmallFiles);
  make_copy();
  flip(path(1), kLogHeaderSize + 20);
  const auto before = contents();
  const asl::LogHealing healing = take(heal({copy()}, true));
  ASSERT_EQ(healing.files.size(), 1u);
  EXPECT_EQ(healing.files[0].source, LogFiles(copy()).file_path(1));
  EXPECT_EQ(contents(), before);
}

TEST_F(LogHealing, AnEndAtAnyCallLeavesEveryRecordThatVerified) {
  make_log(5, kSmallFiles);
  make_copy();
  const auto good = contents();
  auto bad = good;
  for (auto& [name, bytes] : bad) {
    if (name != "head") flip_some(bytes, kLogHeaderSize + 20);
  }
  put_back(bad);
  const std::vector<std::uint64_t> before = replay().logseqs;
  io::FaultingIo counting(io_);
  const std::vector<std::string> copies{copy()};
  take(heal_log(counting, directory_, copies, false, {}));
  ASSERT_TRUE(contents() == good);
  for (std::uint64_t nth = 1; nth <= counting.calls(); ++nth) {
    put_back(bad);
    io::FaultingIo dying(io_);
    dying.add({.first = nth});
    static_cast<void>(heal_log(dying, directory_, copies, false, {}));
    const std::vector<std::uint64_t> after = replay().logseqs;
    EXPECT_TRUE(std::ranges::includes(after, before)) << nth;
    for (const auto& [name, bytes] : contents())
      EXPECT_TRUE(bytes == good.at(name) || bytes == bad.at(name)) << name;
    take(heal({copy()}));
    ASSERT_TRUE(contents() == good) << nth;
  }
}

}  // namespace
}  // namespace asl
