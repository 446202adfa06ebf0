#include "log/log_scanner.h"

#include <algorithm>
#include <utility>

namespace asl {
namespace {

// Most groups are a page or a few: one read brings in many of them.
constexpr std::size_t kReadSize = 1 << 20;

}  // namespace

Result<LogScanner> LogScanner::open(io::Io& io, std::string path) {
  ASL_ASSIGN(io::File file, io.open(path, io::OpenOptions{.no_follow = true}));
  LogScanner scanner(io, std::move(file), std::move(path));
  ASL_TRY(scanner.refresh());
  return scanner;
}

Result<void> LogScanner::refresh() {
  ASL_ASSIGN(const struct stat status, io_->status(file_));
  size_ = static_cast<std::uint64_t>(status.st_size);
  buffer_.clear();
  return {};
}

ByteSpan LogScanner::window(std::uint64_t offset) const {
  if (offset < buffer_offset_ || offset > buffer_offset_ + buffer_.size()) return {};
  return ByteSpan(buffer_).subspan(offset - buffer_offset_);
}

// Makes window(offset) at least `length` long, or as long as the file allows.
Result<void> LogScanner::fill(std::uint64_t offset, std::size_t length) {
  const std::uint64_t wanted = std::min<std::uint64_t>(length, size_ > offset ? size_ - offset : 0);
  const ByteSpan have = window(offset);
  if (have.size() >= wanted) return {};
  const std::uint64_t want_read = std::max<std::uint64_t>(wanted, kReadSize);
  const auto total = static_cast<std::size_t>(std::min(want_read, size_ - offset));
  Bytes next(total);
  std::ranges::copy(have, next.begin());
  ASL_ASSIGN(const std::size_t got,
             io_->read(file_, MutableByteSpan(next).subspan(have.size()), offset + have.size()));
  next.resize(have.size() + got);  // less only if the file shrank meanwhile
  buffer_ = std::move(next);
  buffer_offset_ = offset;
  read_end_ = std::max(read_end_, offset + buffer_.size());
  return {};
}

Result<Bytes> LogScanner::header() {
  ASL_TRY(fill(0, kLogHeaderSize));
  const ByteSpan bytes = window(0);
  const ByteSpan page = bytes.first(std::min(bytes.size(), kLogHeaderSize));
  return Bytes(page.begin(), page.end());
}

Result<std::expected<ParsedGroup, GroupProblem>> LogScanner::group_at(std::uint64_t offset) {
  std::size_t length = kLogAlignment;
  while (true) {
    ASL_TRY(fill(offset, length));
    const ByteSpan bytes = window(offset);
    auto parsed = parse_group(bytes);
    if (parsed || parsed.error().kind != GroupProblem::Kind::kNeedMore) return parsed;
    if (bytes.size() < length || offset + bytes.size() >= size_) {
      parsed.error().kind = GroupProblem::Kind::kBroken;
      return parsed;
    }
    // Doubling keeps the work of parsing a large group again within twice its size.
    length = std::max(length, bytes.size()) * 2;
  }
}

Result<std::optional<std::uint64_t>> LogScanner::find_group(std::uint64_t offset) {
  for (std::uint64_t at = round_up(offset, kLogAlignment); at < size_; at += kLogAlignment) {
    ASL_ASSIGN(auto parsed, group_at(at));
    if (parsed || parsed.error().kind == GroupProblem::Kind::kInvalid) return at;
  }
  return std::nullopt;
}

}  // namespace asl
