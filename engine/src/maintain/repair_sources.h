// Where repair looks for bytes: other stores, and files.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

#include <asl/engine/domain.h>
#include <asl/engine/stop.h>

#include "block/block_reader.h"
#include "format/block_meta.h"
#include "index/segment_store.h"

namespace asl {

// Bytes by the SHA-256 of what they decode to.
using DigestSet = std::unordered_set<Digest, DigestHash>;

struct FoundBytes {
  Bytes bytes;
  std::string source;  // for people
};

// Everything it gives was hashed on the way and is right. What cannot be read in a place is as good as not
// there. One thread. Memory: a few hundred bytes for each wanted extent.
class RepairSources {
 public:
  // kNotFound for a place that is not there; kUsage if one is `own` itself. `io` must outlive the object.
  static Result<std::unique_ptr<RepairSources>> open(io::Io& io, const std::vector<std::string>& places,
                                                     const std::string& own);

  // Places that are no stores: directories, files, devices.
  const std::vector<std::string>& file_places() const { return file_places_; }
  const std::vector<std::unique_ptr<Domain>>& stores() const { return stores_; }

  // The file of a segment with this hash, copied to `to` (which must not exist), synced; with an empty `to`
  // it is only looked for. The source's path; nothing if no store has it.
  Result<std::optional<std::string>> copy_segment(const Digest& hash, SegmentNumber number,
                                                  const std::string& to);
  // A block's metadata, as it must be by the block's id.
  std::optional<BlockMeta> meta_of(const BlockId& id) const;
  // An extent as it lies in the very same block of another store.
  std::optional<FoundBytes> stored_extent(const BlockId& id, const StoredExtent& extent) const;

  // Looks for extents with these digests in the index of every store, and in what was added: each store's
  // segments are read once. Finding them is not believing them: raw() reads and checks.
  Result<void> look_for(const DigestSet& wanted, const StopToken& stop);
  // Bytes that may be wanted, for the looking that follows: `own` (the store under repair, whose other copies
  // of an extent will do), single pieces, and ranges of files.
  void add_own(const Domain& own) { own_ = &own; }
  void add_bytes(const Digest& digest, Bytes bytes, std::string source);
  void add_file_range(const Digest& digest, std::string path, std::uint64_t offset, std::uint32_t length);
  // Whether some place gave the bytes with this digest.
  bool has(const Digest& digest);
  // The bytes with this digest; nothing if no place gives them.
  std::optional<FoundBytes> raw(const Digest& digest) const;

 private:
  struct StorePlace {
    const Domain* domain;
    ExtentLocation location;
  };
  struct FilePlace {
    std::string path;
    std::uint64_t offset;
    std::uint32_t length;
  };
  using Place = std::variant<StorePlace, FilePlace, FoundBytes>;

  RepairSources(io::Io& io) : io_(io) {}
  Result<void> open_place(const std::string& place, const std::string& own);
  Result<void> open_store(const std::string& directory, const std::string& own);
  Result<void> look_in(const Domain& domain, const DigestSet& wanted, const StopToken& stop);
  std::optional<FoundBytes> read(const Place& place) const;

  io::Io& io_;
  std::vector<std::unique_ptr<Domain>> stores_;
  std::vector<std::string> file_places_;
  const Domain* own_ = nullptr;
  std::unordered_multimap<Digest, Place, DigestHash> found_;
  DigestSet good_;  // read and right at some time
};

// Reads up to `into.size()` bytes of a file or device that is not the store's; false if that many cannot be
// had.
bool read_foreign(io::Io& io, const std::string& path, std::uint64_t offset, MutableByteSpan into);

}  // namespace asl
