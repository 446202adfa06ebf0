#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>

#include "parse.h"
#include "text.h"

namespace asl::cli {
namespace {

[[noreturn]] void abort_on_table_mismatch(std::string_view command, std::string_view name) {
  fmt::print(stderr, "asl: internal error: command '{}' has no option or argument '{}' of that kind\n",
             command, name);
  std::abort();
}

// `result` checked only for success.
template <typename T>
Result<void> as_check(Result<T> result) {
  if (!result) return std::unexpected(std::move(result).error());
  return {};
}

Result<void> check_choice(const OptionSpec& option, std::string_view value) {
  if (std::ranges::find(option.choices, value) != option.choices.end()) return {};
  return fail(ErrorCode::kUsage,
              fmt::format("'{}' is not one of: {}", printable(value), fmt::join(option.choices, ", ")));
}

Result<void> check_range(const OptionSpec& option, const Result<std::uint64_t>& parsed) {
  ASL_ASSIGN(const std::uint64_t number, parsed);
  if (number >= option.min && number <= option.max) return {};
  return fail(ErrorCode::kUsage, fmt::format("{} is not between {} and {}", number, option.min, option.max));
}

Result<void> check_value(const OptionSpec& option, std::string_view value) {
  switch (option.kind) {
    case ValueKind::kSize:
      return check_range(option, parse_size(value));
    case ValueKind::kInteger:
      return check_range(option, parse_count(value));
    case ValueKind::kPercent:
      return as_check(parse_percent(value));
    case ValueKind::kDuration:
      return as_check(parse_duration(value));
    case ValueKind::kEnum:
      return check_choice(option, value);
    case ValueKind::kPath:
    case ValueKind::kDirectory:
      if (value.empty()) return fail(ErrorCode::kUsage, "the path is empty");
      return {};
    case ValueKind::kFlag:
    case ValueKind::kText:
      return {};
  }
  std::abort();
}

}  // namespace

const OptionSpec& ParsedOptions::option(std::string_view name, std::initializer_list<ValueKind> kinds) const {
  for (const auto* specs : {&command_->options, &program_->options})
    for (const OptionSpec& spec : *specs)
      if (spec.name == name && std::ranges::find(kinds, spec.kind) != kinds.end()) return spec;
  abort_on_table_mismatch(command_->name, name);
}

bool ParsedOptions::flag(std::string_view name) const {
  return has(option(name, {ValueKind::kFlag}).name);
}

std::optional<std::string> ParsedOptions::text(std::string_view name) const {
  const OptionSpec& spec =
      option(name, {ValueKind::kText, ValueKind::kPath, ValueKind::kDirectory, ValueKind::kSize,
                    ValueKind::kInteger, ValueKind::kPercent, ValueKind::kDuration, ValueKind::kEnum});
  const auto at = values_.find(spec.name);
  if (at != values_.end()) return at->second.back();
  if (!spec.default_text.empty()) return std::string(spec.default_text);
  return std::nullopt;
}

// Values were checked when they were set, defaults by a test of the table: these parse again without failing.
std::optional<std::uint64_t> ParsedOptions::number(std::string_view name) const {
  const OptionSpec& spec = option(name, {ValueKind::kSize, ValueKind::kInteger});
  const auto value = text(name);
  if (!value) return std::nullopt;
  return spec.kind == ValueKind::kSize ? parse_size(*value).value() : parse_count(*value).value();
}

std::optional<std::uint32_t> ParsedOptions::parts_per_million(std::string_view name) const {
  option(name, {ValueKind::kPercent});
  const auto value = text(name);
  return value ? std::optional(parse_percent(*value).value()) : std::nullopt;
}

std::optional<std::uint64_t> ParsedOptions::seconds(std::string_view name) const {
  option(name, {ValueKind::kDuration});
  const auto value = text(name);
  return value ? std::optional(parse_duration(*value).value()) : std::nullopt;
}

std::vector<std::string> ParsedOptions::list(std::string_view name) const {
  const OptionSpec& spec = option(name, {ValueKind::kText, ValueKind::kPath, ValueKind::kDirectory});
  const auto at = values_.find(spec.name);
  return at == values_.end() ? std::vector<std::string>{} : at->second;
}

const std::vector<std::string>& ParsedOptions::arguments(std::string_view name) const {
  static const std::vector<std::string> none;
  if (std::ranges::find(command_->positionals, name, &PositionalSpec::name) == command_->positionals.end())
    abort_on_table_mismatch(command_->name, name);
  const auto at = arguments_.find(name);
  return at == arguments_.end() ? none : at->second;
}

const std::string& ParsedOptions::argument(std::string_view name) const {
  const auto& values = arguments(name);
  if (values.empty()) abort_on_table_mismatch(command_->name, name);
  return values.front();
}

Result<void> ParsedOptions::set(const OptionSpec& spec, std::vector<std::string> values) {
  for (const std::string& value : values) {
    if (auto checked = check_value(spec, value); !checked) return checked;
  }
  values_[spec.name] = std::move(values);
  return {};
}

void ParsedOptions::set_arguments(std::string_view name, std::vector<std::string> values) {
  arguments_[name] = std::move(values);
}

}  // namespace asl::cli
