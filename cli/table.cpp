#include "cli/table.hpp"

#include "cluster/invariant.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace pawl::cli {

void table::add(std::vector<cell> row) {
  PAWL_INVARIANT(row.size() == columns_.size(), "a row has one cell for each column");
  for (auto& c : row) c.text = printable(c.text);
  rows_.push_back(std::move(row));
}

std::string table::text(const painter& paint) const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    auto width = columns(columns_[i].heading);
    for (const auto& row : rows_) width = std::max(width, columns(row[i].text));
    widths.push_back(width);
  }
  std::string out;
  const auto put = [&](std::size_t i, const std::string& shown, tone how) {
    const std::string gap(widths[i] - columns(shown), ' ');
    const bool right = columns_[i].to == align::right;
    const bool last = i + 1 == columns_.size();
    if (i != 0) out += "  ";
    if (right) out += gap;
    out += paint(how, shown);
    if (!right && !last) out += gap;
    if (last) out += '\n';
  };
  for (std::size_t i = 0; i < columns_.size(); ++i) put(i, columns_[i].heading, tone::strong);
  for (const auto& row : rows_)
    for (std::size_t i = 0; i < row.size(); ++i) put(i, row[i].text, row[i].how);
  return out;
}

std::string grouped(std::uint64_t number) {
  auto out = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(out.size()) - 3; at > 0; at -= 3)
    out.insert(static_cast<std::size_t>(at), 1, ',');
  return out;
}

std::string rate_text(double per_second) {
  if (!std::isfinite(per_second) || per_second < 0) return "-";
  if (per_second >= 100) return grouped(static_cast<std::uint64_t>(std::min(std::round(per_second), 1e18)));
  std::array<char, 16> out{};
  std::snprintf(out.data(), out.size(), "%.1f", per_second);
  return out.data();
}

}  // namespace pawl::cli
