#include "io/recording_io.h"

#include <algorithm>
#include <filesystem>
#include <gtest/gtest.h>
#include <map>
#include <set>
#include <sys/stat.h>

#include "io/faulting_io.h"
#include "io/transfer.h"
#include "support.h"

namespace asl::io {
namespace {

using Data = CrashPolicy::Data;
using Names = CrashPolicy::Names;
using test::bytes_of;
using test::random_bytes;
using test::TempDirectory;
using test::value_of;

// Path -> content; directories end in "/".
using Listing = std::map<std::string, std::string>;

class Recording : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(root_);
    start();
  }
  void start() { io_ = value_of(RecordingIo::create(*plain_, root_)); }

  std::string path(const std::string& name) const { return root_ + "/" + name; }
  File create(const std::string& name) { return value_of(io_->open(path(name), {.create_new = true})); }
  // A file that is as durable as can be.
  void put_durable(const std::string& name, std::string_view text) {
    const File file = create(name);
    value_of(io_->write(file, as_bytes(text), 0));
    value_of(io_->sync(file));
    value_of(io_->sync_directory(std::filesystem::path(path(name)).parent_path().string()));
  }

  Listing after_crash(std::size_t count, const CrashPolicy& policy) {
    const std::string place = scratch_ / ("state" + std::to_string(states_++));
    value_of(io_->materialise(count, policy, place));
    Listing listing;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(place)) {
      const std::string name = std::filesystem::relative(entry.path(), place).string();
      if (entry.is_directory())
        listing[name + "/"] = "";
      else
        listing[name] = as_text(value_of(read_file(*plain_, entry.path().string(), 1U << 30)));
    }
    std::filesystem::remove_all(place);
    return listing;
  }
  Listing after_crash(const CrashPolicy& policy) { return after_crash(io_->operation_count(), policy); }

  // Everything a power cut now could leave, as far as many seeds find it.
  std::set<Listing> possible_states() {
    std::set<Listing> states;
    for (const Names names : {Names::kLost, Names::kKept, Names::kOrdered, Names::kIndependent})
      for (const Data data : {Data::kLost, Data::kKept, Data::kTorn, Data::kSizeOnly, Data::kRandom})
        for (std::uint64_t seed = 0; seed < 6; ++seed)
          states.insert(after_crash({.data = data, .names = names, .seed = seed}));
    return states;
  }

  TempDirectory scratch_;
  const std::string root_ = scratch_ / "root";
  std::unique_ptr<Io> plain_ = make_plain_io();
  std::unique_ptr<RecordingIo> io_;
  int states_ = 0;
};

TEST_F(Recording, an_unsynced_write_may_be_lost_and_a_synced_one_never_is) {
  put_durable("a", "");
  const File file = value_of(io_->open(path("a"), {.write = true}));
  ASL_ASSERT_OK(io_->write(file, as_bytes("data"), 0));
  const auto before = possible_states();
  EXPECT_TRUE(before.contains(Listing{{"a", ""}}));
  EXPECT_TRUE(before.contains(Listing{{"a", "data"}}));
  EXPECT_TRUE(before.contains(Listing{{"a", std::string(4, '\0')}}));

  ASL_ASSERT_OK(io_->sync_data(file));
  EXPECT_EQ(possible_states(), (std::set<Listing>{{{"a", "data"}}}));
}

TEST_F(Recording, a_crash_before_the_sync_ignores_the_sync) {
  put_durable("a", "");
  const File file = value_of(io_->open(path("a"), {.write = true}));
  const std::size_t start = io_->operation_count();
  ASL_ASSERT_OK(io_->write(file, as_bytes("data"), 0));
  ASL_ASSERT_OK(io_->sync(file));
  EXPECT_EQ(after_crash(start, {})["a"], "");
  EXPECT_EQ(after_crash(start + 1, {})["a"], "");
  EXPECT_EQ(after_crash(start + 1, {.data = Data::kKept})["a"], "data");
  EXPECT_EQ(after_crash(start + 2, {})["a"], "data");
}

TEST_F(Recording, a_sync_of_one_file_says_nothing_about_another) {
  put_durable("a", "");
  put_durable("b", "");
  const File a = value_of(io_->open(path("a"), {.write = true}));
  const File b = value_of(io_->open(path("b"), {.write = true}));
  ASL_ASSERT_OK(io_->write(a, as_bytes("one"), 0));
  ASL_ASSERT_OK(io_->write(b, as_bytes("two"), 0));
  ASL_ASSERT_OK(io_->sync(b));
  EXPECT_EQ(after_crash({}), (Listing{{"a", ""}, {"b", "two"}}));
}

TEST_F(Recording, a_synced_file_without_a_synced_directory_may_have_no_name) {
  const File file = create("a");
  ASL_ASSERT_OK(io_->write(file, as_bytes("data"), 0));
  ASL_ASSERT_OK(io_->sync(file));
  EXPECT_EQ(possible_states(), (std::set<Listing>{{}, {{"a", "data"}}}));
  ASL_ASSERT_OK(io_->sync_directory(root_));
  EXPECT_EQ(possible_states(), (std::set<Listing>{{{"a", "data"}}}));
}

TEST_F(Recording, a_directory_handle_can_be_synced_too) {
  const File directory = value_of(io_->open(root_, {.directory = true}));
  const File file = value_of(io_->open_at(directory, "a", {.create_new = true}));
  EXPECT_EQ(after_crash({}), Listing{});
  ASL_ASSERT_OK(io_->sync(directory));
  EXPECT_EQ(after_crash({}), (Listing{{"a", ""}}));
}

TEST_F(Recording, what_lies_in_a_lost_directory_is_lost_with_it) {
  ASL_ASSERT_OK(io_->make_directory(path("d")));
  put_durable("d/a", "data");
  EXPECT_EQ(after_crash({}), Listing{});
  ASL_ASSERT_OK(io_->sync_directory(root_));
  EXPECT_EQ(after_crash({}), (Listing{{"d/", ""}, {"d/a", "data"}}));
}

TEST_F(Recording, a_rename_is_there_or_not_but_never_loses_the_file) {
  put_durable("a", "old");
  put_durable("b", "new");
  ASL_ASSERT_OK(io_->rename(path("b"), path("a"), true));
  const std::set<Listing> expected = {{{"a", "old"}, {"b", "new"}}, {{"a", "new"}}};
  EXPECT_EQ(possible_states(), expected);
  ASL_ASSERT_OK(io_->sync_directory(root_));
  EXPECT_EQ(after_crash({}), (Listing{{"a", "new"}}));
}

TEST_F(Recording, a_rename_between_directories_needs_both_synced) {
  ASL_ASSERT_OK(io_->make_directory(path("from")));
  ASL_ASSERT_OK(io_->make_directory(path("to")));
  put_durable("from/a", "x");
  ASL_ASSERT_OK(io_->sync_directory(root_));
  ASL_ASSERT_OK(io_->rename(path("from/a"), path("to/a"), false));
  ASL_ASSERT_OK(io_->sync_directory(path("from")));
  EXPECT_EQ(after_crash({}), (Listing{{"from/", ""}, {"from/a", "x"}, {"to/", ""}}));
  ASL_ASSERT_OK(io_->sync_directory(path("to")));
  EXPECT_EQ(after_crash({}), (Listing{{"from/", ""}, {"to/", ""}, {"to/a", "x"}}));
}

TEST_F(Recording, an_unsynced_removal_may_come_back) {
  put_durable("a", "data");
  ASL_ASSERT_OK(io_->remove(path("a")));
  EXPECT_EQ(possible_states(), (std::set<Listing>{{}, {{"a", "data"}}}));
}

TEST_F(Recording, in_order_a_lost_name_loses_all_later_ones) {
  for (const std::string name : {"a", "b", "c"}) create(name);
  std::set<Listing> ordered;
  std::set<Listing> independent;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    ordered.insert(after_crash({.names = Names::kOrdered, .seed = seed}));
    independent.insert(after_crash({.names = Names::kIndependent, .seed = seed}));
  }
  EXPECT_EQ(ordered,
            (std::set<Listing>{{}, {{"a", ""}}, {{"a", ""}, {"b", ""}}, {{"a", ""}, {"b", ""}, {"c", ""}}}));
  EXPECT_EQ(independent.size(), 8U);
}

TEST_F(Recording, a_torn_write_keeps_whole_units) {
  put_durable("a", std::string(10'000, '-'));
  const File file = value_of(io_->open(path("a"), {.write = true}));
  ASL_ASSERT_OK(io_->write(file, as_bytes(std::string(3000, 'x')), 1000));
  for (const std::uint64_t unit : {512U, 4096U}) {
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
      const std::string content =
          after_crash({.data = Data::kTorn, .tear_unit_bytes = unit, .seed = seed})["a"];
      ASSERT_EQ(content.size(), 10'000U);
      for (std::size_t begin = 0; begin < content.size(); begin += unit) {
        const std::size_t from = std::max<std::size_t>(begin, 1000);
        const std::size_t to = std::min<std::size_t>({begin + unit, content.size(), 4000});
        for (std::size_t i = from; i + 1 < to; ++i) ASSERT_EQ(content[i], content[i + 1]) << unit << " " << i;
      }
      EXPECT_EQ(content.find('x', 4000), std::string::npos);
      EXPECT_GE(content.find('x'), 1000U);
    }
  }
  // Some of it is there and some is not.
  const std::string torn = after_crash({.data = Data::kTorn})["a"];
  EXPECT_NE(std::ranges::count(torn, 'x'), 0);
  EXPECT_NE(std::ranges::count(torn, 'x'), 3000);
}

TEST_F(Recording, lengths_belong_to_the_data) {
  put_durable("a", "0123456789");
  const File file = value_of(io_->open(path("a"), {.write = true}));
  ASL_ASSERT_OK(io_->truncate(file, 4));
  EXPECT_EQ(after_crash({})["a"], "0123456789");
  EXPECT_EQ(after_crash({.data = Data::kKept})["a"], "0123");
  ASL_ASSERT_OK(io_->sync_data(file));
  EXPECT_EQ(after_crash({})["a"], "0123");
  if (!io_->allocate(file, 6)) GTEST_SKIP() << "this file system cannot reserve space";
  EXPECT_EQ(after_crash({})["a"], "0123");
  ASL_ASSERT_OK(io_->sync(file));
  EXPECT_EQ(after_crash({})["a"], std::string("0123\0\0", 6));
}

TEST_F(Recording, after_a_failed_sync_a_later_one_proves_nothing) {
  FaultingIo faults(*plain_);
  io_ = value_of(RecordingIo::create(faults, root_));
  put_durable("a", "");
  const File file = value_of(io_->open(path("a"), {.write = true}));
  ASL_ASSERT_OK(io_->write(file, as_bytes("data"), 0));
  faults.add({.kind = CallKind::kSync, .count = 1});
  EXPECT_FALSE(io_->sync(file));
  ASL_ASSERT_OK(io_->sync(file));
  EXPECT_EQ(after_crash({})["a"], "");
  // Written again, it is.
  ASL_ASSERT_OK(io_->write(file, as_bytes("data"), 0));
  ASL_ASSERT_OK(io_->sync(file));
  EXPECT_EQ(after_crash({})["a"], "data");
}

TEST_F(Recording, a_failed_write_may_be_there_for_ever_or_not) {
  FaultingIo faults(*plain_);
  io_ = value_of(RecordingIo::create(faults, root_));
  put_durable("a", "");
  const File file = value_of(io_->open(path("a"), {.write = true}));
  faults.add({.kind = CallKind::kWrite, .count = 1});
  EXPECT_FALSE(io_->write(file, as_bytes("data"), 0));
  ASL_ASSERT_OK(io_->sync(file));
  EXPECT_EQ(after_crash({})["a"], "");
  EXPECT_EQ(after_crash({.data = Data::kKept})["a"], "data");
}

TEST_F(Recording, a_queued_write_is_covered_only_once_it_was_reaped) {
  const auto uring = make_uring_io();
  for (Io* const inner : {plain_.get(), uring.get()}) {
    io_ = value_of(RecordingIo::create(*inner, root_));
    const std::string name = inner == plain_.get() ? "plain" : "uring";
    put_durable(name, "");
    const File file = value_of(io_->open(path(name), {.write = true}));
    const auto queue = value_of(io_->make_queue(4));
    const Bytes data = bytes_of("data");
    ASL_ASSERT_OK(queue->write(file, data, 0, 77));
    ASL_ASSERT_OK(queue->submit());
    ASL_ASSERT_OK(io_->sync(file));
    EXPECT_EQ(after_crash({})[name], "");
    EXPECT_EQ(after_crash({.data = Data::kKept})[name], "data");
    std::array<Completion, 2> out;
    ASSERT_EQ(value_of(queue->reap(out, true)), 1U);
    EXPECT_EQ(out[0].token, 77U);
    EXPECT_EQ(out[0].result, 4);
    EXPECT_EQ(after_crash({})[name], "");
    ASL_ASSERT_OK(io_->sync(file));
    EXPECT_EQ(after_crash({})[name], "data");
  }
}

TEST_F(Recording, starts_from_what_was_there) {
  put_durable("a", "one");
  ASL_ASSERT_OK(io_->make_directory(path("d")));
  ASL_ASSERT_OK(io_->link(path("a"), path("d/same")));
  const Bytes large = random_bytes(3'000'001, 1);
  ASL_ASSERT_OK(io_->write(create("d/large"), large, 8192));
  start();
  const Listing listing = after_crash({});
  EXPECT_EQ(listing.at("a"), "one");
  EXPECT_EQ(listing.at("d/same"), "one");
  EXPECT_EQ(listing.at("d/large"), std::string(8192, '\0') + std::string(as_text(large)));
  EXPECT_EQ(io_->operation_count(), 0U);

  const std::string place = scratch_ / "linked";
  ASL_ASSERT_OK(io_->materialise(0, {}, place));
  struct stat status = {};
  ASSERT_EQ(::stat((place + "/a").c_str(), &status), 0);
  EXPECT_EQ(status.st_nlink, 2U);
}

TEST_F(Recording, what_comes_from_outside_brings_durable_content) {
  const std::string outside = scratch_ / "outside";
  {
    const File file = value_of(plain_->open(outside, {.create_new = true}));
    ASL_ASSERT_OK(plain_->write(file, as_bytes("foreign"), 0));
  }
  ASL_ASSERT_OK(io_->link(outside, path("a")));
  EXPECT_EQ(after_crash({}), Listing{});
  ASL_ASSERT_OK(io_->sync_directory(root_));
  EXPECT_EQ(after_crash({}), (Listing{{"a", "foreign"}}));
}

TEST_F(Recording, logs_relative_names_in_order_and_nothing_outside) {
  const File outside = value_of(io_->open(scratch_ / "outside", {.create_new = true}));
  ASL_ASSERT_OK(io_->write(outside, as_bytes("x"), 0));
  put_durable("a", "x");
  ASL_ASSERT_OK(io_->rename(path("a"), path("b"), false));
  const auto lock = value_of(io_->lock(path("lock"), 0));
  std::vector<std::string> text;
  for (const Operation& operation : io_->operations())
    text.push_back(std::string(operation_name(operation.kind)) + " " + operation.path + " " + operation.to);
  EXPECT_EQ(text, (std::vector<std::string>{"create a ", "write a ", "sync a ", "sync-directory  ",
                                            "rename a b", "create lock "}));
}

TEST_F(Recording, the_state_with_everything_kept_equals_the_directory) {
  ASL_ASSERT_OK(io_->make_directory(path("d")));
  const File file = create("d/a");
  std::mt19937_64 random(9);
  for (int i = 0; i < 200; ++i) {
    const Bytes data = random_bytes(random() % 9000, random());
    ASL_ASSERT_OK(io_->write(file, data, random() % 60'000));
    if (i % 17 == 0) ASL_ASSERT_OK(io_->truncate(file, random() % 60'000));
  }
  ASL_ASSERT_OK(io_->rename(path("d/a"), path("b"), false));
  ASL_ASSERT_OK(io_->remove_directory(path("d")));
  const Listing state = after_crash({.data = Data::kKept, .names = Names::kKept});
  ASSERT_EQ(state.size(), 1U);
  EXPECT_EQ(state.at("b"), as_text(value_of(read_file(*plain_, path("b"), 1U << 20))));
}

TEST_F(Recording, the_same_seed_gives_the_same_state) {
  for (const std::string name : {"a", "b", "c", "d"}) {
    const File file = create(name);
    ASL_ASSERT_OK(io_->write(file, random_bytes(5000, 1), 0));
  }
  std::set<Listing> states;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const CrashPolicy policy = {.data = Data::kRandom, .names = Names::kIndependent, .seed = seed};
    const Listing state = after_crash(policy);
    EXPECT_EQ(state, after_crash(policy));
    states.insert(state);
  }
  EXPECT_GT(states.size(), 5U);
}

}  // namespace
}  // namespace asl::io
