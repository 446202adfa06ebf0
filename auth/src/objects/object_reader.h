// Takes an object apart, field by field. The first thing that is wrong is remembered and everything after it
// yields empty values, so that a reader is a list of fields and one look at finish().
#pragma once

#include <array>
#include <cstdint>
#include <map>
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
#include <asl/engine/reference.h>

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
  // 1 to `size_max` bytes that say what they show (is_free_text).
  std::string text(std::string_view name, std::size_t size_max);
  // The same, or nothing.
  std::string text_or_nothing(std::string_view name, std::size_t size_max);
  // Any UTF-8: another object or envelope as text, which its own reader looks at.
  std::string document(std::string_view name, std::size_t size_max);
  // The same, as a list in its own order.
  std::vector<std::string> documents(std::string_view name, std::size_t count_max, std::size_t size_max);
  // Free texts, in their own order.
  std::vector<std::string> texts(std::string_view name, std::size_t count_max, std::size_t size_max);
  // Names and free texts of an object that has any fields.
  std::map<std::string, std::string> text_map(std::string_view name, std::size_t count_max,
                                              std::size_t size_max);
  Reference reference(std::string_view name);
  std::vector<Digest> digests(std::string_view name, std::size_t count_max);
  // Codes of [a-z0-9-]{1,64}, a set.
  std::vector<std::string> codes(std::string_view name, std::size_t count_max);
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
