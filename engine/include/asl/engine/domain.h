// One domain, opened for reading: its log replayed, its index, its artifacts. Readers take no lock; a
// StoreWriter (store_writer.h) is needed to change anything.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <asl/engine/block.h>
#include <asl/engine/bytes.h>
#include <asl/engine/error.h>
#include <asl/engine/host_root.h>
#include <asl/engine/io.h>
#include <asl/engine/log_state.h>
#include <asl/engine/reference.h>
#include <asl/engine/snapshot.h>
#include <asl/engine/tree.h>

namespace asl {

class View;         // src/store/view.h: one consistent state of log, segments and index
class BlockStore;   // src/block/
class BlockReader;  // src/block/

struct DomainOptions {
  VerifyReads verify = VerifyReads::kAlways;
  // Verified bytes kept in memory (windows of small extents and trees).
  std::size_t read_cache_bytes = 64 << 20;
  // False: segments and bloom files only, as on read-only media.
  bool use_index_cache = true;
  // Snapshots that are sealed get a snapshot of the file system as well (snapshot_pins.h).
  bool pin_snapshots = false;
};

// An artifact that was found. Cheap to copy; keeps the state it was found in alive.
class Artifact {
 public:
  const Reference& reference() const;
  std::uint64_t length() const;
  std::optional<std::uint32_t> type_tag() const;
  std::uint64_t extent_count() const;

  // Reads until `into` is full or the artifact ends; returns the bytes read. Every byte returned has passed
  // its check. kIntegrity names block file and offset (after other copies of the extent were tried).
  // Thread-safe.
  Result<std::size_t> read(std::uint64_t offset, MutableByteSpan into) const;

  // Bytes that were read, and what keeps them in memory: null where they lie in the caller's own.
  struct Piece {
    ByteSpan bytes;
    std::shared_ptr<const void> owner;
  };
  // As read(), without copying what lies in memory anyway: pieces of large extents point into the cache,
  // holes into shared zeros, only small extents go to `scratch`, whose size is how much is read.
  Result<std::size_t> read_pieces(std::uint64_t offset, MutableByteSpan scratch,
                                  std::vector<Piece>& pieces) const;

  // Has the large extents of a range ready for read_pieces(), as far as the cache has room: reading and
  // checking many together costs less. Says nothing of what fails. Thread-safe.
  void read_ahead(std::uint64_t offset, std::uint64_t length) const;

  struct Run {
    std::uint64_t offset;
    std::uint64_t length;
    bool hole;
  };
  // The data or hole run that `offset` lies in. Adjacent data extents are joined, up to kRunExtentsMax of
  // them.
  static constexpr std::uint32_t kRunExtentsMax = 1024;
  Result<Run> run_at(std::uint64_t offset) const;

  struct Impl;
  explicit Artifact(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  const Impl& impl() const { return *impl_; }

 private:
  std::shared_ptr<const Impl> impl_;
};

// What an argument like `7`, `latest`, `<label>` or `7:/path/inside` names.
struct SnapshotPath {
  std::uint64_t snapshot_id = 0;
  std::string path;  // "" or "a/b/c": no leading or trailing slash
};

class Domain {
 public:
  // Opens the domain in `directory`. Log corruption does not fail the open: what verifies is served and
  // corruption() says what does not. Missing or damaged caches never fail it. `io` must outlive the object.
  static Result<std::unique_ptr<Domain>> open(io::Io& io, const std::string& directory,
                                              const DomainOptions& options);
  ~Domain();

  const DomainId& id() const;
  std::string alias() const;
  const std::string& directory() const;
  io::Io& io() const;
  const DomainOptions& options() const;
  // Set if the log breaks its chain somewhere; the domain is then read-only for good.
  std::optional<Error> corruption() const;

  // Looks for newer commits. True if the state moved. Thread-safe; artifacts found earlier stay valid.
  Result<bool> refresh() const;
  // The replayed log. The pointer keeps its state alive across refresh.
  std::shared_ptr<const LogState> state() const;
  std::shared_ptr<const View> view() const;

  // kNotFound, kRefused (a tombstone), kIntegrity (its segment is damaged).
  Result<Artifact> find(const Reference& ref) const;
  // A reference shortened to a prefix; kUsage naming the candidates if several match.
  Result<Reference> resolve(std::string_view text) const;
  // The whole of a typed artifact, hashed whole before it is returned; kIntegrity if its tag is not
  // `type_tag`, kMalformed if longer than `size_max`.
  Result<Bytes> read_typed(const Reference& ref, std::uint32_t type_tag, std::uint64_t size_max) const;

  // Snapshots. kNotFound for unknown or forgotten ones.
  Result<Snapshot> snapshot(std::uint64_t id) const;
  Result<SnapshotPath> parse_snapshot_path(std::string_view text) const;

  BlockStore& blocks() const;
  BlockReader& block_reader() const;

  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  explicit Domain(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace asl
