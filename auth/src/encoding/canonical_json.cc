#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include <asl/auth/canonical_json.h>

namespace asl::auth {
namespace {

void write_text(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\r':
        out += "\\r";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += "\\u00";
          out += kHex[c >> 4];
          out += kHex[c & 0x0F];
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

void write_value(std::string& out, const Value& value) {
  if (const auto* fields = value.object()) {
    char separator = '{';
    for (const auto& [name, field] : *fields) {
      out += separator;
      separator = ',';
      write_text(out, name);
      out += ':';
      write_value(out, field);
    }
    out += fields->empty() ? "{}" : "}";
  } else if (const auto* items = value.array()) {
    char separator = '[';
    for (const Value& item : *items) {
      out += separator;
      separator = ',';
      write_value(out, item);
    }
    out += items->empty() ? "[]" : "]";
  } else if (const auto* text = value.text()) {
    write_text(out, *text);
  } else if (const auto* number = value.integer()) {
    if (*number > kCanonicalIntegerMax || *number < -kCanonicalIntegerMax)
      throw std::logic_error("an integer that canonical JSON cannot hold");
    out += std::to_string(*number);
  } else {
    out += *value.boolean() ? "true" : "false";
  }
}

bool is_key(std::string_view key, KeyRule rule) {
  return !key.empty() && key.size() <= kCanonicalKeyMax && std::ranges::all_of(key, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           (rule == KeyRule::kEnvelope && c >= 'A' && c <= 'Z');
  });
}

// Builds the value from the parser's events. Every function returns false to stop; why_ then says why.
class Builder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit Builder(KeyRule keys) : keys_(keys) {}

  Result<Value> finish(bool parsed) {
    if (parsed && root_) return std::move(*root_);
    Error error{.code = ErrorCode::kMalformed,
                .message = "not canonical JSON: " + (why_.empty() ? "not JSON" : why_)};
    error.offset = offset_;
    return fail(std::move(error));
  }

  bool null() override { return refuse("null is not allowed"); }
  bool boolean(bool truth) override { return add(Value(truth)); }
  bool number_integer(number_integer_t number) override {
    if (number < -kCanonicalIntegerMax) return refuse("an integer below -(2^53-1)");
    return add(Value(number));
  }
  bool number_unsigned(number_unsigned_t number) override {
    if (number > static_cast<std::uint64_t>(kCanonicalIntegerMax)) return refuse("an integer above 2^53-1");
    return add(Value(number));
  }
  bool number_float(number_float_t, const string_t&) override {
    return refuse("a number that is not an integer, or is too large for one");
  }
  bool string(string_t& text) override { return add(Value(std::move(text))); }
  bool binary(binary_t&) override { return refuse("binary data"); }
  bool start_object(std::size_t) override { return open(Value(Value::Object())); }
  bool start_array(std::size_t) override {
    if (open_.empty()) return refuse("the outermost value must be an object");
    return open(Value(Value::Array()));
  }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    Level& level = open_.back();
    if (!is_key(name, keys_)) return refuse("a key that is not of the allowed characters and length");
    const Value::Object& fields = *level.value.object();
    if (fields.contains(name)) return refuse("the key '" + name + "' twice");
    if (!fields.empty() && fields.rbegin()->first > name)
      return refuse("keys are not sorted: '" + name + "' after '" + fields.rbegin()->first + "'");
    level.key = std::move(name);
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    offset_ = position == 0 ? 0 : position - 1;
    return false;
  }

 private:
  struct Level {
    Value value;
    std::string key;  // of the member that comes next
  };

  bool refuse(std::string why) {
    why_ = std::move(why);
    return false;
  }

  bool open(Value container) {
    if (open_.size() == kCanonicalDepthMax) return refuse("nested too deeply");
    if (!count()) return false;
    open_.push_back({std::move(container), {}});
    return true;
  }

  bool close() {
    Value value = std::move(open_.back().value);
    open_.pop_back();
    return place(std::move(value));
  }

  bool add(Value value) {
    if (open_.empty()) return refuse("the outermost value must be an object");
    return count() && place(std::move(value));
  }

  bool place(Value value) {
    if (open_.empty()) {
      root_.emplace(std::move(value));
      return true;
    }
    Level& level = open_.back();
    if (auto* fields = level.value.object())
      fields->emplace_hint(fields->end(), std::move(level.key), std::move(value));
    else
      level.value.array()->push_back(std::move(value));
    return true;
  }

  bool count() { return ++values_ <= kCanonicalValuesMax || refuse("too many values"); }

  KeyRule keys_;
  std::vector<Level> open_;
  std::optional<Value> root_;
  std::size_t values_ = 0;
  std::string why_;
  std::optional<std::uint64_t> offset_;
};

// The values are right, their spelling is not.
std::unexpected<Error> other_spelling(std::string_view text, std::string_view canonical) {
  const auto differs = std::ranges::mismatch(text, canonical);
  const auto offset = static_cast<std::size_t>(differs.in1 - text.begin());
  const char found = offset < text.size() ? text[offset] : '\0';
  std::string why = "another spelling of the same value";
  if (found == ' ' || found == '\t' || found == '\n' || found == '\r') why = "white space";
  if (found == '\\') why = "an escape where none belongs, or another one";
  if (text.starts_with("\xEF\xBB\xBF")) why = "a byte order mark";
  Error error{.code = ErrorCode::kMalformed, .message = "not canonical JSON: " + why};
  error.offset = offset;
  return fail(std::move(error));
}

}  // namespace

std::string encode_canonical(const Value& value) {
  std::string out;
  write_value(out, value);
  return out;
}

Result<Value> decode_canonical(std::string_view text, const CanonicalRules& rules) {
  if (text.size() > rules.size_max)
    return fail(
        Error{.code = ErrorCode::kMalformed,
              .message = "not canonical JSON: larger than " + std::to_string(rules.size_max) + " bytes"});
  Builder builder(rules.keys);
  const bool parsed = nlohmann::json::sax_parse(text.begin(), text.end(), &builder);
  ASL_ASSIGN(Value value, builder.finish(parsed));
  const std::string canonical = encode_canonical(value);
  if (canonical != text) return other_spelling(text, canonical);
  return value;
}

}  // namespace asl::auth
