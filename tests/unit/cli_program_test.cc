#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>
#include <set>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli_sample.h"
#include "completion.h"
#include "help.h"
#include "man_page.h"
#include "program.h"
#include "table/asl_table.h"
#include "text.h"

namespace asl::cli {
namespace {

// Prints what it was given, and fails on demand.
Result<int> run_save(Context& context, const ParsedOptions& options) {
  const std::string& source = options.argument("SOURCE");
  if (source == "damaged") return fail(integrity_error("extent \x1b[31m", "/b\n", 1));
  if (source == "warned") context.warn("odd\x1b name");
  if (source == "partial") return kExitSourceIncomplete;
  if (source == "nonsense") return fail(ErrorCode::kUsage, "that makes no sense");
  context.out.line(
      fmt::format("{} {} {}", context.root, options.text("jobs").value_or("-"), options.flag("dry-run")));
  return kExitOk;
}

Result<int> run_nothing(Context&, const ParsedOptions&) {
  return kExitOk;
}

constexpr CommandHandler kHandlers[] = {{"save", run_save},
                                        {"snapshot show", run_nothing},
                                        {"snapshot label", run_nothing},
                                        {"help", run_help},
                                        {"generate", run_generate}};

struct Capture {
  int fd = ::memfd_create("capture", MFD_CLOEXEC);
  ~Capture() { ::close(fd); }
  std::string text() const {
    std::string out(1 << 16, '\0');
    const ssize_t size = ::pread(fd, out.data(), out.size(), 0);
    out.resize(static_cast<std::size_t>(size));
    return out;
  }
};

class CliProgram : public ::testing::Test {
 protected:
  int run(std::vector<std::string> arguments) {
    Capture out_file;
    Capture err_file;
    int status = 0;
    {
      Output out(out_file.fd);
      Output err(err_file.fd);
      status = run_program(program_, kHandlers, {std::move(arguments), environment_, out, err, StopToken()});
    }
    out_ = out_file.text();
    err_ = err_file.text();
    return status;
  }

  // A root that holds this configuration.
  std::string root_with(const std::string& config) {
    std::string root = ::testing::TempDir() + "/cli-root-XXXXXX";
    EXPECT_NE(::mkdtemp(root.data()), nullptr);
    ::mkdir((root + "/host").c_str(), 0700);
    std::ofstream(root + "/host/config.yaml") << config;
    return root;
  }

  ProgramSpec program_ = linked_program(sample_program(), kHandlers);
  std::map<std::string, std::string> environment_ = {{"ASL_ROOT", "/from-environment"}};
  std::string out_;
  std::string err_;
};

TEST_F(CliProgram, RunsTheHandlerWithItsOptions) {
  EXPECT_EQ(run({"save", "x", "-j3", "-n"}), 0);
  EXPECT_EQ(out_, "/from-environment 3 true\n");
  EXPECT_EQ(err_, "");
}

TEST_F(CliProgram, TheRootOptionBeatsTheEnvironmentAndThatTheDefault) {
  run({"save", "x", "--root", "/given"});
  EXPECT_TRUE(out_.starts_with("/given ")) << out_;
  environment_.clear();
  run({"save", "x"});
  EXPECT_TRUE(out_.starts_with("./asl-root ")) << out_;
}

TEST_F(CliProgram, SettingsStandInForOptionsThatAreNotGiven) {
  const std::string root = root_with("store:\n  jobs: 5\n  dry-run: true\n");
  EXPECT_EQ(run({"save", "x", "--root", root}), 0);
  EXPECT_EQ(out_, root + " 5 true\n");
  EXPECT_EQ(run({"save", "x", "--root", root, "-j2"}), 0);
  EXPECT_EQ(out_, root + " 2 true\n");
}

TEST_F(CliProgram, UnknownSettingsWarnAndKnownOnesAreChecked) {
  EXPECT_EQ(run({"save", "x", "--root", root_with("store:\n  job: 5\n")}), 0);
  EXPECT_TRUE(err_.starts_with("sample: warning: unknown setting 'store.job': ")) << err_;
  EXPECT_EQ(run({"save", "x", "--root", root_with("store:\n  jobs: 99\n")}), 8);
  EXPECT_NE(err_.find("setting 'store.jobs' in line 2: 99 is not between 1 and 8"), std::string::npos)
      << err_;
  EXPECT_EQ(run({"save", "x", "--root", root_with("store:\n  dry-run: maybe\n")}), 8);
}

TEST_F(CliProgram, HelpWorksBesideABrokenConfiguration) {
  const std::string root = root_with("store: [\n");
  EXPECT_EQ(run({"help", "save", "--root", root}), 0);
  EXPECT_EQ(run({"save", "x", "--root", root}), 8);
}

TEST_F(CliProgram, ErrorsHaveOneFormAndAreEscaped) {
  EXPECT_EQ(run({"save", "damaged"}), 5);
  EXPECT_EQ(err_, "sample: extent \\x1b[31m: /b\\n at offset 1\n");
  EXPECT_EQ(run({"save", "warned"}), 0);
  EXPECT_EQ(err_, "sample: warning: odd\\x1b name\n");
  EXPECT_EQ(run({"save", "partial"}), 1);
}

TEST_F(CliProgram, WithJsonErrorsAreObjectsToo) {
  EXPECT_EQ(run({"save", "damaged", "--json"}), 5);
  const std::string last = err_.substr(err_.find("\n") + 1);
  EXPECT_EQ(Json::parse(last)["code"], "integrity");
}

TEST_F(CliProgram, UsageErrorsShowTheUsageLineThatApplies) {
  EXPECT_EQ(run({"save"}), 2);
  EXPECT_EQ(err_, "usage: sample save [OPTION]... SOURCE...\nsample: argument SOURCE is missing\n");
  EXPECT_EQ(run({"save", "nonsense"}), 2);
  EXPECT_EQ(err_, "usage: sample save [OPTION]... SOURCE...\nsample: that makes no sense\n");
  EXPECT_EQ(run({"snapshot", "foo"}), 2);
  EXPECT_TRUE(err_.starts_with("usage: sample snapshot COMMAND [OPTION]... [ARGUMENT]...\n")) << err_;
}

TEST_F(CliProgram, CommandsWithoutAHandlerDoNotExist) {
  EXPECT_EQ(run({"unlinked"}), 2);
  EXPECT_EQ(run({"--help"}), 0);
  EXPECT_EQ(out_.find("unlinked"), std::string::npos);
  for (const ManPage& page : man_pages(program_)) EXPECT_EQ(page.text.find("unlinked"), std::string::npos);
  EXPECT_EQ(bash_completion(program_).find("unlinked"), std::string::npos);
  EXPECT_EQ(zsh_completion(program_).find("unlinked"), std::string::npos);
  EXPECT_EQ(fish_completion(program_).find("unlinked"), std::string::npos);
}

TEST_F(CliProgram, VersionIsOneLine) {
  EXPECT_EQ(run({"save", "--version"}), 0);
  EXPECT_EQ(out_, "sample 1.2\n");
}

TEST_F(CliProgram, ANarrowHelpStaysNarrow) {
  const std::string help = program_help(program_, 60);
  for (std::size_t at = 0; at < help.size();) {
    const std::size_t end = help.find('\n', at);
    EXPECT_LE(end - at, 60U) << help.substr(at, end - at);
    at = end + 1;
  }
}

// roff source as the words a reader sees.
std::string unroff(std::string text) {
  for (const std::string_view escape : {"\\fB", "\\fI", "\\fR", "\\&"})
    for (std::size_t at = 0; (at = text.find(escape)) != std::string::npos;) text.erase(at, escape.size());
  for (std::size_t at = 0; (at = text.find("\\-", at)) != std::string::npos;) text.erase(at, 1);
  return text;
}

const ManPage* page_of(const std::vector<ManPage>& pages, const std::string& file_name) {
  const auto at = std::ranges::find(pages, file_name, &ManPage::file_name);
  return at == pages.end() ? nullptr : &*at;
}

// Every option of every row is in the help, the man page and all three completions.
void expect_documented(const ProgramSpec& program) {
  constexpr std::size_t kWide = 100'000;
  const auto pages = man_pages(program);
  const std::string bash = bash_completion(program);
  const std::string zsh = zsh_completion(program);
  const std::string fish = fish_completion(program);
  for (const CommandSpec& command : program.commands) {
    if (command.hidden) continue;
    const std::string help = command_help(program, command, kWide);
    const ManPage* page = page_of(pages, fmt::format("{}-{}.1", program.name, first_word(command.name)));
    ASSERT_NE(page, nullptr) << command.name;
    const std::string man = unroff(page->text);
    for (const OptionSpec& option : command.options) {
      const std::string synopsis = option_synopsis(option);
      EXPECT_NE(help.find(synopsis), std::string::npos) << command.name << ": " << synopsis;
      EXPECT_NE(help.find(option_explanation(option)), std::string::npos) << command.name << ": " << synopsis;
      EXPECT_NE(man.find(".TP\n" + synopsis + "\n" + wrap(option_explanation(option), 0, kManSourceWidth)),
                std::string::npos)
          << man;
      EXPECT_NE(bash.find(fmt::format("--{}", option.name)), std::string::npos) << option.name;
      EXPECT_NE(zsh.find(fmt::format("--{}", option.name)), std::string::npos) << option.name;
      EXPECT_NE(fish.find(fmt::format("-l {} ", option.name)), std::string::npos) << option.name;
    }
    for (const ExitCodeSpec& code : exit_codes_of(command))
      EXPECT_NE(man.find(fmt::format(".TP\n{}\n{}", code.code, wrap(code.meaning, 0, kManSourceWidth))),
                std::string::npos)
          << command.name;
    EXPECT_NE(unroff(pages.front().text).find(fmt::format(".TP\n{}\n{}", command.name, command.summary)),
              std::string::npos);
  }
}

TEST_F(CliProgram, HelpManPagesAndCompletionSayWhatTheTableSays) {
  expect_documented(program_);
  expect_documented(asl_table());
}

TEST(CliTable, TheTableOfAslKeepsItsRules) {
  const ProgramSpec program = asl_table();
  EXPECT_EQ(check_table(program), std::vector<std::string_view>{});
  EXPECT_EQ(check_table(sample_program()), std::vector<std::string_view>{});
}

TEST(CliTable, BrokenRowsAreFound) {
  ProgramSpec program = sample_program();
  program.commands[0].summary = "Ends with a stop.";
  program.commands[1].options = {{.name = "domain", .help = "Clashes with a common option"}};
  program.commands[2].section = "Nowhere";
  EXPECT_EQ(check_table(program), (std::vector<std::string_view>{"save", "snapshot show", "snapshot label"}));
}

TEST(CliTable, DefaultsAndExamplesOfAslParse) {
  const ProgramSpec program = asl_table();
  for (const CommandSpec& command : program.commands) {
    ParsedOptions options(program, command);
    for (const OptionSpec& option : command.options)
      if (!option.default_text.empty()) {
        EXPECT_TRUE(options.set(option, {std::string(option.default_text)}))
            << command.name << " " << option.name;
      }
    std::set<int> known;
    for (const ExitCodeSpec& row : exit_code_table()) known.insert(row.code);
    for (const int code : command.exit_codes) EXPECT_TRUE(known.contains(code)) << command.name;
  }
}

TEST(CliTable, EveryFailureHasARowInTheExitCodeTable) {
  for (const ErrorCode code :
       {ErrorCode::kUsage, ErrorCode::kLocked, ErrorCode::kNotFound, ErrorCode::kIntegrity, ErrorCode::kIo,
        ErrorCode::kRefused, ErrorCode::kMalformed, ErrorCode::kNoSpace, ErrorCode::kUnsupported,
        ErrorCode::kInterrupted})
    EXPECT_NE(std::ranges::find(exit_code_table(), exit_code(code), &ExitCodeSpec::code),
              exit_code_table().end());
}

}  // namespace
}  // namespace asl::cli
