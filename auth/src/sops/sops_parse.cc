#include <algorithm>
#include <chrono>
#include <fmt/format.h>

#include <asl/auth/text_rules.h>

#include "sops/json_tree.h"
#include "sops/sops_file.h"

namespace asl::auth {
namespace {

constexpr std::string_view kKeyLists[] = {"kms", "gcp_kms", "azure_kv", "hc_vault", "hckms", "pgp"};
constexpr std::string_view kSelectionRules[] = {"encrypted_regex",         "unencrypted_regex",
                                                "encrypted_suffix",        "unencrypted_suffix",
                                                "encrypted_comment_regex", "unencrypted_comment_regex"};

std::unexpected<Error> malformed(std::string message) {
  return fail(ErrorCode::kMalformed, "not a SOPS file as it must be: " + std::move(message));
}

bool is_empty_list(const YamlNode& node) {
  return (node.kind == YamlNode::Kind::kList && node.items.empty()) ||
         (node.kind == YamlNode::Kind::kScalar && node.plain && node.scalar == "null");
}

bool is_three_part_number(std::string_view text) {
  int parts = 0;
  for (;;) {
    const std::string_view part = text.substr(0, text.find('.'));
    if (part.empty() || part.size() > 5 || (part.size() > 1 && part.front() == '0')) return false;
    if (!std::ranges::all_of(part, [](char c) { return c >= '0' && c <= '9'; })) return false;
    ++parts;
    if (part.size() == text.size()) return parts == 3;
    text.remove_prefix(part.size() + 1);
  }
}

Result<std::string> scalar(const YamlNode& metadata, std::string_view name) {
  const YamlNode* node = metadata.field(name);
  if (node == nullptr || node->kind != YamlNode::Kind::kScalar)
    return malformed(fmt::format("sops.{} is missing, or no text", name));
  return node->scalar;
}

Result<SopsSeal> parse_seal(const YamlNode& node) {
  if (node.kind != YamlNode::Kind::kMap || node.fields.size() != 2)
    return malformed("an entry of sops.age is not a recipient and its enc");
  const YamlNode* recipient = node.field("recipient");
  const YamlNode* enc = node.field("enc");
  if (recipient == nullptr || enc == nullptr || recipient->kind != YamlNode::Kind::kScalar ||
      enc->kind != YamlNode::Kind::kScalar)
    return malformed("an entry of sops.age is not a recipient and its enc");
  auto parsed = parse_age_recipient(recipient->scalar);
  if (!parsed) {
    Error error = std::move(parsed).error();
    error.message = "the SOPS file is for " + error.message;
    error.hint = error.code == ErrorCode::kUnsupported ? "open it with sops" : "";
    return fail(std::move(error));
  }
  return SopsSeal{.recipient = *parsed, .enc = enc->scalar};
}

// Which keys it is for: age only.
Result<std::vector<SopsSeal>> parse_seals(const YamlNode& metadata) {
  const YamlNode* age = metadata.field("age");
  const bool has_age = age != nullptr && !is_empty_list(*age);
  for (const std::string_view name : kKeyLists) {
    const YamlNode* list = metadata.field(name);
    if (list == nullptr || is_empty_list(*list)) continue;
    if (has_age) return malformed(fmt::format("it is for keys of sops.{} beside its age recipients", name));
    return fail(Error{.code = ErrorCode::kUnsupported,
                      .message = fmt::format("the SOPS file is for keys of sops.{} only", name),
                      .hint = "open it with sops"});
  }
  if (!has_age || age->kind != YamlNode::Kind::kList) return malformed("it has no age recipient");
  if (age->items.size() > kSopsRecipientsMax)
    return malformed(fmt::format("it has more than {} recipients", kSopsRecipientsMax));
  std::vector<SopsSeal> seals;
  for (const YamlNode& item : age->items) {
    ASL_ASSIGN(SopsSeal seal, parse_seal(item));
    if (std::ranges::find(seals, seal.recipient, &SopsSeal::recipient) != seals.end())
      return malformed("it names a recipient twice");
    seals.push_back(std::move(seal));
  }
  return seals;
}

Result<void> check_metadata(const YamlNode& metadata, const SopsRules& rules) {
  constexpr std::string_view kAlways[] = {"age", "lastmodified", "mac", "version"};
  const bool strict = !rules.encrypted_regex.empty();
  for (const auto& [name, value] : metadata.fields) {
    const bool selects = std::ranges::find(kSelectionRules, name) != std::end(kSelectionRules);
    if (strict && selects && name != "encrypted_regex")
      return malformed(fmt::format("its values are selected by {}", name));
    if (!selects && std::ranges::find(kAlways, name) == std::end(kAlways) &&
        std::ranges::find(kKeyLists, name) == std::end(kKeyLists))
      return malformed(fmt::format("sops.{} is not known here, or not allowed", name));
  }
  if (!strict) return {};
  ASL_ASSIGN(const std::string regex, scalar(metadata, "encrypted_regex"));
  if (regex != rules.encrypted_regex)
    return malformed(fmt::format("sops.encrypted_regex is not {}", rules.encrypted_regex));
  ASL_ASSIGN(const std::string version, scalar(metadata, "version"));
  if (!is_three_part_number(version)) return malformed("sops.version is no number of three parts");
  return {};
}

}  // namespace

bool is_sops_time(std::string_view text) {
  constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:ddZ";
  if (text.size() != kShape.size()) return false;
  for (std::size_t i = 0; i < kShape.size(); ++i)
    if (kShape[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != kShape[i]) return false;
  const auto number = [&](std::size_t at, std::size_t size) {
    int value = 0;
    for (const char c : text.substr(at, size)) value = value * 10 + (c - '0');
    return value;
  };
  const std::chrono::year_month_day date{std::chrono::year(number(0, 4)),
                                         std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                         std::chrono::day(static_cast<unsigned>(number(8, 2)))};
  return date.ok() && number(11, 2) < 24 && number(14, 2) < 60 && number(17, 2) < 60;
}

Result<SopsFile> parse_sops(std::string_view text, const SopsRules& rules) {
  YamlNode tree;
  if (text.starts_with('{')) {
    ASL_ASSIGN(tree, parse_json_tree(text, kSopsFileMax));
  } else {
    ASL_ASSIGN(tree, parse_strict_yaml(text, {.size_max = kSopsFileMax, .literal_at = "sops.age[].enc"}));
  }
  const auto at =
      std::ranges::find(tree.fields, "sops", [](const auto& field) { return std::string_view(field.first); });
  if (at == tree.fields.end() || at->second.kind != YamlNode::Kind::kMap)
    return malformed("it has no map 'sops'");
  const YamlNode metadata = std::move(at->second);
  tree.fields.erase(at);
  ASL_TRY(check_metadata(metadata, rules));
  SopsFile file;
  ASL_ASSIGN(file.seals, parse_seals(metadata));
  ASL_ASSIGN(file.last_modified, scalar(metadata, "lastmodified"));
  if (!is_sops_time(file.last_modified)) return malformed("sops.lastmodified is no YYYY-MM-DDTHH:MM:SSZ");
  ASL_ASSIGN(file.mac, scalar(metadata, "mac"));
  file.tree = std::move(tree);
  return file;
}

}  // namespace asl::auth
