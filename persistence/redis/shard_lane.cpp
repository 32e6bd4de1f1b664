#include "persistence/redis/shard_lane.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>

namespace pawl::redis {
namespace {

/// Room a command needs in the output, names and lengths included: generous, it only guards a limit.
std::size_t output_bytes(const shard_operation& operation) {
  constexpr std::size_t overhead = 1024;
  constexpr std::size_t per_word = 32;
  std::size_t n = overhead;
  std::visit(
      [&n](const auto& o) {
        using type = std::decay_t<decltype(o)>;
        if constexpr (std::is_same_v<type, commit_fields>) {
          n += o.fields->bytes() + 2 * per_word * o.fields->size();
        } else if constexpr (std::is_same_v<type, load_fields> || std::is_same_v<type, trim_fields>) {
          for (const auto& field : o.fields) n += field.size() + per_word;
        }
      },
      operation);
  return n;
}

/// Why a command cannot be sent at all; empty: it can.
std::string malformed(const shard_operation& operation) {
  if (const auto* o = std::get_if<commit_fields>(&operation); o && o->fields->empty()) return "a commit without fields";
  if (const auto* o = std::get_if<trim_fields>(&operation); o && o->fields.empty()) return "a trim without fields";
  return {};
}

}  // namespace

shard_lane::shard_lane(event_loop& loop, server_contact& server, const key_names& keys, std::uint32_t index,
                       const shard_store_handlers& handlers, const std::function<void(std::string)>& on_trouble)
    : keys_(keys), index_(index), handlers_(handlers), on_trouble_(on_trouble), connection_(loop, server, *this) {}

void shard_lane::submit(shard_command&& c) {
  if (auto waiting = held_.find(c.shard.value); waiting != held_.end()) waiting->second.push_back(std::move(c));
  else execute(std::move(c));
}

void shard_lane::execute(shard_command&& c) {
  if (!connection_.up()) return settle(c, store_outcome::unavailable, "no connection to the store");
  if (c.connection != connection_.number())
    return settle(c, store_outcome::unavailable, "the connection this command may use is gone");
  if (!connection_.has_room(output_bytes(c.operation)))
    return settle(c, store_outcome::unavailable, "too many bytes wait to be sent to the store");
  if (auto why = malformed(c.operation); !why.empty()) return settle(c, store_outcome::refused, std::move(why));
  exchange e;
  e.shard = c.shard;
  e.ticket = c.ticket;
  e.what = asked_by(c.operation);
  std::visit([this, &e](const auto& o) { start(e, o); }, c.operation);
  if (e.call) {
    held_.try_emplace(e.shard.value);
    e.replies = 1;
    send_by_name(connection_, *e.call);
  } else {
    connection_.sent(static_cast<std::uint32_t>(e.replies));
  }
  e.got.reserve(e.replies);
  in_flight_.push_back(std::move(e));
}

void shard_lane::settle(const shard_command& c, store_outcome outcome, std::string text) {
  shard_answer a;
  a.shard = c.shard;
  a.ticket = c.ticket;
  a.outcome = outcome;
  if (outcome == store_outcome::refused) a.error = store_error::other;
  a.text = std::move(text);
  a.body = empty_body(asked_by(c.operation));
  if (in_flight_.empty()) {
    answers_.push_back(std::move(a));
    return;
  }
  exchange e;
  e.settled = std::move(a);
  in_flight_.push_back(std::move(e));
}

void shard_lane::start(exchange& e, const read_record&) {
  append_command(connection_.output(), {"HMGET", keys_.record(e.shard), "tok", "own", "inc", "view", "rel", "dead"});
  e.replies = 1;
}

void shard_lane::start(exchange& e, const claim_shard& o) {
  e.call = std::make_unique<script_call>(
      script_call{script::claim,
                  5,
                  {keys_.record(e.shard), keys_.live(e.shard, o.held), keys_.live(e.shard, o.fresh),
                   keys_.data(e.shard, o.held), keys_.data(e.shard, o.fresh), o.held.text(), o.fresh.text(),
                   o.self.node, std::to_string(o.self.incarnation), std::to_string(o.view.value)}});
}

void shard_lane::start(exchange& e, const load_fields& o) {
  auto& out = connection_.output();
  const auto name = keys_.data(e.shard, o.token);
  e.fields = o.fields.size();
  for (std::size_t at = 0; at < o.fields.size(); at += load_fields_per_command) {
    const auto end = std::min(o.fields.size(), at + load_fields_per_command);
    append_command_head(out, 2 + end - at);
    append_word(out, "HMGET");
    append_word(out, name);
    for (auto i = at; i < end; ++i) append_word(out, o.fields[i]);
    ++e.replies;
  }
  append_command(out, {"EXISTS", keys_.live(e.shard, o.token)});
  ++e.replies;
}

void shard_lane::start(exchange& e, const commit_fields& o) {
  auto& out = connection_.output();
  append_command_head(out, 2 + 2 * o.fields->size());
  append_word(out, "HSET");
  append_word(out, keys_.data(e.shard, o.token));
  for (const auto& [field, value] : *o.fields) {
    append_word(out, field);
    append_word(out, value);
  }
  append_command(out, {"EXISTS", keys_.live(e.shard, o.token)});
  e.replies = 2;
}

void shard_lane::start(exchange& e, const trim_fields& o) {
  auto& out = connection_.output();
  append_command_head(out, 2 + o.fields.size());
  append_word(out, "HDEL");
  append_word(out, keys_.data(e.shard, o.token));
  for (const auto& field : o.fields) append_word(out, field);
  e.replies = 1;
}

void shard_lane::start(exchange& e, const release_shard& o) {
  e.call = std::make_unique<script_call>(script_call{script::release, 1, {keys_.record(e.shard), o.token.text()}});
}

void shard_lane::start(exchange& e, const sweep_token& o) {
  e.call = std::make_unique<script_call>(
      script_call{script::sweep,
                  3,
                  {keys_.record(e.shard), keys_.live(e.shard, o.dead), keys_.data(e.shard, o.dead), o.dead.text()}});
}

void shard_lane::start(exchange& e, const read_inbox& o) {
  auto& out = connection_.output();
  const auto name = keys_.inbox(e.shard);
  if (o.trim) append_command(out, {"XTRIM", name, "MINID", to_text(o.taken.next())});
  if (o.look) append_command(out, {"XINFO", "STREAM", name});
  append_command(out, {"XREAD", "COUNT", std::to_string(o.count), "STREAMS", name, to_text(o.taken)});
  e.fields = (o.trim ? inbox_trim : 0) | (o.look ? inbox_look : 0);
  e.replies = 1U + (o.trim ? 1U : 0U) + (o.look ? 1U : 0U);
}

std::string shard_lane::replied(reply&& r) {
  auto& front = in_flight_.front();
  if (front.call && sent_again(connection_, *front.call, r)) {
    // To the end of the line: nothing else of this shard is under way.
    in_flight_.push_back(std::exchange(front, {}));
    in_flight_.pop_front();
    deliver_settled();
    return {};
  }
  front.got.push_back(std::move(r));
  if (front.got.size() < front.replies) return {};
  auto e = std::move(front);
  in_flight_.pop_front();
  auto useless = finish(std::move(e), {});
  deliver_settled();
  return useless;
}

std::string shard_lane::finish(exchange&& e, std::string_view cut) {
  auto v = judge(e.what, e.fields, std::move(e.got), cut);
  auto useless = std::move(v.nonsense);
  if (useless.empty() && v.error == store_error::readonly) useless = v.text;
  shard_answer a;
  a.shard = e.shard;
  a.ticket = e.ticket;
  a.outcome = v.outcome;
  a.error = v.error;
  a.text = std::move(v.text);
  a.body = std::move(v.body);
  answers_.push_back(std::move(a));
  if (e.call && cut.empty()) release_held(e.shard);
  return useless;
}

void shard_lane::deliver_settled() {
  while (!in_flight_.empty() && in_flight_.front().settled) {
    answers_.push_back(std::move(*in_flight_.front().settled));
    in_flight_.pop_front();
  }
}

void shard_lane::release_held(shard_id shard) {
  auto waiting = held_.extract(shard.value);
  for (auto& c : waiting.mapped()) submit(std::move(c));
}

void shard_lane::connected(std::uint64_t number) {
  flush();
  handlers_.on_connection({index_, number});
}

void shard_lane::disconnected(std::string_view why) {
  for (auto& e : std::exchange(in_flight_, {})) {
    if (e.settled) answers_.push_back(std::move(*e.settled));
    else (void)finish(std::move(e), why);
  }
  for (auto& [shard, commands] : std::exchange(held_, {}))
    for (auto& c : commands) execute(std::move(c));  // answers that there is no connection
  flush();
  handlers_.on_connection({index_, 0});
}

void shard_lane::flush() {
  if (!answers_.empty()) handlers_.on_answers(std::exchange(answers_, {}));
}

void shard_lane::trouble(std::string_view why) {
  if (on_trouble_) on_trouble_(std::string{why});
}

}  // namespace pawl::redis
