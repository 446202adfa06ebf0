#include "maintain/file_finder.h"

#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <sys/stat.h>
#include <utility>

#include <asl/engine/hash.h>
#include <asl/engine/partial.h>
#include <asl/engine/tree_walk.h>

#include "block/cutter.h"

namespace asl {
namespace {

namespace fs = std::filesystem;

// Holds several extents, so that little is moved.
constexpr std::size_t kWindowBytes = 8 * kCutMax;

bool is_directory(io::Io& io, const std::string& path) {
  const auto file = io.open(path, {.directory = true});
  return file.has_value();
}

bool is_regular(io::Io& io, const std::string& path) {
  const auto status = io.status(path);
  return status && S_ISREG(status->st_mode);
}

}  // namespace

// The place may be the source itself, something restored from it, a backup of the machine it was on, a
// mounted snapshot or a directory of them, or the file.
std::vector<std::string> FileFinder::candidates(const Snapshot& snapshot, const std::string& path) const {
  std::vector<std::string> found;
  for (const std::string& place : sources_.file_places()) {
    if (!is_directory(io_, place)) {
      found.push_back(place);
      continue;
    }
    std::vector<std::string> names{path, fmt::format("snapshots/{}/{}", snapshot.snapshot_id, path)};
    for (const SnapshotRoot& root : snapshot.roots) {
      const bool alone = snapshot.roots.size() == 1 && root.entry.type == EntryType::kDirectory;
      if (alone) {
        names.push_back(root.source_path + "/" + path);
        names.push_back(fs::path(root.source_path).filename().string() + "/" + path);
      } else if (path == root.entry.name) {
        names.push_back(root.source_path);
      } else if (path.starts_with(root.entry.name + "/")) {
        names.push_back(root.source_path + path.substr(root.entry.name.size()));
      }
    }
    for (const std::string& name : names) {
      // A source's path is what somebody typed; one that climbs is not followed.
      if (("/" + name + "/").find("/../") != std::string::npos) continue;
      const std::string candidate = place + "/" + name;
      if (is_regular(io_, candidate)) found.push_back(candidate);
    }
  }
  return found;
}

Result<void> FileFinder::look_by_path(const NamedExtents& named) {
  if (sources_.file_places().empty()) return {};
  WantedOf wanted;
  for (const auto& [place, extent] : named) {
    if (sources_.has(extent.location.digest)) continue;
    for (const auto& [ref, offset] : extent.uses)
      wanted[ref].push_back({extent.location.digest, offset, extent.location.raw_length_bytes});
  }
  if (wanted.empty()) return {};
  for (const auto& [id, anchor] : domain_.state()->snapshots()) {
    if (anchor.forgotten) continue;
    const auto snapshot = domain_.snapshot(id);
    if (snapshot) ASL_TRY(look_in_snapshot(*snapshot, wanted));
  }
  return {};
}

Result<void> FileFinder::look_in_snapshot(const Snapshot& snapshot, const WantedOf& wanted) {
  const auto look = [&](const Reference& ref, const std::string& path, std::uint64_t shift) {
    const auto at = wanted.find(ref);
    if (at == wanted.end()) return;
    for (const Wanted& one : at->second) look_at(snapshot, path, one, shift);
  };
  const auto visit = [&](const std::string& path, const Entry& entry) -> Result<WalkStep> {
    ASL_TRY(stop_.check());
    if (entry.type != EntryType::kFile) return WalkStep::kContinue;
    look(entry.content, path, 0);
    if ((entry.flags & kEntryPartial) == 0) return WalkStep::kContinue;
    const auto bytes = domain_.read_typed(entry.content, kTagPartial, kPartialSizeMax);
    const auto partial = bytes ? decode_partial(*bytes) : Result<Partial>(fail(bytes.error()));
    if (!partial) return WalkStep::kContinue;
    for (const PartialPiece& piece : partial->pieces) look(piece.ref, path, piece.offset_bytes);
    return WalkStep::kContinue;
  };
  return walk_snapshot(domain_, snapshot, "", visit, [](const std::string&, const Error& error) {
    return error.code == ErrorCode::kInterrupted ? Result<void>(fail(error)) : Result<void>();
  });
}

void FileFinder::look_at(const Snapshot& snapshot, const std::string& path, const Wanted& wanted,
                         std::uint64_t shift) {
  if (sources_.has(wanted.digest)) return;
  Bytes bytes(wanted.length);
  for (const std::string& candidate : candidates(snapshot, path)) {
    if (!read_foreign(io_, candidate, shift + wanted.offset, bytes)) continue;
    if (sha256(bytes) != wanted.digest) continue;
    sources_.add_file_range(wanted.digest, candidate, shift + wanted.offset, wanted.length);
    return;
  }
}

Result<void> FileFinder::look_everywhere(DigestSet wanted) {
  std::erase_if(wanted, [&](const Digest& digest) { return sources_.has(digest); });
  for (const std::string& place : sources_.file_places()) {
    if (!is_directory(io_, place)) {
      ASL_TRY(search_file(place, wanted));
      continue;
    }
    std::error_code failed;
    fs::recursive_directory_iterator at(place, fs::directory_options::skip_permission_denied, failed);
    for (; !failed && at != fs::recursive_directory_iterator() && !wanted.empty(); at.increment(failed)) {
      const std::string path = at->path().string();
      if (is_regular(io_, path)) ASL_TRY(search_file(path, wanted));
    }
  }
  return {};
}

Result<void> FileFinder::search_file(const std::string& path, DigestSet& wanted) {
  const auto file = io_.open(path, {.no_atime = true, .no_wait = true});
  if (!file) return {};
  Cutter cutter;
  Bytes window(kWindowBytes);
  std::size_t filled = 0;
  for (bool at_end = false; !at_end && !wanted.empty();) {
    ASL_TRY(stop_.check());
    const auto got = io_.read(*file, MutableByteSpan(window).subspan(filled), cutter.position() + filled);
    if (!got) return {};
    filled += *got;
    at_end = filled < window.size();
    std::size_t used = 0;
    while (const auto cut = cutter.next(ByteSpan(window).first(filled).subspan(used), at_end)) {
      const ByteSpan piece = ByteSpan(window).subspan(used, cut->length_bytes);
      used += cut->length_bytes;
      if (cut->hole) continue;
      const Digest digest = sha256(piece);
      if (wanted.erase(digest) == 0) continue;
      sources_.add_file_range(digest, path, cutter.position() - piece.size(),
                              static_cast<std::uint32_t>(piece.size()));
    }
    std::memmove(window.data(), window.data() + used, filled - used);
    filled -= used;
  }
  return {};
}

}  // namespace asl
