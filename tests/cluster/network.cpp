#include "tests/cluster/network.hpp"

#include "actors/peer_protocol.hpp"

#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace pawl::testing {
namespace {

/// A dialling member says hello before anything else. Whoever does not is no member, and no rule is for it.
std::optional<std::string> who_greets(std::string_view first_bytes) {
  peer_decoder decoder;
  std::vector<peer_message> messages;
  const bool good = decoder.feed(first_bytes, messages);
  if (!messages.empty())
    if (const auto* greeting = std::get_if<hello>(&messages.front())) return greeting->self.node;
  return good ? std::nullopt : std::optional<std::string>{""};
}

/// Everybody at this node's own door to Redis is this node.
std::optional<std::string> the_node(std::string_view) { return ""; }

}  // namespace

network::network(std::string directory, std::string redis_socket)
    : directory_(std::move(directory)), redis_socket_(std::move(redis_socket)) {}

network::wires& network::at(const std::string& node) {
  auto& w = wires_[node];
  if (w.peers) return w;
  // Nodes and their proxies have addresses of their own: nobody else takes the port between two runs of a node.
  const auto last = std::to_string(wires_.size());
  w.where.peer_address = "127.0.1." + last;
  w.where.advertise = "127.0.2." + last;
  w.where.redis_socket = directory_ + "/" + node + ".redis";
  w.peers = std::make_unique<proxy>(listening_place{{}, w.where.advertise, 0},
                                    listening_place{{}, w.where.peer_address, 0}, who_greets);
  w.where.peer_port = w.peers->port();
  w.redis = std::make_unique<proxy>(listening_place{w.where.redis_socket, {}, 0}, listening_place{redis_socket_, {}, 0},
                                    the_node);
  return w;
}

const network::place& network::of(const std::string& node) { return at(node).where; }

void network::appears(const std::string& node) { at(node).peers->listen(); }
void network::vanishes(const std::string& node) { at(node).peers->stop_listening(); }

void network::hold(const std::string& from, const std::string& to, bool held) {
  at(to).peers->set(from, [held](passage& p) { p.there_held = held; });
  at(from).peers->set(to, [held](passage& p) { p.back_held = held; });
}

void network::refuse(const std::string& a, const std::string& b, bool refused) {
  at(a).peers->set(b, [refused](passage& p) { p.refused = refused; });
  at(b).peers->set(a, [refused](passage& p) { p.refused = refused; });
}

void network::cut(const std::string& a, const std::string& b) {
  hold(a, b, true);
  hold(b, a, true);
}

void network::cut_one_way(const std::string& from, const std::string& to) { hold(from, to, true); }

void network::refuse(const std::string& a, const std::string& b) { refuse(a, b, true); }

void network::heal(const std::string& a, const std::string& b) {
  refuse(a, b, false);
  hold(a, b, false);
  hold(b, a, false);
}

void network::cut_from_redis(const std::string& node) {
  at(node).redis->set("", [](passage& p) { p.there_held = p.back_held = true; });
}

void network::heal_redis(const std::string& node) {
  at(node).redis->set("", [](passage& p) { p.there_held = p.back_held = false; });
}

void network::trap_redis(const std::string& node, std::optional<trap> t) {
  at(node).redis->set("", [&](passage& p) {
    p.set = std::move(t);
    p.sprung = false;
  });
}

}  // namespace pawl::testing
