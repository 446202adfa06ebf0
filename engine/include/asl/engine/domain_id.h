// The name of a domain: the first 20 bytes of a hash of its root key, or 20 random bytes for a local domain
// (made without a key).
#pragma once

#include <array>
#include <cstddef>

namespace asl {

using DomainId = std::array<std::byte, 20>;
static_assert(sizeof(DomainId) == 20, "stored in log and segment headers");

}  // namespace asl
