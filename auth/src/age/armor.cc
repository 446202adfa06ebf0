#include "age/armor.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <fmt/format.h>

#include <asl/auth/text_rules.h>

namespace asl::auth {
namespace {

constexpr std::string_view kBegin = "-----BEGIN AGE ENCRYPTED FILE-----";
constexpr std::string_view kEnd = "-----END AGE ENCRYPTED FILE-----";
constexpr std::size_t kColumns = 64;
constexpr std::size_t kLineBytes = 48;        // that make a full line
constexpr std::size_t kLineMax = 80;          // the longest line is the last
constexpr std::size_t kWhiteSpaceMax = 1024;  // bytes before and after, as age allows

std::unexpected<Error> armor_error(std::string_view what) {
  return fail(ErrorCode::kMalformed, fmt::format("age armor: {}", what));
}

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

class Decoder {
 public:
  explicit Decoder(ByteSource source) : source_(std::move(source)) {}

  Result<std::size_t> read(MutableByteSpan into) {
    if (at_ == decoded_.size() && !ended_) ASL_TRY(next_line());
    const std::size_t take = std::min(into.size(), decoded_.size() - at_);
    if (take > 0) std::memcpy(into.data(), decoded_.data() + at_, take);
    at_ += take;
    return take;
  }

 private:
  Result<std::optional<char>> next() {
    if (buffered_ == buffer_at_) {
      ASL_ASSIGN(buffered_, source_(buffer_));
      buffer_at_ = 0;
      if (buffered_ == 0) return std::nullopt;
    }
    return static_cast<char>(buffer_[buffer_at_++]);
  }

  // Without its end, which is LF or CR LF, or the end of the source.
  Result<std::string> line() {
    std::string text;
    while (true) {
      ASL_ASSIGN(const auto c, next());
      if (!c) break;
      if (*c == '\n') {
        if (text.ends_with('\r')) text.pop_back();
        break;
      }
      text += *c;
      if (text.size() > kLineMax) return armor_error("a line that is too long");
    }
    return text;
  }

  Result<void> begin() {
    std::size_t skipped = 0;
    std::string text;
    while (text.empty()) {
      ASL_ASSIGN(const auto c, next());
      if (!c) return armor_error("it does not begin as armor");
      if (!is_space(*c)) text += *c;
      if (++skipped > kWhiteSpaceMax) return armor_error("too much white space before it");
    }
    ASL_ASSIGN(const std::string rest, line());
    if (text + rest != kBegin) return armor_error("it does not begin as armor");
    begun_ = true;
    return {};
  }

  Result<void> end() {
    std::size_t skipped = 0;
    while (true) {
      ASL_ASSIGN(const auto c, next());
      if (!c) break;
      if (!is_space(*c)) return armor_error("something follows it");
      if (++skipped > kWhiteSpaceMax) return armor_error("too much white space after it");
    }
    ended_ = true;
    return {};
  }

  Result<void> next_line() {
    if (!begun_) ASL_TRY(begin());
    at_ = 0;
    decoded_.clear();
    ASL_ASSIGN(const std::string text, line());
    if (text == kEnd) return end();
    if (short_line_) return armor_error("a line after a short one");
    if (text.empty()) return armor_error("an empty line, or no end");
    if (text.size() > kColumns) return armor_error("a line of more than 64 columns");
    short_line_ = text.size() < kColumns;
    auto bytes = decode_base64(text);
    if (!bytes) return armor_error("a line that is not canonical base64");
    decoded_ = std::move(*bytes);
    // Padding ends it, even in a line of 64 columns.
    short_line_ = short_line_ || decoded_.size() < kLineBytes;
    return {};
  }

  ByteSource source_;
  std::array<std::byte, 4096> buffer_{};
  std::size_t buffered_ = 0;
  std::size_t buffer_at_ = 0;
  Bytes decoded_;  // of the current line
  std::size_t at_ = 0;
  bool begun_ = false;
  bool short_line_ = false;
  bool ended_ = false;
};

}  // namespace

ByteSource armor_decoder(ByteSource source) {
  return [decoder = std::make_shared<Decoder>(std::move(source))](MutableByteSpan into) {
    return decoder->read(into);
  };
}

Result<void> ArmorEncoder::write_line(ByteSpan bytes) {
  return sink_(as_bytes(encode_base64(bytes) + "\n"));
}

Result<void> ArmorEncoder::write(ByteSpan bytes) {
  if (!begun_) ASL_TRY(sink_(as_bytes(std::string(kBegin) + "\n")));
  begun_ = true;
  pending_.insert(pending_.end(), bytes.begin(), bytes.end());
  std::size_t at = 0;
  for (; pending_.size() - at >= kLineBytes; at += kLineBytes)
    ASL_TRY(write_line(ByteSpan(pending_).subspan(at, kLineBytes)));
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(at));
  return {};
}

Result<void> ArmorEncoder::finish() {
  if (!pending_.empty()) ASL_TRY(write_line(pending_));
  pending_.clear();
  return sink_(as_bytes(std::string(kEnd) + "\n"));
}

Result<std::size_t> read_full(const ByteSource& source, MutableByteSpan into) {
  std::size_t size = 0;
  while (size < into.size()) {
    ASL_ASSIGN(const std::size_t got, source(into.subspan(size)));
    if (got == 0) break;
    size += got;
  }
  return size;
}

Result<PeekedSource> peek_armor(ByteSource source) {
  auto peeked = std::make_shared<Bytes>(kWhiteSpaceMax + kBegin.size());
  ASL_ASSIGN(const std::size_t size, read_full(source, *peeked));
  peeked->resize(size);
  std::string_view text = as_text(*peeked);
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  PeekedSource result{.armored = text.starts_with(kBegin), .source = {}};
  result.source = [peeked, at = std::size_t{0},
                   rest = std::move(source)](MutableByteSpan into) mutable -> Result<std::size_t> {
    if (at == peeked->size()) return rest(into);
    const std::size_t take = std::min(into.size(), peeked->size() - at);
    std::memcpy(into.data(), peeked->data() + at, take);
    at += take;
    return take;
  };
  return result;
}

}  // namespace asl::auth
