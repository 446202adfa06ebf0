#include "pin/pin_name.h"

#include <algorithm>
#include <charconv>

#include <asl/engine/host_root.h>

namespace asl {
namespace {

std::string prefix_of(const DomainId& domain) {
  return "asl-" + to_hex(domain).substr(0, kPinHexDigits) + "-";
}

bool is_hex_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

}  // namespace

PinName pin_of(std::uint64_t snapshot_id, const Reference& snapshot) {
  return {.snapshot_id = snapshot_id, .digest_hex = to_hex(snapshot.digest).substr(0, kPinHexDigits)};
}

std::string to_text(const DomainId& domain, const PinName& pin) {
  return prefix_of(domain) + std::to_string(pin.snapshot_id) + "-" + pin.digest_hex;
}

std::optional<PinName> parse_pin_name(const DomainId& domain, std::string_view text) {
  const std::string prefix = prefix_of(domain);
  if (!text.starts_with(prefix)) return std::nullopt;
  const std::string_view rest = text.substr(prefix.size());
  PinName pin;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), pin.snapshot_id);
  if (error != std::errc()) return std::nullopt;
  const std::string_view tail = rest.substr(static_cast<std::size_t>(end - rest.data()));
  if (tail.size() != 1 + kPinHexDigits) return std::nullopt;
  pin.digest_hex = tail.substr(1);
  if (!std::ranges::all_of(pin.digest_hex, is_hex_digit) || to_text(domain, pin) != text) return std::nullopt;
  return pin;
}

}  // namespace asl
