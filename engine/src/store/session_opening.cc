#include "store/session_opening.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <fmt/format.h>
#include <set>
#include <string>
#include <unistd.h>
#include <utility>

#include "log/log_writer.h"
#include "store/sweep.h"

namespace asl {
namespace {

constexpr std::uint64_t kLockFileMax = 4096;

// The lock file says who holds it, for people. What it says counts only while somebody does.
std::string lock_holder(StoreWriter::Impl& session) {
  const auto text = io::read_file(session.io, session.layout.lock_file(), kLockFileMax);
  if (!text || text->empty() || as_text(*text).find('\n') == std::string_view::npos) return {};
  return std::string(as_text(*text).substr(0, as_text(*text).find('\n')));
}

void name_lock_holder(StoreWriter::Impl& session) {
  char host[HOST_NAME_MAX + 1] = {};
  if (::gethostname(host, sizeof host - 1) != 0) return;
  const std::string line = fmt::format("process {} on {}\n", ::getpid(), host);
  const auto file = session.io.open(session.layout.lock_file(), {.write = true});
  if (!file || !session.io.truncate(*file, 0)) return;
  static_cast<void>(session.io.write(*file, as_bytes(line), 0));
}

Result<std::unique_ptr<io::Lock>> take_lock(StoreWriter::Impl& session) {
  auto lock = session.io.lock(session.layout.lock_file(), session.options.lock_wait_ms);
  if (lock) {
    name_lock_holder(session);
    return lock;
  }
  Error error = std::move(lock).error();
  if (error.code == ErrorCode::kLocked) {
    error.hint = "another asl is writing to this domain; wait for it to finish";
    error.object = lock_holder(session);
  } else if (error.code == ErrorCode::kNotFound) {
    error.code = ErrorCode::kIntegrity;
    error.message = "the domain's store directory is missing";
    error.path = session.layout.store();
    error.hint = "put it back from a copy; without one, asl init makes a new store elsewhere";
  } else if (error.sys_errno == EROFS) {
    error.hint = "mount the file system writable; looking and restoring need no writing";
  }
  return fail(std::move(error));
}

Result<void> open_log(Domain::Impl& domain, StoreWriter::Impl& session) {
  auto state = std::make_shared<LogState>();
  ASL_ASSIGN(const ReplayOutcome outcome,
             replay_log(session.io, domain.log_files, {},
                        [&](const LogGroup& group) { return state->apply(group.records); }));
  if (auto damage = outcome.corruption()) {
    if (damage->hint.empty())
      damage->hint =
          "the store is read-only now: asl copy STORE takes what still verifies into another store";
    return fail(std::move(*damage));
  }
  ASL_TRY(state->require_known_types());
  ASL_ASSIGN(LogWriter writer, LogWriter::open(session.io, domain.log_files, outcome, {}));
  session.log.emplace(std::move(writer));
  domain.position = session.log->end();
  return domain.show(std::move(state));
}

Result<void> sweep_after_dead_writer(Domain::Impl& domain, StoreWriter::Impl& session) {
  const std::string& tail = session.log->tail_kept();
  const bool marker = io::exists(session.io, session.layout.session_marker());
  if (!tail.empty())
    session.notices.push_back("an interrupted write to the log was cut off and kept as " + tail);
  // Nothing syncs store/tmp when a session ends: after a power cut, names that were renamed away may be back
  // although the marker is gone. They are second names of what is in its place, and nobody's.
  if (!marker && tail.empty()) {
    ASL_TRY(sweep_temporary(session.io, session.layout));
    return {};
  }
  const std::shared_ptr<const View> view = domain.current();
  ASL_ASSIGN(const SweepReport swept,
             sweep_store(session.io, session.layout, session.blocks, session.segments, *view->state,
                         *view->index, !tail.empty()));
  if (swept.files > 0)
    session.notices.push_back(fmt::format("{} {} of an interrupted run {}", swept.files,
                                          swept.files == 1 ? "file" : "files",
                                          tail.empty() ? "removed" : "moved to store/lost"));
  return {};
}

Result<void> write_marker(StoreWriter::Impl& session) {
  if (io::exists(session.io, session.layout.session_marker())) return {};
  ASL_ASSIGN(const io::File marker,
             session.io.open(session.layout.session_marker(), {.write = true, .create_new = true}));
  // Before anything else is written: what a dead writer leaves must be found.
  return session.io.sync_directory(session.layout.tmp());
}

// A cache that cannot be opened or made costs speed and nothing else, except the finding of known extents.
Result<void> open_cache(Domain::Impl& domain, StoreWriter::Impl& session) {
  const std::shared_ptr<const View> view = domain.current();
  const Watermark head{view->state->last_logseq(), view->state->record_hash()};
  const auto log_has = [&](const Watermark& mark) {
    if (mark == head) return true;
    bool found = false;
    const auto replayed =
        replay_log(session.io, domain.log_files, {}, [&](const LogGroup& group) -> Result<void> {
          for (const LogRecord& record : group.records)
            found = found || (record.logseq == mark.logseq && record.hash == mark.record_hash);
          return {};
        });
    return replayed.has_value() && found;
  };
  // Deleting store/cache is allowed at any time. If it cannot be made again, opening says so.
  if (!io::exists(session.io, session.layout.cache()))
    static_cast<void>(session.io.make_directory(session.layout.cache()));
  if (session.rebuild_cache) ASL_TRY(IndexCache::drop(session.layout.index_cache()));
  const CacheTarget target{
      .segments = view->index->segments(), .head = head, .log_has = log_has, .stop = session.stop};
  auto cache = IndexCache::open(session.layout.index_cache(), target, session.options.progress);
  if (!cache) {
    if (session.rebuild_cache) return fail(std::move(cache).error());
    session.notices.push_back("working without the index cache: " + cache.error().to_string());
    return {};
  }
  session.cache = std::move(*cache);
  const bool was_work = !view->index->segments().empty();
  if (was_work && !session.rebuild_cache && session.cache->origin() == IndexCache::Origin::kRebuilt &&
      !session.cache->rebuild_reason().empty())
    session.notices.push_back("the index cache was made again: " + session.cache->rebuild_reason());
  return domain.attach_cache(session.cache.get());
}

// Which of the segments that were found damaged still are: those are passed over. One that is good again
// (somebody put the file back) or gone is struck out.
Result<void> look_at_damaged_segments(Domain::Impl& domain, StoreWriter::Impl& session) {
  const std::shared_ptr<const View> view = domain.current();
  std::set<SegmentNumber> damaged;
  for (const Index::Segment& segment : view->index->segments()) {
    const SegmentNumber number = segment.live.number;
    if (segment.reader == nullptr)
      session.damage->add(number);
    else if (session.damage->segments().contains(number) && !segment.reader->verify_whole(&segment.live.hash))
      damaged.insert(number);
  }
  for (const SegmentNumber number : session.damage->segments()) {
    const bool live = view->state->find_segment(number) != nullptr;
    if (!live || (view->index->segment(number) != nullptr && !damaged.contains(number)))
      session.damage->heal(number);
  }
  for (const SegmentNumber number : session.damage->segments())
    session.notices.push_back(
        fmt::format("index segment {} is missing or damaged; what only it names is stored anew", number));
  if (damaged.empty()) return {};
  return domain.distrust(damaged);
}

}  // namespace

Result<void> open_session(Domain& target, StoreWriter::Impl& session) {
  Domain::Impl& domain = target.impl();
  if (domain.layout_read_only)
    return fail(Error{.code = ErrorCode::kRefused,
                      .message = "the store was written by a newer version and is read-only to this one",
                      .path = session.layout.directory()});
  ASL_ASSIGN(std::unique_ptr<io::Lock> lock, take_lock(session));
  if (session.options.release_reserve && io::exists(session.io, session.layout.reserve_file()))
    ASL_TRY(session.io.remove(session.layout.reserve_file()));
  ASL_TRY(session.layout.make_missing_directories(session.io));
  ASL_TRY(open_log(domain, session));
  ASL_TRY(sweep_after_dead_writer(domain, session));
  ASL_TRY(write_marker(session));
  ASL_ASSIGN(const SegmentStore::Listing listed, session.segments.list());
  session.next_segment = domain.current()->state->next_segment_id();
  if (!listed.segments.empty())
    session.next_segment = std::max(session.next_segment, listed.segments.back() + 1);
  ASL_ASSIGN(DamageList damage, DamageList::load(session.io, session.layout.damaged_file()));
  session.damage.emplace(std::move(damage));
  ASL_TRY(look_at_damaged_segments(domain, session));
  ASL_TRY(open_cache(domain, session));
  // Held from here on: close_session undoes what was done.
  session.lock = std::move(lock);
  return {};
}

void close_session(Domain& target, StoreWriter::Impl& session, bool clean) {
  static_cast<void>(target.impl().attach_cache(nullptr));
  if (session.cache != nullptr) {
    // What the stat cache remembers of that block is no longer so.
    if (session.presence.found_missing()) static_cast<void>(session.cache->bump_epoch());
    static_cast<void>(session.cache->flush());
  }
  session.cache.reset();
  if (clean) {
    std::uint64_t largest_segment = 0;
    for (const SegmentState& segment : target.state()->segments()) {
      if (const auto status = session.io.status(session.segments.segment_path(segment.id)))
        largest_segment = std::max(largest_segment, static_cast<std::uint64_t>(status->st_size));
    }
    static_cast<void>(session.layout.fill_reserve(session.io, kReserveBaseBytes + largest_segment));
    static_cast<void>(session.io.remove(session.layout.session_marker()));
  }
  session.lock.reset();
}

}  // namespace asl
