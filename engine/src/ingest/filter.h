// What of a source is left out: the --exclude options of `asl ingest`, also behind --include and --exclude of
// `asl restore` and `asl rewrite`. Patterns are described in ingest/pattern.h.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <asl/engine/bytes.h>
#include <asl/engine/error.h>
#include <asl/engine/filter_options.h>
#include <asl/engine/io.h>

#include "ingest/pattern.h"

namespace asl {

// Immutable once made; safe from any thread; costs nothing when made from empty options.
class SourceFilter {
 public:
  // A file whose presence in a directory leaves out everything else in it. It counts only as a regular file
  // that starts with `header`.
  struct Marker {
    std::string name;
    std::string header;
  };

  // Longer pattern files are refused: a mistake, not a list of patterns.
  static constexpr std::uint64_t kPatternFileMax = 16 << 20;

  SourceFilter() = default;  // leaves out nothing
  // kUsage for a pattern that is not one (naming it, and file and line if it came from a file); what reading
  // the pattern files gives.
  static Result<SourceFilter> make(io::Io& io, const FilterOptions& options);

  // True if the entry, and for a directory all below it, is left out. `path_in_source` is "a/b/c", relative
  // to the source's root, which itself is never asked about.
  bool excludes(std::string_view path_in_source, bool is_directory) const {
    return !patterns_.empty() && patterns_.matches(path_in_source, is_directory);
  }
  // For regular files.
  bool excludes_size(std::uint64_t size_bytes) const {
    return larger_than_bytes_ && size_bytes > *larger_than_bytes_;
  }
  // When a directory's listing holds a marker's name, the caller reads header.size() bytes of it and, if they
  // are `header`, keeps of that directory only itself and the marker.
  const std::vector<Marker>& markers() const { return markers_; }
  // The marker of that name whose header these first bytes satisfy, or null.
  const Marker* marker_in(std::string_view name, ByteSpan first_bytes) const;
  // Whether an entry of this name may be a marker; for looking through listings.
  bool is_marker_name(std::string_view name) const;
  bool empty() const { return patterns_.empty() && markers_.empty() && !larger_than_bytes_; }

 private:
  Result<void> add_file(io::Io& io, const std::string& path);

  PatternList patterns_;
  std::vector<Marker> markers_;
  std::optional<std::uint64_t> larger_than_bytes_;
};

}  // namespace asl
