#pragma once

#include "persistence/keys.hpp"
#include "persistence/member_store.hpp"
#include "persistence/redis/connection.hpp"

#include <functional>
#include <optional>
#include <string>

namespace pawl::redis {

/// Waits at the list of changes and hands each on as it is made, so that a change of the view is known everywhere after
/// one way from the server. Has a connection of its own, since a blocked one carries nothing else. Confined to the
/// loop's thread.
class view_feed final : public connection_user {
public:
  view_feed(event_loop& loop, server_contact& server, const key_names& keys, const member_store_handlers& handlers,
            const std::function<void(std::string)>& on_trouble);

  void connected(std::uint64_t number) override;
  [[nodiscard]] std::string replied(reply&& r) override;
  void disconnected(std::string_view) override {}
  void flush() override {}
  void trouble(std::string_view why) override;

private:
  void wait();
  [[nodiscard]] std::string take(const reply& entries);

  const key_names& keys_;
  const member_store_handlers& handlers_;
  const std::function<void(std::string)>& on_trouble_;
  std::string block_ms_;
  std::optional<std::string> last_;  ///< entry after which to wait; nothing until the server has told its last one
  connection connection_;
};

/// An entry of the list; nothing if it is damaged. The grammar is in persistence/SCHEMA.md.
[[nodiscard]] std::optional<view_change> parse_change(const reply& entry);

}  // namespace pawl::redis
