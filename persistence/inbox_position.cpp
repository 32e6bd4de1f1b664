#include "persistence/inbox_position.hpp"

#include <charconv>

namespace pawl {
namespace {

bool parse(std::string_view digits, std::uint64_t& out) noexcept {
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
  return error == std::errc{} && end == digits.data() + digits.size();
}

}  // namespace

std::string to_text(const entry_id& id) { return std::to_string(id.ms) + "-" + std::to_string(id.number); }

std::optional<entry_id> parse_entry_id(std::string_view text) noexcept {
  entry_id id;
  const auto dash = text.find('-');
  if (dash == std::string_view::npos || !parse(text.substr(0, dash), id.ms) || !parse(text.substr(dash + 1), id.number))
    return std::nullopt;
  return id;
}

}  // namespace pawl
