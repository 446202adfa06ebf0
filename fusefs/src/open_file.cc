#include "open_file.h"

#include <algorithm>

namespace asl::fusefs {

OpenFile::OpenFile(ControlContent content)
    : content_(std::visit(
          [](auto&& held) -> std::variant<FileContent, Artifact, std::shared_ptr<const Bytes>> {
            return std::move(held);
          },
          std::move(content))) {}

std::uint64_t OpenFile::length() const {
  if (const auto* text = std::get_if<std::shared_ptr<const Bytes>>(&content_)) return (*text)->size();
  if (const auto* artifact = std::get_if<Artifact>(&content_)) return artifact->length();
  return std::get<FileContent>(content_).length();
}

std::size_t OpenFile::memory_bytes() const {
  std::size_t bytes = sizeof *this;
  if (const auto* text = std::get_if<std::shared_ptr<const Bytes>>(&content_)) bytes += (*text)->size();
  if (const auto* content = std::get_if<FileContent>(&content_)) bytes += content->memory_bytes();
  return bytes;
}

Reply<std::size_t> OpenFile::read(std::uint64_t offset, MutableByteSpan scratch,
                                  std::vector<Artifact::Piece>& pieces) const {
  if (const auto* text = std::get_if<std::shared_ptr<const Bytes>>(&content_)) {
    const ByteSpan all = **text;
    const ByteSpan rest = all.subspan(std::min<std::uint64_t>(offset, all.size()));
    pieces.push_back({rest.first(std::min(rest.size(), scratch.size())), *text});
    return pieces.back().bytes.size();
  }
  if (const auto* artifact = std::get_if<Artifact>(&content_)) {
    ASL_ASSIGN(const std::size_t got, artifact->read_pieces(offset, scratch, pieces));
    return got;
  }
  const FileContent& content = std::get<FileContent>(content_);
  // The whole request fails: a shorter answer would tell the kernel that the file ends there.
  if (bad_ranges_ == BadRanges::kError && content.has_gap(offset, scratch.size())) return refuse(EIO);
  ASL_ASSIGN(const std::size_t got, content.read_pieces(offset, scratch, pieces));
  return got;
}

Reply<std::size_t> OpenFile::read(std::uint64_t offset, MutableByteSpan into) const {
  std::vector<Artifact::Piece> pieces;
  ASL_ASSIGN(const std::size_t got, read(offset, into, pieces));
  std::size_t at = 0;
  for (const Artifact::Piece& piece : pieces) {
    if (piece.bytes.data() != into.data() + at)
      std::ranges::copy(piece.bytes, into.begin() + static_cast<std::ptrdiff_t>(at));
    at += piece.bytes.size();
  }
  return got;
}

void OpenFile::read_ahead(std::uint64_t offset, std::uint64_t length) const {
  if (const auto* artifact = std::get_if<Artifact>(&content_)) artifact->read_ahead(offset, length);
  if (const auto* content = std::get_if<FileContent>(&content_)) content->read_ahead(offset, length);
}

Reply<std::uint64_t> OpenFile::seek_data(std::uint64_t offset) const {
  if (offset >= length()) return refuse(ENXIO);
  const auto* content = std::get_if<FileContent>(&content_);
  if (content == nullptr) return offset;
  ASL_ASSIGN(const std::uint64_t found, content->next_data(offset));
  if (found == length()) return refuse(ENXIO);
  return found;
}

Reply<std::uint64_t> OpenFile::seek_hole(std::uint64_t offset) const {
  if (offset >= length()) return refuse(ENXIO);
  const auto* content = std::get_if<FileContent>(&content_);
  if (content == nullptr) return length();
  ASL_ASSIGN(const std::uint64_t found, content->next_hole(offset));
  return found;
}

}  // namespace asl::fusefs
