#include "commands/name_list.h"

#include <cerrno>
#include <fstream>
#include <iostream>
#include <iterator>

namespace asl::cli {

Result<std::vector<std::string>> read_name_list(const std::string& path) {
  std::string text;
  if (path == "-") {
    text.assign(std::istreambuf_iterator<char>(std::cin), {});
  } else {
    std::ifstream file(path, std::ios::binary);
    if (!file) return fail(system_error(errno, "cannot read the list of names", path));
    text.assign(std::istreambuf_iterator<char>(file), {});
    if (file.bad()) return fail(system_error(EIO, "cannot read the list of names", path));
  }
  const char end = text.find('\0') != std::string::npos ? '\0' : '\n';
  std::vector<std::string> names;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t stop = std::min(text.find(end, at), text.size());
    if (stop > at) names.push_back(text.substr(at, stop - at));
    at = stop + 1;
  }
  return names;
}

}  // namespace asl::cli
