#include "index/cache_database.h"

#include <algorithm>
#include <cstdarg>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/merge_operator.h>
#include <rocksdb/table.h>

#include "index/cache_entry.h"

namespace asl {
namespace {

// Two of these may be full at once (Debian's 7.8.3 can misorder data with more).
constexpr std::size_t kWriteBufferBytes = 32 << 20;
constexpr int kWriteBuffers = 2;
constexpr int kBackgroundJobs = 2;
// Each open table costs a descriptor and a little memory; 100 million references are about 150 tables.
constexpr int kOpenTablesMax = 512;
// Shards of the list of open tables. With RocksDB's own 64, each would have room for so few that some tables
// were opened again and again.
constexpr int kOpenTablesShardBits = 2;
constexpr std::uint64_t kTableBytes = 64 << 20;
// Digests next to each other have nothing in common: a block serves one look-up and is not worth memory.
// Larger blocks have a smaller index, which stays in memory beside the filters.
constexpr std::size_t kBlockBytes = 16384;
// A filter or an index is read and kept in pieces of this size.
constexpr std::size_t kFilterPieceBytes = 16384;
// Of absent keys about 1 in 1000 costs a read.
constexpr double kFilterBitsPerKey = 14;  // of a Bloom filter; a Ribbon filter does the same with 10.6
// Ribbon filters in fresh tables too: filling from a segment makes tables that are moved down as they are.
constexpr int kBloomBeforeLevel = -1;
// Filters and index blocks may fill this part of the cache before they push each other out.
constexpr double kHighPriorityPart = 0.9;
constexpr int kCacheShardBits = 4;

// Adds an entry to a digest without reading what is there: the newest entry of each kind wins.
class EntryMerge : public rocksdb::MergeOperator {
 public:
  bool FullMergeV2(const MergeOperationInput& in, MergeOperationOutput* out) const override {
    CacheEntries entries;
    for (auto operand = in.operand_list.rbegin(); operand != in.operand_list.rend(); ++operand)
      if (!add_missing_entries(operand->ToStringView(), entries)) return false;
    if (in.existing_value != nullptr && !add_missing_entries(in.existing_value->ToStringView(), entries))
      return false;
    out->new_value = encode_entries(entries);
    return true;
  }
  bool PartialMergeMulti(const rocksdb::Slice&, const std::deque<rocksdb::Slice>& operands,
                         std::string* merged, rocksdb::Logger*) const override {
    CacheEntries entries;
    for (auto operand = operands.rbegin(); operand != operands.rend(); ++operand)
      if (!add_missing_entries(operand->ToStringView(), entries)) return false;
    *merged = encode_entries(entries);
    return true;
  }
  const char* Name() const override { return "asl.entries.1"; }
};

// RocksDB's own log file is not written. Nobody reads it, and Debian's build asserts that a file which could
// not be written is not written to again: where the disk is full, the second line of that log would end the
// process.
class NoLog : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

rocksdb::BlockBasedTableOptions table_options(const std::shared_ptr<rocksdb::Cache>& block_cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = block_cache;
  table.block_size = kBlockBytes;
  table.format_version = 5;
  table.filter_policy.reset(rocksdb::NewRibbonFilterPolicy(kFilterBitsPerKey, kBloomBeforeLevel));
  table.whole_key_filtering = true;
  table.metadata_block_size = kFilterPieceBytes;
  table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  table.partition_filters = true;
  table.cache_index_and_filter_blocks = true;
  table.cache_index_and_filter_blocks_with_high_priority = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.pin_top_level_index_and_filter = true;
  return table;
}

rocksdb::Options database_options(const std::shared_ptr<rocksdb::Cache>& block_cache) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.write_buffer_size = kWriteBufferBytes;
  options.max_write_buffer_number = kWriteBuffers;
  options.max_background_jobs = kBackgroundJobs;
  options.max_subcompactions = 1;
  options.max_open_files = kOpenTablesMax;
  options.table_cache_numshardbits = kOpenTablesShardBits;
  options.target_file_size_base = kTableBytes;
  options.level_compaction_dynamic_level_bytes = true;
  // Digests and offsets do not compress.
  options.compression = rocksdb::kNoCompression;
  options.bottommost_compression = rocksdb::kNoCompression;
  options.merge_operator = std::make_shared<EntryMerge>();
  options.allow_mmap_reads = false;
  options.allow_mmap_writes = false;
  options.info_log = std::make_shared<NoLog>();
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table_options(block_cache)));
  return options;
}

}  // namespace

std::size_t cache_bytes_for(std::uint64_t keys) {
  const std::uint64_t counted = std::min<std::uint64_t>(keys, kCacheBytesMax);
  return static_cast<std::size_t>(
      std::min<std::uint64_t>(kCacheBytesBase + counted * kCacheBitsPerKey / 8, kCacheBytesMax));
}

Error database_error(const rocksdb::Status& status, std::string message, const std::string& path) {
  Error error;
  error.message = std::move(message) + " (" + status.ToString() + ")";
  error.path = path;
  // The lock file is the only thing that RocksDB reports as an I/O error although nothing is wrong with the
  // files.
  const bool lock = status.IsIOError() && status.ToString().find(path + "/LOCK") != std::string::npos;
  if (status.IsNoSpace())
    error.code = ErrorCode::kNoSpace;
  else if (status.IsBusy() || lock)
    error.code = ErrorCode::kLocked;
  else
    error.code = ErrorCode::kIntegrity;
  return error;
}

Result<CacheDatabase> open_cache_database(const std::string& directory, std::uint64_t keys) {
  CacheDatabase opened;
  constexpr bool kStrictCapacity = false;
  opened.block_cache =
      rocksdb::NewLRUCache(cache_bytes_for(keys), kCacheShardBits, kStrictCapacity, kHighPriorityPart);
  rocksdb::DB* db = nullptr;
  const auto status = rocksdb::DB::Open(database_options(opened.block_cache), directory, &db);
  if (!status.ok()) return fail(database_error(status, "cannot open the index cache", directory));
  opened.db.reset(db);
  return opened;
}

}  // namespace asl
