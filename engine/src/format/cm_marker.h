// The first bytes of msgpack values, as far as CM uses them.
#pragma once

#include <cstdint>

namespace asl {

inline constexpr std::uint8_t kCmPositiveFixintLast = 0x7F;
inline constexpr std::uint8_t kCmFixarray = 0x90;  // to 0x9F
inline constexpr std::uint8_t kCmFixstr = 0xA0;    // to 0xBF
inline constexpr std::uint8_t kCmNil = 0xC0;
inline constexpr std::uint8_t kCmFalse = 0xC2;
inline constexpr std::uint8_t kCmTrue = 0xC3;
// Each family's wider forms follow in the next bytes: 8, 16, 32 and, for integers, 64 bits.
inline constexpr std::uint8_t kCmBin8 = 0xC4;
inline constexpr std::uint8_t kCmUint8 = 0xCC;
inline constexpr std::uint8_t kCmInt8 = 0xD0;
inline constexpr std::uint8_t kCmStr8 = 0xD9;
inline constexpr std::uint8_t kCmArray16 = 0xDC;  // arrays have no 8-bit form
inline constexpr std::uint8_t kCmNegativeFixintFirst = 0xE0;

inline constexpr std::uint32_t kCmFixarrayMax = 15;
inline constexpr std::uint32_t kCmFixstrMax = 31;
inline constexpr std::int64_t kCmNegativeFixintMin = -32;

}  // namespace asl
