// Power cuts during a repair. Each is recorded; after every prefix of what it wrote, synced and renamed, the
// store is made again as a power cut might have left it (doc/io.md, "The crash model"), in several ways each,
// and looked at: it opens, nothing is wrong that was not wrong before the repair, what could be read still
// can, and a second repair heals all that the whole one did.
//
// A failure names the count, the policy and the seed. ASL_TEST_SEED starts from another seed than 1.
#include <algorithm>
#include <cstdio>
#include <set>
#include <string>
#include <vector>

#include <asl/engine/copy.h>
#include <asl/engine/hash.h>
#include <asl/engine/ingest.h>
#include <asl/engine/repair.h>
#include <asl/engine/tree_walk.h>

#include "crash_policies.h"
#include "io/recording_io.h"
#include "lazy_io.h"
#include "store/damage_list.h"
#include "store_fixture.h"
#include "thinning.h"

namespace asl {
namespace {

using io::RecordingIo;
using test::flip_byte;
using test::open_domain;
using test::random_bytes;
using test::read_artifact;
using test::value_of;

namespace fs = test::fs;

// A block with one small file is no longer than this.
constexpr std::uintmax_t kTwoPages = 8192;

RepairReport repair_from(io::Io& io, const std::string& directory, const std::vector<std::string>& places) {
  RepairOptions options;
  options.from = places;
  options.data = true;
  ProgressCounters progress;
  return value_of(repair(io, directory, options, progress, {}));
}

struct Wrong {
  std::string path;  // below the domain's directory
  std::string what;
  auto operator<=>(const Wrong&) const = default;
};

std::set<Wrong> wrong_in(const Domain& domain) {
  std::set<Wrong> wrong;
  for (const Finding& finding : test::verify_all(domain).findings) {
    std::string path = finding.error.path;
    if (path.starts_with(domain.directory())) path = path.substr(domain.directory().size());
    const std::string at = finding.error.offset ? std::to_string(*finding.error.offset) : "-";
    wrong.insert(
        {path, std::string(finding_kind_name(finding.kind)) + " " + finding.error.object + " at " + at});
  }
  return wrong;
}

class RepairCrash : public test::StoreTest {
 protected:
  // Two small files in one block, a larger one, directories, and a pinned artifact.
  void SetUp() override {
    // It holds nothing, and would be copied into every state.
    fs::remove(in_store("reserve"));
    fs::create_directories(source() + "/deep/er");
    write_source("small", random_bytes(5000, 1));
    write_source("deep/other", random_bytes(7000, 2));
    write_source("deep/er/large", random_bytes(300'000, 3));
    IngestOptions options;
    options.sources = {source()};
    options.jobs = 1;  // so that a seed names a state
    ProgressCounters progress;
    value_of(ingest(domain(), options, progress, {}));
    {
      const auto writer = open_writer();
      value_of(value_of(writer->make_lane())->put(pinned_, true));
      value_of(writer->commit());
    }
    domain_.reset();
    fs::copy(at(), kept(), fs::copy_options::recursive);
  }

  // Before the recorder it writes through.
  void TearDown() override { domain_.reset(); }

  std::string source() const { return directory_ / "source"; }
  std::string kept() const { return directory_ / "kept"; }
  void write_source(const std::string& name, const Bytes& bytes) {
    test::write_text(source() + "/" + name, std::string(as_text(bytes)));
  }

  // Another store with the same contents, of which no file is the same.
  std::string make_other_store() {
    HostRoot root = value_of(HostRoot::init(*io_, directory_ / "other"));
    const std::string other = value_of(root.create_local_domain("other")).directory;
    const auto from = open_domain(*io_, kept());
    const auto to = open_domain(*io_, other);
    ProgressCounters progress;
    EXPECT_EQ(value_of(copy_snapshots(*from, *to, {}, progress, {})).problem_count, 0U);
    return other;
  }

  std::vector<std::string> blocks() const { return test::files_ending(at(), ".bin"); }
  // The one with both small files.
  std::string shared_block() const {
    for (const std::string& block : blocks())
      if (fs::file_size(block) > kTwoPages && fs::file_size(block) < 3 * kTwoPages) return block;
    throw std::runtime_error("no block with two small files");
  }

  // The directories and files of the snapshot, and the pinned artifact, as far as `domain` gives them. What
  // it gives must be right.
  std::set<std::string> readable(const Domain& domain) const {
    std::set<std::string> found;
    const auto take = [&](const std::string& name, const Reference& ref) {
      const auto got = read_artifact(domain, ref);
      if (!got) return;
      EXPECT_EQ(untyped_reference(sha256(*got)), ref) << name;
      found.insert(name);
    };
    take("(pinned)", untyped_reference(sha256(pinned_)));
    const auto snapshot = domain.snapshot(1);
    if (!snapshot) return found;
    const auto visit = [&](const std::string& path, const Entry& entry) -> Result<WalkStep> {
      if (entry.type == EntryType::kFile)
        take(path, entry.content);
      else
        found.insert(path);
      return WalkStep::kContinue;
    };
    value_of(walk_snapshot(domain, *snapshot, "", visit, [&](const std::string& path, const Error&) {
      found.erase(path);  // a directory that is named and cannot be listed
      return Result<void>();
    }));
    return found;
  }

  // Changes one byte, cuts the file in half, removes it.
  void hurt(const std::string& file) {
    flip_byte(file, fs::file_size(file) / 3);
    hurt_.insert(file.substr(at().size()));
  }
  void cut(const std::string& file) {
    fs::resize_file(file, fs::file_size(file) / 2);
    hurt_.insert(file.substr(at().size()));
  }
  void lose(const std::string& file) {
    fs::remove(file);
    hurt_.insert(file.substr(at().size()));
  }

  // Repairs the damaged store from these places, then looks at every state.
  void explore(const std::vector<std::string>& places) {
    plain_ = std::make_unique<test::LazyIo>();
    {
      const auto damaged = open_domain(*plain_, at());
      wrong_before_ = wrong_in(*damaged);
      readable_before_ = readable(*damaged);
    }
    // A repair that finds in store/damaged what is wrong, and one that does not, differ; most do not.
    fs::remove(in_store("damaged"));
    ASSERT_FALSE(wrong_before_.empty());
    recorder_ = value_of(RecordingIo::create(*plain_, at()));
    EXPECT_GT(repair_from(*recorder_, at(), places).healed_count, 0U);
    {
      const auto repaired = open_domain(*plain_, at());
      wrong_after_ = wrong_in(*repaired);
      readable_after_ = readable(*repaired);
    }
    EXPECT_TRUE(std::ranges::includes(readable_after_, readable_before_));
    EXPECT_TRUE(wrong_after_.size() < wrong_before_.size() ||
                readable_after_.size() > readable_before_.size());
    check_all_states(places);
  }

  void check_all_states(const std::vector<std::string>& places) {
    std::size_t states = 0;
    const std::string state = directory_ / "state";
    const std::size_t last = recorder_->operation_count();
    for (std::size_t at_step = 0;; at_step += test::case_step()) {
      // What was reported healed is so after any power cut: the end is looked at whatever the step is.
      const std::size_t count = std::min(at_step, last);
      const auto all = test::crash_policies(count);
      for (std::size_t number = 0; number < all.size() && !HasFailure(); ++number, ++states) {
        SCOPED_TRACE("operations " + std::to_string(count) + ", policy " + std::to_string(number) +
                     ", seed " + std::to_string(all[number].seed));
        ASL_ASSERT_OK(recorder_->materialise(count, all[number], state));
        check_state(state, count == last);
        if (number == count % all.size() && !HasFailure()) repair_again(state, places);
        fs::remove_all(state);
      }
      if (count == last || HasFailure()) break;
    }
    RecordProperty("states", static_cast<int>(states));
    std::printf("%zu operations, %zu states\n", last, states);
  }

  void check_state(const std::string& state, bool finished) const {
    const auto domain = open_domain(*plain_, state);
    ASSERT_FALSE(domain->corruption().has_value()) << domain->corruption()->to_string();
    // What is wrong in a file that was hurt may show only when another one is healed: a segment names blocks,
    // and a directory names directories.
    for (const Wrong& wrong : wrong_in(*domain)) {
      const bool allowed = finished ? wrong_after_.contains(wrong) : hurt_.contains(wrong.path);
      EXPECT_TRUE(allowed) << wrong.what << ": " << wrong.path;
    }
    const std::set<std::string> found = readable(*domain);
    for (const std::string& name : finished ? readable_after_ : readable_before_)
      EXPECT_TRUE(found.contains(name)) << name << " could be read before";
  }

  void repair_again(const std::string& state, const std::vector<std::string>& places) const {
    const RepairReport report = repair_from(*plain_, state, places);
    EXPECT_EQ(report.remaining.finding_count, wrong_after_.size());
    const auto domain = open_domain(*plain_, state);
    EXPECT_EQ(wrong_in(*domain), wrong_after_);
    EXPECT_EQ(readable(*domain), readable_after_);
    if (wrong_after_.empty()) {
      EXPECT_TRUE(value_of(DamageList::load(*plain_, state + "/store/damaged")).empty());
    }
    // A writer sweeps what a power cut left there; this one had nothing to write if the other was done.
    value_of(StoreWriter::open(*domain, test::writer_options()));
    EXPECT_TRUE(fs::is_empty(state + "/store/tmp")) << "something was left in store/tmp";
  }

  const Bytes pinned_ = random_bytes(900, 4);
  std::unique_ptr<io::Io> plain_;
  std::unique_ptr<RecordingIo> recorder_;
  std::set<std::string> hurt_;  // below at()
  std::set<Wrong> wrong_before_;
  std::set<Wrong> wrong_after_;
  std::set<std::string> readable_before_;
  std::set<std::string> readable_after_;
};

TEST_F(RepairCrash, BlocksMadeAnew) {
  for (const std::string& block : blocks()) hurt(block);
  explore({kept()});
  EXPECT_TRUE(wrong_after_.empty());
}

TEST_F(RepairCrash, SegmentsAndMetadata) {
  const std::vector<std::string> segments = test::files_ending(in_store("index"), ".idx");
  ASSERT_GE(segments.size(), 2U);
  hurt(segments[0]);
  lose(segments[1]);
  const std::vector<std::string> metas = test::files_ending(at(), ".meta");
  ASSERT_GE(metas.size(), 3U);
  lose(metas[0]);
  cut(metas[1]);
  hurt(metas[2]);
  explore({kept()});
  EXPECT_TRUE(wrong_after_.empty());
}

// A block that no place gives whole: what can be had goes to a new block, and its artifacts get new records.
TEST_F(RepairCrash, ExtentsInANewBlock) {
  lose(shared_block());
  fs::remove(source() + "/deep/other");
  explore({source()});
  EXPECT_EQ(wrong_after_.size(), 1U);
  EXPECT_TRUE(readable_after_.contains("small") && !readable_after_.contains("deep/other"));
}

// A segment that nobody has, with all that it names, out of a store that has the same contents.
TEST_F(RepairCrash, ArtifactsOfALostSegment) {
  lose(test::files_ending(in_store("index"), ".idx").front());
  explore({make_other_store()});
}

// The same out of the original files; the directories come from nowhere.
TEST_F(RepairCrash, ContentsFromTheOriginalFiles) {
  for (const std::string& block : blocks())
    if (fs::file_size(block) > kTwoPages) hurt(block);
  explore({source()});
}

}  // namespace
}  // namespace asl
