#include "maintain/log_pieces.h"

#include <algorithm>

#include "log/log_scanner.h"

namespace asl {
namespace {

LogPiece piece_of(const LogScanner& scanner, std::uint64_t file, std::uint64_t offset,
                  const ParsedGroup& group) {
  LogPiece piece;
  piece.path = scanner.path();
  piece.file_first_logseq = file;
  piece.offset = offset;
  piece.size_bytes = group.size_bytes;
  piece.first_logseq = group.records.front().logseq;
  piece.last_logseq = group.records.back().logseq;
  piece.previous_hash = group.previous_hash;
  piece.hash = group.records.back().hash;
  return piece;
}

// A page that cannot be read, or where no group begins, is one page lost: the next may begin one.
Result<void> collect_file(LogScanner& scanner, std::uint64_t file, bool own, std::vector<LogPiece>& found,
                          const StopToken& stop) {
  const auto page = scanner.header();
  const auto header =
      page ? decode_log_header(*page, scanner.path()) : Result<LogFileHeader>(fail(page.error()));
  for (std::uint64_t offset = kLogHeaderSize; offset < scanner.size();) {
    ASL_TRY(stop.check());
    const auto parsed = scanner.group_at(offset);
    if (parsed && *parsed) {
      LogPiece& piece = found.emplace_back(piece_of(scanner, file, offset, **parsed));
      piece.own = own;
      if (header) piece.file_domain = header->domain_id;
      offset += (*parsed)->size_bytes;
    } else {
      offset += kLogAlignment;
    }
  }
  return {};
}

}  // namespace

Result<std::vector<LogPiece>> collect_pieces(io::Io& io, const LogFiles& files, bool own,
                                             const StopToken& stop) {
  std::vector<LogPiece> found;
  const auto listed = files.list(io);
  if (!listed) return found;
  for (const std::uint64_t file : *listed) {
    auto scanner = LogScanner::open(io, files.file_path(file));
    if (scanner) ASL_TRY(collect_file(*scanner, file, own, found, stop));
  }
  return found;
}

void LogChains::add(std::span<const LogPiece> pieces) {
  for (const LogPiece& piece : pieces) {
    if (by_hash_.try_emplace(piece.hash, piece).second) next_.emplace(piece.previous_hash, piece.hash);
  }
}

std::optional<LogChain> LogChains::ending_with(const Digest& hash) const {
  LogChain chain;
  for (Digest wanted = hash; wanted != Digest{};) {
    const auto at = by_hash_.find(wanted);
    if (at == by_hash_.end()) return std::nullopt;
    const LogPiece& piece = at->second;
    if (!chain.empty() && piece.last_logseq + 1 != chain.back().first_logseq) return std::nullopt;
    chain.push_back(piece);
    wanted = piece.previous_hash;
  }
  if (chain.empty() || chain.back().first_logseq != 1) return std::nullopt;
  std::ranges::reverse(chain);
  return chain;
}

const LogPiece* LogChains::following(const LogPiece& last) const {
  if (next_.count(last.hash) != 1) return nullptr;
  const LogPiece& piece = by_hash_.at(next_.find(last.hash)->second);
  return piece.first_logseq == last.last_logseq + 1 ? &piece : nullptr;
}

}  // namespace asl
