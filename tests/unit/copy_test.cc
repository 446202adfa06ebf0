// Copies between domains: what the command line cannot make (tombstones, pins, authority objects, gaps).
#include <gtest/gtest.h>

#include <asl/engine/artifact_details.h>
#include <asl/engine/copy.h>
#include <asl/engine/partial.h>
#include <asl/engine/verify.h>

#include "query_fixture.h"
#include "store/view.h"

namespace asl::test {
namespace {

class CopyTest : public QueryTest {
 protected:
  CopyTest() {
    HostRoot root = value_of(HostRoot::init(*io_, directory_ / "second"));
    const DomainSummary summary = value_of(root.create_local_domain("second"));
    target_ = value_of(Domain::open(*io_, summary.directory, {}));
  }

  CopyReport copy(const CopyOptions& options = {}) {
    ProgressCounters progress;
    return value_of(copy_snapshots(*domain_, *target_, options, progress, {}));
  }
  std::string text_of(const Domain& domain, const Reference& ref) {
    const Artifact artifact = value_of(domain.find(ref));
    Bytes bytes(artifact.length());
    value_of(artifact.read(0, bytes));
    return std::string(as_text(bytes));
  }
  std::uint64_t findings() {
    ProgressCounters progress;
    return value_of(verify(*target_, {.data = true, .artifacts = true, .snapshot_id = {}}, progress, {}))
        .finding_count;
  }

  std::unique_ptr<Domain> target_;
};

TEST_F(CopyTest, partials_come_with_their_pieces) {
  const Entry gaps = partial_file({{0, "begin"}, {100, "middle"}}, 200);
  add_snapshot({{"d/gaps", gaps}});
  const CopyReport report = copy();
  EXPECT_EQ(report.problem_count, 0U);
  EXPECT_EQ(report.copied.size(), 1U);
  const Bytes bytes = value_of(target_->read_typed(gaps.content, kTagPartial, kPartialSizeMax));
  for (const PartialPiece& piece : value_of(decode_partial(bytes)).pieces)
    EXPECT_TRUE(target_->find(piece.ref).has_value());
  EXPECT_EQ(findings(), 0U);
}

TEST_F(CopyTest, long_attributes_come_along) {
  Entry entry = file("content");
  Xattr xattr;
  xattr.name = bytes_of("user.long");
  xattr.ref = value_of(writer_->put_untyped(bytes_of(std::string(9000, 'v'))));
  entry.xattrs.push_back(xattr);
  add_snapshot({{"f", entry}});
  copy();
  EXPECT_EQ(text_of(*target_, xattr.ref).size(), 9000U);
}

TEST_F(CopyTest, a_directory_of_many_leaves_has_the_same_tree) {
  Tree tree;
  const Entry entry = file("the same in all");
  for (int n = 0; n < 20'000; ++n) tree.emplace(std::to_string(n), entry);
  const Snapshot made = add_snapshot(tree);
  copy();
  const Snapshot copied = value_of(target_->snapshot(1));
  EXPECT_EQ(copied.roots, made.roots);
  EXPECT_EQ(findings(), 0U);
  std::size_t seen = 0;
  value_of(walk_snapshot(*target_, copied, "", [&](const std::string&, const Entry&) -> Result<WalkStep> {
    ++seen;
    return WalkStep::kContinue;
  }));
  EXPECT_EQ(seen, 20'001U);
}

TEST_F(CopyTest, pins_and_authority_objects_come_with_a_whole_copy_and_not_with_single_snapshots) {
  const Snapshot made = add_snapshot({{"f", file("content")}});
  constexpr std::uint32_t kAuthorityTag = kTagAuthorityFirst + 5;
  const Reference authority = value_of(writer_->put_typed(kAuthorityTag, bytes_of("signed")));
  Reference pinned;
  {
    const auto lane = value_of(writer_->make_lane());
    pinned = value_of(lane->put(bytes_of("pinned"), true)).reference;
  }
  const Reference loose = value_of(writer_->put_untyped(bytes_of("nobody's")));
  value_of(writer_->commit());

  CopyOptions only_one;
  only_one.snapshot_ids = {made.snapshot_id};
  copy(only_one);
  EXPECT_FALSE(target_->find(pinned).has_value());
  EXPECT_FALSE(target_->find(authority).has_value());
  EXPECT_EQ(copy().pins, 1U);
  EXPECT_EQ(text_of(*target_, pinned), "pinned");
  EXPECT_TRUE(value_of(artifact_details(*target_, pinned)).pinned);
  EXPECT_EQ(value_of(target_->find(authority)).type_tag(), kAuthorityTag);
  EXPECT_FALSE(target_->find(loose).has_value());
  const std::uint64_t logseq = target_->state()->last_logseq();
  EXPECT_EQ(copy().pins, 0U);
  EXPECT_EQ(target_->state()->last_logseq(), logseq) << "nothing was left to be written";
}

TEST_F(CopyTest, what_was_withdrawn_stays_withdrawn_on_either_side) {
  const Entry secret = file("secret");
  const Entry refused = file("refused there");
  add_snapshot({{"secret", secret}, {"refused", refused}, {"open", file("open")}});
  const std::vector<NewRecord> stones{new_record(TombstoneRecord{
      .reference = secret.content, .scope = TombstoneScope::kThis, .reason = TombstoneReason::kSecret})};
  value_of(writer_->commit(stones));
  {
    const auto second = value_of(StoreWriter::open(*target_, {}));
    const std::vector<NewRecord> own{new_record(TombstoneRecord{
        .reference = refused.content, .scope = TombstoneScope::kThis, .reason = TombstoneReason::kLegal})};
    value_of(second->commit(own));
  }
  const CopyReport report = copy();
  EXPECT_EQ(report.problem_count, 0U);
  EXPECT_EQ(report.tombstones, 1U);
  EXPECT_EQ(report.copied.size(), 1U);
  const TombstoneState* const stone = target_->state()->tombstone(secret.content);
  ASSERT_NE(stone, nullptr);
  EXPECT_EQ(stone->reason, TombstoneReason::kSecret);
  EXPECT_EQ(target_->find(secret.content).error().code, ErrorCode::kRefused);
  EXPECT_FALSE(value_of(target_->view()->index->find(refused.content)).has_value());
}

TEST_F(CopyTest, a_copy_of_a_copy_remembers_the_first_origin) {
  const Snapshot made = add_snapshot({{"f", file("content")}});
  const Reference reference = domain_->state()->find_snapshot(made.snapshot_id)->reference;
  copy();
  HostRoot root = value_of(HostRoot::init(*io_, directory_ / "third"));
  const auto third = value_of(Domain::open(*io_, value_of(root.create_local_domain("third")).directory, {}));
  ProgressCounters progress;
  value_of(copy_snapshots(*target_, *third, {}, progress, {}));
  const Snapshot copied = value_of(third->snapshot(1));
  ASSERT_TRUE(copied.origin.has_value());
  EXPECT_EQ(copied.origin->domain_id, domain_->id());
  EXPECT_EQ(copied.origin->ref, reference);
  EXPECT_EQ(value_of(copy_snapshots(*domain_, *third, {}, progress, {})).snapshots_present, 1U);
}

TEST_F(CopyTest, a_stopped_copy_shows_nothing_and_is_gone_on_with) {
  Tree tree;
  for (int n = 0; n < 300; ++n) tree.emplace(std::to_string(n), file("content " + std::to_string(n)));
  add_snapshot(tree);
  std::atomic<bool> flag{true};
  ProgressCounters progress;
  const auto stopped = copy_snapshots(*domain_, *target_, {}, progress, StopToken(flag));
  ASSERT_FALSE(stopped.has_value());
  EXPECT_EQ(stopped.error().code, ErrorCode::kInterrupted);
  EXPECT_TRUE(target_->state()->snapshots().empty());
  EXPECT_EQ(copy().copied.size(), 1U);
  EXPECT_EQ(findings(), 0U);
}

TEST_F(CopyTest, a_tree_that_is_there_without_its_contents_does_not_count) {
  // As an interrupted copy or a gc could leave it: the node is known, what it names is not.
  const Snapshot made = add_snapshot({{"d/f", file("content")}});
  const Entry directory = value_of(find_path(*domain_, made, "d"));
  {
    const auto second = value_of(StoreWriter::open(*target_, {}));
    const Bytes node = value_of(domain_->read_typed(directory.content, kTagTree, kLeafSizeMax));
    value_of(second->put_typed(kTagTree, node));
    value_of(second->commit());
  }
  copy();
  EXPECT_EQ(findings(), 0U);
}

TEST_F(CopyTest, one_domain_is_not_copied_into_itself) {
  ProgressCounters progress;
  const auto same = value_of(Domain::open(*io_, domain_->directory(), {}));
  EXPECT_EQ(copy_snapshots(*domain_, *same, {}, progress, {}).error().code, ErrorCode::kUsage);
}

}  // namespace
}  // namespace asl::test
