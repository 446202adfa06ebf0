#include "log/log_file.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <optional>
#include <string_view>

namespace asl {
namespace {

constexpr std::string_view kPrefix = "log-";
constexpr std::string_view kSuffix = ".aol";
constexpr std::size_t kDigits = 16;

std::optional<std::uint64_t> parse_name(std::string_view name) {
  if (name.size() != kPrefix.size() + kDigits + kSuffix.size()) return std::nullopt;
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return std::nullopt;
  const std::string_view digits = name.substr(kPrefix.size(), kDigits);
  if (!std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
  std::uint64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);  // 16 digits always fit
  return value;
}

}  // namespace

std::string LogFiles::file_path(std::uint64_t first_logseq) const {
  return fmt::format("{}/{}{:016}{}", directory_, kPrefix, first_logseq, kSuffix);
}

std::string LogFiles::torn_path(std::uint64_t logseq, unsigned copy) const {
  std::string path = fmt::format("{}/torn-{}", directory_, logseq);
  if (copy > 1) path += fmt::format("-{}", copy);
  return path;
}

Result<std::vector<std::uint64_t>> LogFiles::list(io::Io& io) const {
  ASL_ASSIGN(const std::vector<io::ListedEntry> entries, io.list(directory_));
  std::vector<std::uint64_t> found;
  for (const io::ListedEntry& entry : entries)
    if (std::optional<std::uint64_t> first = parse_name(entry.name)) found.push_back(*first);
  std::ranges::sort(found);
  return found;
}

}  // namespace asl
