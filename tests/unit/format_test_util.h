// What the tests of the codecs share: worked examples out of doc/, an independent msgpack, and the property
// every codec must have.
#pragma once

#include <cctype>
#include <fstream>
#include <gtest/gtest.h>
#include <msgpack.hpp>
#include <string>

#include <asl/engine/bytes.h>
#include <asl/engine/error.h>
#include <asl/engine/reference.h>

namespace asl::test {

// The bytes of the `index`th block fenced as ```hex in a page of doc/; what follows a '#' is commentary.
inline Bytes doc_example(const std::string& page, int index = 0) {
  std::ifstream in(std::string(ASL_DOC_DIR) + "/" + page);
  EXPECT_TRUE(in.is_open()) << page;
  std::string digits;
  int block = -1;
  bool inside = false;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("```")) {
      inside = line == "```hex";
      if (inside) ++block;
    } else if (inside && block == index) {
      for (const char c : line.substr(0, line.find('#')))
        if (std::isspace(static_cast<unsigned char>(c)) == 0) digits += c;
    }
  }
  Bytes bytes(digits.size() / 2);
  EXPECT_FALSE(bytes.empty()) << page << " has no example " << index;
  EXPECT_TRUE(from_hex(digits, bytes)) << page;
  return bytes;
}

inline Bytes from_hex_text(std::string_view hex) {
  Bytes bytes(hex.size() / 2);
  EXPECT_TRUE(from_hex(hex, bytes)) << hex;
  return bytes;
}

// msgpack-c unpacks and packs again: it writes shortest forms, so canonical bytes come back unchanged.
inline Bytes repacked_by_msgpack_c(ByteSpan bytes) {
  const msgpack::object_handle handle =
      msgpack::unpack(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  msgpack::sbuffer packed;
  msgpack::pack(packed, handle.get());
  const ByteSpan span = as_bytes({packed.data(), packed.size()});
  return {span.begin(), span.end()};
}

inline Reference untyped(std::uint8_t seed) {
  Reference ref{kHashIdSha256, {}};
  ref.digest.fill(std::byte{seed});
  return ref;
}
inline Reference typed(std::uint8_t seed) {
  Reference ref = untyped(seed);
  ref.hash_id = kHashIdAsl1;
  return ref;
}

// Whatever a decoder accepts must encode to the same bytes; tried with the bytes themselves, with every bit
// flipped, with every beginning, and with one byte more.
template <typename Decode, typename Encode>
void expect_one_encoding(const Bytes& bytes, const Decode& decode, const Encode& encode) {
  const auto value = decode(bytes);
  ASSERT_TRUE(value) << value.error().to_string();
  const Result<Bytes> again = encode(*value);
  ASSERT_TRUE(again) << again.error().to_string();
  EXPECT_EQ(*again, bytes);
  EXPECT_EQ(repacked_by_msgpack_c(bytes), bytes);

  Bytes changed = bytes;
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    const std::byte mask{static_cast<std::uint8_t>(1U << (bit % 8))};
    changed[bit / 8] ^= mask;
    if (const auto other = decode(changed)) {
      const Result<Bytes> encoded = encode(*other);
      ASSERT_TRUE(encoded) << "bit " << bit << ": " << encoded.error().to_string();
      EXPECT_EQ(*encoded, changed) << "bit " << bit;
    }
    changed[bit / 8] ^= mask;
  }
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(decode(Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)))) << size;
  changed.push_back(std::byte{0xC0});
  EXPECT_FALSE(decode(changed));
}

// That a result is an error of this code whose message holds `part`.
template <typename T>
void expect_error(const Result<T>& result, ErrorCode code, std::string_view part) {
  ASSERT_FALSE(result) << "accepted instead of: " << part;
  EXPECT_EQ(result.error().code, code) << result.error().to_string();
  EXPECT_NE(result.error().message.find(part), std::string::npos) << result.error().to_string();
}
template <typename T>
void expect_integrity_error(const Result<T>& result, std::string_view part) {
  expect_error(result, ErrorCode::kIntegrity, part);
  if (!result) {
    EXPECT_TRUE(result.error().offset.has_value());
  }
}

}  // namespace asl::test
