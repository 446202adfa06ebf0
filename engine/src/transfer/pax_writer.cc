#include "transfer/pax_writer.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <fmt/format.h>

#include "transfer/tar_fields.h"

namespace asl {
namespace {

// What the sink gets at a time.
constexpr std::size_t kBufferBytes = 1 << 20;
// The largest values the header's octal fields hold.
constexpr std::uint64_t kIdMax = 07777777;
constexpr std::uint64_t kSizeMax = 077777777777;
constexpr std::uint64_t kTimeMax = 077777777777;
constexpr std::uint16_t kPaxMode = 0644;
constexpr std::array<std::byte, 4096> kZeros{};

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

template <std::size_t N>
void put_text(char (&field)[N], std::string_view text) {
  std::memcpy(field, text.data(), std::min(N, text.size()));
}

template <std::size_t N>
void put_octal(char (&field)[N], std::uint64_t value) {
  const std::string digits = fmt::format("{:0{}o}", value, N - 1);
  // A value that is too long stands in a pax record; the field then says nothing.
  put_text(field, digits.size() < N ? digits : std::string(N - 1, '0'));
}

// Splits a name into the header's two fields; false if it does not fit.
bool put_name(UstarBlock& header, std::string_view name) {
  if (name.size() <= sizeof header.name) {
    put_text(header.name, name);
    return true;
  }
  const std::size_t earliest = name.size() - sizeof header.name - 1;
  const std::size_t slash = name.find('/', earliest);
  if (slash == std::string_view::npos || slash == 0 || slash > sizeof header.prefix ||
      slash + 1 == name.size())
    return false;
  put_text(header.prefix, name.substr(0, slash));
  put_text(header.name, name.substr(slash + 1));
  return true;
}

void seal(UstarBlock& header) {
  put_text(header.magic, std::string_view("ustar\0", 6));
  put_text(header.version, "00");
  std::memset(header.checksum, ' ', sizeof header.checksum);
  unsigned sum = 0;
  for (const std::byte byte : std::as_bytes(std::span(&header, 1))) sum += std::to_integer<unsigned>(byte);
  const std::string digits = fmt::format("{:06o}", sum);
  std::memcpy(header.checksum, digits.data(), digits.size());
  header.checksum[6] = '\0';
}

class Records {
 public:
  void add(std::string_view key, std::string_view value) {
    const std::string length = std::to_string(pax_record_size(key, value.size()));
    text_ += length + " ";
    text_ += key;
    text_ += '=';
    text_ += value;
    text_ += '\n';
  }
  void add(std::string_view key, std::uint64_t value) { add(key, std::to_string(value)); }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::string_view base_name(std::string_view name) {
  while (name.ends_with('/')) name.remove_suffix(1);
  return name.substr(name.rfind('/') + 1);
}

// The map that stands before a sparse file's data: how many runs, then offset and length of each.
std::string sparse_map(const TarMember& member) {
  std::vector<TarRun> runs = member.data_runs;
  const std::uint64_t end = runs.empty() ? 0 : runs.back().offset + runs.back().length;
  // A hole at the end is shown by an empty run behind it.
  if (end < member.size_bytes) runs.push_back({member.size_bytes, 0});
  std::string map = fmt::format("{}\n", runs.size());
  for (const TarRun& run : runs) map += fmt::format("{}\n{}\n", run.offset, run.length);
  map.resize(round_up(map.size(), kTarBlockBytes), '\0');
  return map;
}

void put_owner(UstarBlock& header, Records& records, const TarMember& member) {
  put_octal(header.uid, member.uid);
  put_octal(header.gid, member.gid);
  if (member.uid > kIdMax) records.add("uid", member.uid);
  if (member.gid > kIdMax) records.add("gid", member.gid);
  // The fields end in a NUL.
  const auto fits = [](std::string_view name) {
    return name.size() < sizeof(UstarBlock::user) && is_ascii(name);
  };
  if (fits(member.user))
    put_text(header.user, member.user);
  else
    records.add("uname", member.user);
  if (fits(member.group))
    put_text(header.group, member.group);
  else
    records.add("gname", member.group);
}

void put_names(UstarBlock& header, Records& records, const TarMember& member) {
  if (member.sparse) {
    records.add("GNU.sparse.major", 1);
    records.add("GNU.sparse.minor", std::uint64_t{0});
    records.add("GNU.sparse.name", member.name);
    records.add("GNU.sparse.realsize", member.size_bytes);
    put_text(header.name, fmt::format("GNUSparseFile.0/{}", base_name(member.name)));
  } else if (!put_name(header, member.name) || !is_ascii(member.name)) {
    std::memset(header.prefix, 0, sizeof header.prefix);
    std::memset(header.name, 0, sizeof header.name);
    put_text(header.name, member.name);
    records.add("path", member.name);
  }
  put_text(header.link, member.link_target);
  if (member.link_target.size() > sizeof header.link || !is_ascii(member.link_target))
    records.add("linkpath", member.link_target);
}

void put_numbers(UstarBlock& header, Records& records, const TarMember& member, std::uint64_t stored_bytes) {
  put_octal(header.mode, member.mode);
  put_octal(header.size, stored_bytes);
  if (stored_bytes > kSizeMax) records.add("size", stored_bytes);
  const bool plain_time =
      member.mtime_ns == 0 && member.mtime_s >= 0 && static_cast<std::uint64_t>(member.mtime_s) <= kTimeMax;
  put_octal(header.mtime, plain_time ? static_cast<std::uint64_t>(member.mtime_s) : 0);
  if (!plain_time) records.add("mtime", pax_time(member.mtime_s, member.mtime_ns));
  put_octal(header.device_major, member.device_major);
  put_octal(header.device_minor, member.device_minor);
  if (member.device_major > kIdMax) records.add("SCHILY.devmajor", member.device_major);
  if (member.device_minor > kIdMax) records.add("SCHILY.devminor", member.device_minor);
}

}  // namespace

std::size_t pax_record_size(std::string_view key, std::size_t value_size) {
  const std::size_t rest = key.size() + value_size + 3;  // blank, equals sign, newline
  // The length counts its own digits.
  std::size_t total = rest + 1;
  while (rest + std::to_string(total).size() != total) total = rest + std::to_string(total).size();
  return total;
}

std::string xattr_record_key(std::string_view xattr_name) {
  std::string key = "SCHILY.xattr.";
  for (const char c : xattr_name) {
    if (c == '%')
      key += "%25";
    else if (c == '=')
      key += "%3D";
    else
      key += c;
  }
  return key;
}

std::string pax_time(std::int64_t seconds, std::uint32_t nanoseconds) {
  if (nanoseconds == 0) return std::to_string(seconds);
  constexpr std::uint32_t kBillion = 1'000'000'000;
  const bool negative = seconds < 0;
  // Of a negative time, seconds count down to the moment and nanoseconds up from there.
  const std::uint64_t whole =
      negative ? static_cast<std::uint64_t>(-(seconds + 1)) : static_cast<std::uint64_t>(seconds);
  std::string fraction = fmt::format("{:09}", negative ? kBillion - nanoseconds : nanoseconds);
  while (fraction.ends_with('0')) fraction.pop_back();
  return fmt::format("{}{}.{}", negative ? "-" : "", whole, fraction);
}

PaxWriter::PaxWriter(Sink sink) : sink_(std::move(sink)) {
  buffer_.reserve(kBufferBytes);
}

Result<void> PaxWriter::begin(const TarMember& member) {
  ASL_TRY(end_member());
  const std::string map = member.sparse ? sparse_map(member) : std::string();
  std::uint64_t data_bytes = member.type == TarType::kFile ? member.size_bytes : 0;
  if (member.sparse) {
    data_bytes = 0;
    for (const TarRun& run : member.data_runs) data_bytes += run.length;
  }
  UstarBlock header{};
  Records records;
  header.type = static_cast<char>(member.type);
  put_names(header, records, member);
  put_numbers(header, records, member, map.size() + data_bytes);
  put_owner(header, records, member);
  for (const auto& [key, value] : member.extra) records.add(key, as_text(value));
  seal(header);
  if (!records.text().empty()) {
    UstarBlock pax{};
    pax.type = 'x';
    put_text(pax.name, fmt::format("PaxHeaders/{}", base_name(member.name)));
    put_octal(pax.mode, kPaxMode);
    put_octal(pax.uid, 0);
    put_octal(pax.gid, 0);
    put_octal(pax.size, records.text().size());
    put_octal(pax.mtime, 0);
    seal(pax);
    ASL_TRY(put(std::as_bytes(std::span(&pax, 1))));
    ASL_TRY(put(as_bytes(records.text())));
    ASL_TRY(pad(kTarBlockBytes));
  }
  ASL_TRY(put(std::as_bytes(std::span(&header, 1))));
  ASL_TRY(put(as_bytes(map)));
  promised_ = data_bytes;
  return {};
}

Result<void> PaxWriter::content(ByteSpan bytes) {
  assert(bytes.size() <= promised_);
  promised_ -= bytes.size();
  return put(bytes);
}

Result<void> PaxWriter::zeros(std::uint64_t length) {
  while (length > 0) {
    const auto step = static_cast<std::size_t>(std::min<std::uint64_t>(length, kZeros.size()));
    ASL_TRY(content(ByteSpan(kZeros).first(step)));
    length -= step;
  }
  return {};
}

Result<void> PaxWriter::finish() {
  ASL_TRY(end_member());
  ASL_TRY(put(ByteSpan(kZeros).first(2 * kTarBlockBytes)));
  ASL_TRY(pad(kTarRecordBytes));
  return flush();
}

Result<void> PaxWriter::end_member() {
  if (promised_ != 0)
    return fail(ErrorCode::kUsage, "a member of an archive got less content than it promised");
  return pad(kTarBlockBytes);
}

Result<void> PaxWriter::pad(std::uint64_t multiple) {
  std::uint64_t missing = round_up(written_, multiple) - written_;
  while (missing > 0) {
    const auto step = static_cast<std::size_t>(std::min<std::uint64_t>(missing, kZeros.size()));
    ASL_TRY(put(ByteSpan(kZeros).first(step)));
    missing -= step;
  }
  return {};
}

Result<void> PaxWriter::put(ByteSpan bytes) {
  written_ += bytes.size();
  if (buffer_.size() + bytes.size() > kBufferBytes) ASL_TRY(flush());
  if (bytes.size() >= kBufferBytes) return sink_(bytes);
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  return {};
}

Result<void> PaxWriter::flush() {
  if (buffer_.empty()) return {};
  ASL_TRY(sink_(buffer_));
  buffer_.clear();
  return {};
}

}  // namespace asl
