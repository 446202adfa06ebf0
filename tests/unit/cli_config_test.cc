#include <fstream>
#include <gtest/gtest.h>

#include "config.h"

namespace asl::cli {
namespace {

std::string rejection(std::string_view text) {
  const auto parsed = parse_config(text, "/c.yaml");
  if (parsed) return "accepted";
  EXPECT_EQ(parsed.error().code, ErrorCode::kMalformed);
  EXPECT_EQ(parsed.error().path, "/c.yaml");
  return parsed.error().object;
}

TEST(CliConfig, NestedKeysAreJoinedByDots) {
  const auto parsed = parse_config(
      "# comment\n"
      "host:\n"
      "  name: archive-1   # trailing\n"
      "store:\n"
      "  jobs: 4\n"
      "  note: \"a \\\"b\\\"\"\n"
      "plain: yes\n",
      "/c.yaml");
  ASSERT_TRUE(parsed) << parsed.error().to_string();
  ASSERT_EQ(parsed->size(), 4U);
  EXPECT_EQ((*parsed)[0].key, "host.name");
  EXPECT_EQ((*parsed)[0].value, "archive-1");
  EXPECT_EQ((*parsed)[0].line, 3U);
  EXPECT_EQ((*parsed)[1].key, "store.jobs");
  EXPECT_EQ((*parsed)[2].value, "a \"b\"");
  EXPECT_EQ((*parsed)[3].key, "plain");
}

TEST(CliConfig, EmptyFilesHaveNoSettings) {
  EXPECT_TRUE(parse_config("", "/c.yaml").value().empty());
  EXPECT_TRUE(parse_config("# nothing\n", "/c.yaml").value().empty());
  EXPECT_TRUE(load_config("/nonexistent/config.yaml").value().empty());
}

TEST(CliConfig, EverythingBeyondTheSubsetIsRejectedWithItsLine) {
  EXPECT_EQ(rejection("a: [1, 2]\n"), "line 1: lists are not used here");
  EXPECT_EQ(rejection("a:\n  - 1\n"), "line 2: lists are not used here");
  EXPECT_EQ(rejection("a: {b: 1}\n"), "line 1: maps are written one key a line here");
  EXPECT_EQ(rejection("a: &x 1\nb: *x\n"), "line 1: anchors and tags are not used here");
  EXPECT_EQ(rejection("a: !!int 1\n"), "line 1: anchors and tags are not used here");
  EXPECT_EQ(rejection("b: *x\n"), "line 1: aliases are not used here");
  EXPECT_EQ(rejection("a: 'x'\n"), "line 1: values are plain or in double quotes here");
  EXPECT_EQ(rejection("a: |\n  x\n"), "line 1: values are plain or in double quotes here");
  EXPECT_EQ(rejection("a: 1\na: 2\n"), "line 2: key given twice: a");
  EXPECT_EQ(rejection("a: 1\n---\nb: 1\n"), "line 2: more than one document");
  EXPECT_EQ(rejection("just words\n"), "line 1: expected 'key: value' lines");
  EXPECT_EQ(rejection("? {a: 1}\n: 2\n"), "line 1: maps are written one key a line here");
  EXPECT_EQ(rejection("?\n  a: 1\n: 2\n"), "line 2: a map cannot be a key");
  EXPECT_EQ(rejection("a:\n b:\n  c:\n   d:\n    e: 1\n"), "line 5: nested too deep");
  EXPECT_TRUE(rejection("a: \"unterminated\n").starts_with("line "));
  EXPECT_TRUE(rejection(std::string_view("a: \0\n", 5)).starts_with("line "));
}

TEST(CliConfig, OversizedFilesAreRefusedBeforeTheyAreParsed) {
  const std::string path = ::testing::TempDir() + "/oversized.yaml";
  std::ofstream(path) << "a: " << std::string(kConfigSizeMax, 'x') << "\n";
  const auto loaded = load_config(path);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, ErrorCode::kMalformed);
}

}  // namespace
}  // namespace asl::cli
