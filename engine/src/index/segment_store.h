// Where the segments and bloom files of a domain lie. No other code knows their names.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <asl/engine/error.h>
#include <asl/engine/io.h>

namespace asl {

// A segment's number within its store: decimal in the file name, never reused.
using SegmentNumber = std::uint64_t;

// Stateless; thread-safe. `io` must outlive it.
class SegmentStore {
 public:
  // `store_directory` is <domain>/store.
  SegmentStore(io::Io& io, const std::string& store_directory);

  io::Io& io() const { return *io_; }
  std::string segment_path(SegmentNumber number) const;
  std::string bloom_path(SegmentNumber number) const;
  // Where each is written before it gets its name; on the same file system.
  std::string segment_tmp_path(SegmentNumber number) const;
  std::string bloom_tmp_path(SegmentNumber number) const;

  // Gives a written and synced segment its final name. Never replaces one (kIo, EEXIST). Durable only after
  // sync_directory().
  Result<void> publish_segment(SegmentNumber number) const;
  Result<void> sync_directory() const;
  // Bloom files are derived: this replaces, and is not synced.
  Result<void> publish_bloom(SegmentNumber number) const;

  // Removes a segment and its bloom file; what is missing already is no error. Not synced.
  Result<void> remove(SegmentNumber number) const;

  struct Listing {
    std::vector<SegmentNumber> segments;  // ascending
    std::vector<SegmentNumber> blooms;    // ascending
    std::vector<std::string> foreign;     // names that are neither
  };
  Result<Listing> list() const;

 private:
  io::Io* io_;
  std::string index_directory_;
  std::string tmp_directory_;
};

// The number in "segment-<n>.idx", in its one decimal spelling.
std::optional<SegmentNumber> parse_segment_name(std::string_view name);
std::optional<SegmentNumber> parse_bloom_name(std::string_view name);

}  // namespace asl
