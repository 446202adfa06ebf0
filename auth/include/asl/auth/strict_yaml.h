// The strict subset of YAML in which people write and read what is signed as canonical JSON
// (doc/format-canonical-json.md, "YAML"). A view only: nothing is hashed or signed over YAML.
//
// Pure functions, any thread. What breaks the subset is kMalformed and names the line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <asl/auth/canonical_json.h>
#include <asl/auth/value.h>
#include <asl/engine/error.h>

namespace asl::auth {

inline constexpr std::size_t kYamlDepthMax = kCanonicalDepthMax;
inline constexpr std::size_t kYamlNodesMax = kCanonicalValuesMax;

struct YamlNode {
  enum class Kind : std::uint8_t { kScalar, kList, kMap };
  Kind kind = Kind::kScalar;
  std::uint64_t line = 0;                                  // where it begins, from 1
  std::string scalar{};                                    // kScalar: without quotes and escapes
  bool plain = false;                                      // kScalar: written without quotes
  std::vector<YamlNode> items{};                           // kList
  std::vector<std::pair<std::string, YamlNode>> fields{};  // kMap, in file order; keys are unique

  const YamlNode* field(std::string_view name) const;  // null if absent
};

struct YamlRules {
  std::size_t size_max = kCanonicalSizeMax;
  bool comments = false;  // never in signed files
  // The one place where a literal block scalar ("|") may stand, as "sops.age[].enc"; empty: nowhere.
  std::string_view literal_at = {};
};

// Block maps and lists, plain and double-quoted scalars on one line, "[]" for an empty list, LF; keys are
// plain. No anchors, aliases, tags, flow collections, directives, document markers, tabs, merge keys, empty
// values, and none of libyaml's freedom in line breaks. The top level is a map.
Result<YamlNode> parse_strict_yaml(std::string_view text, const YamlRules& rules = {});

// What type each scalar has: the schema says, never its spelling ("no" is text where text is expected).
// YamlSchema::map({{"name", YamlSchema::text()}, {"sizes", YamlSchema::list(YamlSchema::integer()), true}})
class YamlSchema {
 public:
  enum class Type : std::uint8_t { kText, kInteger, kBoolean, kList, kMap };
  struct Field;

  static YamlSchema text();
  static YamlSchema integer();
  static YamlSchema boolean();
  static YamlSchema list(YamlSchema items);
  static YamlSchema map(std::vector<Field> fields);  // in the order in which they are written

  YamlSchema(const YamlSchema& other);
  YamlSchema& operator=(const YamlSchema& other);
  ~YamlSchema();

  Type type() const { return type_; }
  const YamlSchema& items() const;           // kList
  const std::vector<Field>& fields() const;  // kMap

 private:
  explicit YamlSchema(Type type);

  Type type_;
  std::vector<YamlSchema> items_;  // one, for a list
  std::vector<Field> fields_;
};
struct YamlSchema::Field {
  std::string_view name;  // of a literal
  YamlSchema schema;
  bool optional = false;
};

// Unknown and missing fields are refused; integers are canonical decimal, booleans are true and false.
Result<Value> value_of_yaml(const YamlNode& node, const YamlSchema& schema);
// Every string double-quoted, so that any YAML reader agrees on its type; fields in the schema's order. What
// the schema does not fit, or a string with control characters other than \n, \t and \r, is kMalformed.
Result<std::string> write_yaml(const Value& value, const YamlSchema& schema);

}  // namespace asl::auth
