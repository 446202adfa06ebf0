// Snapshot pins: what is made, held and removed, and that any failure is made good by the next run. Real file
// systems: tests/e2e/pins.bats.
#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include <asl/engine/history.h>
#include <asl/engine/snapshot_pins.h>

#include "io/mount_table.h"
#include "io/program.h"
#include "pin/pin_name.h"
#include "pin/pin_place.h"
#include "pin/pin_ranges.h"
#include "pin/settle.h"
#include "pin/zfs_pins.h"
#include "store/domain_layout.h"
#include "store/snapshot_anchor.h"
#include "store_fixture.h"

namespace asl {
namespace {

using test::value_of;

constexpr const char* kDataSet = "tank/asl";

// zfs(8) as far as pins use it, with everything it was asked. Fails where it is told to.
class FakeZfs final : public io::ProgramRunner {
 public:
  struct Held {
    std::set<std::string> tags;
    bool operator==(const Held&) const = default;
  };
  std::map<std::string, Held> snapshots;  // by whole name
  std::vector<std::string> asked;
  std::function<bool(std::size_t call)> fails = [](std::size_t) { return false; };
  std::size_t calls = 0;

  Result<io::ProgramOutcome> run(const std::string& name, const std::vector<std::string>& words) override {
    std::string line = name;
    for (const std::string& word : words) line += " " + word;
    asked.push_back(line);
    if (fails(calls++)) return refuse("permission denied");
    const std::string& verb = words.at(0);
    const std::string& object = words.back();
    if (verb == "list") return list();
    if (verb == "get") return get(words);
    if (verb == "snapshot")
      return snapshots.try_emplace(object).second ? done("") : refuse("dataset already exists");
    const auto at = snapshots.find(object);
    if (at == snapshots.end()) return refuse("dataset does not exist");
    if (verb == "hold")
      return at->second.tags.insert(words.at(1)).second ? done("") : refuse("tag already exists");
    if (verb == "release") return at->second.tags.erase(words.at(1)) == 1 ? done("") : refuse("no such tag");
    if (verb != "destroy") return refuse("unrecognized command");
    if (!at->second.tags.empty()) return refuse("dataset is busy");
    snapshots.erase(at);
    return done("");
  }

  std::set<std::string> names() const {
    std::set<std::string> all;
    for (const auto& [name, held] : snapshots) all.insert(name);
    return all;
  }

 private:
  static Result<io::ProgramOutcome> done(std::string out) {
    return io::ProgramOutcome{0, std::move(out), ""};
  }
  static Result<io::ProgramOutcome> refuse(const std::string& reason) {
    return io::ProgramOutcome{1, "", "cannot do it: " + reason + "\nusage: ...\n"};
  }
  Result<io::ProgramOutcome> list() const {
    std::string out;
    for (const auto& [name, held] : snapshots) out += name + "\t" + std::to_string(held.tags.size()) + "\n";
    return done(out);
  }
  Result<io::ProgramOutcome> get(const std::vector<std::string>& words) const {
    std::string out;
    for (std::size_t k = 6; k < words.size(); ++k)
      out += words[k] + "\t" + (words[5] == "used" ? "4096" : "1048576") + "\n";
    return done(out);
  }
};

class SnapshotPins : public test::StoreTest {
 protected:
  void open_with(bool pin) {
    domain_ = value_of(Domain::open(*io_, at(), DomainOptions{.pin_snapshots = pin}));
  }
  // An empty snapshot, sealed as ingest seals.
  std::uint64_t seal() {
    const auto writer = open_writer();
    Snapshot snapshot;
    snapshot.domain_id = domain().id();
    snapshot.snapshot_id = domain().state()->next_snapshot_id();
    snapshot.host = "host";
    Entry root;
    root.type = EntryType::kDirectory;
    root.nlink = 1;
    TreeBuilder builder([&](ByteSpan node) { return writer->put_typed(kTagTree, node); });
    root.content = value_of(builder.finish()).root;
    snapshot.roots.push_back({"/source", root});
    notices_.clear();
    value_of(anchor_snapshot(*writer, domain(), snapshot, {}, notices_));
    return snapshot.snapshot_id;
  }
  void forget(std::uint64_t id) { value_of(forget_snapshots(domain(), std::vector<std::uint64_t>{id})); }
  std::string full_name(std::uint64_t id) {
    const SnapshotState* snapshot = domain().state()->find_snapshot(id);
    return std::string(kDataSet) + "@" + to_text(domain().id(), pin_of(id, snapshot->reference));
  }
  PinsSettled settle() {
    notices_.clear();
    return settle_pins_in(place_, domain(), notices_);
  }
  std::string pins_file() const { return in_store("pins"); }

  FakeZfs zfs_;
  ZfsPins place_{kDataSet, zfs_};
  std::vector<std::string> notices_;
};

TEST_F(SnapshotPins, WhatIsSealedWhileTheSettingIsOnIsPinnedAndHeldAndNothingElse) {
  seal();
  EXPECT_FALSE(io::exists(*io_, pins_file()));
  open_with(true);
  const std::uint64_t second = seal();
  const std::uint64_t third = seal();
  open_with(false);
  seal();
  open_with(true);
  const std::uint64_t fifth = seal();
  EXPECT_EQ(settle().made.size(), 3u);
  EXPECT_EQ(zfs_.names(), (std::set<std::string>{full_name(second), full_name(third), full_name(fifth)}));
  for (const auto& [name, held] : zfs_.snapshots) EXPECT_EQ(held.tags, std::set<std::string>{"asl"}) << name;
  EXPECT_TRUE(notices_.empty());
}

TEST_F(SnapshotPins, SettlingAgainChangesNothing) {
  open_with(true);
  seal();
  settle();
  const auto before = zfs_.snapshots;
  zfs_.asked.clear();
  const PinsSettled again = settle();
  EXPECT_TRUE(again.made.empty() && again.removed.empty());
  EXPECT_EQ(zfs_.snapshots, before);
  EXPECT_EQ(zfs_.asked,
            (std::vector<std::string>{"zfs list -H -t snapshot -o name,userrefs -r -d 1 tank/asl"}));
}

TEST_F(SnapshotPins, AForgottenSnapshotsPinGoesAlsoWhenTheSettingIsOff) {
  open_with(true);
  const std::uint64_t first = seal();
  const std::uint64_t second = seal();
  settle();
  open_with(false);
  forget(first);
  EXPECT_EQ(settle().removed.size(), 1u);
  EXPECT_EQ(zfs_.names(), std::set<std::string>{full_name(second)});
}

TEST_F(SnapshotPins, NothingIsMadeWhileTheSettingIsOff) {
  open_with(true);
  seal();
  open_with(false);
  EXPECT_TRUE(settle().made.empty());
  EXPECT_TRUE(zfs_.snapshots.empty());
}

TEST_F(SnapshotPins, OnlyNamesOfOurDomainAreTouched) {
  open_with(true);
  const std::uint64_t first = seal();
  settle();
  const std::string mine = full_name(first);
  std::string other_domain = mine;
  char& digit = other_domain[std::string(kDataSet).size() + 5];
  digit = digit == '0' ? '1' : '0';
  const std::set<std::string> others = {std::string(kDataSet) + "@daily", mine + "-more", mine + "x",
                                        other_domain, std::string(kDataSet) + "@asl-"};
  for (const std::string& name : others) zfs_.snapshots[name];
  forget(first);
  settle();
  EXPECT_EQ(zfs_.names(), others);
  for (const std::string& name : others) EXPECT_TRUE(zfs_.snapshots[name].tags.empty());
  EXPECT_TRUE(notices_.empty());
}

// A store that was put back to an older state gives the same numbers again.
TEST_F(SnapshotPins, PinsOfSnapshotsThatTheLogDoesNotHaveStayAndAreTold) {
  open_with(true);
  const std::uint64_t first = seal();
  const std::string lost =
      std::string(kDataSet) + "@" + to_text(domain().id(), {.snapshot_id = 7, .digest_hex = "0123456789ab"});
  const std::string of_another_past =
      std::string(kDataSet) + "@" +
      to_text(domain().id(), {.snapshot_id = first, .digest_hex = "0123456789ab"});
  zfs_.snapshots[lost].tags = {"asl"};
  zfs_.snapshots[of_another_past].tags = {"asl"};
  settle();
  EXPECT_EQ(zfs_.names(), (std::set<std::string>{lost, of_another_past, full_name(first)}));
  ASSERT_EQ(notices_.size(), 1u);
  EXPECT_NE(notices_[0].find("-7-0123456789ab"), std::string::npos) << notices_[0];
  forget(first);
  settle();
  EXPECT_EQ(zfs_.names(), (std::set<std::string>{lost, of_another_past}));
}

TEST_F(SnapshotPins, SomebodyElsesHoldIsNotTakenAway) {
  open_with(true);
  const std::uint64_t first = seal();
  settle();
  zfs_.snapshots[full_name(first)].tags.insert("backup");
  forget(first);
  settle();
  EXPECT_EQ(zfs_.snapshots[full_name(first)].tags, std::set<std::string>{"backup"});
  ASSERT_EQ(notices_.size(), 1u);
  EXPECT_NE(notices_[0].find("busy"), std::string::npos) << notices_[0];
  zfs_.snapshots[full_name(first)].tags.clear();
  EXPECT_EQ(settle().removed.size(), 1u);
}

// Two pins to be removed, one to be held, two to be made, with a single failure at each call, or every call
// from there on (a crash). The next run makes it good, and what is others' is as it was throughout.
TEST_F(SnapshotPins, AFailureOrACrashAtAnyCallIsMadeGoodByTheNextRun) {
  open_with(true);
  std::vector<std::uint64_t> ids;
  for (int k = 0; k < 3; ++k) ids.push_back(seal());
  settle();
  const std::string other = std::string(kDataSet) + "@other";
  zfs_.snapshots[other].tags = {"theirs"};
  zfs_.snapshots[full_name(ids[2])].tags.clear();
  forget(ids[0]);
  forget(ids[1]);
  ids.push_back(seal());
  ids.push_back(seal());
  const auto start = zfs_.snapshots;
  const std::set<std::string> wanted = {full_name(ids[2]), full_name(ids[3]), full_name(ids[4]), other};
  zfs_.calls = 0;
  settle();
  const std::size_t calls = zfs_.calls;
  ASSERT_EQ(calls, 1u + 2 * 2 + 1 + 2 * 2);
  for (std::size_t at = 0; at < calls; ++at) {
    for (const bool crash : {false, true}) {
      zfs_.snapshots = start;
      zfs_.calls = 0;
      zfs_.fails = [&](std::size_t call) { return call == at || (crash && call > at); };
      settle();
      EXPECT_FALSE(notices_.empty()) << at;
      EXPECT_TRUE(zfs_.snapshots.contains(full_name(ids[2]))) << at;
      EXPECT_EQ(zfs_.snapshots[other].tags, std::set<std::string>{"theirs"}) << at;
      zfs_.fails = [](std::size_t) { return false; };
      settle();
      EXPECT_TRUE(notices_.empty()) << at << ": " << notices_.front();
      EXPECT_EQ(zfs_.names(), wanted) << at;
      for (const std::string& name : wanted) EXPECT_EQ(zfs_.snapshots[name].tags.size(), 1u) << at << name;
    }
  }
}

TEST_F(SnapshotPins, AFailureIsToldWithItsReason) {
  open_with(true);
  seal();
  zfs_.fails = [](std::size_t call) { return call == 1; };
  settle();
  ASSERT_EQ(notices_.size(), 1u);
  EXPECT_NE(notices_[0].find("snapshot 1 not pinned yet"), std::string::npos) << notices_[0];
  EXPECT_NE(notices_[0].find("permission denied"), std::string::npos) << notices_[0];
}

// The fixture's root is on a file system of neither kind.
TEST_F(SnapshotPins, ARootThatCannotBePinnedIsIngestedIntoAllTheSameAndTold) {
  open_with(true);
  const std::uint64_t first = seal();
  ASSERT_FALSE(notices_.empty());
  EXPECT_NE(notices_.back().find("neither"), std::string::npos) << notices_.back();
  EXPECT_NE(notices_.back().find("try:"), std::string::npos);
  EXPECT_TRUE(domain().snapshot(first).has_value());
  const PinReport report = look_at_pins(domain(), false);
  EXPECT_TRUE(report.in_use && report.on && report.error);
  ASSERT_NE(report.find(first), nullptr);
  EXPECT_EQ(report.find(first)->state, PinState::kMissing);
}

TEST_F(SnapshotPins, WherePinsWereNeverOnNothingIsWrittenOrTold) {
  const std::uint64_t first = seal();
  EXPECT_TRUE(notices_.empty());
  forget(first);
  EXPECT_FALSE(io::exists(*io_, pins_file()));
  EXPECT_FALSE(look_at_pins(domain(), true).in_use);
}

TEST_F(SnapshotPins, ADamagedNoteIsToldMakesNothingAndStillRemovesWhatWasForgotten) {
  open_with(true);
  const std::uint64_t first = seal();
  const std::uint64_t second = seal();
  settle();
  test::write_text(pins_file(), "asl-pins 1\nall\n");
  forget(first);
  EXPECT_EQ(settle().removed.size(), 1u);
  EXPECT_EQ(zfs_.names(), std::set<std::string>{full_name(second)});
  ASSERT_EQ(notices_.size(), 1u);
  EXPECT_NE(notices_[0].find("damaged"), std::string::npos);
  seal();
  EXPECT_TRUE(
      std::ranges::any_of(notices_, [](const std::string& text) { return text.contains("damaged"); }));
}

TEST_F(SnapshotPins, SizesAreThoseThatZfsTells) {
  const std::vector<std::string> names = {"asl-one", "asl-two"};
  const PinSizes sizes = value_of(place_.sizes(names));
  EXPECT_EQ(sizes.alone_bytes, (std::map<std::string, std::uint64_t>{{"asl-one", 4096}, {"asl-two", 4096}}));
  EXPECT_EQ(sizes.held_back_bytes, 1048576u);
  EXPECT_EQ(zfs_.asked[0], "zfs get -H -p -o name,value used tank/asl@asl-one tank/asl@asl-two");
}

TEST_F(SnapshotPins, WhatZfsPrintsIsNotGuessedAt) {
  zfs_.snapshots["elsewhere@asl-1"];
  const auto listed = place_.list();
  ASSERT_FALSE(listed.has_value());
  EXPECT_EQ(listed.error().code, ErrorCode::kUnsupported);
}

TEST(PinName, HasOneFormOnly) {
  DomainId domain{};
  domain[0] = std::byte{0xab};
  Reference snapshot{.hash_id = kHashIdAsl1};
  snapshot.digest[5] = std::byte{0x0c};
  const PinName pin = pin_of(17, snapshot);
  EXPECT_EQ(to_text(domain, pin), "asl-ab0000000000-17-00000000000c");
  EXPECT_EQ(parse_pin_name(domain, to_text(domain, pin)), pin);
  for (const char* wrong :
       {"", "asl-", "asl-ab0000000000-17", "asl-ab0000000000-017-00000000000c",
        "asl-ab0000000000--00000000000c", "asl-ab0000000000-17-00000000000C",
        "asl-ab0000000000-17-00000000000", "asl-ab0000000000-17-00000000000cc",
        "asl-ab0000000001-17-00000000000c", " asl-ab0000000000-17-00000000000c",
        "asl-ab0000000000-99999999999999999999-00000000000c", "asl-ab0000000000-17_00000000000c"})
    EXPECT_FALSE(parse_pin_name(domain, wrong)) << wrong;
}

TEST(PinRanges, FollowTheSetting) {
  PinRanges ranges;
  EXPECT_FALSE(ranges.set(false, 1));
  EXPECT_TRUE(ranges.set(true, 3));
  EXPECT_FALSE(ranges.set(true, 9));
  EXPECT_TRUE(ranges.on() && ranges.contains(3) && ranges.contains(1000) && !ranges.contains(2));
  EXPECT_TRUE(ranges.set(false, 5));
  EXPECT_TRUE(!ranges.on() && ranges.contains(4) && !ranges.contains(5));
  EXPECT_TRUE(ranges.set(true, 8));
  EXPECT_TRUE(ranges.set(false, 8));  // nothing was sealed meanwhile
  EXPECT_EQ(ranges.to_text(), "asl-pins 1\n3-4\n");
  EXPECT_TRUE(ranges.set(true, 5));  // goes on where it ended
  EXPECT_EQ(ranges.to_text(), "asl-pins 1\n3-\n");
}

TEST(PinRanges, HaveOneForm) {
  for (const char* good : {"asl-pins 1\n", "asl-pins 1\n1-1\n", "asl-pins 1\n1-4\n6-9\n12-\n"}) {
    const auto parsed = PinRanges::parse(good, "pins");
    ASSERT_TRUE(parsed.has_value()) << good;
    EXPECT_EQ(parsed->to_text(), good);
  }
  for (const char* bad :
       {"", "asl-pins 1", "asl-pins 2\n", "asl-pins 1\n0-1\n", "asl-pins 1\n01-1\n", "asl-pins 1\n4-1\n",
        "asl-pins 1\n1-4\n4-5\n", "asl-pins 1\n1-\n5-\n", "asl-pins 1\n1-4", "asl-pins 1\n-4\n",
        "asl-pins 1\n1-4 \n", "asl-pins 1\n99999999999999999999-\n", "asl-pins 1\n\n"})
    EXPECT_FALSE(PinRanges::parse(bad, "pins").has_value()) << bad;
}

TEST(MountTable, IsReadAsTheKernelWritesIt) {
  const auto mounts = value_of(io::parse_mount_table(
      "36 35 98:0 /mnt1 /mnt\\040two rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n"
      "44 43 0:41 / /tank/asl rw - fuse.zfs tank/asl rw,user_id=0,group_id=0\n"));
  ASSERT_EQ(mounts.size(), 2u);
  EXPECT_EQ(mounts[0].point, "/mnt two");
  EXPECT_EQ(mounts[0].root, "/mnt1");
  EXPECT_EQ(mounts[1].type, "fuse.zfs");
  EXPECT_EQ(mounts[1].source, "tank/asl");
  for (const char* bad :
       {"36 35 98:0 / /mnt rw", "36 35 98 / /mnt rw - ext3 x rw", "36 35 98:0 / /mnt rw - ext3 x"})
    EXPECT_FALSE(io::parse_mount_table(bad).has_value()) << bad;
  EXPECT_FALSE(value_of(io::read_mount_table()).empty());
}

io::Mount data_set(const std::string& root, const std::string& point, const std::string& type = "zfs") {
  return {
      .device = 41, .root = root, .point = point, .type = type, .source = "tank/asl", .super_options = "rw"};
}

TEST(ZfsDataSet, MustBeMountedWholeOnTheRoot) {
  FakeZfs zfs;
  const std::vector<std::string> tops = {"/tank/asl/domains/x", "/tank/asl/domains", "/tank/asl"};
  const auto place_of = [&](const io::Mount& mount, std::uint64_t device = 41) {
    return zfs_data_set(std::vector{mount}, device, tops, zfs);
  };
  const auto found = value_of(place_of(data_set("/", "/tank/asl")));
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->describe(), "ZFS data set tank/asl");
  EXPECT_EQ(value_of(place_of(data_set("/", "/tank/asl"), 42)), nullptr);
  for (const io::Mount& mount : {data_set("/", "/tank"), data_set("/asl", "/tank/asl")}) {
    const auto refused = place_of(mount);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
    EXPECT_NE(refused.error().hint.find("zfs create tank/asl/asl"), std::string::npos)
        << refused.error().hint;
  }
}

// A mount by FUSE says of itself what it likes.
TEST(ZfsDataSet, IsNotBelievedOfWhatAUserMounted) {
  FakeZfs zfs;
  const std::vector<std::string> tops = {"/home/mallory/asl"};
  io::Mount mount = data_set("/", tops[0], "fuse.zfs");
  for (const char* options : {"rw,user_id=1000,group_id=0", "rw", "rw,user_id=01", "rw,xuser_id=0"}) {
    mount.super_options = options;
    EXPECT_EQ(value_of(zfs_data_set(std::vector{mount}, 41, tops, zfs)), nullptr) << options;
  }
  mount.super_options = "rw,user_id=0,group_id=0";
  EXPECT_NE(value_of(zfs_data_set(std::vector{mount}, 41, tops, zfs)), nullptr);
  for (const char* source : {"-r", "", "/tank", "tank@snapshot", "tank#mark", "tank%x", "tank,other"}) {
    mount.source = source;
    EXPECT_EQ(value_of(zfs_data_set(std::vector{mount}, 41, tops, zfs)), nullptr) << source;
  }
  EXPECT_TRUE(zfs.asked.empty());
}

TEST(Program, GivesStatusAndBothOutputsWholeWithoutAShell) {
  io::ProgramRunner& programs = io::system_programs();
  const auto printed = value_of(programs.run("printf", {"%s|", "two words", "$HOME", "*"}));
  EXPECT_EQ(printed.out, "two words|$HOME|*|");
  const auto both =
      value_of(programs.run("sh", {"-c", "head -c 300000 /dev/zero; head -c 200000 /dev/zero >&2; exit 3"}));
  EXPECT_EQ(both.exit_status, 3);
  EXPECT_EQ(both.out.size(), 300000u);
  EXPECT_EQ(both.err.size(), 200000u);
  EXPECT_EQ(value_of(programs.run("sh", {"-c", "kill -9 $$"})).exit_status, 128 + 9);
  EXPECT_EQ(value_of(programs.run("cat", {})).out, "");
  const auto missing = programs.run("no-such-program-here", {});
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace asl
