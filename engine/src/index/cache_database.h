// The RocksDB database under IndexCache: how it is set up, and what its failures mean.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <string>

#include <asl/engine/error.h>

namespace asl {

// The block cache holds filters and index blocks (kept before data): 11.1 bits a key, and what its
// bookkeeping takes. Bounded, because a process stays under 512 MiB.
inline constexpr std::size_t kCacheBytesBase = 16 << 20;
inline constexpr std::size_t kCacheBitsPerKey = 13;
inline constexpr std::size_t kCacheBytesMax = 256 << 20;
std::size_t cache_bytes_for(std::uint64_t keys);

struct CacheDatabase {
  std::shared_ptr<rocksdb::Cache> block_cache;  // outlives the database
  std::unique_ptr<rocksdb::DB> db;
};

// Opens or creates. kLocked if it is open elsewhere, kNoSpace; kIntegrity for what dropping it would cure.
Result<CacheDatabase> open_cache_database(const std::string& directory, std::uint64_t keys);

// `path` is the database's directory.
Error database_error(const rocksdb::Status& status, std::string message, const std::string& path);

}  // namespace asl
