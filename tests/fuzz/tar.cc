// Tar archives, and the ACLs in them.
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "fuzz.h"
#include "transfer/acl_text.h"
#include "transfer/pax_writer.h"
#include "transfer/tar_fields.h"
#include "transfer/tar_reader.h"

namespace asl::fuzz {
namespace {

constexpr std::uint8_t kResum = 1U << 0;  // every block that could be a header gets a fitting checksum

// Header checksums, and nothing else, keep most changed archives out.
void resum(Bytes& archive) {
  for (std::size_t at = 0; at + kTarBlockBytes <= archive.size(); at += kTarBlockBytes) {
    const MutableByteSpan block = MutableByteSpan(archive).subspan(at, kTarBlockBytes);
    if (!as_text(block.subspan(257, 5)).starts_with("ustar")) continue;
    const MutableByteSpan field = block.subspan(offsetof(UstarBlock, checksum), sizeof(UstarBlock::checksum));
    std::ranges::fill(field, std::byte{' '});
    unsigned sum = 0;
    for (const std::byte byte : block) sum += std::to_integer<unsigned>(byte);
    for (std::size_t digit = 0; digit < 6; ++digit, sum /= 8)
      field[5 - digit] = static_cast<std::byte>('0' + sum % 8);
    field[6] = std::byte{0};
  }
}

// All that an archive says, read with `step` bytes at a time.
std::string told(ByteSpan archive, std::size_t step) {
  std::size_t at = 0;
  TarReader reader([&](MutableByteSpan into) -> Result<std::size_t> {
    const std::size_t count = std::min({step, into.size(), archive.size() - at});
    std::ranges::copy(archive.subspan(at, count), into.begin());
    at += count;
    return count;
  });
  std::string text;
  TarInput member;
  Bytes buffer;
  while (true) {
    const auto more = reader.next(member);
    if (!more) return text + more.error().to_string();
    if (!*more) break;
    text += member.name + "\n" + member.link_target + "\n" + std::to_string(member.mtime.seconds) + "\n";
    require(member.mtime.nanoseconds < 1'000'000'000, "a time's fraction is below a second");
    for (const auto& [name, value] : member.xattrs) text += name + "=" + std::string(as_text(value)) + "\n";
    std::uint64_t end = 0;
    for (const TarRun& run : member.data_runs) {
      require(run.offset >= end && run.length <= member.size_bytes - run.offset,
              "runs ascend inside the file");
      end = run.offset + run.length;
      for (std::uint64_t left = run.length; left > 0;) {
        buffer.resize(std::min<std::uint64_t>(left, 65536));
        if (const auto got = reader.read(buffer); !got) return text + got.error().to_string();
        text += as_text(buffer);
        left -= buffer.size();
      }
    }
  }
  const auto drained = reader.drain();
  return text + (drained ? std::to_string(static_cast<int>(*drained)) : drained.error().to_string());
}

std::optional<std::uint32_t> number_of(const std::string& name) {
  const auto number = decimal(name);
  if (!number || *number > 0xFFFFFFFF) return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

}  // namespace

void fuzz_tar(ByteSpan input) {
  Choices choices(input);
  const std::uint8_t how = choices.byte();
  Bytes archive(choices.rest().begin(), choices.rest().end());
  if ((how & kResum) != 0) resum(archive);
  require(told(archive, archive.size() + 1) == told(archive, 61 + how),
          "an archive reads the same in pieces");
}

void fuzz_acl(ByteSpan input) {
  const auto check = [](const std::vector<AclEntry>& entries) {
    const Bytes encoded = encode_acl(entries);
    const auto again = decode_acl(encoded);
    require(again.has_value(), "what was encoded decodes");
    require(encode_acl(*again) == encoded, "to the same");
    const auto no_name = [](std::uint32_t) { return std::string(); };
    const auto back = acl_from_text(acl_to_text(*again, no_name, no_name), number_of, number_of);
    require(back.has_value(), "an ACL's text is read");
    require(encode_acl(*back) == encoded, "as the same ACL");
  };
  if (const auto entries = decode_acl(input)) check(*entries);
  if (const auto entries = acl_from_text(as_text(input), number_of, number_of)) check(*entries);
}

}  // namespace asl::fuzz
