// What a program understands, as data. One table per program is the only source of its parser (parse.h), its
// --help (help.h), its man pages (man_page.h) and its shell completion (completion.h).
//
// Adding a command: its row goes into tools/cli/table/, its handler into tools/cli/commands/<name>.cc, and
// its name into tools/cli/meson.build; then run tools/generate-docs. A row without a handler does not exist
// for users.
//
// All string_views in these structs point at string literals.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

namespace asl::cli {

// What a value must look like; checked while parsing, and used by the completion.
enum class ValueKind : std::uint8_t {
  kFlag,       // no value
  kText,       // anything
  kPath,       // a file or directory
  kDirectory,  // a directory
  kSize,       // parse_size, within [min, max]
  kInteger,    // parse_count, within [min, max]
  kPercent,    // parse_percent
  kDuration,   // parse_duration
  kEnum,       // one of `choices`
};

struct OptionSpec {
  std::string_view name;  // long form, without dashes
  char letter = 0;        // short form, 0 if none
  ValueKind kind = ValueKind::kFlag;
  std::string_view metavar = {};  // how --help calls the value
  std::string_view help = {};     // full sentences without the final stop
  std::string_view default_text = {};
  std::vector<std::string_view> choices = {};
  bool repeatable = false;  // otherwise the last one given wins
  std::string_view config_key =
      {};  // key in host/config.yaml that stands in for the option, e.g. "store.jobs"
  std::uint64_t min = 0;
  std::uint64_t max = std::numeric_limits<std::uint64_t>::max();
};

struct PositionalSpec {
  std::string_view name;  // upper case, as shown
  std::string_view help;
  ValueKind kind = ValueKind::kText;
  std::uint32_t min = 1;
  std::uint32_t max = 1;  // kUnlimited for any number; only the last positional may take more than one
};
inline constexpr std::uint32_t kUnlimited = std::numeric_limits<std::uint32_t>::max();

struct ExampleSpec {
  std::string_view command;
  std::string_view meaning;
};

struct CommandSpec {
  std::string_view name;     // "ls", or two words: "snapshot show"
  std::string_view section;  // heading in `asl --help`; one of ProgramSpec::sections
  std::string_view summary;  // one line, lower case, no stop
  // Paragraphs parted by an empty line.
  std::string_view description;
  std::vector<PositionalSpec> positionals = {};
  std::vector<OptionSpec> options = {};
  std::vector<ExampleSpec> examples = {};
  std::vector<int> exit_codes = {};  // beyond those every command can give (kCommonExitCodes)
  bool hidden = false;               // works, but is not listed
  bool needs_root = true;            // false: no root is looked for and no configuration read
};

struct ExitCodeSpec {
  int code;
  std::string_view meaning;
};
// The table of all exit codes; every program of this project uses the same.
const std::vector<ExitCodeSpec>& exit_code_table();
inline constexpr int kCommonExitCodes[] = {0, 2, 6, 130};

struct NamedText {
  std::string_view name;
  std::string_view text;
};

struct ProgramSpec {
  std::string_view name;
  std::string_view version;
  std::string_view date;  // of the man pages: when this version was made, YYYY-MM-DD
  std::string_view summary;
  std::string_view description;
  std::vector<std::string_view> sections;
  std::vector<OptionSpec> options;  // understood before and after every command
  std::vector<CommandSpec> commands;
  std::vector<NamedText> groups;  // first words of two-word commands, with a summary each
  std::vector<NamedText> environment;
  std::vector<NamedText> files;
  std::vector<std::string_view> see_also;  // "sha256sum(1)"
};

const CommandSpec* find_command(const ProgramSpec& program, std::string_view name);
// "ls" -> "ls"; "snapshot show" -> "snapshot".
std::string_view first_word(std::string_view command_name);
// Commands whose first word is `word`, in table order.
std::vector<const CommandSpec*> commands_under(const ProgramSpec& program, std::string_view word);

// Options every program has: --root, --domain, --json, --progress, --quiet, --version, --help.
std::vector<OptionSpec> common_options();
// Checks the rules above (unique names, a stop-free summary, known sections...); returns what is wrong, empty
// if nothing is. For tests.
std::vector<std::string_view> check_table(const ProgramSpec& program);

}  // namespace asl::cli
