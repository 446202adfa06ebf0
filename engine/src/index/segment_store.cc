#include "index/segment_store.h"

#include <algorithm>
#include <charconv>

namespace asl {
namespace {

constexpr std::string_view kSegmentPrefix = "segment-";
constexpr std::string_view kSegmentSuffix = ".idx";
constexpr std::string_view kBloomPrefix = "bloom-";
constexpr std::string_view kBloomSuffix = ".bf";

std::string name_of(std::string_view prefix, SegmentNumber number, std::string_view suffix) {
  return std::string(prefix) + std::to_string(number) + std::string(suffix);
}

std::optional<SegmentNumber> parse_name(std::string_view name, std::string_view prefix,
                                        std::string_view suffix) {
  if (!name.starts_with(prefix)) return std::nullopt;
  name.remove_prefix(prefix.size());
  if (!name.ends_with(suffix)) return std::nullopt;
  name.remove_suffix(suffix.size());
  SegmentNumber number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  // Leading zeros would give one segment two names.
  if (error != std::errc() || end != name.data() + name.size() || std::to_string(number) != name)
    return std::nullopt;
  return number;
}

Result<void> remove_if_there(io::Io& io, const std::string& path) {
  auto removed = io.remove(path);
  if (!removed && removed.error().code != ErrorCode::kNotFound) return removed;
  return {};
}

}  // namespace

std::optional<SegmentNumber> parse_segment_name(std::string_view name) {
  return parse_name(name, kSegmentPrefix, kSegmentSuffix);
}

std::optional<SegmentNumber> parse_bloom_name(std::string_view name) {
  return parse_name(name, kBloomPrefix, kBloomSuffix);
}

SegmentStore::SegmentStore(io::Io& io, const std::string& store_directory)
    : io_(&io), index_directory_(store_directory + "/index"), tmp_directory_(store_directory + "/tmp") {}

std::string SegmentStore::segment_path(SegmentNumber number) const {
  return index_directory_ + "/" + name_of(kSegmentPrefix, number, kSegmentSuffix);
}
std::string SegmentStore::bloom_path(SegmentNumber number) const {
  return index_directory_ + "/" + name_of(kBloomPrefix, number, kBloomSuffix);
}
std::string SegmentStore::segment_tmp_path(SegmentNumber number) const {
  return tmp_directory_ + "/" + name_of(kSegmentPrefix, number, kSegmentSuffix);
}
std::string SegmentStore::bloom_tmp_path(SegmentNumber number) const {
  return tmp_directory_ + "/" + name_of(kBloomPrefix, number, kBloomSuffix);
}

Result<void> SegmentStore::publish_segment(SegmentNumber number) const {
  return io_->rename(segment_tmp_path(number), segment_path(number), false);
}

Result<void> SegmentStore::sync_directory() const {
  return io_->sync_directory(index_directory_);
}

Result<void> SegmentStore::publish_bloom(SegmentNumber number) const {
  return io_->rename(bloom_tmp_path(number), bloom_path(number), true);
}

Result<void> SegmentStore::remove(SegmentNumber number) const {
  // The bloom file first: one without its segment is only litter.
  ASL_TRY(remove_if_there(*io_, bloom_path(number)));
  return remove_if_there(*io_, segment_path(number));
}

Result<SegmentStore::Listing> SegmentStore::list() const {
  ASL_ASSIGN(auto entries, io_->list(index_directory_));
  Listing listing;
  for (auto& entry : entries) {
    if (const auto segment = parse_segment_name(entry.name))
      listing.segments.push_back(*segment);
    else if (const auto bloom = parse_bloom_name(entry.name))
      listing.blooms.push_back(*bloom);
    else
      listing.foreign.push_back(std::move(entry.name));
  }
  std::ranges::sort(listing.segments);
  std::ranges::sort(listing.blooms);
  std::ranges::sort(listing.foreign);
  return listing;
}

}  // namespace asl
