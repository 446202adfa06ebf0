#include "log/payload_codec.h"

#include <fmt/format.h>

#include <asl/engine/cm.h>

namespace asl {

ByteSpan PayloadReader::take(std::size_t count) {
  if (rest_.size() < count) {
    require(false, "too short");
    rest_ = {};
    return {};
  }
  ByteSpan taken = rest_.first(count);
  rest_ = rest_.subspan(count);
  return taken;
}

Reference PayloadReader::reference() {
  ByteSpan bytes = take(kReferenceSize);
  if (bytes.empty()) return {};
  Result<Reference> ref = decode_reference(bytes);
  if (ref) return *ref;
  require(false, "a reference is not one");
  return {};
}

std::string PayloadReader::text() {
  std::string value(as_text(take(rest_.size())));
  require(is_valid_utf8(value), "text is not UTF-8");
  return value;
}

Result<void> PayloadReader::finish(std::uint32_t type) {
  require(rest_.empty(), "too long");
  if (problem_.empty()) return {};
  return fail(ErrorCode::kIntegrity,
              fmt::format("malformed {} record in the log: {}", log_type_name(type), problem_));
}

}  // namespace asl
