#include "transfer/tar_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "transfer/tar_fields.h"

namespace asl {
namespace {

constexpr std::size_t kBufferBytes = 1 << 20;
constexpr std::string_view kPaxMagic{"ustar\0", 6};
constexpr std::string_view kGnuMagic{"ustar ", 6};

// GNU's old sparse headers: four runs in the header, 21 in each block that follows it.
constexpr std::size_t kOldSparseMapAt = 386;
constexpr std::size_t kOldSparseRuns = 4;
constexpr std::size_t kOldSparseMoreAt = 482;
constexpr std::size_t kOldSparseSizeAt = 483;
constexpr std::size_t kOldSparseBlockRuns = 21;
constexpr std::size_t kOldSparseBlockMoreAt = 504;
constexpr std::size_t kNumberField = 12;

std::span<const char> chars(ByteSpan bytes, std::size_t at, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes.data()) + at, size};
}

TarInput::Type type_of(char flag, const std::string& name) {
  switch (flag) {
    case '\0':
    case '0':
    case '7':
      // Before POSIX a directory was a file whose name ends so.
      return name.ends_with('/') ? TarInput::Type::kDirectory : TarInput::Type::kFile;
    case 'S':
      return TarInput::Type::kFile;
    case '1':
      return TarInput::Type::kHardLink;
    case '2':
      return TarInput::Type::kSymlink;
    case '3':
      return TarInput::Type::kCharDevice;
    case '4':
      return TarInput::Type::kBlockDevice;
    case '5':
    case 'D':
      return TarInput::Type::kDirectory;
    case '6':
      return TarInput::Type::kFifo;
    default:
      return TarInput::Type::kUnknown;
  }
}

// Links, devices and directories have no data whatever their size field says, except GNU's listed
// directories.
bool has_data(const TarInput& member) {
  return member.type == TarInput::Type::kFile || member.type == TarInput::Type::kUnknown ||
         member.type_flag == 'D';
}

}  // namespace

struct TarReader::Extra {
  std::optional<std::string> name, link_target, user, group, sparse_name;
  std::optional<std::uint64_t> size, sparse_size;
  std::optional<std::int64_t> uid, gid;
  std::optional<TarTime> mtime, birth_time;
  std::vector<std::pair<std::string, Bytes>> xattrs;
  std::vector<std::pair<std::string, Bytes>> other_xattrs;  // in libarchive's own records
  std::string acl_access, acl_default;
  bool sparse = false;
  bool map_in_data = false;
  std::vector<TarRun> runs;
  std::optional<std::uint64_t> run_offset;  // of the run whose length comes next

  // False if the value is not of its form.
  bool apply(const std::string& key, const std::string& value);
  bool apply_sparse(std::string_view key, const std::string& value);
  bool apply_attribute(const std::string& key, const std::string& value);
  bool add_run(std::uint64_t offset, std::uint64_t length);
};

namespace {

template <typename Value>
bool set(std::optional<Value>& field, const std::string& text, std::optional<Value> value) {
  field = value;
  return value.has_value() || text.empty();  // an empty value takes the record back
}

Bytes bytes_of(std::string_view text) {
  const ByteSpan bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

void set_text(std::optional<std::string>& field, const std::string& value) {
  if (value.empty())
    field.reset();
  else
    field = value;
}

}  // namespace

bool TarReader::Extra::add_run(std::uint64_t offset, std::uint64_t length) {
  const std::uint64_t end = runs.empty() ? 0 : runs.back().offset + runs.back().length;
  constexpr auto kMax = static_cast<std::uint64_t>(INT64_MAX);
  if (offset < end || offset > kMax || length > kMax - offset) return false;
  if (length == 0) return true;
  if (runs.size() >= kTarSparseRunsMax) return false;
  if (!runs.empty() && offset == end)
    runs.back().length += length;
  else
    runs.push_back({offset, length});
  return true;
}

bool TarReader::Extra::apply(const std::string& key, const std::string& value) {
  if (key == "path") return set_text(name, value), true;
  if (key == "linkpath") return set_text(link_target, value), true;
  if (key == "uname") return set_text(user, value), true;
  if (key == "gname") return set_text(group, value), true;
  if (key == "size") return set(size, value, decimal(value));
  if (key == "uid") return set(uid, value, signed_decimal(value));
  if (key == "gid") return set(gid, value, signed_decimal(value));
  if (key == "mtime") return set(mtime, value, decimal_time(value));
  if (key == "LIBARCHIVE.creationtime") return set(birth_time, value, decimal_time(value));
  if (key.starts_with("GNU.sparse.")) return apply_sparse(std::string_view(key).substr(11), value);
  return apply_attribute(key, value);
}

bool TarReader::Extra::apply_attribute(const std::string& key, const std::string& value) {
  constexpr std::string_view kXattr = "SCHILY.xattr.";
  constexpr std::string_view kOtherXattr = "LIBARCHIVE.xattr.";
  if (key == "SCHILY.acl.access") return acl_access = value, true;
  if (key == "SCHILY.acl.default") return acl_default = value, true;
  if (key.starts_with(kXattr)) {
    xattrs.emplace_back(decoded_xattr_name(std::string_view(key).substr(kXattr.size())), bytes_of(value));
  } else if (key.starts_with(kOtherXattr)) {
    auto decoded = base64_decoded(value);
    if (!decoded) return false;
    other_xattrs.emplace_back(percent_decoded(std::string_view(key).substr(kOtherXattr.size())),
                              std::move(*decoded));
  } else if (key == "RHT.security.selinux") {
    // The kernel's value ends with the NUL that the record leaves out.
    xattrs.emplace_back("security.selinux", bytes_of(value + '\0'));
  }
  return true;  // what is not known may be passed over
}

bool TarReader::Extra::apply_sparse(std::string_view key, const std::string& value) {
  sparse = true;
  if (key == "name") return set_text(sparse_name, value), true;
  if (key == "size" || key == "realsize") return set(sparse_size, value, decimal(value));
  if (key == "major") return map_in_data = value == "1", value == "0" || value == "1";
  if (key == "minor" || key == "numblocks") return decimal(value).has_value();
  if (key == "offset") return set(run_offset, value, decimal(value));
  if (key == "numbytes") {
    const auto length = decimal(value);
    return length && run_offset && add_run(*std::exchange(run_offset, {}), *length);
  }
  if (key != "map") return true;
  for (std::size_t at = 0; at < value.size();) {
    const std::size_t comma = value.find(',', at);
    if (comma == std::string::npos) return false;
    const std::size_t end = std::min(value.find(',', comma + 1), value.size());
    const auto offset = decimal(std::string_view(value).substr(at, comma - at));
    const auto length = decimal(std::string_view(value).substr(comma + 1, end - comma - 1));
    if (!offset || !length || !add_run(*offset, *length)) return false;
    at = end + 1;
  }
  return true;
}

TarReader::TarReader(Source source) : source_(std::move(source)), buffer_(kBufferBytes) {}

std::unexpected<Error> TarReader::malformed(std::string message) const {
  return fail(Error{.code = ErrorCode::kMalformed, .message = std::move(message), .offset = position_});
}

Result<std::size_t> TarReader::take(MutableByteSpan into) {
  if (buffer_at_ == buffer_end_ && into.size() >= kBufferBytes) {
    ASL_ASSIGN(const std::size_t got, source_(into));
    position_ += got;
    return got;
  }
  if (buffer_at_ == buffer_end_) {
    buffer_at_ = 0;
    ASL_ASSIGN(buffer_end_, source_(buffer_.span()));
  }
  const std::size_t count = std::min(into.size(), buffer_end_ - buffer_at_);
  if (count > 0) std::memcpy(into.data(), buffer_.data() + buffer_at_, count);
  buffer_at_ += count;
  position_ += count;
  return count;
}

Result<void> TarReader::take_exactly(MutableByteSpan into) {
  while (!into.empty()) {
    ASL_ASSIGN(const std::size_t got, take(into));
    if (got == 0) return malformed("the archive was cut short: it ends inside a member");
    into = into.subspan(got);
  }
  return {};
}

Result<void> TarReader::skip(std::uint64_t length) {
  Bytes scratch(std::min<std::uint64_t>(length, kBufferBytes));
  while (length > 0) {
    const MutableByteSpan part =
        MutableByteSpan(scratch).first(std::min<std::uint64_t>(length, scratch.size()));
    ASL_TRY(take_exactly(part));
    length -= part.size();
  }
  return {};
}

// False at the end mark.
Result<bool> TarReader::take_header(MutableByteSpan header) {
  std::size_t got = 0;
  while (got < header.size()) {
    ASL_ASSIGN(const std::size_t more, take(header.subspan(got)));
    if (more == 0) break;
    got += more;
  }
  if (got == 0 && position_ > 0)
    return malformed("the archive was cut short: there is no end mark after its last member");
  if (got < header.size()) return malformed("this is no tar archive, or it was cut short");
  if (all_zero(header)) return false;
  UstarBlock block;
  std::memcpy(&block, header.data(), sizeof block);
  if (!checksum_matches(block))
    return malformed(position_ == kTarBlockBytes ? "this is no tar archive"
                                                 : "a member's header does not match its checksum");
  return true;
}

Result<std::string> TarReader::take_text(std::uint64_t size) {
  if (size > kTarExtraBytesMax) return malformed("a long name or a member's pax records are too long");
  std::string text(size, '\0');
  ASL_TRY(take_exactly(std::as_writable_bytes(std::span(text))));
  ASL_TRY(skip(round_up(size, kTarBlockBytes) - size));
  return text;
}

// "<length> <key>=<value>\n", the length counting all of it.
Result<void> TarReader::take_records(std::uint64_t size,
                                     std::vector<std::pair<std::string, std::string>>& records) {
  ASL_ASSIGN(const std::string text, take_text(size));
  for (std::string_view rest = text; !rest.empty();) {
    // Some writers fill the last block's end with NULs and count them.
    if (rest.find_first_not_of('\0') == std::string_view::npos) break;
    const std::size_t blank = rest.find(' ');
    const auto length = decimal(rest.substr(0, std::min(blank, rest.size())));
    if (!length || *length <= blank + 1 || *length > rest.size() || rest[*length - 1] != '\n')
      return malformed("a pax record has a wrong length");
    const std::string_view record = rest.substr(blank + 1, *length - blank - 2);
    const std::size_t equals = record.find('=');
    if (equals == std::string_view::npos || equals == 0) return malformed("a pax record has no key");
    records.emplace_back(record.substr(0, equals), record.substr(equals + 1));
    rest.remove_prefix(*length);
  }
  return {};
}

Result<bool> TarReader::next(TarInput& member) {
  ASL_TRY(skip(data_left_ + padding_left_));
  data_left_ = padding_left_ = 0;
  Extra extra;
  for (const auto& [key, value] : global_records_) {
    if (!extra.apply(key, value)) return malformed("the global pax record " + key + " has a wrong value");
  }
  member = TarInput{};
  member.archive_offset = position_;
  Bytes header(kTarBlockBytes);
  bool begun = false;  // something was said of a member that must then follow
  while (true) {
    ASL_ASSIGN(const bool more, take_header(header));
    if (!more && begun) return malformed("the archive ends where a member must follow");
    if (!more) return false;
    UstarBlock block;
    std::memcpy(&block, header.data(), sizeof block);
    if (std::string_view("xXgLK").find(block.type) == std::string_view::npos) break;
    const auto size = field_number(block.size);
    if (!size || *size < 0) return malformed("a header has a wrong size");
    begun = block.type != 'g';
    if (block.type == 'L' || block.type == 'K') {
      ASL_ASSIGN(std::string text, take_text(static_cast<std::uint64_t>(*size)));
      text.resize(std::min(text.find('\0'), text.size()));
      auto& field = block.type == 'L' ? extra.name : extra.link_target;
      if (!field) field = std::move(text);
      continue;
    }
    std::vector<std::pair<std::string, std::string>> records;
    ASL_TRY(take_records(static_cast<std::uint64_t>(*size), records));
    for (auto& [key, value] : records) {
      if (!extra.apply(key, value)) return malformed("the pax record " + key + " has a wrong value");
      if (block.type == 'g') global_records_.emplace_back(key, value);
    }
  }
  ASL_TRY(describe(header, extra, member));
  return true;
}

Result<void> TarReader::describe(ByteSpan header, Extra& extra, TarInput& member) {
  UstarBlock block;
  std::memcpy(&block, header.data(), sizeof block);
  const std::string_view magic(block.magic, sizeof block.magic);
  const bool star = std::string_view(block.rest, sizeof block.rest).ends_with(std::string_view("tar\0", 4));
  member.name = field_text(block.name);
  if (magic == kPaxMagic) {
    constexpr std::size_t kStarPrefix = 131;  // its times follow
    const std::string prefix =
        field_text(std::span(block.prefix).first(star ? kStarPrefix : sizeof block.prefix));
    if (!prefix.empty()) member.name = prefix + "/" + member.name;
  }
  const auto mode = field_number(block.mode);
  const auto uid = field_number(block.uid);
  const auto gid = field_number(block.gid);
  const auto mtime = field_number(block.mtime);
  if (!mode || !uid || !gid || !mtime) return malformed("a header holds something that is no number");
  if (extra.name) member.name = *extra.name;
  if (extra.sparse_name) member.name = *extra.sparse_name;
  member.type_flag = block.type;
  member.type = type_of(block.type, member.name);
  member.link_target = extra.link_target.value_or(field_text(block.link));
  constexpr std::int64_t kModeBits = 07777;
  member.mode = static_cast<std::uint16_t>(*mode & kModeBits);
  member.uid = extra.uid.value_or(*uid);
  member.gid = extra.gid.value_or(*gid);
  const bool named = magic == kPaxMagic || magic == kGnuMagic;
  member.user = extra.user.value_or(named ? field_text(block.user) : "");
  member.group = extra.group.value_or(named ? field_text(block.group) : "");
  member.mtime = extra.mtime.value_or(TarTime{.seconds = *mtime});
  member.birth_time = extra.birth_time;
  if (member.type == TarInput::Type::kCharDevice || member.type == TarInput::Type::kBlockDevice) {
    const auto major = field_number(block.device_major);
    const auto minor = field_number(block.device_minor);
    if (!major || !minor) return malformed("a device has a wrong number");
    member.device_major = static_cast<std::uint32_t>(*major);
    member.device_minor = static_cast<std::uint32_t>(*minor);
  }
  member.xattrs = std::move(extra.xattrs.empty() ? extra.other_xattrs : extra.xattrs);
  member.acl_access = std::move(extra.acl_access);
  member.acl_default = std::move(extra.acl_default);
  return place_data(header, extra, member);
}

// Where the member's data lies, in the archive and in the file.
Result<void> TarReader::place_data(ByteSpan header, Extra& extra, TarInput& member) {
  UstarBlock block;
  std::memcpy(&block, header.data(), sizeof block);
  const auto size = field_number(block.size);
  if (!size || *size < 0) return malformed("a header has a wrong size");
  constexpr auto kMax = static_cast<std::uint64_t>(INT64_MAX);
  const std::uint64_t stored = extra.size.value_or(static_cast<std::uint64_t>(*size));
  if (stored > kMax - kTarBlockBytes) return malformed("a member is too long");
  if (!has_data(member)) return {};
  data_left_ = stored;
  padding_left_ = round_up(stored, kTarBlockBytes) - stored;
  if (member.type != TarInput::Type::kFile) return {};
  const bool old_sparse = block.type == 'S';
  if (!old_sparse && !extra.sparse) {
    member.size_bytes = stored;
    if (stored > 0) member.data_runs.push_back({0, stored});
    return {};
  }
  if (old_sparse) ASL_TRY(take_old_sparse_map(header, extra));
  if (extra.map_in_data) ASL_TRY(take_sparse_map_in_data(extra));
  if (!extra.sparse_size) return malformed("a sparse file does not say how long it is");
  member.size_bytes = *extra.sparse_size;
  std::uint64_t data = 0;
  for (const TarRun& run : extra.runs) data += run.length;
  const std::uint64_t end = extra.runs.empty() ? 0 : extra.runs.back().offset + extra.runs.back().length;
  if (data != data_left_ || end > member.size_bytes || member.size_bytes > kMax)
    return malformed("a sparse file's map does not match its data");
  member.data_runs = std::move(extra.runs);
  return {};
}

Result<void> TarReader::take_old_sparse_map(ByteSpan header, Extra& extra) {
  const auto take_runs = [&](ByteSpan block, std::size_t at, std::size_t count) {
    for (std::size_t k = 0; k < count; ++k, at += 2 * kNumberField) {
      if (block[at] == std::byte{0}) break;  // an entry that is not used
      const auto offset = field_number(chars(block, at, kNumberField));
      const auto length = field_number(chars(block, at + kNumberField, kNumberField));
      if (!offset || !length || *offset < 0 || *length < 0 ||
          !extra.add_run(static_cast<std::uint64_t>(*offset), static_cast<std::uint64_t>(*length)))
        return false;
    }
    return true;
  };
  const auto size = field_number(chars(header, kOldSparseSizeAt, kNumberField));
  if (!size || *size < 0 || !take_runs(header, kOldSparseMapAt, kOldSparseRuns))
    return malformed("a sparse file has a wrong map");
  extra.sparse_size = static_cast<std::uint64_t>(*size);
  bool more = header[kOldSparseMoreAt] != std::byte{0};
  Bytes block(kTarBlockBytes);
  while (more) {
    ASL_TRY(take_exactly(block));
    if (!take_runs(block, 0, kOldSparseBlockRuns)) return malformed("a sparse file has a wrong map");
    more = block[kOldSparseBlockMoreAt] != std::byte{0};
  }
  return {};
}

// Decimal numbers, one a line, before the data: how many runs, then offset and length of each; filled up to a
// block's end.
Result<void> TarReader::take_sparse_map_in_data(Extra& extra) {
  std::string block;
  std::size_t at = 0;
  constexpr std::size_t kDigitsMax = 20;
  const auto number = [&]() -> Result<std::uint64_t> {
    std::string digits;
    while (true) {
      if (at == block.size()) {
        if (data_left_ < kTarBlockBytes) return malformed("a sparse file's map is cut short");
        block.resize(kTarBlockBytes);
        at = 0;
        ASL_TRY(take_exactly(std::as_writable_bytes(std::span(block))));
        data_left_ -= kTarBlockBytes;
      }
      const char c = block[at++];
      if (c == '\n') break;
      digits += c;
      if (digits.size() > kDigitsMax) return malformed("a sparse file has a wrong map");
    }
    const auto value = decimal(digits);
    if (!value) return malformed("a sparse file has a wrong map");
    return *value;
  };
  ASL_ASSIGN(const std::uint64_t count, number());
  for (std::uint64_t k = 0; k < count; ++k) {
    ASL_ASSIGN(const std::uint64_t offset, number());
    ASL_ASSIGN(const std::uint64_t length, number());
    if (!extra.add_run(offset, length)) return malformed("a sparse file has a wrong map");
  }
  return {};
}

Result<void> TarReader::read(MutableByteSpan into) {
  if (into.size() > data_left_) return fail(ErrorCode::kUsage, "more was asked of a member than it has");
  ASL_TRY(take_exactly(into));
  data_left_ -= into.size();
  return {};
}

Result<bool> TarReader::drain() {
  Bytes scratch(kBufferBytes);
  bool something = false;
  while (true) {
    ASL_ASSIGN(const std::size_t got, take(scratch));
    if (got == 0) return something;
    something = something || !all_zero(ByteSpan(scratch).first(got));
  }
}

}  // namespace asl
