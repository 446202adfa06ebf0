#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include <asl/auth/strict_yaml.h>
#include <asl/auth/text_rules.h>

#include "encoding/yaml_layout.h"

namespace asl::auth {
namespace {

using Type = YamlSchema::Type;

Result<Value> scalar_value(const YamlNode& node, Type type) {
  if (type == Type::kText) return Value(node.scalar);
  if (!node.plain) return yaml_error(node.line, "a number or truth value in quotes");
  if (type == Type::kBoolean) {
    if (node.scalar != "true" && node.scalar != "false")
      return yaml_error(node.line, "must be true or false");
    return Value(node.scalar == "true");
  }
  std::int64_t number = 0;
  const char* end = node.scalar.data() + node.scalar.size();
  const auto parsed = std::from_chars(node.scalar.data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end || std::to_string(number) != node.scalar ||
      number > kCanonicalIntegerMax || number < -kCanonicalIntegerMax)
    return yaml_error(node.line, "must be a whole number, within +-(2^53-1)");
  return Value(number);
}

Result<Value> map_value(const YamlNode& node, const YamlSchema& schema) {
  Value::Object fields;
  for (const auto& [name, field] : node.fields) {
    const auto known = std::ranges::find(schema.fields(), name, &YamlSchema::Field::name);
    if (known == schema.fields().end())
      return yaml_error(field.line, fmt::format("unknown field '{}'", name));
    ASL_ASSIGN(Value value, value_of_yaml(field, known->schema));
    fields.emplace(name, std::move(value));
  }
  for (const YamlSchema::Field& field : schema.fields())
    if (!field.optional && !fields.contains(field.name))
      return yaml_error(node.line, fmt::format("field '{}' is missing", field.name));
  return Value(std::move(fields));
}

std::unexpected<Error> unfit(std::string_view what) {
  return fail(ErrorCode::kMalformed, fmt::format("cannot be written as YAML: {}", what));
}

Result<std::string> quoted(const std::string& text) {
  std::string out = "\"";
  std::string visible;
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\r':
        out += "\\r";
        break;
      default:
        out += c;
        visible += c;
    }
  }
  if (!is_free_text(visible) || visible.find("\xEF\xBB\xBF") != visible.npos ||
      visible.find("\xE2\x80\xA8") != visible.npos || visible.find("\xE2\x80\xA9") != visible.npos)
    return unfit("a string with control characters");
  return out + '"';
}

class Writer {
 public:
  Result<void> fields(const Value& value, const YamlSchema& schema, std::size_t indent, bool continues) {
    if (schema.type() != Type::kMap || value.object() == nullptr) return unfit("a map was expected");
    if (value.object()->empty()) return unfit("an empty map");
    std::size_t written = 0;
    for (const YamlSchema::Field& field : schema.fields()) {
      const Value* member = value.member(field.name);
      if (member == nullptr && field.optional) continue;
      if (member == nullptr) return unfit(fmt::format("field '{}' is missing", field.name));
      out_.append(continues && written == 0 ? 0 : indent, ' ');
      out_ += fmt::format("{}:", field.name);
      ASL_TRY(below(*member, field.schema, indent));
      ++written;
    }
    if (written != value.object()->size()) return unfit("a field that the schema does not have");
    return {};
  }
  std::string& text() { return out_; }

 private:
  // What follows "name:".
  Result<void> below(const Value& value, const YamlSchema& schema, std::size_t indent) {
    if (schema.type() == Type::kMap) {
      out_ += '\n';
      return fields(value, schema, indent + 2, false);
    }
    if (schema.type() != Type::kList) return scalar(value, schema.type(), " ");
    if (value.array() == nullptr) return unfit("a list was expected");
    if (value.array()->empty()) {
      out_ += " []\n";
      return {};
    }
    out_ += '\n';
    for (const Value& item : *value.array()) {
      out_.append(indent + 2, ' ');
      out_ += '-';
      if (schema.items().type() == Type::kMap) {
        out_ += ' ';
        ASL_TRY(fields(item, schema.items(), indent + 4, true));
      } else {
        ASL_TRY(below(item, schema.items(), indent + 2));
      }
    }
    return {};
  }

  Result<void> scalar(const Value& value, Type type, std::string_view before) {
    std::string text;
    if (type == Type::kText && value.text() != nullptr) {
      ASL_ASSIGN(text, quoted(*value.text()));
    } else if (type == Type::kInteger && value.integer() != nullptr) {
      text = std::to_string(*value.integer());
    } else if (type == Type::kBoolean && value.boolean() != nullptr) {
      text = *value.boolean() ? "true" : "false";
    } else {
      return unfit("a value of another type than the schema's");
    }
    out_ += fmt::format("{}{}\n", before, text);
    return {};
  }

  std::string out_;
};

}  // namespace

YamlSchema::YamlSchema(Type type) : type_(type) {}
YamlSchema::YamlSchema(const YamlSchema& other) = default;
YamlSchema& YamlSchema::operator=(const YamlSchema& other) = default;
YamlSchema::~YamlSchema() = default;

YamlSchema YamlSchema::text() {
  return YamlSchema(Type::kText);
}
YamlSchema YamlSchema::integer() {
  return YamlSchema(Type::kInteger);
}
YamlSchema YamlSchema::boolean() {
  return YamlSchema(Type::kBoolean);
}
YamlSchema YamlSchema::list(YamlSchema items) {
  YamlSchema schema(Type::kList);
  schema.items_.push_back(std::move(items));
  return schema;
}
YamlSchema YamlSchema::map(std::vector<Field> fields) {
  YamlSchema schema(Type::kMap);
  schema.fields_ = std::move(fields);
  return schema;
}

const YamlSchema& YamlSchema::items() const {
  return items_.front();
}
const std::vector<YamlSchema::Field>& YamlSchema::fields() const {
  return fields_;
}

Result<Value> value_of_yaml(const YamlNode& node, const YamlSchema& schema) {
  if (schema.type() == Type::kMap) {
    if (node.kind != YamlNode::Kind::kMap) return yaml_error(node.line, "a map was expected");
    return map_value(node, schema);
  }
  if (schema.type() == Type::kList) {
    if (node.kind != YamlNode::Kind::kList) return yaml_error(node.line, "a list was expected");
    Value::Array items;
    for (const YamlNode& item : node.items) {
      ASL_ASSIGN(Value value, value_of_yaml(item, schema.items()));
      items.push_back(std::move(value));
    }
    return Value(std::move(items));
  }
  if (node.kind != YamlNode::Kind::kScalar) return yaml_error(node.line, "a single value was expected");
  return scalar_value(node, schema.type());
}

Result<std::string> write_yaml(const Value& value, const YamlSchema& schema) {
  Writer writer;
  ASL_TRY(writer.fields(value, schema, 0, false));
  return std::move(writer.text());
}

}  // namespace asl::auth
