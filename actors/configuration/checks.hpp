#pragma once

#include "actors/node_options.hpp"

#include <string>
#include <vector>

namespace pawl::config {

struct findings {
  std::vector<std::string> errors;
  std::vector<std::string> warnings;
};

/// What no single key can tell: keys that contradict each other, and addresses that open the node to others.
/// @pre every value of `options` is within the range of its key
[[nodiscard]] findings check_together(const node_options& options);

/// Puts the password from `redis_password_file` or, without a file, from `variable` into `options`.
[[nodiscard]] findings resolve_password(node_options& options, const std::string& variable);

}  // namespace pawl::config
