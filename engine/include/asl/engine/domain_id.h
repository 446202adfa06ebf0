// The name of a domain: 20 bytes, random for a local domain, derived from its root key otherwise.
#pragma once

#include <array>
#include <cstddef>

namespace asl {

using DomainId = std::array<std::byte, 20>;
static_assert(sizeof(DomainId) == 20, "stored in log and segment headers");

}  // namespace asl
