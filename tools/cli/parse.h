// Command lines turned into values, by the table (through CLI11).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <asl/engine/error.h>

#include "option_table.h"

namespace asl::cli {

// The options and arguments of one command, checked against its row. Asking for a name the row does not have,
// or in another kind than the row says, is a programming error and aborts.
class ParsedOptions {
 public:
  explicit ParsedOptions(const ProgramSpec& program, const CommandSpec& command)
      : program_(&program), command_(&command) {}

  const CommandSpec& command() const { return *command_; }

  // True if given on the command line or by the configuration, not by a default.
  bool has(std::string_view name) const { return values_.contains(name); }
  bool flag(std::string_view name) const;
  // The value, else the default, else nothing.
  std::optional<std::string> text(std::string_view name) const;
  std::optional<std::uint64_t> number(std::string_view name) const;             // kSize, kInteger
  std::optional<std::uint32_t> parts_per_million(std::string_view name) const;  // kPercent
  std::optional<std::uint64_t> seconds(std::string_view name) const;            // kDuration
  std::vector<std::string> list(std::string_view name) const;                   // repeatable

  // Positional arguments by the name in the row, in order; empty if optional and absent.
  const std::vector<std::string>& arguments(std::string_view name) const;
  // The single or first one; it must be required by the row or be known to be there.
  const std::string& argument(std::string_view name) const;

  // For the parser and the configuration: checks the value first.
  Result<void> set(const OptionSpec& option, std::vector<std::string> values);
  void set_arguments(std::string_view name, std::vector<std::string> values);

 private:
  const OptionSpec& option(std::string_view name, std::initializer_list<ValueKind> kinds) const;

  const ProgramSpec* program_;
  const CommandSpec* command_;
  std::map<std::string_view, std::vector<std::string>> values_;     // keys from the table
  std::map<std::string_view, std::vector<std::string>> arguments_;  // keys from the table
};

// What a command line asks for.
struct CommandLine {
  enum class Action : std::uint8_t { kRun, kHelp, kVersion };
  Action action = Action::kRun;
  // kRun: the command. kHelp: the command, or nullptr for the program or a group.
  const CommandSpec* command = nullptr;
  std::string group;                     // kHelp: the group asked about, empty if none
  std::optional<ParsedOptions> options;  // kRun: always set
};

// A failed parse, with the row whose usage line applies (nullptr: the program's).
struct UsageError {
  Error error;
  const CommandSpec* command = nullptr;
  std::string group;
};

// `arguments` without the program's name.
std::expected<CommandLine, UsageError> parse_command_line(const ProgramSpec& program,
                                                          std::vector<std::string> arguments);

// The name among `names` that a person probably meant, empty if none is near.
std::string_view nearest_name(std::string_view typed, const std::vector<std::string_view>& names);

}  // namespace asl::cli
