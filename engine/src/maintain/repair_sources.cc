#include "maintain/repair_sources.h"

#include <filesystem>
#include <sys/stat.h>
#include <utility>

#include <asl/engine/hash.h>
#include <asl/engine/host_root.h>

#include "block/block_store.h"
#include "maintain/readable_extents.h"
#include "store/domain_layout.h"
#include "store/view.h"

namespace asl {
namespace {

constexpr std::size_t kCopyBufferBytes = 1 << 20;
// Copies of one extent that are worth remembering: one good one is enough.
constexpr std::size_t kCopiesMax = 4;

bool is_store(io::Io& io, const std::string& path) {
  return io::exists(io, path + "/layout") && io::exists(io, path + "/log");
}

// The SHA-256 of `from`; its bytes in a new file `to`, synced, unless that is empty.
Result<Digest> copy_file(io::Io& io, const std::string& from, const std::string& to) {
  ASL_ASSIGN(const io::File source, io.open(from, {}));
  io::File target;
  if (!to.empty()) {
    ASL_ASSIGN(target, io.open(to, {.write = true, .create_new = true}));
  }
  AlignedBuffer buffer(kCopyBufferBytes);
  Sha256 hash;
  for (std::uint64_t at = 0;;) {
    ASL_ASSIGN(const std::size_t got, io.read(source, buffer.span(), at));
    if (got == 0) break;
    hash.update(buffer.span().first(got));
    if (target) ASL_TRY(io.write(target, buffer.span().first(got), at));
    at += got;
  }
  if (target) ASL_TRY(io.sync(target));
  return hash.finish();
}

}  // namespace

bool read_foreign(io::Io& io, const std::string& path, std::uint64_t offset, MutableByteSpan into) {
  const auto file = io.open(path, {.no_atime = true, .no_wait = true});
  if (!file) return false;
  const auto status = io.status(*file);
  if (!status || (!S_ISREG(status->st_mode) && !S_ISBLK(status->st_mode))) return false;
  const auto got = io.read(*file, into, offset);
  return got && *got == into.size();
}

Result<std::unique_ptr<RepairSources>> RepairSources::open(io::Io& io, const std::vector<std::string>& places,
                                                           const std::string& own) {
  if (places.empty()) return fail(ErrorCode::kUsage, "repair needs a place to take the bytes from");
  std::unique_ptr<RepairSources> sources(new RepairSources(io));
  for (const std::string& place : places) ASL_TRY(sources->open_place(place, own));
  return sources;
}

Result<void> RepairSources::open_place(const std::string& place, const std::string& own) {
  if (is_store(io_, place)) return open_store(place, own);
  if (io::exists(io_, place + "/host/layout")) {
    ASL_ASSIGN(const HostRoot root, HostRoot::open(io_, place));
    ASL_ASSIGN(const std::vector<DomainPlace> domains, root.places());
    for (const DomainPlace& domain : domains) ASL_TRY(open_store(domain.directory, own));
    return {};
  }
  ASL_TRY(io_.status(place));
  file_places_.push_back(place);
  return {};
}

Result<void> RepairSources::open_store(const std::string& directory, const std::string& own) {
  std::error_code failed;
  if (std::filesystem::equivalent(directory, own, failed))
    return fail(Error{.code = ErrorCode::kUsage,
                      .message = "a store cannot be repaired from itself",
                      .path = directory,
                      .hint = "name another store, or a place with the original files"});
  ASL_ASSIGN(auto domain, Domain::open(io_, directory, {}));
  stores_.push_back(std::move(domain));
  return {};
}

Result<std::optional<std::string>> RepairSources::copy_segment(const Digest& hash, SegmentNumber number,
                                                               const std::string& to) {
  for (const auto& store : stores_) {
    const SegmentStore segments(io_, DomainLayout(store->directory()).store());
    const std::string path = segments.segment_path(number);
    if (!io::exists(io_, path)) continue;
    const auto copied = copy_file(io_, path, to);
    if (copied && *copied == hash) return path;
    if (!to.empty() && io::exists(io_, to)) ASL_TRY(io_.remove(to));
    // A full disk here is no fault of the source.
    if (!copied && copied.error().code == ErrorCode::kNoSpace) return fail(copied.error());
  }
  return std::nullopt;
}

std::optional<BlockMeta> RepairSources::meta_of(const BlockId& id) const {
  for (const auto& store : stores_)
    if (auto meta = store->blocks().read_meta(id)) return std::move(*meta);
  return std::nullopt;
}

std::optional<FoundBytes> RepairSources::stored_extent(const BlockId& id, const StoredExtent& extent) const {
  Bytes bytes(extent.stored_length_bytes);
  for (const auto& store : stores_) {
    const std::string path = store->blocks().path_of(id);
    if (!read_foreign(io_, path, extent.offset_bytes, bytes)) continue;
    if (sha256(bytes) == extent.stored_digest) return FoundBytes{std::move(bytes), path};
  }
  return std::nullopt;
}

Result<void> RepairSources::look_for(const DigestSet& wanted, const StopToken& stop) {
  if (wanted.empty()) return {};
  if (own_ != nullptr) ASL_TRY(look_in(*own_, wanted, stop));
  for (const auto& store : stores_) ASL_TRY(look_in(*store, wanted, stop));
  return {};
}

// A segment that cannot be read there is passed over.
Result<void> RepairSources::look_in(const Domain& domain, const DigestSet& wanted, const StopToken& stop) {
  return visit_readable_extents(
      *domain.view()->index, stop,
      [&](const RecordHandle&, const BlockId& block, const ExtentRecord& extent) {
        if (wanted.contains(extent.digest) && found_.count(extent.digest) < kCopiesMax)
          found_.emplace(extent.digest, StorePlace{&domain, locate(extent, block).location});
      });
}

void RepairSources::add_bytes(const Digest& digest, Bytes bytes, std::string source) {
  found_.emplace(digest, FoundBytes{std::move(bytes), std::move(source)});
}

void RepairSources::add_file_range(const Digest& digest, std::string path, std::uint64_t offset,
                                   std::uint32_t length) {
  found_.emplace(digest, FilePlace{std::move(path), offset, length});
}

bool RepairSources::has(const Digest& digest) {
  if (good_.contains(digest)) return true;
  if (!raw(digest)) return false;
  good_.insert(digest);
  return true;
}

std::optional<FoundBytes> RepairSources::raw(const Digest& digest) const {
  const auto [first, last] = found_.equal_range(digest);
  for (auto at = first; at != last; ++at) {
    auto found = read(at->second);
    if (found && sha256(found->bytes) == digest) return found;
  }
  return std::nullopt;
}

std::optional<FoundBytes> RepairSources::read(const Place& place) const {
  if (const auto* const bytes = std::get_if<FoundBytes>(&place)) return *bytes;
  if (const auto* const file = std::get_if<FilePlace>(&place)) {
    Bytes bytes(file->length);
    if (!read_foreign(io_, file->path, file->offset, bytes)) return std::nullopt;
    return FoundBytes{std::move(bytes), file->path};
  }
  const auto& [domain, location] = std::get<StorePlace>(place);
  // Without a cache: a copy in the store itself may have gone bad since it was read.
  BlockReader reader(domain->blocks(), {.cache_bytes = 0});
  Bytes bytes(location.raw_length_bytes);
  if (!reader.read(location, bytes)) return std::nullopt;
  return FoundBytes{std::move(bytes), domain == own_ ? "the store itself" : domain->directory()};
}

}  // namespace asl
