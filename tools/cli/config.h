// <root>/host/config.yaml: settings that stand in for options.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <asl/engine/error.h>

namespace asl::cli {

struct ConfigEntry {
  std::string key;  // nested keys joined by '.': "store.jobs"
  std::string value;
  std::uint64_t line = 0;  // from 1
};

// A small part of YAML: block maps nested at most kConfigDepthMax deep, plain or double-quoted scalars,
// comments. Everything else (lists, anchors, tags, several documents, keys given twice) is kMalformed, naming
// `path` and line.
Result<std::vector<ConfigEntry>> parse_config(std::string_view text, const std::string& path);
// A missing file is an empty configuration; more than kConfigSizeMax bytes is kMalformed.
Result<std::vector<ConfigEntry>> load_config(const std::string& path);

inline constexpr std::size_t kConfigSizeMax = 64 * 1024;  // people write it by hand
inline constexpr std::size_t kConfigDepthMax = 4;         // deeper than any setting

}  // namespace asl::cli
