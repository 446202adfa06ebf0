// Canonical JSON, text rules, base64 and strict YAML.
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <random>

#include <asl/auth/canonical_json.h>
#include <asl/auth/strict_yaml.h>
#include <asl/auth/text_rules.h>

#include "auth_support.h"

namespace asl::auth {
namespace {

using test::value_of;

TEST(CanonicalJson, EncodesEveryTypeInOneWay) {
  const Value value = Value::Object{{"z", 1},
                                    {"a", Value::Array{true, false, -5, "x"}},
                                    {"empty_list", Value::Array{}},
                                    {"empty_map", Value::Object{}},
                                    {"max", kCanonicalIntegerMax},
                                    {"text", "\" \\ \b\t\n\f\r \x01\x1f \x7f \xC3\xA9 \xF0\x9F\x98\x82 /"}};
  const std::string text =
      R"({"a":[true,false,-5,"x"],"empty_list":[],"empty_map":{},"max":9007199254740991,)"
      "\"text\":\"\\\" \\\\ \\b\\t\\n\\f\\r \\u0001\\u001f \x7f \xC3\xA9 \xF0\x9F\x98\x82 /\",\"z\":1}";
  EXPECT_EQ(encode_canonical(value), text);
  EXPECT_EQ(value_of(decode_canonical(text)), value);
}

TEST(CanonicalJson, RefusesToEncodeWhatNoReaderTakes) {
  EXPECT_THROW(encode_canonical(Value::Object{{"n", kCanonicalIntegerMax + 1}}), std::logic_error);
  EXPECT_THROW(encode_canonical(Value::Object{{"n", -kCanonicalIntegerMax - 1}}), std::logic_error);
}

TEST(CanonicalJson, NamesTheOffsetOfTheFirstOtherByte) {
  const auto spaced = decode_canonical(R"({"a":1, "b":2})");
  ASSERT_FALSE(spaced.has_value());
  EXPECT_EQ(spaced.error().code, ErrorCode::kMalformed);
  EXPECT_EQ(spaced.error().offset, 7U);
}

TEST(CanonicalJson, LimitsSizeDepthAndNumberBeforeWork) {
  const std::string big = R"({"a":")" + std::string(kCanonicalSizeMax, 'x') + "\"}";
  EXPECT_FALSE(decode_canonical(big).has_value());
  EXPECT_TRUE(decode_canonical(big, {.size_max = kCanonicalSizeMaxLists}).has_value());
  const auto nested = [](std::size_t depth) {
    return R"({"a":)" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
  };
  EXPECT_TRUE(decode_canonical(nested(kCanonicalDepthMax)).has_value());
  EXPECT_FALSE(decode_canonical(nested(kCanonicalDepthMax + 1)).has_value());
  EXPECT_FALSE(decode_canonical(std::string(kCanonicalSizeMax, '[')).has_value());
  std::string many = R"({"a":[0)";
  for (std::size_t i = 0; i < kCanonicalValuesMax; ++i) many += ",0";
  const auto counted = decode_canonical(many + "]}", {.size_max = kCanonicalSizeMaxLists});
  ASSERT_FALSE(counted.has_value());
  EXPECT_NE(counted.error().message.find("too many values"), std::string::npos);
}

TEST(CanonicalJson, EnvelopeKeysAreForEnvelopes) {
  constexpr std::string_view kText = R"({"payloadType":"x"})";
  EXPECT_FALSE(decode_canonical(kText).has_value());
  EXPECT_TRUE(decode_canonical(kText, {.keys = KeyRule::kEnvelope}).has_value());
}

TEST(CanonicalJson, EveryFileOfTheRejectCorpusGivesItsError) {
  test::check_reject_corpus("canonical-json", [](const std::string& text) { return decode_canonical(text); });
}

// No single byte of an encoding can be changed, dropped or added without being refused or meaning another
// value.
TEST(CanonicalJson, NoTwoTextsHaveTheSameValue) {
  const std::string text = R"({"a":[1,-2,"x\n"],"b":{"c":true,"d":[]}})";
  const Value value = value_of(decode_canonical(text));
  for (std::size_t at = 0; at < text.size(); ++at)
    for (int byte = 0; byte < 256; ++byte) {
      std::string changed = text;
      changed[at] = static_cast<char>(byte);
      const auto decoded = decode_canonical(changed);
      if (changed != text && decoded) {
        EXPECT_NE(*decoded, value) << changed;
      }
      changed = text;
      changed.insert(at, 1, static_cast<char>(byte));
      const auto longer = decode_canonical(changed);
      if (longer) {
        EXPECT_NE(*longer, value) << changed;
      }
    }
}

// Values as an independent JSON library has them; null and fractions do not occur in canonical JSON.
std::optional<Value> value_from(const nlohmann::json& json) {
  if (json.is_boolean()) return Value(json.get<bool>());
  if (json.is_number_integer()) return Value(json.get<std::int64_t>());
  if (json.is_string()) return Value(json.get<std::string>());
  if (json.is_array()) {
    Value::Array items;
    for (const auto& item : json) {
      auto value = value_from(item);
      if (!value) return std::nullopt;
      items.push_back(std::move(*value));
    }
    return Value(std::move(items));
  }
  if (!json.is_object()) return std::nullopt;
  Value::Object fields;
  for (const auto& [key, item] : json.items()) {
    auto value = value_from(item);
    if (!value) return std::nullopt;
    fields.emplace(key, std::move(*value));
  }
  return Value(std::move(fields));
}

TEST(CanonicalJson, AgreesWithTheVectorsOfRfc8785) {
  const auto place = test::vectors("jcs");
  if (!place) GTEST_SKIP() << "no public test vectors: set ASL_VECTORS";
  std::size_t compared = 0;
  for (const auto& entry : std::filesystem::directory_iterator(*place + "/input")) {
    const auto json = nlohmann::json::parse(test::read_file(entry.path().string()));
    const auto value = value_from(json);
    // RFC 8785 sorts by UTF-16 units; canonical JSON's keys are ASCII, where that is the order of bytes.
    const bool beyond_bmp = json.is_object() && json.contains("\xF0\x9F\x98\x82");
    if (!value || beyond_bmp) continue;
    EXPECT_EQ(encode_canonical(*value),
              test::read_file(*place + "/output/" + entry.path().filename().string()))
        << entry.path();
    ++compared;
  }
  EXPECT_GE(compared, 2U);
}

TEST(TextRules, IdentifiersAndFreeText) {
  EXPECT_TRUE(is_identifier("plain text ~!"));
  EXPECT_FALSE(is_identifier(""));
  EXPECT_FALSE(is_identifier("caf\xC3\xA9"));
  EXPECT_FALSE(is_identifier("a\nb"));
  EXPECT_TRUE(is_free_text(""));
  EXPECT_TRUE(is_free_text("caf\xC3\xA9 \xE6\x97\xA5\xE6\x9C\xAC \xF0\x9F\x98\x82"));
  for (const std::string_view bad : {"\x01", "\n", "\t", "\x7f", "\xC2\x85", "\xE2\x80\xAE", "\xE2\x81\xA6",
                                     "\xD8\x9C", "\xE2\x80\x8E", "\xC3", "\xED\xA0\x80", "\xC0\x80"})
    EXPECT_FALSE(is_free_text(bad)) << test::escaped(bad);
}

TEST(TextRules, Base64HasOneSpelling) {
  for (const std::string_view text : {"", "f", "fo", "foo", "foob", "fooba", "foobar"})
    EXPECT_EQ(as_text(decode_base64(encode_base64(as_bytes(text))).value()), text);
  EXPECT_EQ(encode_base64(as_bytes("foob")), "Zm9vYg==");
  EXPECT_EQ(encode_base64_unpadded(as_bytes("foob")), "Zm9vYg");
  for (const std::string_view bad :
       {"Zg", "Zg=", "Zh==", "Zg==\n", " Zg==", "Zg==Zg==", "Z-==", "=", "A", "Zm9vYh=="})
    EXPECT_FALSE(decode_base64(bad).has_value()) << bad;
  for (const std::string_view bad : {"Zg==", "Zh", "Z", "Zm9vYg=", "Zg\n"})
    EXPECT_FALSE(decode_base64_unpadded(bad).has_value()) << bad;
}

constexpr std::string_view kYaml = R"(version: 1
name: "two\nlines \"quoted\""
plain: no
flag: true
empty: []
list:
  - "a"
  - b c
maps:
  - path: "x"
    size: 0
  - path: y
    size: -7
below:
  deep:
    deeper: "caf)"
                                   "\xC3\xA9\"\n";

YamlSchema schema() {
  using S = YamlSchema;
  return S::map({{"version", S::integer()},
                 {"name", S::text()},
                 {"plain", S::text()},
                 {"flag", S::boolean()},
                 {"empty", S::list(S::text())},
                 {"list", S::list(S::text())},
                 {"maps", S::list(S::map({{"path", S::text()}, {"size", S::integer()}}))},
                 {"below", S::map({{"deep", S::map({{"deeper", S::text()}})}})},
                 {"more", S::text(), true}});
}

TEST(StrictYaml, TypesComeFromTheSchema) {
  const Value value = value_of(value_of_yaml(value_of(parse_strict_yaml(kYaml)), schema()));
  EXPECT_EQ(encode_canonical(value),
            "{\"below\":{\"deep\":{\"deeper\":\"caf\xC3\xA9\"}},\"empty\":[],\"flag\":true,\"list\":[\"a\","
            "\"b c\"],"
            "\"maps\":[{\"path\":\"x\",\"size\":0},{\"path\":\"y\",\"size\":-7}],"
            "\"name\":\"two\\nlines \\\"quoted\\\"\",\"plain\":\"no\",\"version\":1}");
}

TEST(StrictYaml, WhatIsWrittenReadsBackTheSame) {
  const Value value = value_of(value_of_yaml(value_of(parse_strict_yaml(kYaml)), schema()));
  const std::string written = value_of(write_yaml(value, schema()));
  EXPECT_EQ(value_of(value_of_yaml(value_of(parse_strict_yaml(written)), schema())), value) << written;
  EXPECT_NE(written.find("plain: \"no\"\n"), std::string::npos) << written;
}

TEST(StrictYaml, SchemaMismatchesAreRefused) {
  const auto typed = [](std::string_view text, const YamlSchema& type) {
    return value_of_yaml(value_of(parse_strict_yaml(text)), YamlSchema::map({{"a", type}}));
  };
  EXPECT_TRUE(typed("a: 12\n", YamlSchema::integer()).has_value());
  for (const std::string_view bad :
       {"a: 012\n", "a: +1\n", "a: 0x10\n", "a: 1_000\n", "a: 1.0\n", "a: \"1\"\n", "a: -0\n",
        "a: 9007199254740992\n", "a: x\n", "b: 1\n", "a: 1\nb: 1\n"})
    EXPECT_FALSE(typed(bad, YamlSchema::integer()).has_value()) << bad;
  for (const std::string_view bad : {"a: yes\n", "a: True\n", "a: \"true\"\n", "a: 1\n"})
    EXPECT_FALSE(typed(bad, YamlSchema::boolean()).has_value()) << bad;
  EXPECT_EQ(*typed("a: 2026-01-17\n", YamlSchema::text()).value().member("a")->text(), "2026-01-17");
  EXPECT_FALSE(typed("a:\n  - x\n", YamlSchema::text()).has_value());
}

TEST(StrictYaml, CommentsOnlyWhereAllowed) {
  constexpr std::string_view kCommented = "# first\na: 1 # tail\nb: x#y\n  # indented\nc: \"# no\"\n";
  EXPECT_FALSE(parse_strict_yaml(kCommented).has_value());
  const YamlNode node = value_of(parse_strict_yaml(kCommented, {.comments = true}));
  EXPECT_EQ(node.field("b")->scalar, "x#y");
  EXPECT_EQ(node.field("c")->scalar, "# no");
}

TEST(StrictYaml, LiteralsOnlyAtTheirPlace) {
  constexpr std::string_view kLiteral =
      "s:\n  list:\n    - enc: |\n        one\n        # two\n      other: x\n";
  EXPECT_FALSE(parse_strict_yaml(kLiteral).has_value());
  EXPECT_FALSE(parse_strict_yaml(kLiteral, {.literal_at = "s.list[].other"}).has_value());
  const YamlNode node = value_of(parse_strict_yaml(kLiteral, {.literal_at = "s.list[].enc"}));
  EXPECT_EQ(node.field("s")->field("list")->items[0].field("enc")->scalar, "one\n# two\n");
  EXPECT_EQ(node.field("s")->field("list")->items[0].field("other")->scalar, "x");
  EXPECT_FALSE(parse_strict_yaml("a: |-\n  x\n", {.literal_at = "a"}).has_value());
  EXPECT_FALSE(parse_strict_yaml("a: | # c\n  x\n", {.literal_at = "a"}).has_value());
}

TEST(StrictYaml, EveryFileOfTheRejectCorpusGivesItsError) {
  test::check_reject_corpus("strict-yaml", [](const std::string& text) { return parse_strict_yaml(text); });
}

TEST(StrictYaml, LimitsSizeAndDepth) {
  std::string deep;
  for (std::size_t i = 0; i < kYamlDepthMax; ++i) deep += std::string(i, ' ') + "a:\n";
  EXPECT_FALSE(parse_strict_yaml(deep + std::string(kYamlDepthMax, ' ') + "a: 1\n").has_value());
  EXPECT_FALSE(parse_strict_yaml("a: " + std::string(kCanonicalSizeMax, 'x') + "\n").has_value());
}

TEST(StrictYaml, WriterRefusesWhatItsReaderWould) {
  const YamlSchema text = YamlSchema::map({{"a", YamlSchema::text()}});
  EXPECT_TRUE(write_yaml(Value::Object{{"a", "x\ty\r\n"}}, text).has_value());
  for (const std::string_view bad : {"\x01", "\xE2\x80\xA8", "\xEF\xBB\xBF", "\xFF", "\x7F"})
    EXPECT_FALSE(write_yaml(Value::Object{{"a", bad}}, text).has_value());
  EXPECT_FALSE(write_yaml(Value::Object{{"b", "x"}}, text).has_value());
  EXPECT_FALSE(write_yaml(Value::Object{{"a", 1}}, text).has_value());
}

}  // namespace
}  // namespace asl::auth
