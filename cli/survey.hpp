#pragma once

#include "cli/cluster_picture.hpp"
#include "cli/http_client.hpp"
#include "cli/node_url.hpp"

#include <chrono>
#include <functional>
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

/// What a node passes on from a shard's owner.
struct owners_answer {
  http_answer answer;
  node_url asked;  ///< the node that was asked last
};
/// Asks one node after the other for what any of them can tell, by asking the owner: until one does, or says for good
/// that there is nothing.
[[nodiscard]] owners_answer ask_any(const cluster_picture& p, std::chrono::milliseconds timeout,
                                    const std::function<http_answer(http_client&)>& request);

}  // namespace pawl::cli
