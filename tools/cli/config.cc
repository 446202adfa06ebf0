#include "config.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fmt/format.h>
#include <memory>
#include <optional>
#include <utility>
#include <yaml.h>

namespace asl::cli {
namespace {

struct Parser {
  Parser() { yaml_parser_initialize(&raw); }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;
  ~Parser() { yaml_parser_delete(&raw); }
  yaml_parser_t raw;
};

struct Event {
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { yaml_event_delete(&raw); }
  yaml_event_t raw{};
};

// Walks the events of one file.
class Reader {
 public:
  explicit Reader(std::string path) : path_(std::move(path)) {}

  Result<std::vector<ConfigEntry>> read(std::string_view text) {
    // libyaml asserts that there is a pointer even where there are no bytes.
    if (text.data() == nullptr) text = "";
    yaml_parser_set_input_string(&parser_.raw, reinterpret_cast<const unsigned char*>(text.data()),
                                 text.size());
    for (bool over = false; !over;) {
      Event event;
      if (yaml_parser_parse(&parser_.raw, &event.raw) == 0)
        return malformed(parser_.raw.problem == nullptr ? "not YAML" : parser_.raw.problem,
                         parser_.raw.problem_mark.line);
      ASL_TRY(take(event.raw));
      over = event.raw.type == YAML_STREAM_END_EVENT;
    }
    return std::move(entries_);
  }

 private:
  std::unexpected<Error> malformed(std::string_view reason, std::size_t line_from_0) const {
    Error error;
    error.code = ErrorCode::kMalformed;
    error.message = "cannot use the configuration";
    error.path = path_;
    error.object = fmt::format("line {}: {}", line_from_0 + 1, reason);
    return fail(std::move(error));
  }

  Result<void> take(const yaml_event_t& event) {
    const std::size_t line = event.start_mark.line;
    switch (event.type) {
      case YAML_DOCUMENT_START_EVENT:
        if (++documents_ > 1) return malformed("more than one document", line);
        return {};
      case YAML_MAPPING_START_EVENT:
        return start_map(event.data.mapping_start, line);
      case YAML_MAPPING_END_EVENT:
        if (!keys_.empty()) keys_.pop_back();
        --depth_;
        return {};
      case YAML_SCALAR_EVENT:
        return take_scalar(event.data.scalar, line);
      case YAML_SEQUENCE_START_EVENT:
        return malformed("lists are not used here", line);
      case YAML_ALIAS_EVENT:
        return malformed("aliases are not used here", line);
      default:
        return {};
    }
  }

  template <typename Start>
  Result<void> start_map(const Start& start, std::size_t line) {
    if (start.anchor != nullptr || start.tag != nullptr)
      return malformed("anchors and tags are not used here", line);
    if (start.style == YAML_FLOW_MAPPING_STYLE)
      return malformed("maps are written one key a line here", line);
    if (depth_ > 0 && !pending_key_) return malformed("a map cannot be a key", line);
    if (++depth_ > kConfigDepthMax) return malformed("nested too deep", line);
    if (pending_key_) keys_.push_back(*std::exchange(pending_key_, std::nullopt));
    return {};
  }

  template <typename Scalar>
  Result<void> take_scalar(const Scalar& scalar, std::size_t line) {
    if (scalar.anchor != nullptr || scalar.tag != nullptr)
      return malformed("anchors and tags are not used here", line);
    if (scalar.style != YAML_PLAIN_SCALAR_STYLE && scalar.style != YAML_DOUBLE_QUOTED_SCALAR_STYLE)
      return malformed("values are plain or in double quotes here", line);
    std::string text(reinterpret_cast<const char*>(scalar.value), scalar.length);
    // An empty file that holds only comments has one empty scalar, or none.
    if (depth_ == 0) return text.empty() ? Result<void>{} : malformed("expected 'key: value' lines", line);
    if (!pending_key_) {
      if (text.empty()) return malformed("a key is missing", line);
      pending_key_ = std::move(text);
      return {};
    }
    ConfigEntry entry{fmt::format("{}{}{}", fmt::join(keys_, "."), keys_.empty() ? "" : ".", *pending_key_),
                      std::move(text), line + 1};
    pending_key_.reset();
    if (std::ranges::find(entries_, entry.key, &ConfigEntry::key) != entries_.end())
      return malformed("key given twice: " + entry.key, line);
    entries_.push_back(std::move(entry));
    return {};
  }

  std::string path_;
  Parser parser_;
  std::vector<ConfigEntry> entries_;
  std::vector<std::string> keys_;  // of the maps around
  std::optional<std::string> pending_key_;
  std::size_t depth_ = 0;
  std::size_t documents_ = 0;
};

}  // namespace

Result<std::vector<ConfigEntry>> parse_config(std::string_view text, const std::string& path) {
  return Reader(path).read(text);
}

Result<std::vector<ConfigEntry>> load_config(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"), &std::fclose);
  if (file == nullptr) {
    if (errno == ENOENT || errno == ENOTDIR) return std::vector<ConfigEntry>{};
    return fail(system_error(errno, "cannot read the configuration", path));
  }
  std::string text(kConfigSizeMax + 1, '\0');
  errno = 0;
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get()) != 0) return fail(system_error(errno, "cannot read the configuration", path));
  if (text.size() > kConfigSizeMax) {
    Error error;
    error.code = ErrorCode::kMalformed;
    error.message = fmt::format("the configuration is larger than {} bytes", kConfigSizeMax);
    error.path = path;
    return fail(std::move(error));
  }
  return parse_config(text, path);
}

}  // namespace asl::cli
