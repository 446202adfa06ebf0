#include "sops/json_tree.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <asl/auth/text_rules.h>

namespace asl::auth {
namespace {

// Builds the tree from the parser's events. Every function returns false to stop; why_ then says why.
class Builder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  Result<YamlNode> finish(bool parsed) {
    if (parsed && root_) return std::move(*root_);
    return fail(ErrorCode::kMalformed, "not the JSON of SOPS: " + (why_.empty() ? "not JSON" : why_));
  }

  bool null() override { return add(plain("null")); }
  bool boolean(bool truth) override { return add(plain(truth ? "true" : "false")); }
  bool number_integer(number_integer_t number) override { return add(plain(std::to_string(number))); }
  bool number_unsigned(number_unsigned_t number) override { return add(plain(std::to_string(number))); }
  bool number_float(number_float_t, const string_t& text) override { return add(plain(text)); }
  bool string(string_t& text) override {
    return add({.kind = YamlNode::Kind::kScalar, .line = 0, .scalar = std::move(text)});
  }
  bool binary(binary_t&) override { return refuse("binary data"); }
  bool start_object(std::size_t) override { return open(YamlNode::Kind::kMap); }
  bool start_array(std::size_t) override { return open(YamlNode::Kind::kList); }
  bool end_object() override {
    std::vector<std::string_view> keys;
    for (const auto& [name, value] : open_.back().fields) keys.push_back(name);
    std::ranges::sort(keys);
    if (const auto twice = std::ranges::adjacent_find(keys); twice != keys.end())
      return refuse(fmt::format("the key '{}' twice", *twice));
    return close();
  }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    const bool named = !name.empty() && name.size() <= kCanonicalKeyMax && is_identifier(name);
    if (!named) return refuse("a key that is no name");
    keys_.back() = std::move(name);
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

 private:
  static YamlNode plain(std::string text) {
    return {.kind = YamlNode::Kind::kScalar, .line = 0, .scalar = std::move(text), .plain = true};
  }
  bool refuse(std::string why) {
    why_ = std::move(why);
    return false;
  }
  bool count() { return ++nodes_ <= kYamlNodesMax || refuse("too many values"); }
  bool open(YamlNode::Kind kind) {
    if (open_.empty() && kind != YamlNode::Kind::kMap) return refuse("the outermost value must be an object");
    if (open_.size() == kYamlDepthMax) return refuse("nested too deeply");
    open_.push_back({.kind = kind});
    keys_.emplace_back();
    return count();
  }
  bool close() {
    YamlNode node = std::move(open_.back());
    open_.pop_back();
    keys_.pop_back();
    return place(std::move(node));
  }
  bool add(YamlNode node) {
    if (open_.empty()) return refuse("the outermost value must be an object");
    return count() && place(std::move(node));
  }
  bool place(YamlNode node) {
    if (open_.empty())
      root_.emplace(std::move(node));
    else if (open_.back().kind == YamlNode::Kind::kMap)
      open_.back().fields.emplace_back(std::move(keys_.back()), std::move(node));
    else
      open_.back().items.push_back(std::move(node));
    return true;
  }

  std::vector<YamlNode> open_;
  std::vector<std::string> keys_;  // of the member that comes next, one for each of open_
  std::optional<YamlNode> root_;
  std::size_t nodes_ = 0;
  std::string why_;
};

}  // namespace

Result<YamlNode> parse_json_tree(std::string_view text, std::size_t size_max) {
  if (text.size() > size_max)
    return fail(ErrorCode::kMalformed, fmt::format("not the JSON of SOPS: larger than {} bytes", size_max));
  if (text.starts_with("\xEF\xBB\xBF"))
    return fail(ErrorCode::kMalformed, "not the JSON of SOPS: a byte order mark");
  Builder builder;
  const bool parsed = nlohmann::json::sax_parse(text.begin(), text.end(), &builder);
  return builder.finish(parsed);
}

}  // namespace asl::auth
