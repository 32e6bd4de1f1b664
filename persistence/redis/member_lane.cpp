#include "persistence/redis/member_lane.hpp"

#include "persistence/redis/member_answers.hpp"

#include <utility>

namespace pawl::redis {
namespace {

/// Script and arguments of each operation.
struct arguments {
  script what;
  std::vector<std::string> words;
};

arguments arguments_of(const read_members&) { return {script::read_members, {}}; }
arguments arguments_of(const join_members& o) {
  auto http = o.http_address.empty() ? std::string{"-"} : o.http_address;
  if (!o.replaces) return {script::join, {o.node, o.peer_address, std::move(http), "", ""}};
  return {
      script::join,
      {o.node, o.peer_address, std::move(http), std::to_string(o.replaces->first), std::to_string(o.replaces->second)}};
}
arguments arguments_of(const beat_member& o) {
  arguments a{script::beat, {o.self.node, std::to_string(o.self.incarnation), std::to_string(o.known.value)}};
  a.words.insert(a.words.end(), o.watched.begin(), o.watched.end());
  return a;
}
arguments arguments_of(const drain_member& o) {
  return {script::drain, {o.self.node, std::to_string(o.self.incarnation)}};
}
arguments arguments_of(const leave_members& o) {
  return {script::leave, {o.self.node, std::to_string(o.self.incarnation)}};
}
arguments arguments_of(const evict_member& o) {
  return {script::evict, {o.target.node, std::to_string(o.target.incarnation), std::to_string(o.beat)}};
}
arguments arguments_of(const accuse_member& o) {
  return {script::accuse,
          {o.self.node, std::to_string(o.self.incarnation), o.target.node, std::to_string(o.target.incarnation)}};
}
arguments arguments_of(const acquit_member& o) {
  return {script::acquit,
          {o.self.node, std::to_string(o.self.incarnation), o.target.node, std::to_string(o.target.incarnation)}};
}
arguments arguments_of(const raise_view& o) { return {script::raise_view, {std::to_string(o.at_least.value)}}; }

}  // namespace

member_lane::member_lane(event_loop& loop, server_contact& server, const key_names& keys,
                         const member_store_handlers& handlers, const std::function<void(std::string)>& on_trouble)
    : keys_(keys), handlers_(handlers), on_trouble_(on_trouble), connection_(loop, server, *this) {}

void member_lane::answer(const member_command& c, store_outcome outcome, std::string text) {
  member_answer a;
  a.ticket = c.ticket;
  a.outcome = outcome;
  if (outcome == store_outcome::refused) a.error = store_error::other;
  a.text = std::move(text);
  handlers_.on_answer(std::move(a));
}

script_call member_lane::call_of(const member_operation& operation) const {
  auto [what, words] = std::visit([](const auto& o) { return arguments_of(o); }, operation);
  script_call call{
      what, 6, {keys_.config(), keys_.members(), keys_.view(), keys_.incarnation(), keys_.changes(), keys_.votes()}};
  for (auto& w : words) call.words.push_back(std::move(w));
  return call;
}

void member_lane::submit(member_command&& c) {
  if (!connection_.up()) return answer(c, store_outcome::unavailable, "no connection to the store");
  if (commands_.size() >= member_commands_max)
    return answer(c, store_outcome::unavailable, "too many member commands wait for the store");
  commands_.push_back(std::move(c));
  if (!sent_) send_next();
}

void member_lane::send_next() {
  while (!commands_.empty()) {
    const auto* join = std::get_if<join_members>(&commands_.front().operation);
    auto why = join ? malformed(*join) : std::string{};
    if (why.empty()) {
      call_ = call_of(commands_.front().operation);
      send_by_name(connection_, call_);
      sent_ = true;
      return;
    }
    answer(commands_.front(), store_outcome::refused, std::move(why));
    commands_.pop_front();
  }
}

std::string member_lane::replied(reply&& r) {
  if (sent_again(connection_, call_, r)) return {};
  std::string nonsense;
  auto a = judge_member(commands_.front(), r, nonsense);
  commands_.pop_front();
  sent_ = false;
  if (nonsense.empty() && a.error == store_error::readonly) nonsense = a.text;
  handlers_.on_answer(std::move(a));
  if (nonsense.empty()) send_next();
  return nonsense;
}

void member_lane::connected(std::uint64_t) { handlers_.on_connection(true); }

void member_lane::disconnected(std::string_view why) {
  auto outcome = std::exchange(sent_, false) ? store_outcome::unknown : store_outcome::unavailable;
  for (const auto& c : std::exchange(commands_, {})) {
    answer(c, outcome, std::string{why});
    outcome = store_outcome::unavailable;  // those behind the first were never sent
  }
  handlers_.on_connection(false);
}

void member_lane::flush() {}

void member_lane::trouble(std::string_view why) {
  if (on_trouble_) on_trouble_(std::string{why});
}

}  // namespace pawl::redis
