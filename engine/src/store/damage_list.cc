#include "store/damage_list.h"

#include <charconv>
#include <fmt/format.h>
#include <string_view>

namespace asl {
namespace {

constexpr std::size_t kHexSize = 64;

std::string line_of(const Digest& digest, const BlockId& block, std::uint32_t offset_bytes) {
  return fmt::format("{} {} {}\n", to_hex(digest), to_hex(block), offset_bytes);
}

}  // namespace

DamageList::DamageList(DamageList&& other) noexcept
    : places_(std::move(other.places_)), size_(other.size_.load()), changed_(other.changed_) {}

Result<DamageList> DamageList::load(io::Io& io, const std::string& path) {
  DamageList list;
  if (!io::exists(io, path)) return list;
  ASL_ASSIGN(const Bytes bytes, io::read_file(io, path, kFileSizeMax));
  std::string_view text = as_text(bytes);
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos || end < 2 * kHexSize + 3) break;
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    const auto digest = digest_from_hex(line.substr(0, kHexSize));
    const auto block = digest_from_hex(line.substr(kHexSize + 1, kHexSize));
    Place place;
    const std::string_view number = line.substr(2 * kHexSize + 2);
    const auto parsed = std::from_chars(number.data(), number.data() + number.size(), place.offset_bytes);
    if (!digest || !block || parsed.ec != std::errc() || parsed.ptr != number.data() + number.size()) break;
    place.block = *block;
    list.places_.emplace(*digest, place);
  }
  list.size_ = list.places_.size();
  return list;
}

void DamageList::report(io::Io& io, const std::string& path, const ExtentLocation& extent) {
  const std::string line = line_of(extent.digest, extent.block, extent.offset_bytes);
  auto file = io.open(path, {.write = true});
  if (!file) file = io.open(path, {.write = true, .create_new = true});
  if (!file) return;
  const auto status = io.status(*file);
  if (!status) return;
  const auto size_bytes = static_cast<std::uint64_t>(status->st_size);
  if (size_bytes + line.size() > kFileSizeMax) return;
  // A failure here loses a note about damage, not the damage: verify finds it again.
  static_cast<void>(io.write(*file, as_bytes(line), size_bytes));
}

bool DamageList::contains(const Digest& digest) const {
  if (empty()) return false;
  const std::lock_guard lock(mutex_);
  return places_.contains(digest);
}

void DamageList::keep_only(const std::function<bool(const BlockId&)>& is_there) {
  const std::lock_guard lock(mutex_);
  if (std::erase_if(places_, [&](const auto& entry) { return !is_there(entry.second.block); }) > 0)
    changed_ = true;
  size_ = places_.size();
}

void DamageList::heal(const Digest& digest) {
  const std::lock_guard lock(mutex_);
  if (places_.erase(digest) > 0) changed_ = true;
  size_ = places_.size();
}

Result<void> DamageList::save(io::Io& io, const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (!changed_) return {};
  std::string text;
  for (const auto& [digest, place] : places_) text += line_of(digest, place.block, place.offset_bytes);
  ASL_TRY(io::replace_file(io, path, as_bytes(text)));
  changed_ = false;
  return {};
}

}  // namespace asl
