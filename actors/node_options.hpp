#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace pawl {

/// Everything a node can be told. Filled by `configuration` from flags > environment > file > these defaults.
/// README.md has the table of keys.
struct node_options {
  // [node]
  std::string node = "n1";          ///< `[a-z0-9-]{1,32}`, unique in the cluster
  std::string cluster = "default";  ///< `[a-z0-9-]{1,32}`; part of every key in the store
  bool insecure = false;            ///< peers may bind beyond loopback, without authentication

  // [http]
  std::string http_address = "127.0.0.1";
  std::uint16_t http_port = 7420;  ///< 0: any free port
  std::size_t http_body_bytes = 8 * 1024 * 1024;
  std::chrono::milliseconds http_timeout{30'000};  ///< idle connection, slow header or body
  std::size_t http_connections = 1'024;
  std::size_t http_threads = 1;

  // [peers]
  std::string peer_address = "127.0.0.1";
  std::uint16_t peer_port = 7421;  ///< 0: any free port
  std::string advertise;           ///< host others dial; default: peer_address

  // [redis]
  std::string redis_socket;  ///< path of a unix socket; wins over host and port
  std::string redis_host = "127.0.0.1";
  std::uint16_t redis_port = 6379;
  std::string redis_user;                          ///< ACL user; empty: the default user
  std::string redis_password_file;                 ///< file with the password; else environment PAWL_REDIS_PASSWORD
  std::string redis_password;                      ///< resolved secret; never printed, never a flag
  std::chrono::milliseconds redis_timeout{2'000};  ///< no reply for this long breaks the connection
  std::uint32_t redis_connections = 1;
  bool allow_volatile = false;  ///< accept a store without AOF

  // [cluster]
  std::chrono::milliseconds beat{200};
  std::chrono::milliseconds lease{3'000};    ///< a member whose beat stands still this long is evicted
  std::chrono::milliseconds settle{300};     ///< wait before the first claims of a cold start (rule C25)
  std::chrono::milliseconds handoff{5'000};  ///< a live owner may hold a shard this long after the view moved it
  std::chrono::milliseconds drain{10'000};   ///< SIGTERM: leave after this even if shards are still held

  // [messages]
  std::chrono::milliseconds request_timeout{5'000};  ///< unresolved after this: the caller gets busy or unknown
  std::size_t shard_queue_messages = 8'192;          ///< waiting per shard at this node; beyond: busy
  std::size_t shard_queue_bytes = 32 * 1024 * 1024;
  std::size_t node_queue_messages = 131'072;  ///< waiting for all shards at this node; beyond: busy
  std::size_t node_queue_bytes = 256 * 1024 * 1024;

  // [entities]
  std::chrono::milliseconds passivate_after{300'000};
  std::size_t resident_per_shard = 65'536;
  std::size_t state_bytes = 1024 * 1024;  ///< encoded state of one entity; a message that grows it beyond is refused

  // [inbox]
  bool inbox = true;                                 ///< read what clients of the store put into the shards' streams
  std::chrono::milliseconds inbox_patience{60'000};  ///< an entry of an unknown type is a dead letter after this

  // [runtime]
  std::size_t threads = 0;  ///< workers of the actor scheduler; 0: one per core, at least 2

  // [log]
  std::string log_level = "info";  ///< trace, debug, info, warn, error
};

}  // namespace pawl
