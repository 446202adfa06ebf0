// POSIX ACLs: between the kernel's attribute (system.posix_acl_*) and the text that tar archives hold.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <asl/engine/bytes.h>

namespace asl {

inline constexpr std::string_view kAclAccessXattr = "system.posix_acl_access";
inline constexpr std::string_view kAclDefaultXattr = "system.posix_acl_default";

enum class AclTag : std::uint16_t {
  kOwner = 0x01,
  kUser = 0x02,
  kOwningGroup = 0x04,
  kGroup = 0x08,
  kMask = 0x10,
  kOther = 0x20,
};

struct AclEntry {
  AclTag tag = AclTag::kOwner;
  std::uint16_t permissions = 0;  // read 4, write 2, execute 1
  std::uint32_t id = 0;           // of kUser and kGroup
  bool operator==(const AclEntry&) const = default;
};

// The attribute's value, version 2. Nothing if the bytes are of another form.
std::optional<std::vector<AclEntry>> decode_acl(ByteSpan value);
// Sorts the entries as the kernel wants them.
Bytes encode_acl(std::vector<AclEntry> entries);

// "user::rw-,user:ann:r--:1001,group::r--,mask::r--,other::---": with the id in a fourth field, which GNU tar
// skips and others prefer. `user_name` and `group_name` give an empty text where a name is not known; the
// number then stands in its place.
using AclNames = std::function<std::string(std::uint32_t id)>;
std::string acl_to_text(const std::vector<AclEntry>& entries, const AclNames& user_name,
                        const AclNames& group_name);

// Reads that form and what others write: entries separated by commas or line ends, short tags ("u", "g"...),
// comments after '#', names without a number. `user_id` and `group_id` give the number of a name. Nothing if
// the text is of another form or a name has no number.
using AclIds = std::function<std::optional<std::uint32_t>(const std::string& name)>;
std::optional<std::vector<AclEntry>> acl_from_text(std::string_view text, const AclIds& user_id,
                                                   const AclIds& group_id);
// Whether the entries say no more than the nine permission bits do; a file system keeps no attribute then.
bool acl_is_mode_only(const std::vector<AclEntry>& entries);

}  // namespace asl
