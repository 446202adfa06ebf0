#include "parse.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>
#include <numeric>

#include "text.h"

namespace asl::cli {
namespace {

using Specs = std::vector<const OptionSpec*>;

// CLI11 2.1 splits "[a,b]" given to a positional that takes many. A marker in front hides the bracket from
// it.
constexpr char kMarker = '\x01';

std::string protect(std::string argument) {
  if (!argument.empty() && (argument[0] == '[' || argument[0] == kMarker)) argument.insert(0, 1, kMarker);
  return argument;
}

std::string unprotect(std::string argument) {
  if (!argument.empty() && argument[0] == kMarker) argument.erase(0, 1);
  return argument;
}

Error usage_error(std::string message, std::string hint = {}) {
  Error error;
  error.code = ErrorCode::kUsage;
  error.message = std::move(message);
  error.hint = std::move(hint);
  return error;
}

const OptionSpec* find_option(const Specs& specs, std::string_view name) {
  const auto at = std::ranges::find(specs, name, &OptionSpec::name);
  return at == specs.end() ? nullptr : *at;
}

Specs all_options(const ProgramSpec& program, const CommandSpec* command) {
  Specs specs;
  if (command != nullptr)
    for (const OptionSpec& option : command->options) specs.push_back(&option);
  for (const OptionSpec& option : program.options) specs.push_back(&option);
  return specs;
}

std::string cli11_name(const OptionSpec& option) {
  const std::string long_name = "--" + std::string(option.name);
  return option.letter == 0 ? long_name : fmt::format("-{},{}", option.letter, long_name);
}

// Declares one row; CLI11 only sorts words into options, the checks are ours.
void declare(CLI::App& app, const OptionSpec& option) {
  if (option.kind == ValueKind::kFlag) {
    app.add_flag(cli11_name(option));
    return;
  }
  app.add_option(cli11_name(option), [](const CLI::results_t&) { return true; })
      ->expected(1)
      ->multi_option_policy(option.repeatable ? CLI::MultiOptionPolicy::TakeAll
                                              : CLI::MultiOptionPolicy::TakeLast)
      ->allow_extra_args(false);
}

// CLI11 2.1 takes the next word as the value of "--label=", and "--json=x" as a value of a flag.
Result<std::vector<std::string>> normalise(const Specs& specs, std::vector<std::string> arguments) {
  std::vector<std::string> out;
  bool options_over = false;
  for (std::string& argument : arguments) {
    options_over = options_over || argument == "--";
    const std::size_t equals = argument.find('=');
    if (!options_over && argument.starts_with("--") && equals != std::string::npos) {
      const std::string name = argument.substr(2, equals - 2);
      const OptionSpec* option = find_option(specs, name);
      if (option != nullptr && option->kind == ValueKind::kFlag)
        return fail(usage_error(fmt::format("option --{} takes no value", option->name)));
      if (option != nullptr && equals + 1 == argument.size()) {
        out.push_back("--" + name);
        out.emplace_back();
        continue;
      }
    }
    out.push_back(protect(std::move(argument)));
  }
  return out;
}

Error unknown_option(const Specs& specs, std::string_view argument) {
  std::string hint;
  if (argument.starts_with("--")) {
    const std::string_view typed = argument.substr(2, argument.find('=') - 2);
    std::vector<std::string_view> names;
    for (const OptionSpec* option : specs) names.push_back(option->name);
    if (const auto name = nearest_name(typed, names); !name.empty()) hint = "--" + std::string(name);
  }
  return usage_error("unknown option: " + printable(argument), hint);
}

// Runs CLI11; the only exception left to it is an option at the end without its value.
Result<void> run_cli11(CLI::App& app, const Specs& specs, std::vector<std::string> arguments) {
  ASL_ASSIGN(auto words, normalise(specs, std::move(arguments)));
  const std::string last = words.empty() ? std::string() : words.back();
  std::ranges::reverse(words);
  try {
    app.parse(std::move(words));
  } catch (const CLI::ArgumentMismatch&) {
    return fail(usage_error(fmt::format("option {} needs a value", printable(unprotect(last)))));
  } catch (const CLI::ParseError& error) {
    return fail(usage_error(printable_message(error.what())));
  }
  return {};
}

Result<void> collect(const CLI::App& app, const Specs& specs, ParsedOptions& options) {
  for (const OptionSpec* spec : specs) {
    const CLI::Option* parsed = app.get_option("--" + std::string(spec->name));
    if (parsed->count() == 0) continue;
    std::vector<std::string> values = parsed->results();
    if (spec->kind == ValueKind::kFlag) values = {"true"};
    std::ranges::transform(values, values.begin(), unprotect);
    if (auto set = options.set(*spec, std::move(values)); !set)
      return fail(usage_error(fmt::format("option --{}: {}", spec->name, set.error().message)));
  }
  return {};
}

// Hands the positional words out to the row's positionals, from the left.
Result<void> assign_positionals(const CommandSpec& command, std::vector<std::string> words,
                                ParsedOptions& options) {
  std::size_t next = 0;
  for (const PositionalSpec& spec : command.positionals) {
    const std::size_t taken = std::min<std::size_t>(spec.max, words.size() - next);
    if (taken < spec.min) return fail(usage_error(fmt::format("argument {} is missing", spec.name)));
    const auto from = words.begin() + static_cast<std::ptrdiff_t>(next);
    options.set_arguments(spec.name, {from, from + static_cast<std::ptrdiff_t>(taken)});
    next += taken;
  }
  if (next < words.size()) return fail(usage_error("unexpected argument: " + printable(words[next])));
  return {};
}

Result<CommandLine> parse_leaf(const ProgramSpec& program, const CommandSpec& command,
                               std::vector<std::string> arguments) {
  CLI::App app;
  app.set_help_flag();
  const Specs specs = all_options(program, &command);
  for (const OptionSpec* spec : specs) declare(app, *spec);
  const CLI::Option* rest = app.add_option("WORDS", [](const CLI::results_t&) { return true; })
                                ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
                                ->expected(0, CLI::detail::expected_max_vector_size)
                                ->allow_extra_args();
  app.allow_extras();
  ASL_TRY(run_cli11(app, specs, std::move(arguments)));
  // "--" itself is left over, too.
  for (const std::string& extra : app.remaining())
    if (extra != "--") return fail(unknown_option(specs, unprotect(extra)));

  CommandLine line;
  line.command = &command;
  ParsedOptions options(program, command);
  ASL_TRY(collect(app, specs, options));
  if (options.has("help") || options.has("version")) {
    line.action = options.has("help") ? CommandLine::Action::kHelp : CommandLine::Action::kVersion;
    return line;
  }
  std::vector<std::string> words = rest->results();
  std::ranges::transform(words, words.begin(), unprotect);
  ASL_TRY(assign_positionals(command, std::move(words), options));
  line.options = std::move(options);
  return line;
}

// Whether the word after `argument` is its value. Nothing if the program has no such option.
std::optional<bool> takes_next_word(const Specs& specs, std::string_view argument) {
  if (argument.starts_with("--")) {
    const OptionSpec* option = find_option(specs, argument.substr(2, argument.find('=') - 2));
    if (option == nullptr) return std::nullopt;
    return option->kind != ValueKind::kFlag && argument.find('=') == std::string_view::npos;
  }
  for (std::size_t i = 1; i < argument.size(); ++i) {
    const auto at = std::ranges::find(specs, argument[i], &OptionSpec::letter);
    if (at == specs.end()) return std::nullopt;
    if ((*at)->kind != ValueKind::kFlag) return i + 1 == argument.size();
  }
  return false;
}

// Index of the first word from `from` on that is neither an option nor an option's value; the size if none
// is.
Result<std::size_t> find_word(const Specs& specs, const std::vector<std::string>& arguments,
                              std::size_t from) {
  for (std::size_t i = from; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--") return std::min(i + 1, arguments.size());
    if (argument.size() < 2 || argument[0] != '-') return i;
    const auto skips_next = takes_next_word(specs, argument);
    if (!skips_next) return fail(unknown_option(specs, argument));
    if (*skips_next) ++i;
  }
  return arguments.size();
}

std::vector<std::string_view> first_words(const ProgramSpec& program) {
  std::vector<std::string_view> words;
  for (const CommandSpec& command : program.commands)
    if (!command.hidden && (words.empty() || words.back() != first_word(command.name)))
      words.push_back(first_word(command.name));
  return words;
}

std::string example_of_nearest(const ProgramSpec& program, std::string_view typed,
                               const std::vector<std::string_view>& names, std::string_view before) {
  const std::string_view name = nearest_name(typed, names);
  if (name.empty()) return fmt::format("{} --help", program.name);
  return fmt::format("{}{} {}", program.name, before, name);
}

// A command line without a command: only --help and --version make sense.
Result<CommandLine> parse_without_command(const ProgramSpec& program, std::string_view group,
                                          std::vector<std::string> arguments) {
  static const CommandSpec nothing;
  ASL_ASSIGN(CommandLine line, parse_leaf(program, nothing, std::move(arguments)));
  if (line.action == CommandLine::Action::kRun) {
    if (group.empty()) return fail(usage_error("no command given", fmt::format("{} --help", program.name)));
    return fail(usage_error(fmt::format("'{}' needs one more word", group),
                            fmt::format("{} {} --help", program.name, group)));
  }
  line.command = nullptr;
  line.group = group;
  return line;
}

bool is_group(const ProgramSpec& program, std::string_view word) {
  return std::ranges::any_of(program.commands, [&](const CommandSpec& command) {
    return command.name.size() > word.size() && first_word(command.name) == word;
  });
}

// Takes the command's words out of `arguments`. Sets `group` when the first of two words is known.
// The result is null where there is no command.
Result<const CommandSpec*> take_command(const ProgramSpec& program, std::vector<std::string>& arguments,
                                        std::string& group) {
  const Specs specs = all_options(program, nullptr);
  ASL_ASSIGN(std::size_t at, find_word(specs, arguments, 0));
  if (at == arguments.size()) return nullptr;
  const auto take = [&arguments](std::size_t index) {
    std::string word = std::move(arguments[index]);
    arguments.erase(arguments.begin() + static_cast<std::ptrdiff_t>(index));
    return word;
  };
  const std::string word = take(at);
  if (const CommandSpec* command = find_command(program, word)) return command;
  if (!is_group(program, word))
    return fail(usage_error("unknown command: " + printable(word),
                            example_of_nearest(program, word, first_words(program), "")));
  group = word;
  ASL_ASSIGN(at, find_word(specs, arguments, at));
  if (at == arguments.size()) return nullptr;
  const std::string second = take(at);
  if (const CommandSpec* command = find_command(program, group + " " + second)) return command;
  std::vector<std::string_view> names;
  for (const CommandSpec* command : commands_under(program, group))
    names.push_back(command->name.substr(group.size() + 1));
  return fail(usage_error(fmt::format("unknown command: {} {}", group, printable(second)),
                          example_of_nearest(program, second, names, " " + group)));
}

}  // namespace

std::expected<CommandLine, UsageError> parse_command_line(const ProgramSpec& program,
                                                          std::vector<std::string> arguments) {
  std::string group;
  auto command = take_command(program, arguments, group);
  if (!command) return std::unexpected(UsageError{std::move(command).error(), nullptr, group});
  auto line = *command == nullptr ? parse_without_command(program, group, std::move(arguments))
                                  : parse_leaf(program, **command, std::move(arguments));
  if (!line) return std::unexpected(UsageError{std::move(line).error(), *command, group});
  return *std::move(line);
}

std::string_view nearest_name(std::string_view typed, const std::vector<std::string_view>& names) {
  constexpr std::size_t kDistanceMax = 2;
  std::string_view best;
  std::size_t best_distance = std::min(kDistanceMax, typed.size() / 2) + 1;
  for (const std::string_view name : names) {
    // Edit distance, one row of the table at a time.
    std::vector<std::size_t> row(name.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < typed.size(); ++i) {
      std::size_t diagonal = row[0]++;
      for (std::size_t j = 0; j < name.size(); ++j) {
        const std::size_t replaced = diagonal + (typed[i] == name[j] ? 0 : 1);
        diagonal = row[j + 1];
        row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
      }
    }
    if (row.back() < best_distance) {
      best_distance = row.back();
      best = name;
    }
  }
  return best;
}

}  // namespace asl::cli
