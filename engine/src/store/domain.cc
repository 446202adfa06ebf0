#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <utility>

#include <asl/engine/domain.h>

#include "store/damage_list.h"
#include "store/domain_impl.h"

namespace asl {
namespace {

// A prefix with this many matches is named with its first candidates only.
constexpr std::size_t kCandidatesShown = 8;

constexpr std::string_view kSegmentHint =
    "ingest the originals again: what only the damaged segment named is stored anew";

std::vector<LiveSegment> live_segments(const LogState& state) {
  std::vector<LiveSegment> live;
  for (const SegmentState& segment : state.segments())
    live.push_back({.number = segment.id, .hash = segment.file_hash, .seal_logseq = segment.logseq});
  return live;
}

}  // namespace

Domain::Impl::Impl(io::Io& seam, const std::string& directory, const DomainOptions& domain_options)
    : io(seam),
      layout(directory),
      options(domain_options),
      log_files(directory),
      segments(seam, directory + "/store"),
      blocks(seam, directory + "/store"),
      reader(blocks, {.cache_bytes = domain_options.read_cache_bytes, .verify = domain_options.verify}),
      pages(std::make_shared<PageCache>()) {}

std::shared_ptr<const View> Domain::Impl::current() const {
  const std::lock_guard lock(view_mutex);
  return view;
}

Result<void> Domain::Impl::show(std::shared_ptr<const LogState> state) {
  const std::shared_ptr<const View> older = current();
  auto next = std::make_shared<View>();
  IndexCache* writer_cache = nullptr;
  std::set<SegmentNumber> bad;
  {
    const std::lock_guard lock(view_mutex);
    writer_cache = cache;
    bad = distrusted;
  }
  next->index =
      Index::open(segments, live_segments(*state), older ? older->index : nullptr, writer_cache, pages, bad);
  next->state = std::move(state);
  const std::lock_guard lock(view_mutex);
  view = std::move(next);
  return {};
}

Result<void> Domain::Impl::attach_cache(IndexCache* writer_cache) {
  {
    const std::lock_guard lock(view_mutex);
    cache = writer_cache;
    if (cache == nullptr) distrusted.clear();
  }
  return show(current()->state);
}

Result<void> Domain::Impl::distrust(const std::set<SegmentNumber>& damaged) {
  const std::lock_guard lock(refresh_mutex);
  {
    const std::lock_guard view_lock(view_mutex);
    distrusted.insert(damaged.begin(), damaged.end());
  }
  return show(current()->state);
}

Error Domain::Impl::note_segment_damage(const View& seen, Error error) {
  const auto number = seen.index->segment_of(error);
  if (!number) return error;
  if (error.code == ErrorCode::kUnsupported) return error;
  if (error.hint.empty()) error.hint = kSegmentHint;
  // One that could not be opened, the next writer finds by itself.
  if (error.code != ErrorCode::kIntegrity || seen.index->segment(*number) == nullptr) return error;
  {
    const std::lock_guard lock(view_mutex);
    if (!noted.insert(*number).second) return error;
  }
  DamageList::report(io, layout.damaged_file(), *number);
  return error;
}

Result<void> Domain::Impl::show_again() {
  const std::lock_guard lock(refresh_mutex);
  return show(current()->state);
}

Result<bool> Domain::Impl::replay(bool from_start) {
  const std::lock_guard lock(refresh_mutex);
  ASL_ASSIGN(const bool moved, replay_once(from_start));
  if (!moved) return false;
  while (current()->index->lacks_files()) {
    ASL_ASSIGN(const bool more, replay_once(false));
    if (!more) break;
  }
  return true;
}

Result<bool> Domain::Impl::replay_once(bool from_start) {
  const std::shared_ptr<const View> older = current();
  const bool fresh = from_start || older == nullptr;
  auto state = fresh ? std::make_shared<LogState>() : std::make_shared<LogState>(*older->state);
  ReplayOptions how;
  if (!fresh) how.from = position;
  bool moved = fresh;
  auto outcome = replay_log(io, log_files, how, [&](const LogGroup& group) -> Result<void> {
    moved = true;
    if (!group.after_gap) return state->apply(group.records);
    state->apply_after_gap(group.records);
    return {};
  });
  ASL_TRY(outcome);
  position = outcome->end;
  if (auto damage = outcome->corruption()) {
    const std::lock_guard view_lock(view_mutex);
    corruption = std::move(damage);
  }
  if (moved) ASL_TRY(show(std::move(state)));
  return moved;
}

// A copy may have any name, but not that of another domain.
Result<void> Domain::Impl::check_own_log() const {
  const std::string& directory = layout.directory();
  const auto named = parse_domain_id(std::string_view(directory).substr(directory.rfind('/') + 1));
  const DomainId& logged = current()->state->genesis()->domain_id;
  if (!named || *named == logged) return {};
  Error error = integrity_error("the log is of another domain", log_files.directory(), 0);
  error.object = to_hex(logged);
  error.offset.reset();
  error.hint = "put this domain's log back from a copy of the store";
  return fail(std::move(error));
}

Domain::Domain(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Domain::~Domain() = default;

Result<std::unique_ptr<Domain>> Domain::open(io::Io& io, const std::string& directory,
                                             const DomainOptions& options) {
  auto impl = std::make_unique<Impl>(io, directory, options);
  ASL_ASSIGN(impl->layout_read_only, check_layout_file(io, impl->layout.layout_file()));
  ASL_TRY(impl->replay(true));
  if (!impl->current()->state->genesis()) {
    Error error = integrity_error("the log has no genesis record", impl->log_files.directory(), 0);
    error.offset.reset();
    if (impl->corruption) error = *impl->corruption;
    return fail(std::move(error));
  }
  ASL_TRY(impl->check_own_log());
  return std::unique_ptr<Domain>(new Domain(std::move(impl)));
}

const DomainId& Domain::id() const {
  return impl_->current()->state->genesis()->domain_id;
}
std::string Domain::alias() const {
  const std::string& alias = impl_->current()->state->alias();
  return alias.empty() ? to_hex(id()) : alias;
}
const std::string& Domain::directory() const {
  return impl_->layout.directory();
}
io::Io& Domain::io() const {
  return impl_->io;
}
const DomainOptions& Domain::options() const {
  return impl_->options;
}
std::optional<Error> Domain::corruption() const {
  const std::lock_guard lock(impl_->view_mutex);
  return impl_->corruption;
}
BlockStore& Domain::blocks() const {
  return impl_->blocks;
}
BlockReader& Domain::block_reader() const {
  return impl_->reader;
}
std::shared_ptr<const LogState> Domain::state() const {
  return impl_->current()->state;
}
std::shared_ptr<const View> Domain::view() const {
  return impl_->current();
}

Result<bool> Domain::refresh() const {
  auto moved = impl_->replay(false);
  // The log no longer continues what was seen: a backup was put back. Everything is read anew.
  if (!moved && moved.error().code == ErrorCode::kNotFound) return impl_->replay(true);
  return moved;
}

Result<Artifact> Domain::find(const Reference& ref) const {
  if (ref.hash_id != kHashIdAsl1 && ref.hash_id != kHashIdSha256)
    return fail(Error{.code = ErrorCode::kUnsupported, .message = "unknown hash id", .object = to_text(ref)});
  const std::shared_ptr<const View> view = impl_->current();
  if (const TombstoneState* tombstone = view->state->tombstone(ref)) {
    Error error{.code = ErrorCode::kRefused, .message = "withdrawn by a tombstone", .object = to_text(ref)};
    error.message += fmt::format(" ({})", tombstone_reason_name(tombstone->reason));
    return fail(std::move(error));
  }
  auto looked_up = view->index->find(ref);
  if (!looked_up)
    return fail(impl_->note_segment_damage(*view, std::move(looked_up).error()).with_object(to_text(ref)));
  std::optional<ArtifactHandle> found = std::move(*looked_up);
  if (!found)
    return fail(Error{.code = ErrorCode::kNotFound, .message = "no such artifact", .object = to_text(ref)});
  return Artifact(std::make_shared<const Artifact::Impl>(Artifact::Impl{this, view, std::move(*found)}));
}

Result<Reference> Domain::resolve(std::string_view text) const {
  ASL_ASSIGN(const ReferencePrefix prefix, parse_reference_prefix(text));
  if (const auto whole = prefix.whole()) return *whole;
  ASL_ASSIGN(const std::vector<Reference> matches,
             impl_->current()->index->resolve_prefix(prefix, kCandidatesShown + 1));
  if (matches.empty())
    return fail(
        Error{.code = ErrorCode::kNotFound, .message = "no artifact starts so", .object = std::string(text)});
  if (matches.size() == 1) return matches.front();
  Error error{
      .code = ErrorCode::kUsage, .message = "several artifacts start so", .object = std::string(text)};
  error.hint = "give more digits:";
  for (std::size_t k = 0; k < std::min(kCandidatesShown, matches.size()); ++k)
    error.hint += " " + to_text(matches[k]);
  if (matches.size() > kCandidatesShown) error.hint += " ...";
  return fail(std::move(error));
}

Result<Bytes> Domain::read_typed(const Reference& ref, std::uint32_t type_tag, std::uint64_t size_max) const {
  ASL_ASSIGN(const Artifact artifact, find(ref));
  if (artifact.type_tag() != type_tag)
    return fail(
        Error{.code = ErrorCode::kIntegrity, .message = "not of the expected type", .object = to_text(ref)});
  if (artifact.length() > size_max)
    return fail(
        Error{.code = ErrorCode::kMalformed, .message = "too long for its type", .object = to_text(ref)});
  Bytes bytes(artifact.length());
  ASL_ASSIGN(const std::size_t got, artifact.read(0, bytes));
  // Extents may each be what the segment says and still not be what the reference says.
  if (got != bytes.size() || typed_reference(type_tag, bytes) != ref)
    return fail(Error{.code = ErrorCode::kIntegrity,
                      .message = "the bytes are not what their reference says",
                      .object = to_text(ref)});
  return bytes;
}

Result<Snapshot> Domain::snapshot(std::uint64_t id) const {
  const std::shared_ptr<const LogState> state = this->state();
  const SnapshotState* anchor = state->find_snapshot(id);
  if (anchor == nullptr || anchor->forgotten) {
    Error error{.code = ErrorCode::kNotFound,
                .message = anchor == nullptr ? "no such snapshot" : "the snapshot was forgotten",
                .object = std::to_string(id)};
    error.hint = "asl snapshots";
    return fail(std::move(error));
  }
  ASL_ASSIGN(const Bytes bytes, read_typed(anchor->reference, kTagSnapshot, kSnapshotSizeMax));
  ASL_ASSIGN(Snapshot snapshot, decode_snapshot(bytes));
  if (snapshot.snapshot_id != id || snapshot.domain_id != this->id())
    return fail(Error{.code = ErrorCode::kIntegrity,
                      .message = "the snapshot is not the one that the log names",
                      .object = to_text(anchor->reference)});
  if (anchor->label_logseq != 0) snapshot.label = anchor->label;
  return snapshot;
}

Result<SnapshotPath> Domain::parse_snapshot_path(std::string_view text) const {
  const std::size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  SnapshotPath result;
  if (colon != std::string_view::npos) {
    std::string_view path = text.substr(colon + 1);
    while (path.starts_with('/')) path.remove_prefix(1);
    while (path.ends_with('/')) path.remove_suffix(1);
    result.path = path;
  }
  const std::shared_ptr<const LogState> state = this->state();
  const auto number = std::from_chars(name.data(), name.data() + name.size(), result.snapshot_id);
  const bool is_number = !name.empty() && number.ec == std::errc() && number.ptr == name.data() + name.size();
  const SnapshotState* anchor = nullptr;
  if (is_number)
    anchor = state->find_snapshot(result.snapshot_id);
  else if (name == "latest")
    anchor = state->current_snapshot();
  else
    anchor = state->find_label(name);
  if (anchor == nullptr) {
    Error error{.code = ErrorCode::kNotFound, .message = "no such snapshot", .object = std::string(name)};
    error.hint = state->snapshots().empty() ? "asl ingest makes the first one" : "asl snapshots";
    return fail(std::move(error));
  }
  result.snapshot_id = anchor->id;
  return result;
}

}  // namespace asl
