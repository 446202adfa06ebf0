// How members of an archive are sorted while a tree is made of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <asl/engine/bytes.h>
#include <asl/engine/tree.h>

namespace asl {

// A path as a sort key: its names with NULs between them. No name holds a NUL, and it sorts before all else,
// so that the byte order of keys is the order of trees: a directory, what it holds, then its next sibling.
// The root is "".
std::string path_key(std::string_view path);
std::string path_of_key(std::string_view key);

// A path key and the number of the member: versions of one path stand together, oldest first. Two NULs in a
// row are in no path key and keep the order above.
std::string version_key(std::string_view path, std::uint64_t number);
struct Version {
  std::string_view path;  // key
  std::uint64_t number = 0;
};
Version version_of(ByteSpan key);

std::string number_key(std::uint64_t number);
std::uint64_t number_of_key(ByteSpan key);

// What a member is: an entry by itself (`link_target` empty), or a further name of another member.
struct MemberValue {
  Entry entry;                             // no name; directories without content
  std::optional<std::string> link_target;  // path key
};
Bytes encode_member(const MemberValue& member);
Result<MemberValue> decode_member(ByteSpan value);

}  // namespace asl
