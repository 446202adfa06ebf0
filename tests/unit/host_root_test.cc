// A host root: making one, and finding the domains in it whatever state they are in.
#include <asl/engine/host_root.h>

#include "store_fixture.h"

namespace asl {
namespace {

using test::value_of;
using test::write_text;

TEST(HostRoot, InitRefusesWhatIsThereAlready) {
  const test::TempDirectory directory;
  const auto io = io::make_default_io();
  ASL_ASSERT_OK(HostRoot::init(*io, directory / "root"));
  const auto again = HostRoot::init(*io, directory / "root");
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, ErrorCode::kRefused);
  const auto foreign = HostRoot::init(*io, directory.path());
  ASSERT_FALSE(foreign.has_value());
  EXPECT_EQ(foreign.error().code, ErrorCode::kUsage);
  EXPECT_EQ(HostRoot::init(*io, directory / "none/root").error().code, ErrorCode::kNotFound);
  write_text(directory / "file", "text");
  EXPECT_FALSE(HostRoot::init(*io, directory / "file").has_value());
}

TEST(HostRoot, OpenNamesTheNextStepAndChecksTheLayout) {
  const test::TempDirectory directory;
  const auto io = io::make_default_io();
  const auto none = HostRoot::open(*io, directory.path());
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().code, ErrorCode::kNotFound);
  EXPECT_NE(none.error().hint.find("asl init"), std::string::npos);
  const std::string root = directory / "root";
  ASL_ASSERT_OK(HostRoot::init(*io, root));
  EXPECT_FALSE(value_of(HostRoot::open(*io, root)).read_only());
  write_text(root + "/host/layout", "asl-layout 1.1\n");
  EXPECT_TRUE(value_of(HostRoot::open(*io, root)).read_only());
  write_text(root + "/host/layout", "asl-layout 2.0\n");
  EXPECT_EQ(HostRoot::open(*io, root).error().code, ErrorCode::kUnsupported);
  write_text(root + "/host/layout", "\n");
  EXPECT_EQ(HostRoot::open(*io, root).error().code, ErrorCode::kIntegrity);
}

TEST(HostRoot, FindsDomainsByNameIdAndPrefix) {
  const test::TempDirectory directory;
  const auto io = io::make_default_io();
  HostRoot root = value_of(HostRoot::init(*io, directory / "root"));
  EXPECT_EQ(root.find_domain("").error().code, ErrorCode::kNotFound);
  const DomainSummary first = value_of(root.create_local_domain("first"));
  EXPECT_EQ(value_of(root.find_domain("")).id, first.id);
  const DomainSummary second = value_of(root.create_local_domain("second"));
  const auto several = root.find_domain("");
  ASSERT_FALSE(several.has_value());
  EXPECT_EQ(several.error().code, ErrorCode::kUsage);
  EXPECT_NE(several.error().hint.find("first second"), std::string::npos);
  EXPECT_EQ(value_of(root.find_domain("second")).id, second.id);
  EXPECT_EQ(value_of(root.find_domain(to_hex(second.id))).id, second.id);
  EXPECT_EQ(value_of(root.find_domain(to_hex(second.id).substr(0, 10))).id, second.id);
  EXPECT_EQ(root.find_domain(to_hex(second.id).substr(0, 7)).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(root.find_domain("third").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(root.create_local_domain("first").error().code, ErrorCode::kRefused);
  for (const char* bad : {"", ".hidden", "a/b", "a b", "deadbeef01", "ä"})
    EXPECT_EQ(root.create_local_domain(bad).error().code, ErrorCode::kUsage) << bad;
  EXPECT_EQ(root.create_local_domain(std::string(65, 'x')).error().code, ErrorCode::kUsage);
  // A domain that lost its line is found by its directory.
  write_text(directory / "root/host/domains", to_hex(second.id) + "\n");
  const auto present = value_of(root.domains());
  ASSERT_EQ(present.size(), 2U);
  EXPECT_EQ(present.back().alias, "first");
  write_text(directory / "root/host/domains", "nonsense\n");
  EXPECT_EQ(root.domains().error().code, ErrorCode::kIntegrity);
}

// One domain's trouble is not the others'.
TEST(HostRoot, ADomainWithAnUnreadableLogHidesNoOther) {
  const test::TempDirectory directory;
  const auto io = io::make_default_io();
  HostRoot root = value_of(HostRoot::init(*io, directory / "root"));
  const DomainSummary good = value_of(root.create_local_domain("good"));
  const DomainSummary bad = value_of(root.create_local_domain("bad"));
  test::fs::remove_all(bad.directory + "/log");
  EXPECT_EQ(value_of(root.find_domain("good")).id, good.id);
  const auto all = value_of(root.domains());
  ASSERT_EQ(all.size(), 2U);
  EXPECT_FALSE(all.front().unreadable.has_value());
  EXPECT_TRUE(all.back().unreadable.has_value());
  EXPECT_EQ(all.back().alias, to_hex(bad.id));
  // By its id it can be named; by its name it cannot be told from one that never was.
  EXPECT_EQ(value_of(root.find_domain(to_hex(bad.id))).directory, bad.directory);
  const auto by_name = root.find_domain("bad");
  ASSERT_FALSE(by_name.has_value());
  EXPECT_EQ(by_name.error().code, all.back().unreadable->code);
  EXPECT_NE(by_name.error().hint.find("id"), std::string::npos);
  // Nor is its name given away a second time.
  EXPECT_FALSE(root.create_local_domain("bad").has_value());
}

// A power cut in the making of a keyed domain: its id is that of a key, and comes again with the next try.
TEST(HostRoot, TheRemainsOfAnInterruptedMakingAreNotInTheWayOfTheNext) {
  const test::TempDirectory directory;
  const auto io = io::make_default_io();
  HostRoot root = value_of(HostRoot::init(*io, directory / "root"));
  DomainId id{};
  id.fill(std::byte{7});
  Digest key{};
  key.fill(std::byte{9});
  const std::string place = directory / "root/domains/" + to_hex(id);
  for (const char* copy : {"-1", "-2"}) {
    test::fs::create_directories(place + "/log");
    write_text(place + "/log/something", copy);
    const DomainSummary made = value_of(root.create_domain(std::string("keyed") + copy, id, key));
    EXPECT_EQ(made.directory, place);
    EXPECT_TRUE(
        test::fs::exists(directory / "root/quarantine/domain-" + to_hex(id) + copy + "/log/something"));
    EXPECT_EQ(value_of(root.find_domain(std::string("keyed") + copy)).id, id);
    test::fs::remove_all(place);
    write_text(directory / "root/host/domains", "");
  }
  // One that host/domains names was whole once: it is not an interrupted making, whatever it has lost.
  value_of(root.create_domain("whole", id, key));
  test::fs::remove(place + "/layout");
  const auto refused = root.create_domain("again", id, key);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kIntegrity);
  EXPECT_TRUE(test::fs::exists(place + "/log"));
}

}  // namespace
}  // namespace asl
