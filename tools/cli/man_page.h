// Man pages (man macros) from the table.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "option_table.h"

namespace asl::cli {

// Columns of the source's running text, before escapes.
inline constexpr std::size_t kManSourceWidth = 72;

struct ManPage {
  std::string file_name;  // "asl-ingest.1"
  std::string text;
};

// One page for the program and one for each command that is listed; commands of two words share the page of
// the first. The text depends on the table alone.
std::vector<ManPage> man_pages(const ProgramSpec& program);

}  // namespace asl::cli
