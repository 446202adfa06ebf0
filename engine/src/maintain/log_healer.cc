#include "maintain/log_healer.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <memory>
#include <utility>

#include <asl/engine/log_state.h>

#include "log/log_reader.h"
#include "maintain/log_pieces.h"
#include "store/domain_layout.h"

namespace asl {
namespace {

// As a writer's own: somebody may be just about to finish.
constexpr std::uint32_t kLockWaitMs = 2000;
// Ends of the log to be tried, newest first: damage makes one or two.
constexpr std::size_t kEndsTried = 16;

class LogHealer {
 public:
  LogHealer(io::Io& io, const std::string& directory, std::span<const std::string> copies,
            const StopToken& stop)
      : io_(io), directory_(directory), copies_(copies), stop_(stop), files_(directory), layout_(directory) {}

  Result<LogHealing> run(bool dry_run);

 private:
  struct Part {  // of one file of the mended log
    std::uint64_t first_logseq = 0;
    Digest previous_hash{};
    std::vector<LogPiece> pieces;
  };
  Result<bool> is_sound();
  Result<void> read_pieces();
  Result<LogChain> find_chain();
  void extend(LogChain& chain);
  Result<void> check_nothing_lost(const LogChain& chain) const;
  Result<void> check_state(const LogChain& chain);
  Result<std::vector<Part>> lay_out(const LogChain& chain) const;
  Result<Bytes> read_piece(const LogPiece& piece);
  bool is_as_it_is(const Part& part) const;
  Result<void> write_part(const Part& part);
  Result<void> put_aside(std::uint64_t first_logseq, LogHealing& healing);
  std::unexpected<Error> cannot(std::string reason) const;

  io::Io& io_;
  const std::string directory_;
  const std::span<const std::string> copies_;
  const StopToken& stop_;
  const LogFiles files_;
  const DomainLayout layout_;
  std::vector<LogPiece> own_;
  LogChains chains_;
  std::optional<LogHead> head_;
  DomainId domain_id_{};
  Error damage_;  // the first that was found
};

std::unexpected<Error> LogHealer::cannot(std::string reason) const {
  Error error = damage_;
  error.code = ErrorCode::kIntegrity;
  error.message += ", and the log cannot be mended: " + std::move(reason);
  error.hint =
      "give --from a copy of this directory, or a pin of it, that has what is missing; asl copy takes what "
      "verifies into another store";
  return fail(std::move(error));
}

// As a reader sees it: its hashes and what it says.
Result<bool> LogHealer::is_sound() {
  LogState state;
  auto outcome = replay_log(io_, files_, {}, [&](const LogGroup& group) -> Result<void> {
    ASL_TRY(stop_.check());
    return state.apply(group.records);
  });
  if (!outcome && outcome.error().code == ErrorCode::kInterrupted) return fail(std::move(outcome).error());
  if (!outcome)
    damage_ = std::move(outcome).error();
  else if (auto corruption = outcome->corruption())
    damage_ = std::move(*corruption);
  else if (outcome->end.logseq == 0)
    damage_ = integrity_error("the log has no record", files_.directory(), 0);
  else
    return true;
  return false;
}

Result<void> LogHealer::read_pieces() {
  ASL_ASSIGN(own_, collect_pieces(io_, files_, true, stop_));
  chains_.add(own_);
  for (const std::string& copy : copies_) {
    ASL_ASSIGN(const std::vector<LogPiece> others, collect_pieces(io_, LogFiles(copy), false, stop_));
    chains_.add(others);
  }
  if (const auto bytes = io::read_file(io_, files_.head_path(), kLogAlignment))
    head_ = decode_log_head(*bytes);
  return {};
}

// The longest that ends with something this log vouches for: a group of its own, or what its head names.
Result<LogChain> LogHealer::find_chain() {
  std::vector<std::pair<std::uint64_t, Digest>> ends;
  for (const LogPiece& piece : own_) ends.emplace_back(piece.last_logseq, piece.hash);
  if (head_) ends.emplace_back(head_->logseq, head_->record_hash);
  std::ranges::sort(ends, std::greater<>());
  const auto again = std::ranges::unique(ends);
  ends.erase(again.begin(), again.end());
  if (ends.empty()) return cannot("nothing of it verifies");
  if (ends.size() > kEndsTried) ends.resize(kEndsTried);
  for (const auto& [logseq, hash] : ends) {
    if (auto chain = chains_.ending_with(hash)) return std::move(*chain);
  }
  return cannot("no place has the records that are missing");
}

// Where bytes of this log lie that do not verify, and a copy has there what continues the chain, that is what
// they were.
void LogHealer::extend(LogChain& chain) {
  while (const LogPiece* const next = chains_.following(chain.back())) {
    const auto status = io_.status(files_.file_path(next->file_first_logseq));
    if (!status || static_cast<std::uint64_t>(status->st_size) < next->end_offset()) return;
    const bool taken = std::ranges::any_of(own_, [&](const LogPiece& piece) {
      return piece.file_first_logseq == next->file_first_logseq && piece.offset < next->end_offset() &&
             next->offset < piece.end_offset();
    });
    if (taken && !next->own) return;
    chain.push_back(*next);
  }
}

// What verified stays. A group that seems to begin inside of another, in a record's text, was never one, and
// of a file of another domain nothing counts.
Result<void> LogHealer::check_nothing_lost(const LogChain& chain) const {
  std::map<std::pair<std::uint64_t, std::uint64_t>, const LogPiece*> places;
  std::unordered_map<Digest, const LogPiece*, DigestHash> kept;
  for (const LogPiece& piece : chain) {
    places.emplace(std::pair(piece.file_first_logseq, piece.offset), &piece);
    kept.emplace(piece.hash, &piece);
  }
  for (const LogPiece& piece : own_) {
    if (kept.contains(piece.hash)) continue;
    auto at = places.upper_bound({piece.file_first_logseq, piece.offset});
    const bool inside = at != places.begin() && (--at)->first.first == piece.file_first_logseq &&
                        at->first.second < piece.offset && piece.offset < at->second->end_offset();
    const bool foreign = piece.file_domain && *piece.file_domain != domain_id_;
    if (!inside && !foreign)
      return cannot(
          fmt::format("records {} to {} cannot be joined to the rest: what lies between is nowhere, or "
                      "they are another history",
                      piece.first_logseq, piece.last_logseq));
  }
  if (!head_) return {};
  const auto named = kept.find(head_->record_hash);
  if (named == kept.end() || named->second->last_logseq != head_->logseq ||
      named->second->file_first_logseq != head_->file_first_logseq ||
      named->second->end_offset() != head_->end_offset)
    return cannot("log/head names a record that is not in it");
  return {};
}

Result<Bytes> LogHealer::read_piece(const LogPiece& piece) {
  ASL_ASSIGN(const io::File file, io_.open(piece.path, {.no_follow = true}));
  Bytes bytes(piece.size_bytes);
  ASL_ASSIGN(const std::size_t got, io_.read(file, bytes, piece.offset));
  const auto parsed = got == bytes.size() ? parse_group(bytes) : std::unexpected(GroupProblem{});
  if (!parsed || parsed->size_bytes != bytes.size() || parsed->records.back().hash != piece.hash)
    return fail(integrity_error("a log file changed while it was read", piece.path, piece.offset));
  return bytes;
}

// The hashes prove that these are the records; that they make sense together is for the state to say.
Result<void> LogHealer::check_state(const LogChain& chain) {
  LogState state;
  for (const LogPiece& piece : chain) {
    ASL_TRY(stop_.check());
    ASL_ASSIGN(const Bytes bytes, read_piece(piece));
    if (auto applied = state.apply(parse_group(bytes)->records); !applied)
      return cannot("its records contradict each other: " + applied.error().to_string());
  }
  if (!state.genesis()) return cannot("it does not begin with a GENESIS record");
  domain_id_ = state.genesis()->domain_id;
  const auto named = parse_domain_id(std::string_view(directory_).substr(directory_.rfind('/') + 1));
  if (named && *named != domain_id_) return cannot("what there is of it is another domain's");
  return {};
}

// Groups lie where they lay, in this log or in a copy; files begin where the ones before end.
Result<std::vector<LogHealer::Part>> LogHealer::lay_out(const LogChain& chain) const {
  std::vector<Part> parts;
  std::uint64_t end = 0;
  Digest previous{};
  for (const LogPiece& piece : chain) {
    if (parts.empty() || piece.file_first_logseq != parts.back().first_logseq) {
      parts.push_back({.first_logseq = piece.file_first_logseq, .previous_hash = previous, .pieces = {}});
      end = kLogHeaderSize;
      if (piece.first_logseq != piece.file_first_logseq)
        return cannot("the copies divide it into files otherwise");
    }
    if (piece.offset != end) return cannot("the copies have it at other places in its files");
    end = piece.end_offset();
    previous = piece.hash;
    parts.back().pieces.push_back(piece);
  }
  return parts;
}

// Then every byte of it is good: its header, its groups, and no more.
bool LogHealer::is_as_it_is(const Part& part) const {
  const std::string path = files_.file_path(part.first_logseq);
  const auto status = io_.status(path);
  if (!status || static_cast<std::uint64_t>(status->st_size) != part.pieces.back().end_offset()) return false;
  if (!std::ranges::all_of(part.pieces, &LogPiece::own)) return false;
  const Bytes wanted = encode_log_header(
      {.first_logseq = part.first_logseq, .domain_id = domain_id_, .previous_hash = part.previous_hash});
  const auto file = io_.open(path, {.no_follow = true});
  Bytes header(kLogHeaderSize);
  const auto got = file ? io_.read(*file, header, 0) : Result<std::size_t>(fail(file.error()));
  return got && *got == header.size() && header == wanted;
}

Result<void> LogHealer::write_part(const Part& part) {
  const std::string temporary = layout_.tmp() + "/log";
  if (io::exists(io_, temporary)) ASL_TRY(io_.remove(temporary));
  ASL_ASSIGN(const io::File file, io_.open(temporary, {.write = true, .create_new = true}));
  ASL_TRY(io_.write(
      file,
      encode_log_header(
          {.first_logseq = part.first_logseq, .domain_id = domain_id_, .previous_hash = part.previous_hash}),
      0));
  for (const LogPiece& piece : part.pieces) {
    ASL_TRY(stop_.check());
    ASL_ASSIGN(const Bytes bytes, read_piece(piece));
    ASL_TRY(io_.write(file, bytes, piece.offset));
  }
  ASL_TRY(io_.sync(file));
  ASL_TRY(io_.rename(temporary, files_.file_path(part.first_logseq), true));
  return io_.sync_directory(files_.directory());
}

// A second name for what is there, before something else takes its first one.
Result<void> LogHealer::put_aside(std::uint64_t first_logseq, LogHealing& healing) {
  const std::string path = files_.file_path(first_logseq);
  if (!io::exists(io_, path)) return {};
  for (unsigned copy = 1; copy <= kTornCopiesMax; ++copy) {
    const std::string kept = files_.torn_path(first_logseq, copy);
    if (io::exists(io_, kept)) continue;
    ASL_TRY(io_.link(path, kept));
    healing.kept.push_back(kept);
    return io_.sync_directory(files_.directory());
  }
  return cannot("there are too many log/torn-* already; take them away");
}

Result<LogHealing> LogHealer::run(bool dry_run) {
  ASL_ASSIGN(bool sound, is_sound());
  if (sound) return LogHealing{};
  std::unique_ptr<io::Lock> lock;
  if (!dry_run) {
    ASL_TRY(layout_.make_missing_directories(io_));
    ASL_ASSIGN(lock, io_.lock(layout_.lock_file(), kLockWaitMs));
    ASL_ASSIGN(sound, is_sound());
    if (sound) return LogHealing{};
  }
  ASL_TRY(read_pieces());
  ASL_ASSIGN(LogChain chain, find_chain());
  extend(chain);
  ASL_TRY(check_state(chain));
  ASL_TRY(check_nothing_lost(chain));
  ASL_ASSIGN(const std::vector<Part> parts, lay_out(chain));

  LogHealing healing;
  std::vector<std::uint64_t> others;  // files that are no part of it
  if (auto listed = files_.list(io_))
    others = std::move(*listed);
  else if (listed.error().code != ErrorCode::kNotFound)
    return fail(std::move(listed).error());
  for (const Part& part : parts) {
    std::erase(others, part.first_logseq);
    if (is_as_it_is(part)) continue;
    const auto from = std::ranges::find(part.pieces, false, &LogPiece::own);
    healing.files.push_back({.name = files_.file_path(part.first_logseq),
                             .source = from == part.pieces.end() ? "" : from->path,
                             .bytes = part.pieces.back().end_offset()});
    if (dry_run) continue;
    ASL_TRY(put_aside(part.first_logseq, healing));
    ASL_TRY(write_part(part));
  }
  for (const std::uint64_t other : others) {
    healing.files.push_back({.name = files_.file_path(other), .source = {}, .bytes = 0});
    if (dry_run) continue;
    ASL_TRY(put_aside(other, healing));
    ASL_TRY(io_.remove(files_.file_path(other)));
    ASL_TRY(io_.sync_directory(files_.directory()));
  }
  if (dry_run) return healing;
  ASL_ASSIGN(sound, is_sound());
  if (!sound) return cannot("it still does not verify; the damaged files are kept beside it as torn-*");
  return healing;
}

}  // namespace

Result<LogHealing> heal_log(io::Io& io, const std::string& directory, std::span<const std::string> copies,
                            bool dry_run, const StopToken& stop) {
  return LogHealer(io, directory, copies, stop).run(dry_run);
}

}  // namespace asl
