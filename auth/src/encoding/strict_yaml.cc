#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <yaml.h>

#include <asl/auth/strict_yaml.h>
#include <asl/auth/text_rules.h>

#include "encoding/yaml_layout.h"

namespace asl::auth {
namespace {

bool is_yaml_key(std::string_view key) {
  constexpr std::size_t kKeyMax = 64;
  return !key.empty() && key.size() <= kKeyMax && std::ranges::all_of(key, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
}

// libyaml breaks lines at characters that other readers take for text, and skips byte order marks.
Result<void> check_characters(std::string_view text) {
  if (text.empty() || text.back() != '\n')
    return yaml_error(0, "the last line does not end with a line feed");
  std::uint64_t line = 0;
  while (!text.empty()) {
    ++line;
    const std::string_view content = text.substr(0, text.find('\n'));
    text.remove_prefix(content.size() + 1);
    if (content.find('\t') != content.npos) return yaml_error(line, "a tab");
    if (content.find('\r') != content.npos) return yaml_error(line, "a carriage return");
    if (content.find("\xEF\xBB\xBF") != content.npos) return yaml_error(line, "a byte order mark");
    if (!is_free_text(content)) return yaml_error(line, "not UTF-8, or a control character");
    if (content.find("\xE2\x80\xA8") != content.npos || content.find("\xE2\x80\xA9") != content.npos)
      return yaml_error(line, "a Unicode line or paragraph separator");
  }
  return {};
}

// One event of libyaml, freed with its owner.
class Event {
 public:
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { yaml_event_delete(&event_); }
  yaml_event_t* operator->() { return &event_; }
  yaml_event_t* get() { return &event_; }

 private:
  yaml_event_t event_{};
};

class Reader {
 public:
  Reader(std::string_view text, const YamlRules& rules) : rules_(rules) {
    if (yaml_parser_initialize(&parser_) == 0) throw std::bad_alloc();
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { yaml_parser_delete(&parser_); }

  Result<YamlNode> document() {
    Event start;
    ASL_TRY(next(start));  // of the stream
    Event opening;
    ASL_TRY(next(opening));
    if (opening->type != YAML_DOCUMENT_START_EVENT) return yaml_error(1, "no document");
    const auto& given = opening->data.document_start;
    if (given.implicit == 0 || given.version_directive != nullptr ||
        given.tag_directives.start != given.tag_directives.end)
      return yaml_error(opening->start_mark.line + 1, "a document marker or directive");
    Event first;
    ASL_TRY(next(first));
    if (first->type != YAML_MAPPING_START_EVENT) return yaml_error(1, "the outermost value must be a map");
    ASL_ASSIGN(YamlNode root, node(first, "", 1));
    Event closing;
    ASL_TRY(next(closing));
    if (closing->data.document_end.implicit == 0)
      return yaml_error(closing->start_mark.line + 1, "a document marker");
    Event end;
    ASL_TRY(next(end));
    if (end->type != YAML_STREAM_END_EVENT)
      return yaml_error(end->start_mark.line + 1, "more than one document");
    return root;
  }

  const std::vector<YamlSpan>& spans() const { return spans_; }

 private:
  Result<void> next(Event& event) {
    if (yaml_parser_parse(&parser_, event.get()) != 0) return {};
    if (parser_.error == YAML_MEMORY_ERROR) throw std::bad_alloc();
    return yaml_error(parser_.problem_mark.line + 1,
                      parser_.problem != nullptr ? parser_.problem : "not YAML at all");
  }

  Result<YamlNode> node(Event& event, const std::string& path, std::size_t depth) {
    const std::uint64_t line = event->start_mark.line + 1;
    if (depth > kYamlDepthMax) return yaml_error(line, "nested too deeply");
    if (++nodes_ > kYamlNodesMax) return yaml_error(line, "too many values");
    switch (event->type) {
      case YAML_SCALAR_EVENT:
        return scalar(event, path);
      case YAML_SEQUENCE_START_EVENT:
        return list(event, path, depth);
      case YAML_MAPPING_START_EVENT:
        return map(event, path, depth);
      case YAML_ALIAS_EVENT:
        return yaml_error(line, "an alias");
      default:
        return yaml_error(line, "a value is missing");
    }
  }

  static Result<void> check_bare(std::uint64_t line, const unsigned char* anchor, const unsigned char* tag) {
    if (anchor != nullptr) return yaml_error(line, "an anchor");
    if (tag != nullptr) return yaml_error(line, "a tag");
    return {};
  }

  Result<YamlNode> scalar(Event& event, const std::string& path) {
    const auto& data = event->data.scalar;
    YamlNode node{.line = event->start_mark.line + 1};
    ASL_TRY(check_bare(node.line, data.anchor, data.tag));
    const bool literal = data.style == YAML_LITERAL_SCALAR_STYLE;
    const bool quoted = data.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE;
    node.plain = data.style == YAML_PLAIN_SCALAR_STYLE;
    if (literal && (rules_.literal_at.empty() || path != rules_.literal_at))
      return yaml_error(node.line, "a block scalar ('|')");
    if (!literal && !quoted && !node.plain)
      return yaml_error(node.line, "a scalar that is neither plain nor double-quoted");
    if (node.plain && data.length == 0) return yaml_error(node.line, "an empty value");
    if (!literal && event->start_mark.line != event->end_mark.line)
      return yaml_error(node.line, "a scalar of several lines");
    node.scalar.assign(reinterpret_cast<const char*>(data.value), data.length);
    spans_.push_back({event->start_mark.line, event->start_mark.column, event->end_mark.line,
                      event->end_mark.column,
                      literal  ? YamlSpan::Kind::kLiteral
                      : quoted ? YamlSpan::Kind::kQuoted
                               : YamlSpan::Kind::kPlain});
    return node;
  }

  Result<YamlNode> list(Event& event, const std::string& path, std::size_t depth) {
    const auto& data = event->data.sequence_start;
    YamlNode node{.kind = YamlNode::Kind::kList, .line = event->start_mark.line + 1};
    ASL_TRY(check_bare(node.line, data.anchor, data.tag));
    const bool flow = data.style == YAML_FLOW_SEQUENCE_STYLE;
    for (;;) {
      Event item;
      ASL_TRY(next(item));
      if (item->type == YAML_SEQUENCE_END_EVENT) {
        if (flow)
          spans_.push_back({event->start_mark.line, event->start_mark.column, item->end_mark.line,
                            item->end_mark.column, YamlSpan::Kind::kEmptyList});
        return node;
      }
      if (flow) return yaml_error(node.line, "a list in brackets that is not empty");
      ASL_ASSIGN(auto value, this->node(item, path + "[]", depth + 1));
      node.items.push_back(std::move(value));
    }
  }

  Result<YamlNode> map(Event& event, const std::string& path, std::size_t depth) {
    const auto& data = event->data.mapping_start;
    YamlNode node{.kind = YamlNode::Kind::kMap, .line = event->start_mark.line + 1};
    ASL_TRY(check_bare(node.line, data.anchor, data.tag));
    if (data.style == YAML_FLOW_MAPPING_STYLE) return yaml_error(node.line, "a map in braces");
    std::vector<std::string> seen;
    for (;;) {
      Event key;
      ASL_TRY(next(key));
      if (key->type == YAML_MAPPING_END_EVENT) break;
      if (key->type != YAML_SCALAR_EVENT)
        return yaml_error(key->start_mark.line + 1, "a key that is no name");
      ASL_ASSIGN(YamlNode name, scalar(key, path));
      if (!name.plain || !is_yaml_key(name.scalar))
        return yaml_error(name.line, "a key that is quoted, or of other characters than A-Z a-z 0-9 _ - .");
      Event value;
      ASL_TRY(next(value));
      const std::string below = path.empty() ? name.scalar : path + "." + name.scalar;
      ASL_ASSIGN(YamlNode field, this->node(value, below, depth + 1));
      seen.push_back(name.scalar);
      node.fields.emplace_back(std::move(name.scalar), std::move(field));
    }
    std::ranges::sort(seen);
    if (const auto twice = std::ranges::adjacent_find(seen); twice != seen.end())
      return yaml_error(node.line, fmt::format("the key '{}' twice in the map that begins here", *twice));
    return node;
  }

  YamlRules rules_;
  yaml_parser_t parser_{};
  std::vector<YamlSpan> spans_;  // in file order
  std::size_t nodes_ = 0;
};

}  // namespace

const YamlNode* YamlNode::field(std::string_view name) const {
  const auto at =
      std::ranges::find(fields, name, [](const auto& entry) { return std::string_view(entry.first); });
  return at == fields.end() ? nullptr : &at->second;
}

Result<YamlNode> parse_strict_yaml(std::string_view text, const YamlRules& rules) {
  if (text.size() > rules.size_max) return yaml_error(0, fmt::format("larger than {} bytes", rules.size_max));
  ASL_TRY(check_characters(text));
  Reader reader(text, rules);
  ASL_ASSIGN(YamlNode root, reader.document());
  ASL_TRY(check_layout(text, reader.spans(), rules.comments));
  return root;
}

}  // namespace asl::auth
