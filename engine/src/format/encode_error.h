// The errors of encoders: what the caller wants written is against the rules, or too large for the format.
#pragma once

#include <string>
#include <string_view>

#include <asl/engine/error.h>

namespace asl {

inline std::unexpected<Error> encode_malformed(std::string_view rule, std::string object = {}) {
  Error error;
  error.code = ErrorCode::kMalformed;
  error.message = rule;
  error.object = std::move(object);
  return fail(std::move(error));
}

inline std::unexpected<Error> encode_too_large(std::string_view what) {
  return fail(ErrorCode::kUnsupported, std::string(what) + " is too large for its format");
}

}  // namespace asl
