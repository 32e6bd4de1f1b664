#pragma once

#include "cli/terminal.hpp"

#include <string>
#include <vector>

namespace pawl::cli {

/// Rows under headings, columns aligned. Makes what it shows printable.
class table {
public:
  enum class align : unsigned char { left, right };
  struct column {
    std::string heading;
    align to = align::left;
  };
  struct cell {
    std::string text;
    tone how = tone::plain;
    cell(std::string t, tone h = tone::plain) : text(std::move(t)), how(h) {}  // NOLINT: a row is a list of texts
    cell(const char* t) : text(t) {}                                           // NOLINT
  };

  explicit table(std::vector<column> columns) : columns_(std::move(columns)) {}
  /// @pre as many cells as columns
  void add(std::vector<cell> row);
  [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }
  /// The headings and the rows, one a line.
  [[nodiscard]] std::string text(const painter& paint) const;

private:
  std::vector<column> columns_;
  std::vector<std::vector<cell>> rows_;
};

/// 1234567 as `1,234,567`.
[[nodiscard]] std::string grouped(std::uint64_t number);
/// With one digit after the point below 100, else grouped.
[[nodiscard]] std::string rate_text(double per_second);

}  // namespace pawl::cli
