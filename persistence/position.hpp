#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace pawl {

/// Where a message stands among those of its source. Numbers rise along one line. A source whose numbering may have
/// been taken back goes on under another line, so that what it sends then is never taken for what it sent before
/// (rule A3). {0, 0} stands before all.
struct position {
  std::uint64_t line = 0;
  std::uint64_t number = 0;
  friend auto operator<=>(const position&, const position&) = default;
};

/// Name of the field that holds slot `number` of one kind.
[[nodiscard]] inline std::string slot_field(char kind, std::uint32_t number) {
  std::string name{'\0', kind};
  name += std::to_string(number);
  return name;
}

}  // namespace pawl
