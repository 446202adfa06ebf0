#include <gtest/gtest.h>

#include "cli_sample.h"
#include "parse.h"

namespace asl::cli {
namespace {

using Words = std::vector<std::string>;

class CliParse : public ::testing::Test {
 protected:
  ParsedOptions options(Words words) {
    auto line = parse_command_line(program_, std::move(words));
    if (!line) {
      ADD_FAILURE() << line.error().error.to_string();
      return ParsedOptions(program_, program_.commands[0]);
    }
    EXPECT_EQ(line->action, CommandLine::Action::kRun);
    return *std::move(line->options);
  }

  // "message|hint|command or group whose usage applies"
  std::string failure(Words words) {
    const auto line = parse_command_line(program_, std::move(words));
    if (line) return "parsed";
    EXPECT_EQ(line.error().error.code, ErrorCode::kUsage);
    const std::string where =
        line.error().command != nullptr ? std::string(line.error().command->name) : line.error().group;
    return line.error().error.message + "|" + line.error().error.hint + "|" + where;
  }

  ProgramSpec program_ = sample_program();
};

TEST_F(CliParse, TakesOptionsBeforeBetweenAndAfterTheWords) {
  const ParsedOptions parsed = options({"--root", "/r", "save", "-l", "first", "a", "--exclude=*.o", "b",
                                        "--exclude", "x y", "-nq", "-dmain"});
  EXPECT_EQ(parsed.command().name, "save");
  EXPECT_EQ(parsed.text("root"), "/r");
  EXPECT_EQ(parsed.text("label"), "first");
  EXPECT_EQ(parsed.text("domain"), "main");
  EXPECT_EQ(parsed.list("exclude"), (Words{"*.o", "x y"}));
  EXPECT_EQ(parsed.arguments("SOURCE"), (Words{"a", "b"}));
  EXPECT_TRUE(parsed.flag("dry-run"));
  EXPECT_TRUE(parsed.flag("quiet"));
  EXPECT_FALSE(parsed.flag("json"));
}

TEST_F(CliParse, ArgumentsNamedLikeCommandsAreArguments) {
  EXPECT_EQ(options({"save", "save", "snapshot", "help"}).arguments("SOURCE"),
            (Words{"save", "snapshot", "help"}));
}

TEST_F(CliParse, BracketsBracesAndMarkersReachTheCommandUnchanged) {
  const Words odd = {"[a,b]", "[]", "{x}", "\x01", "\x01[c", "-", "++", "%%", "a=b", ""};
  EXPECT_EQ(options([&] {
              Words words = {"save"};
              words.insert(words.end(), odd.begin(), odd.end());
              return words;
            }())
                .arguments("SOURCE"),
            odd);
  EXPECT_EQ(options({"save", "--exclude", "[a,b]", "--exclude=[c,d]", "x"}).list("exclude"),
            (Words{"[a,b]", "[c,d]"}));
}

TEST_F(CliParse, EverythingAfterTwoDashesIsAnArgument) {
  EXPECT_EQ(options({"save", "--", "--json", "-x"}).arguments("SOURCE"), (Words{"--json", "-x"}));
  EXPECT_EQ(options({"--", "save", "a"}).arguments("SOURCE"), (Words{"a"}));
}

TEST_F(CliParse, AnEmptyValueIsAValue) {
  EXPECT_EQ(options({"save", "--label=", "a"}).text("label"), "");
  EXPECT_EQ(options({"save", "--label", "", "a"}).text("label"), "");
}

TEST_F(CliParse, AValueMayLookLikeAnOption) {
  EXPECT_EQ(options({"save", "--label", "--json", "a"}).text("label"), "--json");
  EXPECT_FALSE(options({"save", "--label", "--json", "a"}).flag("json"));
}

TEST_F(CliParse, TheLastOfARepeatedOptionWins) {
  EXPECT_EQ(options({"save", "-j2", "-j", "4", "a"}).number("jobs"), 4U);
}

TEST_F(CliParse, DefaultsApplyWhereNothingIsGiven) {
  const ParsedOptions parsed = options({"save", "a"});
  EXPECT_EQ(parsed.number("limit"), 64ULL << 20);
  EXPECT_FALSE(parsed.has("limit"));
  EXPECT_EQ(parsed.number("jobs"), std::nullopt);
  EXPECT_EQ(parsed.parts_per_million("sample"), std::nullopt);
  EXPECT_EQ(options({"save", "--sample", "5%", "a"}).parts_per_million("sample"), 50'000U);
}

TEST_F(CliParse, TwoWordCommandsAreFound) {
  const ParsedOptions parsed = options({"snapshot", "--json", "show", "7", "/x"});
  EXPECT_EQ(parsed.command().name, "snapshot show");
  EXPECT_EQ(parsed.argument("ID"), "7");
  EXPECT_EQ(parsed.argument("PATH"), "/x");
  EXPECT_TRUE(parsed.flag("json"));
  EXPECT_TRUE(options({"snapshot", "show", "7"}).arguments("PATH").empty());
}

TEST_F(CliParse, HelpAndVersionNeedNothingElse) {
  const auto help = parse_command_line(program_, {"save", "--help"});
  ASSERT_TRUE(help);
  EXPECT_EQ(help->action, CommandLine::Action::kHelp);
  EXPECT_EQ(help->command->name, "save");
  const auto group = parse_command_line(program_, {"snapshot", "-h"});
  ASSERT_TRUE(group);
  EXPECT_EQ(group->group, "snapshot");
  EXPECT_EQ(group->command, nullptr);
  const auto version = parse_command_line(program_, {"--version"});
  ASSERT_TRUE(version);
  EXPECT_EQ(version->action, CommandLine::Action::kVersion);
}

TEST_F(CliParse, UsageErrorsNameTheFaultAndTheLineThatApplies) {
  EXPECT_EQ(failure({}), "no command given|sample --help|");
  EXPECT_EQ(failure({"sve"}), "unknown command: sve|sample save|");
  EXPECT_EQ(failure({"\x1bzz"}), "unknown command: \\x1bzz|sample --help|");
  EXPECT_EQ(failure({"--jsom", "save"}), "unknown option: --jsom|--json|");
  EXPECT_EQ(failure({"-z", "save"}), "unknown option: -z||");
  EXPECT_EQ(failure({"snapshot"}), "'snapshot' needs one more word|sample snapshot --help|snapshot");
  EXPECT_EQ(failure({"snapshot", "shw"}), "unknown command: snapshot shw|sample snapshot show|snapshot");
  EXPECT_EQ(failure({"save"}), "argument SOURCE is missing||save");
  EXPECT_EQ(failure({"save", "a", "--labl", "x"}), "unknown option: --labl|--label|save");
  EXPECT_EQ(failure({"save", "a", "--label"}), "option --label needs a value||save");
  EXPECT_EQ(failure({"save", "a", "-nl"}), "option -nl needs a value||save");
  EXPECT_EQ(failure({"save", "a", "--dry-run=yes"}), "option --dry-run takes no value||save");
  EXPECT_EQ(failure({"snapshot", "show", "1", "2", "3"}), "unexpected argument: 3||snapshot show");
}

TEST_F(CliParse, ValuesAreChecked) {
  EXPECT_EQ(failure({"save", "a", "-j0"}), "option --jobs: 0 is not between 1 and 8||save");
  EXPECT_EQ(failure({"save", "a", "-j", "x"}), "option --jobs: 'x' is not a whole number||save");
  EXPECT_EQ(failure({"save", "a", "--limit", "big"}),
            "option --limit: 'big' is not a size such as 4096, 64M or 1.5GiB||save");
  EXPECT_EQ(failure({"save", "a", "--progress", "loud"}),
            "option --progress: 'loud' is not one of: auto, none, json, line||save");
  EXPECT_EQ(failure({"save", "a", "--root="}), "option --root: the path is empty||save");
}

TEST_F(CliParse, NearestNameNeedsToBeNear) {
  EXPECT_EQ(nearest_name("exlude", {"exclude", "label"}), "exclude");
  EXPECT_EQ(nearest_name("x", {"exclude", "label"}), "");
  EXPECT_EQ(nearest_name("ls", {"log", "gc"}), "");
}

}  // namespace
}  // namespace asl::cli
