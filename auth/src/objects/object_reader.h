// Takes an object apart, field by field. The first thing that is wrong is remembered and everything after it
// yields empty values, so that a reader is a list of fields and one look at finish().
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <asl/auth/public_key.h>
#include <asl/auth/roles.h>
#include <asl/auth/value.h>
#include <asl/engine/error.h>

namespace asl::auth {

class ObjectReader {
 public:
  // `path` is how messages call the object: "dam". The value must outlive the reader.
  ObjectReader(const Value& value, std::string path);

  bool has(std::string_view name) const { return value_->member(name) != nullptr; }
  // Checks "kind" and "v".
  void names_itself(std::string_view kind);
  bool boolean(std::string_view name);
  std::int64_t integer(std::string_view name, std::int64_t min, std::int64_t max);
  std::string identifier(std::string_view name, std::size_t size_max);
  // Lower-case hex of exactly `into`.
  void hex(std::string_view name, MutableByteSpan into);
  Digest digest(std::string_view name);
  std::optional<Digest> optional_digest(std::string_view name);
  PublicKey public_key(std::string_view name);
  RoleSet roles(std::string_view name);
  // One of `choices`: its position.
  std::size_t choice(std::string_view name, std::span<const std::string_view> choices);
  // Texts of a list that is a set, at most `count_max`.
  std::vector<std::string> set(std::string_view name, std::size_t count_max);
  // The object of that name. Its fields count as read only through the reader that is returned, which must
  // be finished as well.
  ObjectReader object(std::string_view name);
  std::vector<ObjectReader> objects(std::string_view name, std::size_t count_max);

  void require(bool holds, std::string_view rule, std::string_view message);
  // What was wrong first; else, a field that nobody asked for.
  Result<void> finish();

 private:
  ObjectReader(const Value& value, std::string path, std::shared_ptr<std::optional<Error>> failure);
  const Value* field(std::string_view name);
  void wrong(std::string_view name, std::string_view message);
  void note(std::unexpected<Error> error);

  const Value* value_;
  std::string path_;
  std::shared_ptr<std::optional<Error>> failure_;  // one for the whole object
  std::set<std::string, std::less<>> read_;
};

}  // namespace asl::auth
