#include "ingest/filter.h"

#include <cstdio>
#include <fstream>
#include <gtest/gtest.h>
#include <string>

namespace asl {
namespace {

TEST(SourceFilter, MadeFromNothingExcludesNothing) {
  const SourceFilter filter;
  EXPECT_TRUE(filter.empty());
  EXPECT_FALSE(filter.excludes("a/b", false));
  EXPECT_FALSE(filter.excludes_size(~0ULL));
  EXPECT_FALSE(filter.is_marker_name("CACHEDIR.TAG"));
}

TEST(SourceFilter, ReadsPatternFiles) {
  const std::string path = testing::TempDir() + "/filter_test_patterns";
  std::ofstream(path) << "# a comment\n\n*.bak\r\n\\#odd\n!keep.bak";
  const auto io = io::make_plain_io();
  FilterOptions options;
  options.pattern_files = {path};
  auto filter = SourceFilter::make(*io, options);
  ASSERT_TRUE(filter) << filter.error().to_string();
  EXPECT_TRUE(filter->excludes("x.bak", false));
  EXPECT_TRUE(filter->excludes("#odd", false));
  EXPECT_FALSE(filter->excludes("keep.bak", false));
  EXPECT_FALSE(filter->excludes("# a comment", false));

  std::ofstream(path) << "good\n[bad\n";
  filter = SourceFilter::make(*io, options);
  ASSERT_FALSE(filter);
  EXPECT_EQ(filter.error().code, ErrorCode::kUsage);
  EXPECT_EQ(filter.error().path, path + ":2");
  std::remove(path.c_str());
  filter = SourceFilter::make(*io, options);
  ASSERT_FALSE(filter);
  EXPECT_EQ(filter.error().code, ErrorCode::kNotFound);
}

TEST(SourceFilter, MarkersNeedTheirHeader) {
  const auto io = io::make_plain_io();
  FilterOptions options;
  options.caches = true;
  options.if_present = {".nobackup", ".tag:yes"};
  const auto filter = SourceFilter::make(*io, options);
  ASSERT_TRUE(filter);
  EXPECT_EQ(filter->markers().size(), 3U);
  EXPECT_TRUE(filter->is_marker_name(".nobackup"));
  EXPECT_FALSE(filter->is_marker_name("nobackup"));
  EXPECT_NE(filter->marker_in(".nobackup", {}), nullptr);
  EXPECT_EQ(filter->marker_in(".tag", as_bytes("no")), nullptr);
  EXPECT_NE(filter->marker_in(".tag", as_bytes("yes, really")), nullptr);
  EXPECT_EQ(filter->marker_in("CACHEDIR.TAG", as_bytes("Signature: 0")), nullptr);
  EXPECT_NE(filter->marker_in("CACHEDIR.TAG", as_bytes("Signature: 8a477f597d28d172789f06886806bc55\n")),
            nullptr);
}

TEST(SourceFilter, SizeLimitIsTheLargestSizeKept) {
  const auto io = io::make_plain_io();
  FilterOptions options;
  options.larger_than_bytes = 100;
  const auto filter = SourceFilter::make(*io, options);
  ASSERT_TRUE(filter);
  EXPECT_FALSE(filter->excludes_size(100));
  EXPECT_TRUE(filter->excludes_size(101));
}

TEST(SourceFilter, RefusesWhatCannotBeTheNameOfAMarker) {
  const auto io = io::make_plain_io();
  for (const std::string marker : {"", "a/b", "..", ":header"}) {
    FilterOptions options;
    options.if_present = {marker};
    EXPECT_FALSE(SourceFilter::make(*io, options)) << marker;
  }
}

}  // namespace
}  // namespace asl
