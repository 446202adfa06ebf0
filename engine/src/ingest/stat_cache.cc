#include "ingest/stat_cache.h"

#include <algorithm>
#include <cstring>

#include <asl/engine/hash.h>

namespace asl {
namespace {

constexpr char kRowKind = 's';  // doc/index-cache.md lists the kinds of rows
constexpr std::size_t kSourceBytes = 8;
constexpr std::size_t kDirectoryBytes = 24;
constexpr std::size_t kPrefixBytes = 1 + kSourceBytes + kDirectoryBytes;

struct RowOnDisk {
  std::uint64_t device;
  std::uint64_t inode;
  std::uint64_t size_bytes;
  std::int64_t mtime_s;
  std::int64_t ctime_s;
  std::uint32_t mtime_ns;
  std::uint32_t ctime_ns;
  std::uint64_t hole_bytes;
  std::uint64_t epoch;
  std::uint16_t hash_id;
  std::uint8_t has_xattrs;
  std::uint8_t version;
  std::byte digest[32];
  std::byte zero[4];
};
constexpr std::uint8_t kRowVersion = 1;
static_assert(sizeof(RowOnDisk) == 104);

}  // namespace

Bytes encode_stat_row(const StatRow& row) {
  RowOnDisk disk{};
  disk.device = row.device;
  disk.inode = row.inode;
  disk.size_bytes = row.size_bytes;
  disk.mtime_s = row.mtime.seconds;
  disk.mtime_ns = row.mtime.nanoseconds;
  disk.ctime_s = row.ctime.seconds;
  disk.ctime_ns = row.ctime.nanoseconds;
  disk.hole_bytes = row.hole_bytes;
  disk.epoch = row.epoch;
  disk.hash_id = row.content.hash_id;
  disk.has_xattrs = row.has_xattrs ? 1 : 0;
  disk.version = kRowVersion;
  std::copy(row.content.digest.begin(), row.content.digest.end(), disk.digest);
  Bytes bytes(sizeof disk);
  std::memcpy(bytes.data(), &disk, sizeof disk);
  return bytes;
}

std::optional<StatRow> decode_stat_row(ByteSpan value) {
  RowOnDisk disk;
  if (value.size() != sizeof disk) return std::nullopt;
  std::memcpy(&disk, value.data(), sizeof disk);
  if (disk.version != kRowVersion || disk.has_xattrs > 1 || !all_zero(disk.zero)) return std::nullopt;
  StatRow row;
  row.device = disk.device;
  row.inode = disk.inode;
  row.size_bytes = disk.size_bytes;
  row.mtime = {disk.mtime_s, disk.mtime_ns};
  row.ctime = {disk.ctime_s, disk.ctime_ns};
  row.hole_bytes = disk.hole_bytes;
  row.epoch = disk.epoch;
  row.has_xattrs = disk.has_xattrs != 0;
  row.content.hash_id = disk.hash_id;
  std::copy(std::begin(disk.digest), std::end(disk.digest), row.content.digest.begin());
  return row;
}

StatCache::StatCache(StoreWriter& writer, std::string_view source_key) : writer_(&writer) {
  const Digest digest = sha256(as_bytes(source_key));
  std::copy_n(digest.begin(), source_.size(), source_.begin());
}

Bytes StatCache::row_prefix(std::string_view directory_path) const {
  static_assert(kPrefixBytes + 1 >= 34, "rows must be longer than the cache's own keys");
  const Digest digest = sha256(as_bytes(directory_path));
  Bytes key;
  key.reserve(2 * kPrefixBytes);
  key.push_back(static_cast<std::byte>(kRowKind));
  key.insert(key.end(), source_.begin(), source_.end());
  key.insert(key.end(), digest.begin(), digest.begin() + kDirectoryBytes);
  return key;
}

StatCache::DirectoryRows StatCache::directory(std::string_view path_in_source, std::string_view first_name,
                                              std::string_view last_name) {
  DirectoryRows rows;
  rows.cache_ = this;
  rows.prefix_ = row_prefix(path_in_source);
  Bytes from = rows.prefix_;
  const ByteSpan first = as_bytes(first_name);
  from.insert(from.end(), first.begin(), first.end());
  // A cache that cannot be read makes every file new, which is slow and right.
  static_cast<void>(writer_->for_each_cache_row(rows.prefix_, from, [&](ByteSpan key, ByteSpan value) {
    const std::string_view name = as_text(key.subspan(rows.prefix_.size()));
    if (name > last_name) return false;
    if (const auto row = decode_stat_row(value)) rows.rows_.emplace_back(name, *row);
    return true;
  }));
  return rows;
}

std::optional<StatRow> StatCache::DirectoryRows::find(std::string_view name) {
  while (next_ < rows_.size() && rows_[next_].first < name) {
    Bytes key = prefix_;
    const ByteSpan gone = as_bytes(rows_[next_].first);
    key.insert(key.end(), gone.begin(), gone.end());
    cache_->writer_->remove_cache_row(key);
    ++next_;
  }
  if (next_ == rows_.size() || rows_[next_].first != name) return std::nullopt;
  return rows_[next_++].second;
}

void StatCache::put(std::string_view directory_path, std::string_view name, const StatRow& row) {
  Bytes key = row_prefix(directory_path);
  const ByteSpan name_bytes = as_bytes(name);
  key.insert(key.end(), name_bytes.begin(), name_bytes.end());
  writer_->put_cache_row(key, encode_stat_row(row));
}

std::uint64_t StatCache::epoch() const {
  return writer_->cache_epoch();
}

}  // namespace asl
