#include <algorithm>

#include "text.h"

namespace asl::cli {

void Table::add(std::vector<std::string> cells) {
  cells.resize(columns_.size());
  rows_.push_back(std::move(cells));
}

std::string Table::to_string() const {
  std::vector<std::string> headers;
  std::vector<std::size_t> widths;
  for (const Column& column : columns_) {
    headers.push_back(column.header);
    widths.push_back(display_width(column.header));
  }
  for (const auto& row : rows_)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], display_width(row[i]));
  std::string out;
  if (std::ranges::any_of(headers, [](const std::string& header) { return !header.empty(); }))
    append_row(out, headers, widths);
  for (const auto& row : rows_) append_row(out, row, widths);
  return out;
}

void Table::append_row(std::string& out, const std::vector<std::string>& cells,
                       const std::vector<std::size_t>& widths) const {
  constexpr std::size_t kColumnGap = 2;
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::size_t padding = widths[i] - display_width(cells[i]);
    if (i > 0) line.append(kColumnGap, ' ');
    if (columns_[i].align == Align::kRight) line.append(padding, ' ');
    line += cells[i];
    if (columns_[i].align == Align::kLeft) line.append(padding, ' ');
  }
  line.erase(line.find_last_not_of(' ') + 1);
  out += line + '\n';
}

}  // namespace asl::cli
