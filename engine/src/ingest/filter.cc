#include "ingest/filter.h"

#include <algorithm>

namespace asl {
namespace {

// https://bford.info/cachedir/
constexpr std::string_view kCacheTagName = "CACHEDIR.TAG";
constexpr std::string_view kCacheTagHeader = "Signature: 8a477f597d28d172789f06886806bc55";

}  // namespace

Result<SourceFilter> SourceFilter::make(io::Io& io, const FilterOptions& options) {
  SourceFilter filter;
  for (const std::string& pattern : options.patterns) ASL_TRY(filter.patterns_.add(pattern));
  for (const std::string& path : options.pattern_files) ASL_TRY(filter.add_file(io, path));
  for (const std::string& text : options.if_present) {
    const std::size_t colon = text.find(':');
    Marker marker{text.substr(0, colon), colon == std::string::npos ? "" : text.substr(colon + 1)};
    if (marker.name.empty() || marker.name.find('/') != std::string::npos || marker.name == "." ||
        marker.name == "..")
      return fail(ErrorCode::kUsage, "--exclude-if-present takes the name of a file, not '" + text + "'");
    filter.markers_.push_back(std::move(marker));
  }
  if (options.caches) filter.markers_.push_back({std::string(kCacheTagName), std::string(kCacheTagHeader)});
  filter.larger_than_bytes_ = options.larger_than_bytes;
  return filter;
}

Result<void> SourceFilter::add_file(io::Io& io, const std::string& path) {
  ASL_ASSIGN(const Bytes bytes, io::read_file(io, path, kPatternFileMax));
  std::string_view rest = as_text(bytes);
  for (std::size_t line_number = 1; !rest.empty(); ++line_number) {
    const std::size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;
    if (auto added = patterns_.add(line); !added)
      return fail(std::move(added).error().with_path(path + ":" + std::to_string(line_number)));
  }
  return {};
}

bool SourceFilter::is_marker_name(std::string_view name) const {
  return std::ranges::find(markers_, name, &Marker::name) != markers_.end();
}

const SourceFilter::Marker* SourceFilter::marker_in(std::string_view name, ByteSpan first_bytes) const {
  for (const Marker& marker : markers_)
    if (marker.name == name && as_text(first_bytes).starts_with(marker.header)) return &marker;
  return nullptr;
}

}  // namespace asl
