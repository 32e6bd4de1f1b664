#include "persistence/redis/wait_ender.hpp"

#include <utility>

namespace pawl::redis {

wait_ender::wait_ender(event_loop& loop, server_contact& server, const std::function<void(std::string)>& on_trouble)
    : on_trouble_(on_trouble), connection_(loop, server, *this) {}

bool wait_ender::end(std::int64_t client, listener told) {
  if (!connection_.up()) return false;
  append_command(connection_.output(), {"CLIENT", "UNBLOCK", std::to_string(client)});
  connection_.sent(1);
  asked_.push_back(std::move(told));
  return true;
}

std::string wait_ender::replied(reply&& r) {
  using kind = reply::kind;
  const auto told = std::move(asked_.front());
  asked_.pop_front();
  // Other errors pass, such as BUSY.
  const auto code = r.is(kind::error) ? error_code(r.text) : std::string_view{};
  told(code != "NOPERM" && code != "ERR");
  if (r.is(kind::error) || r.is(kind::integer)) return {};
  return "an answer to CLIENT UNBLOCK that makes no sense";
}

void wait_ender::disconnected(std::string_view) {
  for (const auto& told : std::exchange(asked_, {})) told(true);
}

void wait_ender::trouble(std::string_view why) {
  if (on_trouble_) on_trouble_(std::string{why});
}

}  // namespace pawl::redis
