// Repair: a byte of any file is changed, and the store is whole again or as it was.
#include <algorithm>
#include <map>

#include <asl/engine/copy.h>
#include <asl/engine/hash.h>
#include <asl/engine/ingest.h>
#include <asl/engine/repair.h>

#include "io/faulting_io.h"
#include "store/damage_list.h"
#include "store_fixture.h"

namespace asl {
namespace {

using test::flip_byte;
using test::random_bytes;
using test::StoreTest;
using test::value_of;

namespace fs = test::fs;

class Repair : public StoreTest {
 protected:
  // A snapshot with small files that share a block, a large one, a directory, and a pinned artifact.
  void SetUp() override {
    fs::create_directories(source() + "/deep/er");
    write(source() + "/small", random_bytes(5000, 1));
    write(source() + "/deep/other", random_bytes(7000, 2));
    write(source() + "/deep/er/large", random_bytes(3'000'000, 3));
    ProgressCounters progress;
    IngestOptions options;
    options.sources = {source()};
    options.jobs = 1;  // each reader fills blocks of its own: with two, the small files may not share one
    value_of(ingest(domain(), options, progress, {}));
    const auto writer = open_writer();
    const auto lane = value_of(writer->make_lane());
    value_of(lane->put(random_bytes(900, 4), true));
    value_of(writer->commit());
  }
  std::string source() const { return directory_ / "source"; }
  static void write(const std::string& path, const Bytes& bytes) {
    test::write_text(path, std::string(as_text(bytes)));
  }

  void keep_copy() {
    domain_.reset();
    fs::copy(directory_ / "root", directory_ / "kept", fs::copy_options::recursive);
  }
  std::string kept() const { return (directory_ / "kept") + at().substr((directory_ / "root").size()); }
  void put_back() {
    domain_.reset();
    fs::remove_all(directory_ / "root");
    fs::copy(directory_ / "kept", directory_ / "root", fs::copy_options::recursive);
  }

  Result<RepairReport> try_repair(const std::vector<std::string>& from, bool search = false,
                                  bool dry_run = false) {
    RepairOptions options;
    options.from = from;
    options.data = true;
    options.search = search;
    options.dry_run = dry_run;
    ProgressCounters progress;
    return repair(*io_, at(), options, progress, {});
  }

  // Everything that is truth, by its path in the domain.
  std::map<std::string, Bytes> truth() const {
    std::map<std::string, Bytes> files;
    for (const std::string& file : test::files_below(at())) {
      const bool counts = file.ends_with(".bin") || file.ends_with(".idx") || file.ends_with(".meta");
      if (counts && !file.starts_with(in_store("tmp")))
        files[file.substr(at().size())] = value_of(io::read_file(*io_, file, 1 << 26));
    }
    return files;
  }
  std::vector<std::string> healable() const {
    std::vector<std::string> files;
    for (const auto& [name, bytes] : truth())
      if (!name.starts_with("/snapshots/")) files.push_back(name);
    return files;
  }
  void expect_clean(const std::string& what) {
    SCOPED_TRACE(what);
    reopen();
    const VerifyReport report = test::verify_all(domain());
    for (const Finding& finding : report.findings) ADD_FAILURE() << finding.error.to_string();
    EXPECT_EQ(report.superseded_count, 0U);
    EXPECT_TRUE(value_of(DamageList::load(*io_, in_store("damaged"))).empty());
  }
};

// Some bytes of every file of blocks and index, and every file gone, from a copy of the very store.
TEST_F(Repair, EveryByteOfACopyOfTheStore) {
  keep_copy();
  for (const std::string& name : healable()) {
    const std::uint64_t size = fs::file_size(at() + name);
    for (const std::uint64_t offset : {std::uint64_t{0}, size / 3, size / 2, size - 1}) {
      flip_byte(at() + name, offset);
      const RepairReport report = value_of(try_repair({directory_ / "kept"}));
      EXPECT_EQ(report.remaining.finding_count, 0U) << name << " " << offset;
      EXPECT_GT(report.healed_count, 0U) << name << " " << offset;
      expect_clean(name);
    }
    fs::remove(at() + name);
    EXPECT_EQ(value_of(try_repair({kept()})).remaining.finding_count, 0U) << name;
    expect_clean(name + " gone");
    fs::resize_file(at() + name, size / 2);
    EXPECT_EQ(value_of(try_repair({kept()})).remaining.finding_count, 0U) << name;
    expect_clean(name + " cut");
  }
}

// From another store with the same contents: blocks and metadata. Its segments are others.
TEST_F(Repair, BlocksFromAnotherStore) {
  HostRoot root = value_of(HostRoot::init(*io_, directory_ / "other"));
  const DomainSummary other = value_of(root.create_local_domain("other"));
  {
    const auto target = test::open_domain(*io_, other.directory);
    ProgressCounters progress;
    ASSERT_EQ(value_of(copy_snapshots(domain(), *target, {}, progress, {})).problem_count, 0U);
  }
  keep_copy();
  for (const std::string& name : healable()) {
    if (name.ends_with(".idx")) continue;
    const std::uint64_t size = fs::file_size(at() + name);
    for (const std::uint64_t offset : {std::uint64_t{0}, size / 2, size - 1}) {
      flip_byte(at() + name, offset);
      EXPECT_EQ(value_of(try_repair({directory_ / "other"})).remaining.finding_count, 0U)
          << name << " " << offset;
      reopen();
      EXPECT_EQ(test::verify_all(domain()).finding_count, 0U) << name << " " << offset;
    }
    put_back();
  }
}

// The original files give back every content; the trees are not in them.
TEST_F(Repair, ContentsFromTheOriginalFiles) {
  keep_copy();
  fs::create_directories(directory_ / "moved/away");
  for (const auto& entry : fs::recursive_directory_iterator(source()))
    if (entry.is_regular_file())
      fs::copy_file(entry.path(), (directory_ / "moved/away/") + entry.path().filename().string());
  for (const std::string& place : {source(), directory_ / "moved"}) {
    const bool search = place != source();
    for (const std::string& name : healable()) {
      if (!name.ends_with(".bin")) continue;
      const std::uint64_t size = fs::file_size(at() + name);
      flip_byte(at() + name, size / 3);
      reopen();
      const VerifyReport before = test::verify_all(domain());
      const bool content = before.finding_count == 1 && before.findings[0].file_count > 0 &&
                           before.findings[0].files[0] != "1:/" && before.findings[0].files[0] != "1:/deep" &&
                           before.findings[0].files[0] != "1:/deep/er";
      if (content && search) {
        EXPECT_EQ(value_of(try_repair({place})).healed_count, 0U) << "it is not where it was";
      }
      const RepairReport report = value_of(try_repair({place}, search));
      if (content) {
        EXPECT_EQ(report.remaining.finding_count, 0U) << name;
        expect_clean(name);
      }
      put_back();
    }
  }
}

// A missing block that no place gives whole: what can be had goes elsewhere, and the rest is named.
TEST_F(Repair, WhatCanBeHadOfABlock) {
  keep_copy();
  std::string shared;
  for (const std::string& name : healable())
    if (name.ends_with(".bin") && fs::file_size(at() + name) > 8192 && fs::file_size(at() + name) < 20000)
      shared = name;
  ASSERT_FALSE(shared.empty());
  fs::remove(at() + shared);
  fs::remove(source() + "/deep/other");
  const RepairReport report = value_of(try_repair({source()}));
  EXPECT_EQ(report.healed_count, 1U);
  ASSERT_EQ(report.remaining.finding_count, 1U);
  EXPECT_EQ(report.remaining.findings[0].files, std::vector<std::string>{"1:/deep/other"});
  EXPECT_FALSE(report.remaining.findings[0].error.hint.empty());
  // The rest comes from elsewhere later; then the old block is whole again.
  EXPECT_EQ(value_of(try_repair({directory_ / "kept"})).remaining.finding_count, 0U);
  expect_clean("later");
}

// A source that is wrong, or damaged in the same place, changes nothing that is truth.
TEST_F(Repair, AWrongSourceLeavesThingsAsTheyWere) {
  HostRoot root = value_of(HostRoot::init(*io_, directory_ / "empty"));
  value_of(root.create_local_domain("empty"));
  fs::create_directories(directory_ / "wrong/deep/er");
  write(directory_ / "wrong/small", random_bytes(5000, 11));
  write(directory_ / "wrong/deep/other", random_bytes(7000, 12));
  write(directory_ / "wrong/deep/er/large", random_bytes(3'000'000, 13));
  keep_copy();
  const auto good = truth();
  for (const std::string& name : healable()) {
    const std::uint64_t offset = fs::file_size(at() + name) / 3;
    flip_byte(at() + name, offset);
    fs::copy(directory_ / "kept", directory_ / "damaged", fs::copy_options::recursive);
    flip_byte((directory_ / "damaged") + at().substr((directory_ / "root").size()) + name, offset);
    for (const std::string place : {"damaged", "wrong", "empty"}) {
      SCOPED_TRACE(name + " from " + place);
      const auto before = truth();
      const RepairReport report = value_of(try_repair({directory_ / place}, true));
      // Metadata, padding and the snapshot's own artifact need no source.
      if (report.remaining.finding_count == 0) {
        EXPECT_GT(report.healed_count, 0U);
        EXPECT_EQ(truth(), good);
        break;
      }
      const auto after = truth();
      if (report.healed_count == 0) {
        EXPECT_EQ(after.size(), before.size());
      }
      for (const auto& [file, bytes] : before) EXPECT_EQ(after.at(file), bytes) << file;
    }
    fs::remove_all(directory_ / "damaged");
    put_back();
  }
}

TEST_F(Repair, ADryRunSaysTheSameAndChangesNothing) {
  keep_copy();
  for (const std::string& name : healable()) {
    flip_byte(at() + name, fs::file_size(at() + name) / 3);
    const auto before = truth();
    const RepairReport would = value_of(try_repair({directory_ / "kept"}, false, true));
    EXPECT_EQ(truth(), before) << name;
    EXPECT_GT(would.healed_count, 0U) << name;
    if (!name.ends_with(".idx")) {
      EXPECT_EQ(would.remaining.finding_count, 0U) << name;
    }
    put_back();
  }
}

// From the nth call on nothing works any more, as if the machine had died there. What was good stays as it
// was, and the next run heals the rest.
TEST_F(Repair, AnEndAtAnyCallLeavesItNoWorse) {
  keep_copy();
  const std::vector<std::string> files = healable();
  std::map<std::string, Bytes> good = truth();
  const auto hurt = [&] {
    for (const char* const ending : {".bin", ".idx", ".meta"}) {
      const auto one =
          std::find_if(files.begin(), files.end(), [&](const auto& name) { return name.ends_with(ending); });
      flip_byte(at() + *one, fs::file_size(at() + *one) / 3);
    }
  };
  hurt();
  std::map<std::string, Bytes> before = truth();
  io::FaultingIo counting(*io_);
  const auto run = [&](io::Io& io) {
    RepairOptions options;
    options.from = {directory_ / "kept"};
    options.data = true;
    ProgressCounters progress;
    return repair(io, at(), options, progress, {});
  };
  EXPECT_EQ(value_of(run(counting)).remaining.finding_count, 0U);
  const std::uint64_t calls = counting.calls();
  constexpr std::uint64_t kTrials = 25;
  for (std::uint64_t nth = 1; nth <= calls; nth += std::max<std::uint64_t>(1, calls / kTrials)) {
    SCOPED_TRACE(nth);
    put_back();
    hurt();
    {
      io::FaultingIo dying(*io_);
      dying.add({.first = nth});
      static_cast<void>(run(dying));
    }
    for (const auto& [name, bytes] : truth())
      EXPECT_TRUE(bytes == good[name] || bytes == before[name]) << name;
    EXPECT_EQ(value_of(run(*io_)).remaining.finding_count, 0U);
    expect_clean("afterwards");
  }
}

TEST_F(Repair, PlacesThatMakeNoSense) {
  EXPECT_EQ(try_repair({}).error().code, ErrorCode::kUsage);
  EXPECT_EQ(try_repair({at()}).error().code, ErrorCode::kUsage);
  EXPECT_EQ(try_repair({directory_ / "root"}).error().code, ErrorCode::kUsage);
  EXPECT_EQ(try_repair({directory_ / "nowhere"}).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace asl
