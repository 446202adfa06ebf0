#include "index/page_cache.h"

#include <algorithm>

namespace asl {

std::size_t PageCache::KeyHash::operator()(const Key& key) const noexcept {
  std::uint64_t mixed = (key.page + 1) * 0x9E3779B97F4A7C15ULL ^ key.file * 0xC2B2AE3D27D4EB4FULL;
  return mixed ^ (mixed >> 29);
}

PageCache::PageCache(std::size_t bytes_max)
    : pages_per_shard_(std::max<std::size_t>(1, bytes_max / kPageSize / kShards)) {}

PageCache::PagePtr PageCache::find(std::uint64_t file_key, std::uint64_t page) {
  const Key key{file_key, page};
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  const auto at = shard.slots.find(key);
  if (at == shard.slots.end()) return nullptr;
  shard.recent.splice(shard.recent.begin(), shard.recent, at->second);
  return at->second->content;
}

void PageCache::insert(std::uint64_t file_key, std::uint64_t page, PagePtr content) {
  const Key key{file_key, page};
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  if (shard.slots.contains(key)) return;  // another thread read it at the same time
  if (shard.slots.size() >= pages_per_shard_) {
    shard.slots.erase(shard.recent.back().key);
    shard.recent.pop_back();
  }
  shard.recent.push_front({key, std::move(content)});
  shard.slots.emplace(key, shard.recent.begin());
}

std::size_t PageCache::page_count() const {
  std::size_t count = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    count += shard.slots.size();
  }
  return count;
}

}  // namespace asl
