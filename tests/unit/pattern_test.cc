#include "ingest/pattern.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace asl {
namespace {

PatternList list_of(const std::vector<std::string>& patterns) {
  PatternList list;
  for (const std::string& pattern : patterns) {
    const auto added = list.add(pattern);
    EXPECT_TRUE(added) << pattern << ": " << added.error().to_string();
  }
  return list;
}

bool matched(const std::string& pattern, const std::string& path, bool is_directory = false) {
  return list_of({pattern}).matches(path, is_directory);
}

TEST(PatternList, NameWithoutSlashMatchesAtAnyDepth) {
  EXPECT_TRUE(matched("cache", "cache"));
  EXPECT_TRUE(matched("cache", "a/b/cache"));
  EXPECT_FALSE(matched("cache", "cache/file"));  // the walk does not descend, the filter does not look up
  EXPECT_FALSE(matched("cache", "a/mycache"));
  EXPECT_TRUE(matched("*.o", "src/deep/main.o"));
  EXPECT_FALSE(matched("*.o", "src/main.oo"));
  EXPECT_TRUE(matched("*", "anything/at all"));
}

TEST(PatternList, LeadingSlashAnchorsAtTheRoot) {
  EXPECT_TRUE(matched("/tmp", "tmp", true));
  EXPECT_FALSE(matched("/tmp", "var/tmp", true));
  EXPECT_TRUE(matched("/var/*/x", "var/lib/x"));
  EXPECT_FALSE(matched("/var/*/x", "srv/var/lib/x"));
  EXPECT_FALSE(matched("/var/*/x", "var/lib/sub/x"));
}

TEST(PatternList, SlashInTheMiddleMatchesComponentsAtAnyDepth) {
  EXPECT_TRUE(matched("foo/bar", "foo/bar"));
  EXPECT_TRUE(matched("foo/bar", "x/y/foo/bar"));
  EXPECT_FALSE(matched("foo/bar", "x/yfoo/bar"));
  EXPECT_FALSE(matched("foo/bar", "foo/x/bar"));
}

TEST(PatternList, TwoStarsCrossSlashes) {
  EXPECT_TRUE(matched("/a/**/z", "a/z"));
  EXPECT_TRUE(matched("/a/**/z", "a/b/c/z"));
  EXPECT_FALSE(matched("/a/**/z", "a/bz"));
  EXPECT_TRUE(matched("/a/**", "a/b/c"));
  EXPECT_FALSE(matched("/a/**", "a"));
  EXPECT_TRUE(matched("/a**z", "a/b/z"));
  EXPECT_TRUE(matched("**/z", "z"));
  EXPECT_TRUE(matched("**/**/z", "a/b/z"));
  EXPECT_TRUE(matched("/a/**/b/**/c", "a/x/b/b/y/c"));
}

TEST(PatternList, QuestionMarkAndStarDoNotCrossSlashes) {
  EXPECT_TRUE(matched("/a?c", "abc"));
  EXPECT_FALSE(matched("/a?c", "a/c"));
  EXPECT_FALSE(matched("/a*c", "a/c"));
  EXPECT_TRUE(matched("/a*c", "ac"));
}

TEST(PatternList, SetsRangesAndNegatedSets) {
  EXPECT_TRUE(matched("[a-c]x", "bx"));
  EXPECT_FALSE(matched("[a-c]x", "dx"));
  EXPECT_TRUE(matched("[!a-c]x", "dx"));
  EXPECT_TRUE(matched("[^a-c]x", "dx"));
  EXPECT_TRUE(matched("[]]x", "]x"));
  EXPECT_TRUE(matched("[a-]x", "-x"));
  EXPECT_TRUE(matched("[\\]a]x", "]x"));
  EXPECT_FALSE(matched("/a[!b]c", "a/c"));
  EXPECT_FALSE(matched("/a[.-0]c", "a/c"));  // '/' lies in the range, and yet is never in a set
}

TEST(PatternList, CharactersAreUtf8WhereTheyCanBe) {
  EXPECT_TRUE(matched("a?c", "aäc"));
  EXPECT_TRUE(matched("[à-ü]x", "äx"));
  EXPECT_TRUE(matched("a?c",
                      "a\xFF"
                      "c"));
  EXPECT_FALSE(matched("a?c",
                       "a\xFF\xFE"
                       "c"));
  EXPECT_FALSE(matched("\xA4*", "ä"));  // half a character is not a character
  EXPECT_TRUE(matched("\xA4*", "\xA4x"));
}

TEST(PatternList, BackslashTakesTheMeaningAway) {
  EXPECT_TRUE(matched("a\\*", "a*"));
  EXPECT_FALSE(matched("a\\*", "ab"));
  EXPECT_TRUE(matched("\\!important", "!important"));
  EXPECT_TRUE(matched("\\#x", "#x"));
  EXPECT_TRUE(matched("\\[x\\?*", "[x?y"));
}

TEST(PatternList, TrailingSlashMeansDirectoriesOnly) {
  EXPECT_TRUE(matched("build/", "a/build", true));
  EXPECT_FALSE(matched("build/", "a/build", false));
  EXPECT_TRUE(matched("/a/*/", "a/b", true));
  EXPECT_FALSE(matched("/a/*/", "a/b", false));
}

TEST(PatternList, LastMatchDecides) {
  const PatternList filter = list_of({"*.log", "!keep.log", "/old/keep.log", "!/old/**/now.log"});
  EXPECT_TRUE(filter.matches("a.log", false));
  EXPECT_FALSE(filter.matches("x/keep.log", false));
  EXPECT_TRUE(filter.matches("old/keep.log", false));
  EXPECT_FALSE(filter.matches("old/b/now.log", false));
  const PatternList reversed = list_of({"!keep.log", "*.log"});
  EXPECT_TRUE(reversed.matches("keep.log", false));
  const PatternList directory = list_of({"x", "!x/"});
  EXPECT_TRUE(directory.matches("x", false));
  EXPECT_FALSE(directory.matches("x", true));
}

TEST(PatternList, RefusesWhatIsNoPattern) {
  for (const std::string pattern : {"", "/", "!", "!/", "[a", "[", "[]", "[b-a]", "[a-", "a\\", "[\\"}) {
    PatternList list;
    const auto added = list.add(pattern);
    ASSERT_FALSE(added) << pattern;
    EXPECT_EQ(added.error().code, ErrorCode::kUsage) << pattern;
    EXPECT_TRUE(list.empty()) << pattern;
  }
  PatternList list;
  EXPECT_FALSE(list.add(std::string(Glob::kTokensMax + 1, 'a')));
  EXPECT_TRUE(list.add(std::string(Glob::kTokensMax, '?')));
}

// Each of these takes a matcher that tries again from every star longer than the age of the universe.
TEST(PatternList, HostilePatternsCostNoMoreThanLengthTimesLength) {
  std::string stars, crossing, mixed;
  for (int i = 0; i < 60; ++i) {
    stars += "*a";
    crossing += "**a";
    mixed += "a/**/*?[a]*";
  }
  const std::string name(4000, 'a');
  std::string deep;
  for (int i = 0; i < 2000; ++i) deep += "a/";
  EXPECT_FALSE(matched(stars + "[b]", name));
  EXPECT_TRUE(matched(stars, name));
  EXPECT_FALSE(matched("/" + crossing + "[b]", name));
  EXPECT_FALSE(matched("/" + mixed + "[b]", deep + name));
  std::string vanishing = "/";
  for (int i = 0; i < 1000; ++i) vanishing += "**/";
  EXPECT_FALSE(matched(vanishing + "[b]", deep + "a"));
  EXPECT_TRUE(matched(vanishing + "[a]", deep + "a"));
}

TEST(PatternList, ManyPlainNamesAreLookedUpAtOnce) {
  std::vector<std::string> patterns;
  for (int i = 0; i < 20000; ++i) patterns.push_back((i % 2 != 0 ? "/dir/name" : "name") + std::to_string(i));
  const PatternList filter = list_of(patterns);
  EXPECT_TRUE(filter.matches("x/name19998", false));
  EXPECT_FALSE(filter.matches("x/name19999", false));
  EXPECT_TRUE(filter.matches("dir/name19999", false));
}

}  // namespace
}  // namespace asl
