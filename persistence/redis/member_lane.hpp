#pragma once

#include "persistence/keys.hpp"
#include "persistence/member_store.hpp"
#include "persistence/redis/connection.hpp"
#include "persistence/redis/script_call.hpp"

#include <deque>
#include <functional>

namespace pawl::redis {

/// Carries the commands of membership out, one at a time: they are few, and so the order is kept even if a script has
/// to be sent again. Confined to the loop's thread.
class member_lane final : public connection_user {
public:
  member_lane(event_loop& loop, server_contact& server, const key_names& keys, const member_store_handlers& handlers,
              const std::function<void(std::string)>& on_trouble);

  void submit(member_command&& c);

  void connected(std::uint64_t number) override;
  [[nodiscard]] std::string replied(reply&& r) override;
  void disconnected(std::string_view why) override;
  void flush() override;
  void trouble(std::string_view why) override;

private:
  void send_next();
  void answer(const member_command& c, store_outcome outcome, std::string text);
  [[nodiscard]] script_call call_of(const member_operation& operation) const;

  const key_names& keys_;
  const member_store_handlers& handlers_;
  const std::function<void(std::string)>& on_trouble_;
  connection connection_;
  std::deque<member_command> commands_;  ///< while `sent_`, the first one is under way
  script_call call_;
  bool sent_ = false;
};

/// Commands waiting for their turn; beyond, they are refused as `unavailable`.
inline constexpr std::size_t member_commands_max = 1'024;

}  // namespace pawl::redis
