// What the tests of auth share: public test vectors, the reject corpus, keys that everybody knows.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <iterator>
#include <optional>
#include <set>
#include <sstream>
#include <string>

#include <asl/auth/signing_key.h>

#include "support.h"

namespace asl::test {

inline std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The folder of public vectors by that name; nothing where they are not installed.
inline std::optional<std::string> vectors(const std::string& name) {
  const char* const place = std::getenv("ASL_VECTORS");
  const std::string folder =
      (place != nullptr ? std::string(place) : ASL_SOURCE_TREE "/../shared/vectors") + "/" + name;
  if (!std::filesystem::is_directory(folder)) return std::nullopt;
  return folder;
}

inline std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    char code[8];
    std::snprintf(code, sizeof code, "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
    out += code;
  }
  return out;
}

// tests/bad/auth/<area>/expect.txt names every file there and the error that reading it must give: exit code,
// then what the message must contain.
template <typename Read>
void check_reject_corpus(const std::string& area, Read&& read) {
  const std::string folder = ASL_SOURCE_TREE "/tests/bad/auth/" + area;
  std::istringstream lines(read_file(folder + "/expect.txt"));
  std::set<std::string> named = {"expect.txt"};
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    std::istringstream words(line);
    std::string name;
    int code = 0;
    words >> name >> code >> std::ws;
    std::string message;
    std::getline(words, message);
    named.insert(name);
    const auto result = read(read_file(folder + "/" + name));
    ASSERT_FALSE(result.has_value()) << area << "/" << name << " was accepted";
    EXPECT_EQ(exit_code(result.error().code), code)
        << area << "/" << name << ": " << result.error().to_string();
    EXPECT_NE(result.error().to_string().find(message), std::string::npos)
        << area << "/" << name << "\n  must say: " << message
        << "\n  says:     " << result.error().to_string();
  }
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    EXPECT_TRUE(named.contains(entry.path().filename().string())) << entry.path() << " is not in expect.txt";
}

// The key whose seed is 32 times `fill`.
inline auth::SigningKey key_of(auth::KeyClass key_class, std::uint8_t fill) {
  auth::SecretBytes seed(auth::kSeedSize);
  std::ranges::fill(seed.span(), std::byte{fill});
  return {key_class, seed};
}

}  // namespace asl::test
