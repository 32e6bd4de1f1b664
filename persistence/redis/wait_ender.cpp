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
  if (r.is(kind::error)) {
    // For good, but for what passes, such as BUSY.
    const auto code = error_code(r.text);
    told(code == "NOPERM" || code == "ERR" ? outcome::refused : outcome::unknown);
  } else if (r.is(kind::integer)) told(r.integer == 1 ? outcome::ended : outcome::not_waiting);
  else {
    told(outcome::unknown);
    return "an answer to CLIENT UNBLOCK that makes no sense";
  }
  return {};
}

void wait_ender::disconnected(std::string_view) {
  for (const auto& told : std::exchange(asked_, {})) told(outcome::unknown);
}

void wait_ender::trouble(std::string_view why) {
  if (on_trouble_) on_trouble_(std::string{why});
}

}  // namespace pawl::redis
