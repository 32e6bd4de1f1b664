#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pawl::cli {

/// `text` fit for a terminal, whoever wrote it. What could move the cursor, change colours or reverse the reading order
/// (control characters, direction marks, bytes that are no UTF-8) is shown as `\xNN` or `\u{NNNN}`.
[[nodiscard]] std::string printable(std::string_view text);

/// Columns that printable text takes, counting each character as one.
[[nodiscard]] std::size_t columns(std::string_view text) noexcept;

enum class tone : unsigned char { plain, strong, good, warning, bad };

/// Colours text if they were asked for. What it is given must be printable already.
class painter {
public:
  painter() = default;
  explicit painter(bool colours) : colours_(colours) {}
  [[nodiscard]] std::string operator()(tone t, std::string_view text) const;

private:
  bool colours_ = false;
};

}  // namespace pawl::cli
