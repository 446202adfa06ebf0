// The names of pins: asl-<12 hex of the domain>-<snapshot number>-<12 hex of the snapshot's digest>.
//
// The digest is there because numbers alone can be given twice: a store put back to an older state counts on
// from there, while the file system still has the pins of what came later.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <asl/engine/domain_id.h>
#include <asl/engine/reference.h>

namespace asl {

struct PinName {
  std::uint64_t snapshot_id = 0;
  std::string digest_hex;  // the first kPinHexDigits digits

  auto operator<=>(const PinName&) const = default;
};

inline constexpr std::size_t kPinHexDigits = 12;  // 48 bits: nobody makes two equal ones by accident

PinName pin_of(std::uint64_t snapshot_id, const Reference& snapshot);
std::string to_text(const DomainId& domain, const PinName& pin);
// Nothing for every name that is not exactly one of this domain's.
std::optional<PinName> parse_pin_name(const DomainId& domain, std::string_view text);

}  // namespace asl
