#pragma once

#include "tests/cluster/proxy.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace pawl::testing {

/// What lies between the members of a test cluster, and between them and Redis: a proxy in front of each node's peer
/// port, which learns from the greeting who dials, and one in front of Redis for each node. Nodes never meet but
/// through it, so any link can be cut, one way or both.
///
/// A silent cut holds back all bytes, those on their way included, and lets them go when it is healed; connections made
/// meanwhile are accepted, and nothing comes of them. A refusing one resets connections.
///
/// Used by one thread.
class network {
public:
  /// Where a node listens for peers, where they dial it, and where it finds Redis.
  struct place {
    std::string peer_address;
    std::uint16_t peer_port = 0;
    std::string advertise;
    std::string redis_socket;
  };

  /// @param directory for the sockets that stand for Redis
  network(std::string directory, std::string redis_socket);

  /// The same for each run of a node.
  [[nodiscard]] const place& of(const std::string& node);
  /// Its process runs, or has ended: then its address refuses connections.
  void appears(const std::string& node);
  void vanishes(const std::string& node);

  /// Nothing passes between the two any more.
  void cut(const std::string& a, const std::string& b);
  /// What `from` sends does not arrive at `to`, whoever of them dialled.
  void cut_one_way(const std::string& from, const std::string& to);
  /// Connections between the two are reset.
  void refuse(const std::string& a, const std::string& b);
  /// Undoes all of the above for this pair.
  void heal(const std::string& a, const std::string& b);

  /// Redis stands still for this node alone.
  void cut_from_redis(const std::string& node);
  void heal_redis(const std::string& node);
  /// Redis stands still for this node alone at one of its commands. To be set before the node starts.
  void trap_redis(const std::string& node, std::optional<trap> t);
  [[nodiscard]] bool sprung(const std::string& node) { return at(node).redis->sprung(""); }

private:
  struct wires {
    place where;
    std::unique_ptr<proxy> peers;
    std::unique_ptr<proxy> redis;
  };
  void hold(const std::string& from, const std::string& to, bool held);
  void refuse(const std::string& a, const std::string& b, bool refused);
  [[nodiscard]] wires& at(const std::string& node);

  std::string directory_;
  std::string redis_socket_;
  std::map<std::string, wires> wires_;
};

}  // namespace pawl::testing
