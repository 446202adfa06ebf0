#include "block/block_store.h"

#include <algorithm>
#include <cerrno>
#include <set>
#include <sys/random.h>
#include <sys/stat.h>

#include <asl/engine/hash.h>

#include "block/block_scan.h"

namespace asl {
namespace {

// Names are 64 random bits: a clash is a reason to look for a broken generator, not to try for ever.
constexpr int kTempAttemptsMax = 8;
constexpr std::size_t kRandomNameBytes = 8;

Result<std::string> random_name() {
  std::array<std::byte, kRandomNameBytes> random;
  if (getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size()))
    return fail(system_error(errno, "cannot get random bytes for a file name"));
  return "block-" + to_hex(random);
}

Error named(Error error, const BlockId& id) {
  error.object = "block " + to_hex(id);
  return error;
}

Error missing(const BlockId& id, std::string path) {
  Error error = system_error(ENOENT, "a block is missing", std::move(path));
  error.hint = "ingest the original again: the bytes are put back by their hash";
  return named(std::move(error), id);
}

Error named_or_missing(Error error, const BlockId& id, const std::string& path) {
  if (error.code == ErrorCode::kNotFound) return missing(id, path);
  return named(std::move(error), id);
}

Result<void> make_directory_if_missing(io::Io& io, const std::string& path) {
  auto made = io.make_directory(path);
  if (!made && made.error().sys_errno == EEXIST) return {};
  return made;
}

// A file of `bytes` at `path`, which must not exist, synced.
Result<void> write_new_file(io::Io& io, const std::string& path, ByteSpan bytes) {
  ASL_ASSIGN(const io::File file, io.open(path, {.write = true, .create_new = true}));
  ASL_TRY(io.write(file, bytes, 0));
  return io.sync_data(file);
}

std::string hex_of_byte(unsigned value) {
  const std::byte byte{static_cast<unsigned char>(value)};
  return to_hex({&byte, 1});
}

}  // namespace

BlockStore::BlockStore(io::Io& io, std::string directory, std::size_t open_files_max)
    : io_(io), directory_(std::move(directory)), open_files_max_(open_files_max) {}

BlockStore::~BlockStore() = default;

Result<void> BlockStore::create_directories() {
  const std::string blocks = directory_ + "/blocks";
  ASL_TRY(make_directory_if_missing(io_, blocks));
  for (unsigned i = 0; i < 256; ++i) ASL_TRY(make_directory_if_missing(io_, blocks + "/" + hex_of_byte(i)));
  ASL_TRY(make_directory_if_missing(io_, temp_directory()));
  ASL_TRY(io_.sync_directory(blocks));
  return io_.sync_directory(directory_);
}

std::string BlockStore::directory_of(const BlockId& id) const {
  return directory_ + "/blocks/" + to_hex(digest_bytes(id).first(1));
}
std::string BlockStore::path_of(const BlockId& id) const {
  return directory_of(id) + "/" + to_hex(id) + ".bin";
}
std::string BlockStore::meta_path_of(const BlockId& id) const {
  return directory_of(id) + "/" + to_hex(id) + ".meta";
}
std::string BlockStore::temp_directory() const {
  return directory_ + "/tmp";
}

Result<std::shared_ptr<const io::File>> BlockStore::open(const BlockId& id) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = open_.find(id); found != open_.end()) {
      recent_.splice(recent_.begin(), recent_, found->second);
      return found->second->file;
    }
  }
  // Not under the lock: opening may have to wait for the disk. Two threads may open the same block; the first
  // one's handle is kept.
  const std::string path = path_of(id);
  auto opened = io_.open(path, {.direct = true});
  if (!opened) return fail(named_or_missing(std::move(opened).error(), id, path));
  auto file = std::make_shared<const io::File>(std::move(*opened));

  const std::lock_guard lock(mutex_);
  if (const auto found = open_.find(id); found != open_.end()) return found->second->file;
  recent_.push_front({id, file});
  open_[id] = recent_.begin();
  if (recent_.size() > open_files_max_) {
    open_.erase(recent_.back().id);
    recent_.pop_back();
  }
  return file;
}

void BlockStore::forget(const BlockId& id) {
  const std::lock_guard lock(mutex_);
  const auto found = open_.find(id);
  if (found == open_.end()) return;
  recent_.erase(found->second);
  open_.erase(found);
}

Result<std::uint64_t> BlockStore::length_of(const BlockId& id) {
  const std::string path = path_of(id);
  auto status = io_.status(path);
  if (!status) return fail(named_or_missing(std::move(status).error(), id, path));
  return static_cast<std::uint64_t>(status->st_size);
}

Result<void> BlockStore::check_length(const BlockId& id, std::uint64_t length_bytes) {
  ASL_ASSIGN(const std::uint64_t length, length_of(id));
  if (length != length_bytes)
    return fail(named(integrity_error("a block does not have the length it was sealed with", path_of(id),
                                      std::min(length, length_bytes)),
                      id));
  return {};
}

Result<BlockMeta> BlockStore::read_meta(const BlockId& id) {
  const std::string path = meta_path_of(id);
  auto bytes = io::read_file(io_, path, kBlockMetaSizeMax);
  if (!bytes && bytes.error().code == ErrorCode::kMalformed)
    return fail(named(integrity_error("a block's metadata is too large", path, kBlockMetaSizeMax), id));
  if (!bytes) return fail(named(std::move(bytes).error(), id));
  if (block_id_of(*bytes) != id)
    return fail(named(integrity_error("a block's metadata does not match the block's id", path, 0), id));
  auto meta = decode_block_meta(*bytes);
  if (!meta) return fail(named(std::move(meta).error().with_path(path), id));
  return meta;
}

Result<BlockListing> BlockStore::list() {
  BlockListing listing;
  const std::string blocks = directory_ + "/blocks";
  ASL_ASSIGN(const auto directories, io_.list(blocks));
  for (const io::ListedEntry& directory : directories) {
    const std::string path = blocks + "/" + directory.name;
    std::array<std::byte, 1> first;
    if (!from_hex(directory.name, first)) {
      listing.strangers.push_back(path);
      continue;
    }
    ASL_ASSIGN(const auto files, io_.list(path));
    for (const io::ListedEntry& file : files) {
      const std::string_view name = file.name;
      const auto dot = std::min(name.find('.'), name.size());
      const auto id = digest_from_hex(name.substr(0, dot));
      const bool placed = id && (*id)[0] == first[0];
      if (placed && name.substr(dot) == ".bin")
        listing.blocks.push_back(*id);
      else if (placed && name.substr(dot) == ".meta")
        listing.metas.push_back(*id);
      else
        listing.strangers.push_back(path + "/" + file.name);
    }
  }
  std::ranges::sort(listing.blocks);
  std::ranges::sort(listing.metas);
  std::ranges::sort(listing.strangers);
  return listing;
}

Result<TempBlock> BlockStore::create_temp() {
  for (int attempt = 1;; ++attempt) {
    ASL_ASSIGN(const std::string name, random_name());
    std::string path = temp_directory() + "/" + name + ".open";
    auto file = io_.open(path, {.write = true, .create_new = true, .direct = true});
    if (file) return TempBlock{std::move(*file), std::move(path)};
    if (file.error().sys_errno != EEXIST || attempt == kTempAttemptsMax) return fail(std::move(file).error());
  }
}

Result<void> BlockStore::stage_meta(SealedBlock& block) {
  ASL_ASSIGN(const std::string name, random_name());
  block.temp_meta_path = temp_directory() + "/" + name + ".meta";
  return write_new_file(io_, block.temp_meta_path, block.meta_bytes);
}

Result<bool> BlockStore::existing_verifies(const SealedBlock& block) {
  const std::string path = path_of(block.id);
  // Its own handle: one that is kept open may belong to a file that was replaced since.
  const auto file = io_.open(path, {.direct = true});
  if (!file) return false;
  ASL_ASSIGN(const bool good, block_verifies(io_, *file, path, block.meta));
  // It may have come into place with a writer that died before its directory was synced; what it holds was
  // read back, and this makes sure that it is on the medium.
  return good && io_.sync_data(*file).has_value();
}

Result<Installed> BlockStore::install(const SealedBlock& block) {
  const std::string path = path_of(block.id);
  Installed outcome = Installed::kNew;
  if (auto renamed = io_.rename(block.temp_path, path, false); !renamed) {
    if (renamed.error().sys_errno != EEXIST) return fail(named(std::move(renamed).error(), block.id));
    ASL_ASSIGN(const bool keep, existing_verifies(block));
    if (keep) {
      outcome = Installed::kKept;
      ASL_TRY(io_.remove(block.temp_path));
    } else {
      outcome = Installed::kReplaced;
      ASL_TRY(io_.rename(block.temp_path, path, true));
      forget(block.id);
    }
  }
  // Metadata follows from the id, so nothing but the same bytes, or damaged ones, can be replaced here.
  ASL_TRY(io_.rename(block.temp_meta_path, meta_path_of(block.id), true));
  return outcome;
}

Result<void> BlockStore::sync_directories(std::span<const BlockId> ids) {
  std::set<std::string> directories;
  for (const BlockId& id : ids) directories.insert(directory_of(id));
  for (const std::string& directory : directories) ASL_TRY(io_.sync_directory(directory));
  return {};
}

void BlockStore::discard(const SealedBlock& block) {
  (void)io_.remove(block.temp_path);
  if (!block.temp_meta_path.empty()) (void)io_.remove(block.temp_meta_path);
}

Result<void> BlockStore::write_meta(const BlockId& id, ByteSpan meta_bytes) {
  if (block_id_of(meta_bytes) != id)
    return fail(ErrorCode::kUsage, "these are not the metadata of this block");
  ASL_ASSIGN(const std::string name, random_name());
  const std::string temp_path = temp_directory() + "/" + name + ".meta";
  ASL_TRY(write_new_file(io_, temp_path, meta_bytes));
  ASL_TRY(io_.rename(temp_path, meta_path_of(id), true));
  return io_.sync_directory(directory_of(id));
}

Result<void> BlockStore::remove(const BlockId& id) {
  forget(id);
  auto meta = io_.remove(meta_path_of(id));
  if (!meta && meta.error().code != ErrorCode::kNotFound) return fail(named(std::move(meta).error(), id));
  const std::string path = path_of(id);
  if (auto removed = io_.remove(path); !removed)
    return fail(named_or_missing(std::move(removed).error(), id, path));
  return {};
}

}  // namespace asl
