#pragma once

#include "cli/cluster_picture.hpp"
#include "cli/node_url.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace pawl::cli {

/// Asks the given nodes, and then the members they name, all of each round at once. A node that does not answer, or
/// answers nonsense, is in the picture with the reason. Takes at most about six timeouts: two rounds of three requests.
[[nodiscard]] cluster_picture survey(const std::vector<node_url>& nodes, std::chrono::milliseconds timeout);

/// Where a member takes HTTP requests, or why that cannot be told.
struct member_address {
  std::optional<node_url> url;
  std::string problem;
};
/// @param asked the node whose view has this row
[[nodiscard]] member_address address_of(const member_row& member, const node_url& asked);

/// The nodes of a picture that answered, those named by the user first.
[[nodiscard]] std::vector<node_url> answering_nodes(const cluster_picture& p);

}  // namespace pawl::cli
