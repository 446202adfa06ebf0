#include "objects/object_reader.h"

#include <algorithm>
#include <fmt/format.h>

#include <asl/auth/rules.h>
#include <asl/auth/text_rules.h>

namespace asl::auth {

ObjectReader::ObjectReader(const Value& value, std::string path)
    : ObjectReader(value, std::move(path), std::make_shared<std::optional<Error>>()) {}

ObjectReader::ObjectReader(const Value& value, std::string path,
                           std::shared_ptr<std::optional<Error>> failure)
    : value_(&value), path_(std::move(path)), failure_(std::move(failure)) {
  if (value.object() == nullptr) note(broken_rule("object-value", fmt::format("{} is no object", path_)));
}

void ObjectReader::note(std::unexpected<Error> error) {
  if (!*failure_) failure_->emplace(std::move(error.error()));
}

void ObjectReader::wrong(std::string_view name, std::string_view message) {
  note(broken_rule("object-value", fmt::format("{}.{} {}", path_, name, message)));
}

void ObjectReader::require(bool holds, std::string_view rule, std::string_view message) {
  if (!holds) note(broken_rule(rule, fmt::format("{} {}", path_, message)));
}

const Value* ObjectReader::field(std::string_view name) {
  read_.emplace(name);
  const Value* value = value_->member(name);
  if (value == nullptr) note(broken_rule("object-fields", fmt::format("{} has no field {}", path_, name)));
  return value;
}

void ObjectReader::names_itself(std::string_view kind) {
  const Value* name = field("kind");
  if (name != nullptr && (name->text() == nullptr || *name->text() != kind))
    wrong("kind", fmt::format("must be \"{}\"", kind));
  integer("v", 1, 1);
}

bool ObjectReader::boolean(std::string_view name) {
  const Value* value = field(name);
  if (value == nullptr) return false;
  if (value->boolean() != nullptr) return *value->boolean();
  wrong(name, "must be true or false");
  return false;
}

std::int64_t ObjectReader::integer(std::string_view name, std::int64_t min, std::int64_t max) {
  const Value* value = field(name);
  if (value == nullptr) return min;
  if (value->integer() != nullptr && *value->integer() >= min && *value->integer() <= max)
    return *value->integer();
  wrong(name, min == max ? fmt::format("must be {}", min)
                         : fmt::format("must be a number from {} to {}", min, max));
  return min;
}

std::string ObjectReader::identifier(std::string_view name, std::size_t size_max) {
  const Value* value = field(name);
  if (value == nullptr) return {};
  if (value->text() != nullptr && is_identifier(*value->text()) && value->text()->size() <= size_max)
    return *value->text();
  wrong(name, fmt::format("must be 1 to {} printable ASCII characters", size_max));
  return {};
}

std::string ObjectReader::text(std::string_view name, std::size_t size_max) {
  const Value* value = field(name);
  if (value == nullptr) return {};
  if (value->text() != nullptr && !value->text()->empty() && value->text()->size() <= size_max &&
      is_free_text(*value->text()))
    return *value->text();
  wrong(name, fmt::format("must be 1 to {} bytes of text without control characters", size_max));
  return {};
}

std::string ObjectReader::text_or_nothing(std::string_view name, std::size_t size_max) {
  const Value* value = value_->member(name);
  if (value != nullptr && value->text() != nullptr && value->text()->empty()) {
    read_.emplace(name);
    return {};
  }
  return text(name, size_max);
}

std::string ObjectReader::document(std::string_view name, std::size_t size_max) {
  const Value* value = field(name);
  if (value == nullptr) return {};
  if (value->text() != nullptr && !value->text()->empty() && value->text()->size() <= size_max)
    return *value->text();
  wrong(name, fmt::format("must be 1 to {} bytes of text", size_max));
  return {};
}

std::vector<std::string> ObjectReader::documents(std::string_view name, std::size_t count_max,
                                                 std::size_t size_max) {
  const Value* value = field(name);
  std::vector<std::string> documents;
  if (value == nullptr) return documents;
  if (value->array() == nullptr || value->array()->size() > count_max) {
    wrong(name, fmt::format("must be a list of at most {}", count_max));
    return documents;
  }
  for (const Value& item : *value->array()) {
    if (item.text() == nullptr || item.text()->empty() || item.text()->size() > size_max) {
      wrong(name, fmt::format("must be a list of texts of 1 to {} bytes", size_max));
      return {};
    }
    documents.push_back(*item.text());
  }
  return documents;
}

std::vector<std::string> ObjectReader::texts(std::string_view name, std::size_t count_max,
                                             std::size_t size_max) {
  std::vector<std::string> texts = documents(name, count_max, size_max);
  if (!std::ranges::all_of(texts, [](const std::string& text) { return is_free_text(text); }))
    wrong(name, "holds control characters");
  return texts;
}

std::map<std::string, std::string> ObjectReader::text_map(std::string_view name, std::size_t count_max,
                                                          std::size_t size_max) {
  const Value* value = field(name);
  std::map<std::string, std::string> texts;
  if (value == nullptr) return texts;
  if (value->object() == nullptr || value->object()->size() > count_max) {
    wrong(name, fmt::format("must be an object of at most {} fields", count_max));
    return texts;
  }
  for (const auto& [key, item] : *value->object()) {
    if (item.text() == nullptr || item.text()->size() > size_max || !is_free_text(*item.text())) {
      wrong(name, fmt::format("must hold texts of at most {} bytes", size_max));
      return {};
    }
    texts.emplace(key, *item.text());
  }
  return texts;
}

Reference ObjectReader::reference(std::string_view name) {
  const Value* value = field(name);
  if (value == nullptr) return {};
  auto reference = value->text() == nullptr ? Result<Reference>(fail(ErrorCode::kMalformed, ""))
                                            : parse_reference(*value->text());
  const bool known = reference && (reference->hash_id == kHashIdAsl1 || reference->hash_id == kHashIdSha256);
  if (known) return *reference;
  wrong(name, "must be a reference in its whole text form");
  return {};
}

std::vector<Digest> ObjectReader::digests(std::string_view name, std::size_t count_max) {
  std::vector<Digest> digests;
  for (const std::string& text : set(name, count_max)) {
    if (const auto digest = digest_from_hex(text)) {
      digests.push_back(*digest);
    } else {
      wrong(name, "must be a list of hashes in lower-case hex");
      return {};
    }
  }
  return digests;
}

std::vector<std::string> ObjectReader::codes(std::string_view name, std::size_t count_max) {
  std::vector<std::string> codes = set(name, count_max);
  const auto is_code = [](const std::string& code) {
    return !code.empty() && code.size() <= 64 && std::ranges::all_of(code, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
  };
  if (!std::ranges::all_of(codes, is_code)) wrong(name, "must be a list of codes of a-z, 0-9 and '-'");
  return codes;
}

void ObjectReader::hex(std::string_view name, MutableByteSpan into) {
  const Value* value = field(name);
  if (value == nullptr) return;
  if (value->text() == nullptr || !from_hex(*value->text(), into))
    wrong(name, fmt::format("must be {} lower-case hex digits", 2 * into.size()));
}

Digest ObjectReader::digest(std::string_view name) {
  Digest digest{};
  hex(name, digest);
  return digest;
}

std::optional<Digest> ObjectReader::optional_digest(std::string_view name) {
  if (!has(name)) return std::nullopt;
  return digest(name);
}

PublicKey ObjectReader::public_key(std::string_view name) {
  const Value* value = field(name);
  if (value == nullptr) return {};
  if (value->text() == nullptr) {
    wrong(name, "must be a public key");
    return {};
  }
  auto key = parse_public_key(*value->text());
  if (key) return *key;
  wrong(name, "must be an Ed25519 public key in hex");
  return {};
}

std::vector<std::string> ObjectReader::set(std::string_view name, std::size_t count_max) {
  const Value* value = field(name);
  if (value == nullptr) return {};
  std::vector<std::string> texts;
  if (value->array() == nullptr || value->array()->size() > count_max) {
    wrong(name, fmt::format("must be a list of at most {}", count_max));
    return {};
  }
  for (const Value& item : *value->array()) {
    if (item.text() == nullptr) {
      wrong(name, "must be a list of texts");
      return {};
    }
    if (!texts.empty() && texts.back() >= *item.text())
      note(broken_rule("object-set", fmt::format("{}.{} must be sorted, each once", path_, name)));
    texts.push_back(*item.text());
  }
  return texts;
}

RoleSet ObjectReader::roles(std::string_view name) {
  RoleSet roles;
  for (const std::string& text : set(name, std::size(kRoles))) {
    if (const auto role = role_of_name(text))
      roles.add(*role);
    else
      wrong(name, "holds a role that there is not");
  }
  return roles;
}

std::size_t ObjectReader::choice(std::string_view name, std::span<const std::string_view> choices) {
  const Value* value = field(name);
  if (value == nullptr || value->text() == nullptr) {
    if (value != nullptr) wrong(name, "must be a text");
    return 0;
  }
  const auto at = std::ranges::find(choices, *value->text());
  if (at == choices.end()) {
    wrong(name, fmt::format("must be one of: {}", fmt::join(choices, ", ")));
    return 0;
  }
  return static_cast<std::size_t>(at - choices.begin());
}

ObjectReader ObjectReader::object(std::string_view name) {
  static const Value kNothing{Value::Object()};
  const Value* value = field(name);
  return {value == nullptr ? kNothing : *value, fmt::format("{}.{}", path_, name), failure_};
}

std::vector<ObjectReader> ObjectReader::objects(std::string_view name, std::size_t count_max) {
  const Value* value = field(name);
  std::vector<ObjectReader> readers;
  if (value == nullptr) return readers;
  if (value->array() == nullptr || value->array()->size() > count_max) {
    wrong(name, fmt::format("must be a list of at most {}", count_max));
    return readers;
  }
  for (const Value& item : *value->array())
    readers.push_back(ObjectReader(item, fmt::format("{}.{}[{}]", path_, name, readers.size()), failure_));
  return readers;
}

Result<void> ObjectReader::finish() {
  if (!*failure_ && value_->object() != nullptr)
    for (const auto& [name, value] : *value_->object())
      if (!read_.contains(name)) {
        note(broken_rule("object-fields", fmt::format("{} has an unknown field: {}", path_, name)));
        break;
      }
  if (*failure_) return fail(**failure_);
  return {};
}

}  // namespace asl::auth
