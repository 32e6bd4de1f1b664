#pragma once

#include "actors/caf/host.hpp"
#include "actors/caf/messages.hpp"

#include <caf/io/all.hpp>

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace pawl {

/// One connection to another member. Cuts and checks what arrives, hands it to the shard it is for, and writes what it
/// is given; frames wait here when the peer's window is used up. Ends with the connection, or when the peer breaks the
/// protocol or stays silent.
struct link_state {
  node_host* host = nullptr;
  link_number number = 0;
  std::optional<member_id> expected;  ///< whom we dialled; nothing if the peer dialled us
  member_id peer;                     ///< once greeted
  bool greeted = false;
  peer_decoder decoder;
  credit_window window{limits::peer_window_bytes};
  struct counted {
    std::uint64_t number = 0;
    std::size_t bytes = 0;
  };
  /// Frames that hold credit, by whose they are: the lane of a shard, or a source that sends to a shard.
  std::map<std::pair<std::uint32_t, std::string>, counted> under_way;
  std::deque<frame> waiting;
  steady_time heard{};
  steady_time woke{};
  std::string closing;  ///< why, once it is
};

using link_actor = caf::stateful_actor<link_state, caf::io::broker>;

/// For `fork` (an accepted connection) and for a dialled one alike.
caf::behavior peer_link(link_actor* self, caf::io::connection_handle connection, node_host* host,
                        std::optional<member_id> expected);

/// Listens for peers at the address of the options. Returns the bound port, or an error text.
struct listening {
  std::uint16_t port = 0;
  caf::actor acceptor;
  std::string error;
};
[[nodiscard]] listening listen_for_peers(caf::actor_system& system, node_host& host);

/// Makes a link of a connected socket.
void adopt_link(caf::actor_system& system, node_host& host, int socket, const member_id& peer);

}  // namespace pawl
