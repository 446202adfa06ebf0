// The stat cache: what a path's content was when its inode looked exactly so. Lets an ingest skip reading
// what did not change (doc/index-cache.md).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <asl/engine/reference.h>
#include <asl/engine/store_writer.h>

#include "io/tree_fs.h"

namespace asl {

// One row: the identity of a regular file and what its bytes were.
struct StatRow {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size_bytes = 0;
  io::FileTime mtime;
  io::FileTime ctime;
  Reference content;
  std::uint64_t hole_bytes = 0;
  std::uint64_t epoch = 0;  // of the store; with another one the content is looked for first
  bool has_xattrs = false;  // an unchanged ctime means unchanged xattrs: none need not be listed again
};

Bytes encode_stat_row(const StatRow& row);
std::optional<StatRow> decode_stat_row(ByteSpan value);  // nothing for a row of another version or size

// The rows of one source. Thread-safe. Writes go through the session and become valid with its next commit.
class StatCache {
 public:
  // `source_key` tells sources apart: the absolute path, or what the user named the stream.
  StatCache(StoreWriter& writer, std::string_view source_key);

  // The rows of one directory in name order, read one after the other alongside a sorted listing.
  class DirectoryRows {
   public:
    // The row of `name`, which must sort after every name asked before. Rows passed over belong to names that
    // are gone; they are removed.
    std::optional<StatRow> find(std::string_view name);

   private:
    friend class StatCache;
    StatCache* cache_ = nullptr;
    Bytes prefix_;
    std::vector<std::pair<std::string, StatRow>> rows_;
    std::size_t next_ = 0;
  };
  // The rows from `first_name` to `last_name`, both included: one chunk of a directory's names.
  DirectoryRows directory(std::string_view path_in_source, std::string_view first_name,
                          std::string_view last_name);

  void put(std::string_view directory_path, std::string_view name, const StatRow& row);
  std::uint64_t epoch() const;

 private:
  Bytes row_prefix(std::string_view directory_path) const;

  StoreWriter* writer_;
  std::array<std::byte, 8> source_{};
};

}  // namespace asl
