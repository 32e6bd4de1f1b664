#include "persistence/redis/inbox_feed.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace pawl::redis {
namespace {

// What begins to be watched meanwhile has to wait for the end of this; its owner looks by itself until then.
constexpr const char* block_ms = "100";

}  // namespace

inbox_feed::inbox_feed(event_loop& loop, server_contact& server, const key_names& keys,
                       const shard_store_handlers& handlers, const std::function<void(std::string)>& on_trouble)
    : keys_(keys), handlers_(handlers), on_trouble_(on_trouble), connection_(loop, server, *this) {}

void inbox_feed::watch(shard_id shard, entry_id after) {
  watched_[shard.value] = after;
  if (connection_.up() && waiting_.empty()) wait();
}

void inbox_feed::unwatch(shard_id shard) { watched_.erase(shard.value); }

void inbox_feed::connected(std::uint64_t) { wait(); }
void inbox_feed::disconnected(std::string_view) { waiting_.clear(); }

void inbox_feed::wait() {
  waiting_.clear();
  if (watched_.empty()) return;
  std::vector<std::string> after;
  auto& out = connection_.output();
  const auto n = std::min(watched_.size(), inboxes_per_wait);
  append_command_head(out, 6 + 2 * n);
  for (const auto* word : {"XREAD", "COUNT", "1", "BLOCK", block_ms, "STREAMS"}) append_word(out, word);
  auto at = watched_.lower_bound(turn_);
  for (std::size_t i = 0; i < n; ++i, ++at) {
    if (at == watched_.end()) at = watched_.begin();
    auto name = keys_.inbox({at->first});
    append_word(out, name);
    after.push_back(to_text(at->second));
    waiting_.emplace(std::move(name), at->first);
    turn_ = at->first + 1;
  }
  for (const auto& id : after) append_word(out, id);
  connection_.sent(1);
}

std::string inbox_feed::replied(reply&& r) {
  using kind = reply::kind;
  if (r.is(kind::error)) {
    // One key of another type is enough. Whoever is told looks by himself, and whose key it is does not come back.
    for (const auto& [name, shard] : std::exchange(waiting_, {}))
      if (watched_.erase(shard) != 0) handlers_.on_inbox({shard});
    wait();
    return {};
  }
  if (!r.is(kind::array) && !r.is(kind::nil)) return "an answer to XREAD that makes no sense";
  for (const auto& stream : r.elements) {
    const auto known = stream.elements.empty() ? waiting_.end() : waiting_.find(stream.elements[0].text);
    if (known == waiting_.end()) return "an answer to XREAD that makes no sense";
    // Unless it is not watched any more: then it is read, or somebody else's.
    if (watched_.erase(known->second) != 0) handlers_.on_inbox({known->second});
  }
  wait();
  return {};
}

void inbox_feed::trouble(std::string_view why) {
  if (on_trouble_) on_trouble_(std::string{why});
}

}  // namespace pawl::redis
