// The values that canonical JSON can hold (doc/format-canonical-json.md): objects, arrays, strings, integers,
// booleans. Plain data; owns everything below it.
#pragma once

#include <concepts>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace asl::auth {

class Value {
 public:
  using Array = std::vector<Value>;
  using Object = std::map<std::string, Value, std::less<>>;  // sorted by bytes: the canonical order

  Value(Object object);
  Value(Array array);
  Value(std::string text);
  Value(std::string_view text) : Value(std::string(text)) {}
  Value(const char* text) : Value(std::string(text)) {}
  template <std::same_as<bool> B>
  Value(B truth) : data_(truth) {}
  template <std::integral I>
    requires(!std::same_as<I, bool>)
  Value(I number) : data_(static_cast<std::int64_t>(number)) {}

  Value(const Value& other);
  Value(Value&& other) noexcept;
  Value& operator=(const Value& other);
  Value& operator=(Value&& other) noexcept;
  ~Value();

  // Null if it is something else.
  const Object* object() const { return std::get_if<Object>(&data_); }
  Object* object() { return std::get_if<Object>(&data_); }
  const Array* array() const { return std::get_if<Array>(&data_); }
  Array* array() { return std::get_if<Array>(&data_); }
  const std::string* text() const { return std::get_if<std::string>(&data_); }
  const std::int64_t* integer() const { return std::get_if<std::int64_t>(&data_); }
  const bool* boolean() const { return std::get_if<bool>(&data_); }
  // The member of that name; null if there is none or this is no object.
  const Value* member(std::string_view name) const;

  bool operator==(const Value& other) const;

 private:
  std::variant<Object, Array, std::string, std::int64_t, bool> data_;
};

}  // namespace asl::auth
