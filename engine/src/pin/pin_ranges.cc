#include "pin/pin_ranges.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

namespace asl {
namespace {

constexpr std::string_view kFirstLine = "asl-pins 1\n";

std::unexpected<Error> damaged(const std::string& path) {
  return fail(Error{.code = ErrorCode::kIntegrity,
                    .message = "the note of which snapshots are pinned is damaged",
                    .path = path,
                    .hint = "remove the file: the pins that are there stay, and snapshots to come are pinned "
                            "again"});
}

// A number without leading zeros; nothing else is what to_text() writes.
bool take_number(std::string_view& text, std::uint64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || text.front() == '0') return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool take(std::string_view& text, char wanted) {
  if (!text.starts_with(wanted)) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

Result<PinRanges> PinRanges::load(io::Io& io, const std::string& path) {
  const auto bytes = io::read_file(io, path, kPinRangesFileMax);
  if (bytes) return parse(as_text(*bytes), path);
  if (bytes.error().code == ErrorCode::kNotFound) return PinRanges{};
  if (bytes.error().code == ErrorCode::kMalformed) return damaged(path);
  return fail(bytes.error());
}

Result<PinRanges> PinRanges::parse(std::string_view text, const std::string& path) {
  if (!text.starts_with(kFirstLine)) return damaged(path);
  text.remove_prefix(kFirstLine.size());
  PinRanges ranges;
  std::uint64_t end = 0;  // of the range before
  while (!text.empty()) {
    Range range;
    if (!take_number(text, range.first) || !take(text, '-')) return damaged(path);
    if (!text.starts_with('\n') && !take_number(text, range.last)) return damaged(path);
    if (!take(text, '\n') || range.first <= end || range.last < range.first) return damaged(path);
    if (range.last == kOpen && !text.empty()) return damaged(path);
    end = range.last;
    ranges.ranges_.push_back(range);
  }
  return ranges;
}

std::string PinRanges::to_text() const {
  std::string text(kFirstLine);
  for (const Range& range : ranges_)
    text += range.last == kOpen ? fmt::format("{}-\n", range.first)
                                : fmt::format("{}-{}\n", range.first, range.last);
  return text;
}

Result<void> PinRanges::save(io::Io& io, const std::string& path) const {
  return io::replace_file(io, path, as_bytes(to_text()));
}

bool PinRanges::contains(std::uint64_t snapshot_id) const {
  return std::ranges::any_of(
      ranges_, [&](const Range& range) { return range.first <= snapshot_id && snapshot_id <= range.last; });
}

bool PinRanges::set(bool wanted, std::uint64_t next_id) {
  if (wanted == on()) return false;
  if (!wanted) {
    if (ranges_.back().first >= next_id)
      ranges_.pop_back();
    else
      ranges_.back().last = next_id - 1;
  } else if (!ranges_.empty() && ranges_.back().last + 1 >= next_id) {
    ranges_.back().last = kOpen;
  } else {
    ranges_.push_back({.first = next_id});
  }
  return true;
}

void PinRanges::drop_forgotten(const LogState& state) {
  std::erase_if(ranges_, [&](const Range& range) {
    if (range.last == kOpen) return false;
    const auto& snapshots = state.snapshots();
    for (auto at = snapshots.lower_bound(range.first); at != snapshots.end() && at->first <= range.last;
         ++at) {
      if (!at->second.forgotten) return false;
    }
    return true;
  });
}

}  // namespace asl
