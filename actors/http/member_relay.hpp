#pragma once

#include "actors/http/exchange.hpp"
#include "actors/http/member_client.hpp"
#include "actors/ingress.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace pawl {

inline constexpr std::string_view nodes_prefix = "/v1/nodes/";

/// Asks a member, as `member_client::get` does.
using ask_member =
    std::function<void(std::string host, std::uint16_t port, std::string path, std::function<void(member_reply)>)>;

/// `GET /v1/nodes/{node}/{what}`: what that member answers to a read of its own state, `what` being one of cluster,
/// shards, events, metrics, readyz. A page that may talk to this node only sees the whole cluster so.
///
/// Asks members of the current view and nobody else, at the addresses that they joined with; a request brings neither
/// an address nor a path, query or header of its own. What is not listed is 404, a member that gives no usable answer
/// is 502 with the reason. A redirect is no usable answer. The content type is the one of the route, whatever it says.
///
/// @pre the path starts with `nodes_prefix`; `door` outlives the call
void answer_from_member(const ingress& door, const ask_member& ask, const http_request& request, http_respond respond);

struct member_address {
  std::string host;
  std::uint16_t port = 0;
};
/// Where the HTTP door of a member is reached from other machines. One that listens on all addresses says so
/// (`0.0.0.0`): then at the host at which its peers reach it. Nothing if it has no door.
[[nodiscard]] std::optional<member_address> http_address_of(const member& m);

}  // namespace pawl
