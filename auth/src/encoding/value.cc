#include <asl/auth/value.h>

namespace asl::auth {

// Out of line: g++ 12 takes members of an inlined std::variant for uninitialised.
Value::Value(Object object) : data_(std::move(object)) {}
Value::Value(Array array) : data_(std::move(array)) {}
Value::Value(std::string text) : data_(std::move(text)) {}
Value::Value(const Value& other) = default;
Value::Value(Value&& other) noexcept = default;
Value& Value::operator=(const Value& other) = default;
Value& Value::operator=(Value&& other) noexcept = default;
Value::~Value() = default;
bool Value::operator==(const Value& other) const = default;

const Value* Value::member(std::string_view name) const {
  const Object* fields = object();
  if (fields == nullptr) return nullptr;
  const auto at = fields->find(name);
  return at == fields->end() ? nullptr : &at->second;
}

}  // namespace asl::auth
