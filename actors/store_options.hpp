#pragma once

#include "actors/node_options.hpp"
#include "persistence/redis/options.hpp"

namespace pawl {

/// The part of a node's options that says how to reach Redis.
[[nodiscard]] inline redis_options store_options_of(const node_options& o) {
  redis_options r;
  r.socket = o.redis_socket;
  r.host = o.redis_host;
  r.port = o.redis_port;
  r.user = o.redis_user;
  r.password = o.redis_password;
  r.timeout = o.redis_timeout;
  r.connections = o.redis_connections;
  return r;
}

}  // namespace pawl
