// The fields of tar headers and pax records, from their bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <asl/engine/bytes.h>

#include "transfer/tar_reader.h"

namespace asl {

// The header as POSIX has it; GNU's and star's put other things where `prefix` is.
struct UstarBlock {
  char name[100];
  char mode[8];
  char uid[8];
  char gid[8];
  char size[12];
  char mtime[12];
  char checksum[8];
  char type;
  char link[100];
  char magic[6];
  char version[2];
  char user[32];
  char group[32];
  char device_major[8];
  char device_minor[8];
  char prefix[155];
  char rest[12];
};
static_assert(sizeof(UstarBlock) == kTarBlockBytes);

// Up to the first NUL, or all of it.
std::string field_text(std::span<const char> field);
// Octal digits between blanks, or GNU's binary form for large and negative numbers. An empty field is 0.
std::optional<std::int64_t> field_number(std::span<const char> field);
bool checksum_matches(const UstarBlock& header);

// Decimal digits only, to the end of the text.
std::optional<std::uint64_t> decimal(std::string_view text);
std::optional<std::int64_t> signed_decimal(std::string_view text);
// "-1.5" is half a second before -1: seconds -2, nanoseconds 500,000,000. More digits than nine are cut.
std::optional<TarTime> decimal_time(std::string_view text);
// "user.a%3Db%25c" is "user.a=b%c"; nothing else is escaped.
std::string decoded_xattr_name(std::string_view text);
// As libarchive writes them: every odd byte as %XX, and values in base64.
std::string percent_decoded(std::string_view text);
std::optional<Bytes> base64_decoded(std::string_view text);

}  // namespace asl
