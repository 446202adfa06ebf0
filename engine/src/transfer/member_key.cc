#include "transfer/member_key.h"

#include <algorithm>
#include <utility>

#include "format/entry_codec.h"

namespace asl {
namespace {

constexpr std::size_t kNumberSize = sizeof(std::uint64_t);
constexpr std::size_t kSeparatorSize = 2;
constexpr std::byte kLinkMark{1};
constexpr std::byte kEntryMark{0};

// An entry must have a content to be encoded; that of a directory is known last.
constexpr Reference kNoTreeYet{kHashIdAsl1, Digest{}};

}  // namespace

std::string path_key(std::string_view path) {
  std::string key(path);
  std::replace(key.begin(), key.end(), '/', '\0');
  return key;
}

std::string path_of_key(std::string_view key) {
  std::string path(key);
  std::replace(path.begin(), path.end(), '\0', '/');
  return path;
}

std::string number_key(std::uint64_t number) {
  std::string key(kNumberSize, '\0');
  store_be(reinterpret_cast<std::byte*>(key.data()), number);
  return key;
}

std::uint64_t number_of_key(ByteSpan key) {
  return load_be<std::uint64_t>(key.data());
}

std::string version_key(std::string_view path, std::uint64_t number) {
  std::string key(path);
  key.append(kSeparatorSize, '\0');
  return key + number_key(number);
}

Version version_of(ByteSpan key) {
  const std::size_t path_size = key.size() - kSeparatorSize - kNumberSize;
  return {as_text(key.first(path_size)), number_of_key(key.last(kNumberSize))};
}

Bytes encode_member(const MemberValue& member) {
  if (member.link_target) {
    Bytes value(1 + member.link_target->size(), kLinkMark);
    std::ranges::copy(as_bytes(*member.link_target), value.begin() + 1);
    return value;
  }
  Bytes value(1, kEntryMark);
  CmWriter writer(value);
  Entry entry = member.entry;
  entry.name = "-";
  if (entry.type == EntryType::kDirectory) entry.content = kNoTreeYet;
  write_entry(writer, entry);
  return value;
}

Result<MemberValue> decode_member(ByteSpan value) {
  MemberValue member;
  if (value.front() == kLinkMark) {
    member.link_target = std::string(as_text(value.subspan(1)));
    return member;
  }
  CmReader reader(value.subspan(1));
  ASL_TRY(read_entry(reader, member.entry, NameRule::kName));
  member.entry.name.clear();
  return member;
}

}  // namespace asl
