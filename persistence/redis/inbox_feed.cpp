#include "persistence/redis/inbox_feed.hpp"

#include <utility>
#include <vector>

namespace pawl::redis {
namespace {

using namespace std::chrono_literals;

constexpr auto gather_for = 2ms;  // who begins to be watched during a wait
// After a wait for so many that told something.
constexpr std::size_t many = 128;
constexpr auto pause = 1ms;
constexpr auto ask_again_after = 1ms;    // the wait had not reached the server
constexpr auto dial_time = 100ms;        // the connection that ends waits is not there
constexpr const char* short_ms = "100";  // where waits cannot be ended

}  // namespace

inbox_feed::inbox_feed(event_loop& loop, server_contact& server, wait_ender& ender, const key_names& keys,
                       const shard_store_handlers& handlers, const std::function<void(std::string)>& on_trouble)
    : loop_(loop),
      ender_(ender),
      keys_(keys),
      handlers_(handlers),
      on_trouble_(on_trouble),
      // A reply within the time after which the connection would be taken for dead.
      long_ms_(std::to_string(std::max<std::int64_t>(1, server.options.timeout.count() / 2))),
      connection_(loop, server, *this) {
  loop.add(*this);
}

void inbox_feed::watch(shard_id shard, entry_id after) {
  const auto [at, fresh] = watched_.try_emplace(shard.value, after);
  if (!fresh && at->second == after) return;
  at->second = after;
  if (!greeted_) return greet();
  if (act_at_) return;
  if (waiting_.empty()) wait();
  else act_at_ = std::chrono::steady_clock::now() + gather_for;
}

void inbox_feed::connected(std::uint64_t) {
  if (!watched_.empty()) greet();
}

void inbox_feed::greet() {
  if (!connection_.up() || std::exchange(greeting_, true)) return;
  append_command(connection_.output(), {"CLIENT", "ID"});
  connection_.sent(1);
}

void inbox_feed::disconnected(std::string_view) {
  greeting_ = greeted_ = false;
  client_.reset();
  waiting_.clear();
  act_at_.reset();
}

void inbox_feed::wait() {
  waiting_.clear();
  act_at_.reset();
  if (watched_.empty()) return;
  auto& out = connection_.output();
  append_command_head(out, 6 + 2 * watched_.size());
  for (std::string_view word : {"XREAD", "COUNT", "1", "BLOCK", client_ ? long_ms_.c_str() : short_ms, "STREAMS"})
    append_word(out, word);
  for (const auto& [shard, after] : watched_) {
    auto name = keys_.inbox({shard});
    append_word(out, name);
    waiting_.emplace(std::move(name), shard);
  }
  for (const auto& [shard, after] : watched_) append_word(out, to_text(after));
  connection_.sent(1);
}

steady_time inbox_feed::deadline() const {
  const bool can = waiting_.empty() || (client_ && !ending_);
  return act_at_ && can && !acting_ ? *act_at_ : steady_time::max();
}

void inbox_feed::turn_ended(steady_time now) {
  if (now < deadline()) return;
  acting_ = true;
  // In a turn of its own: this one may have written already what connections have to say.
  (void)loop_.post([this] { act(); });
}

void inbox_feed::act() {
  acting_ = false;
  if (!act_at_) return;  // the connection broke meanwhile, or the wait ended by itself
  if (waiting_.empty()) return wait();
  ending_ = true;
  if (client_ && ender_.end(*client_, [this](bool allowed) { on_end(allowed); })) return;
  ending_ = false;
  if (act_at_) act_at_ = std::chrono::steady_clock::now() + dial_time;
}

void inbox_feed::on_end(bool allowed) {
  ending_ = false;
  if (!allowed) client_.reset();
  // Whatever became of it: the next wait, which begins with the answer to this one, is for all.
  if (act_at_) act_at_ = std::chrono::steady_clock::now() + ask_again_after;
}

std::string inbox_feed::replied(reply&& r) {
  using kind = reply::kind;
  if (!std::exchange(greeted_, true)) {
    if (r.is(kind::integer)) client_ = r.integer;
    else if (!r.is(kind::error)) return "an answer to CLIENT ID that makes no sense";
  } else if (r.is(kind::error)) {
    // One key of another type is enough. Whoever is told looks by himself, and whose key it is does not come back.
    for (const auto& [name, shard] : std::exchange(waiting_, {}))
      if (watched_.erase(shard) != 0) handlers_.on_inbox({shard});
  } else if (auto nonsense = take(r); !nonsense.empty()) {
    return nonsense;
  } else if (r.is(kind::array) && watched_.size() > many) {
    // Who was told will soon want to be told again, and a wait costs the server something for each name.
    waiting_.clear();
    act_at_ = std::chrono::steady_clock::now() + pause;
    return {};
  }
  wait();
  return {};
}

std::string inbox_feed::take(const reply& streams) {
  using kind = reply::kind;
  if (!streams.is(kind::array) && !streams.is(kind::nil)) return "an answer to XREAD that makes no sense";
  for (const auto& stream : streams.elements) {
    const auto known = stream.elements.empty() ? waiting_.end() : waiting_.find(stream.elements[0].text);
    if (known == waiting_.end()) return "an answer to XREAD that makes no sense";
    // Unless it is not watched any more: then it is read, or somebody else's.
    if (watched_.erase(known->second) != 0) handlers_.on_inbox({known->second});
  }
  return {};
}

void inbox_feed::trouble(std::string_view why) {
  if (on_trouble_) on_trouble_(std::string{why});
}

}  // namespace pawl::redis
