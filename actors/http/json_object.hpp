#pragma once

#include <string>
#include <string_view>

namespace pawl {

/// Appends a JSON object to `out` as a msgpack map, field by field in the order given, within the limits of a payload.
/// Returns what is wrong with it, and where; empty: nothing. Then `out` is a whole map.
[[nodiscard]] std::string msgpack_of_json(std::string_view json, std::string& out);

}  // namespace pawl
