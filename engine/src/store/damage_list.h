// store/damaged: extents and index segments that were found damaged and not yet healed.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include <asl/engine/block.h>
#include <asl/engine/bytes.h>
#include <asl/engine/error.h>
#include <asl/engine/io.h>

#include "index/segment_store.h"

namespace asl {

// A line a place: "<digest> <block id> <offset>\n", hex and decimal, or "segment <number>\n". A line that is
// not of this form ends what is believed of the file (an append was cut short); an extent missing from it is
// only found damaged once more. Thread-safe. The list is short: it holds damage, not data.
class DamageList {
 public:
  // A list beyond this is a dying disk, not a list; what does not fit is left out.
  static constexpr std::uint64_t kFileSizeMax = 64ULL << 20;

  // Reads the file; a missing one is empty.
  static Result<DamageList> load(io::Io& io, const std::string& path);
  DamageList(DamageList&& other) noexcept;

  // Appends one place, unsynced (it is a memory aid, the disk says the same again). For readers and writers
  // alike; a store that cannot be written to is no error.
  static void report(io::Io& io, const std::string& path, const ExtentLocation& extent);
  static void report(io::Io& io, const std::string& path, SegmentNumber segment);

  bool contains(const Digest& digest) const;
  // Whether a place in this block is listed.
  bool names(const BlockId& block) const;
  // Of extents and segments alike.
  bool empty() const { return size_.load(std::memory_order_relaxed) == 0; }
  // The blocks and the digests of all places listed.
  std::set<BlockId> blocks() const;
  std::set<Digest> digests() const;
  void add(const ExtentLocation& extent);
  // A good copy is durable elsewhere. save() writes the shortened list.
  void heal(const Digest& digest);
  // Forgets places in blocks that are gone.
  void keep_only(const std::function<bool(const BlockId&)>& is_there);

  // Segments that somebody could not read whole. Whether that still holds is for the caller to find out.
  std::set<SegmentNumber> segments() const;
  void add(SegmentNumber segment);
  void heal(SegmentNumber segment);

  Result<void> save(io::Io& io, const std::string& path);

 private:
  DamageList() = default;
  bool take(std::string_view line);
  struct Place {
    BlockId block{};
    std::uint32_t offset_bytes = 0;
  };
  mutable std::mutex mutex_;
  std::unordered_multimap<Digest, Place, DigestHash> places_;
  std::set<SegmentNumber> segments_;
  std::atomic<std::size_t> size_{0};
  bool changed_ = false;
};

}  // namespace asl
