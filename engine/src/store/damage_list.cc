#include "store/damage_list.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <optional>
#include <string_view>

namespace asl {
namespace {

constexpr std::size_t kHexSize = 64;
constexpr std::string_view kSegmentWord = "segment ";

std::string line_of(const Digest& digest, const BlockId& block, std::uint32_t offset_bytes) {
  return fmt::format("{} {} {}\n", to_hex(digest), to_hex(block), offset_bytes);
}

std::string line_of(SegmentNumber segment) {
  return fmt::format("{}{}\n", kSegmentWord, segment);
}

template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

void append_line(io::Io& io, const std::string& path, const std::string& line) {
  auto file = io.open(path, {.write = true});
  if (!file) file = io.open(path, {.write = true, .create_new = true});
  if (!file) return;
  const auto status = io.status(*file);
  if (!status) return;
  const auto size_bytes = static_cast<std::uint64_t>(status->st_size);
  if (size_bytes + line.size() > DamageList::kFileSizeMax) return;
  // A failure here loses a note about damage, not the damage: verify finds it again.
  static_cast<void>(io.write(*file, as_bytes(line), size_bytes));
}

}  // namespace

DamageList::DamageList(DamageList&& other) noexcept
    : places_(std::move(other.places_)),
      segments_(std::move(other.segments_)),
      size_(other.size_.load()),
      changed_(other.changed_) {}

// False if the line is not of either form.
bool DamageList::take(std::string_view line) {
  if (line.starts_with(kSegmentWord)) {
    const auto number = parse_number<SegmentNumber>(line.substr(kSegmentWord.size()));
    if (number) segments_.insert(*number);
    return number.has_value();
  }
  if (line.size() < 2 * kHexSize + 3) return false;
  const auto digest = digest_from_hex(line.substr(0, kHexSize));
  const auto block = digest_from_hex(line.substr(kHexSize + 1, kHexSize));
  const auto offset = parse_number<std::uint32_t>(line.substr(2 * kHexSize + 2));
  if (!digest || !block || !offset) return false;
  places_.emplace(*digest, Place{.block = *block, .offset_bytes = *offset});
  return true;
}

Result<DamageList> DamageList::load(io::Io& io, const std::string& path) {
  DamageList list;
  if (!io::exists(io, path)) return list;
  ASL_ASSIGN(const Bytes bytes, io::read_file(io, path, kFileSizeMax));
  std::string_view text = as_text(bytes);
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos || !list.take(text.substr(0, end))) break;
    text.remove_prefix(end + 1);
  }
  list.size_ = list.places_.size() + list.segments_.size();
  return list;
}

void DamageList::report(io::Io& io, const std::string& path, const ExtentLocation& extent) {
  append_line(io, path, line_of(extent.digest, extent.block, extent.offset_bytes));
}

void DamageList::report(io::Io& io, const std::string& path, SegmentNumber segment) {
  append_line(io, path, line_of(segment));
}

bool DamageList::contains(const Digest& digest) const {
  if (empty()) return false;
  const std::lock_guard lock(mutex_);
  return places_.contains(digest);
}

bool DamageList::names(const BlockId& block) const {
  if (empty()) return false;
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(places_, [&](const auto& entry) { return entry.second.block == block; });
}

void DamageList::keep_only(const std::function<bool(const BlockId&)>& is_there) {
  const std::lock_guard lock(mutex_);
  if (std::erase_if(places_, [&](const auto& entry) { return !is_there(entry.second.block); }) > 0)
    changed_ = true;
  size_ = places_.size() + segments_.size();
}

void DamageList::heal(const Digest& digest) {
  const std::lock_guard lock(mutex_);
  if (places_.erase(digest) > 0) changed_ = true;
  size_ = places_.size() + segments_.size();
}

std::set<BlockId> DamageList::blocks() const {
  const std::lock_guard lock(mutex_);
  std::set<BlockId> blocks;
  for (const auto& [digest, place] : places_) blocks.insert(place.block);
  return blocks;
}

std::set<Digest> DamageList::digests() const {
  const std::lock_guard lock(mutex_);
  std::set<Digest> digests;
  for (const auto& [digest, place] : places_) digests.insert(digest);
  return digests;
}

void DamageList::add(const ExtentLocation& extent) {
  const std::lock_guard lock(mutex_);
  if (places_.contains(extent.digest)) return;
  places_.emplace(extent.digest, Place{.block = extent.block, .offset_bytes = extent.offset_bytes});
  changed_ = true;
  size_ = places_.size() + segments_.size();
}

std::set<SegmentNumber> DamageList::segments() const {
  const std::lock_guard lock(mutex_);
  return segments_;
}

void DamageList::add(SegmentNumber segment) {
  const std::lock_guard lock(mutex_);
  if (segments_.insert(segment).second) changed_ = true;
  size_ = places_.size() + segments_.size();
}

void DamageList::heal(SegmentNumber segment) {
  const std::lock_guard lock(mutex_);
  if (segments_.erase(segment) > 0) changed_ = true;
  size_ = places_.size() + segments_.size();
}

Result<void> DamageList::save(io::Io& io, const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (!changed_) return {};
  std::string text;
  for (const auto& [digest, place] : places_) text += line_of(digest, place.block, place.offset_bytes);
  for (const SegmentNumber segment : segments_) text += line_of(segment);
  ASL_TRY(io::replace_file(io, path, as_bytes(text)));
  changed_ = false;
  return {};
}

}  // namespace asl
