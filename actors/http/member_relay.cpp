#include "actors/http/member_relay.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace pawl {
namespace {

struct relayed_route {
  std::string_view what;
  std::string_view path;
  std::string_view content_type;
};
constexpr std::string_view json = "application/json";
constexpr std::string_view text = "text/plain; charset=utf-8";
constexpr std::array<relayed_route, 5> relayed_routes{{
    {"cluster", "/v1/cluster", json},
    {"shards", "/v1/shards", json},
    {"events", "/v1/events", json},
    {"metrics", "/metrics", "text/plain; version=0.0.4; charset=utf-8"},
    {"readyz", "/readyz", text},
}};

std::optional<member_address> split_address(std::string_view address) {
  const auto colon = address.rfind(':');
  if (colon == address.npos || colon == 0) return std::nullopt;
  member_address out;
  const auto* const end = address.data() + address.size();
  const auto [at, error] = std::from_chars(address.data() + colon + 1, end, out.port);
  if (error != std::errc{} || at != end || out.port == 0) return std::nullopt;
  auto host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  out.host = host;
  return out;
}

}  // namespace

std::optional<member_address> http_address_of(const member& m) {
  auto out = split_address(m.http_address);
  if (out && (out->host == "0.0.0.0" || out->host == "::")) {
    const auto peer = split_address(m.peer_address);
    if (!peer) return std::nullopt;
    out->host = peer->host;
  }
  return out;
}

void answer_from_member(const ingress& door, const ask_member& ask, const http_request& request, http_respond respond) {
  const auto rest = std::string_view{request.path}.substr(nodes_prefix.size());
  const auto slash = rest.find('/');
  const auto node = std::string{rest.substr(0, slash)};
  const auto what = slash == rest.npos ? std::string_view{} : rest.substr(slash + 1);
  const auto route = std::ranges::find(relayed_routes, what, &relayed_route::what);
  if (route == relayed_routes.end())
    return respond(http_problem(404, "asked of a member are cluster, shards, events, metrics and readyz: "
                                     "/v1/nodes/{node}/cluster"));
  const auto view = door.cluster().current;
  const auto* const member = view.find_node(node);
  if (member == nullptr) return respond(http_problem(404, "the view of this node has no member of that name"));
  const auto address = http_address_of(*member);
  if (!address) return respond(http_problem(502, node + " has joined without an HTTP address"));
  ask(address->host, address->port, std::string{route->path},
      [node, what = route->what, type = route->content_type, respond = std::move(respond)](member_reply r) {
        if (r.status == 0) return respond(http_problem(502, node + " does not answer: " + r.problem));
        // A node that is not ready says so with 503 and the reason.
        if (r.status != 200 && !(what == "readyz" && r.status == 503))
          return respond(http_problem(502, node + " answers with status " + std::to_string(r.status)));
        respond({r.status, std::string{type}, std::move(r.body), {}});
      });
}

}  // namespace pawl
