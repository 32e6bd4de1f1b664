#pragma once

#include "persistence/redis/connection.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <string>

namespace pawl::redis {

/// Ends waits of other connections before their time, over one of its own, since a connection that waits carries
/// nothing else. Confined to the loop's thread.
class wait_ender final : public connection_user {
public:
  /// Whether it is worth asking again: the server does not refuse it, as its access rules may. It does not say that the
  /// wait is over: it may not have begun at the server, or nothing was heard of it.
  using listener = std::function<void(bool allowed)>;

  wait_ender(event_loop& loop, server_contact& server, const std::function<void(std::string)>& on_trouble);

  /// @param client number of the connection at the server
  /// @param told called once, never from here. False: there is no connection, and nobody is told
  [[nodiscard]] bool end(std::int64_t client, listener told);

  void connected(std::uint64_t) override {}
  [[nodiscard]] std::string replied(reply&& r) override;
  void disconnected(std::string_view why) override;
  void flush() override {}
  void trouble(std::string_view why) override;

private:
  const std::function<void(std::string)>& on_trouble_;
  std::deque<listener> asked_;
  connection connection_;
};

}  // namespace pawl::redis
