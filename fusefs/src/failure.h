// What the view answers when it cannot do what it was asked.
#pragma once

#include <cerrno>
#include <expected>
#include <string>
#include <utility>

#include <asl/engine/error.h>

namespace asl::fusefs {

// An errno for the caller and, where something is wrong with the store, words for the log.
struct Failure {
  int number = EIO;
  std::string words;  // empty: an answer, not a fault

  Failure(int errno_value) : number(errno_value) {}  // NOLINT(google-explicit-constructor)
  // A withdrawn artifact is EACCES, everything else EIO: an artifact that a tree names and the store does not
  // have is damage, not a missing file.
  Failure(Error error)  // NOLINT(google-explicit-constructor)
      : number(error.code == ErrorCode::kRefused ? EACCES : EIO),
        words(error.code == ErrorCode::kRefused ? std::string() : error.to_string()) {}
};

template <typename T>
using Reply = std::expected<T, Failure>;

inline std::unexpected<Failure> refuse(int errno_value) {
  return std::unexpected(Failure(errno_value));
}

}  // namespace asl::fusefs
