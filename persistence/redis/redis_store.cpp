#include "persistence/redis/redis_store.hpp"

#include "cluster/invariant.hpp"
#include "persistence/redis/inbox_feed.hpp"
#include "persistence/redis/member_lane.hpp"
#include "persistence/redis/shard_lane.hpp"
#include "persistence/redis/view_feed.hpp"

#include <utility>

namespace pawl {
namespace {

// A wait names all that are watched, and begins anew with each entry: on how many that depends must be bounded.
constexpr std::uint32_t inboxes_per_feed = 512;

}  // namespace

struct redis_store::implementation final : shard_store, member_store, inbox_watch {
  implementation(redis_options options, const std::string& cluster, std::uint32_t shards, shard_store_handlers s,
                 member_store_handlers m, std::function<void(std::string)> t)
      : shard_handlers(std::move(s)),
        member_handlers(std::move(m)),
        on_trouble(std::move(t)),
        keys(cluster),
        server(std::move(options)),
        membership(loop, server, keys, member_handlers, on_trouble),
        changes(loop, server, keys, member_handlers, on_trouble),
        ender(loop, server, on_trouble) {
    for (std::uint32_t first = 0; first < shards; first += inboxes_per_feed)
      feeds.push_back(std::make_unique<redis::inbox_feed>(loop, server, ender, keys, shard_handlers, on_trouble));
    for (std::uint32_t i = 0; i < server.options.connections; ++i)
      lanes.push_back(std::make_unique<redis::shard_lane>(loop, server, keys, i, shard_handlers, on_trouble));
  }

  void send(std::vector<shard_command> commands) override {
    (void)loop.post([this, batch = std::move(commands)]() mutable {
      for (auto& c : batch) lanes[c.shard.value % lanes.size()]->submit(std::move(c));
    });
  }

  void send(member_command command) override {
    (void)loop.post([this, c = std::move(command)]() mutable { membership.submit(std::move(c)); });
  }

  void watch(shard_id shard, entry_id after) override {
    (void)loop.post([this, shard, after] { feed(shard).watch(shard, after); });
  }

  void unwatch(shard_id shard) override {
    (void)loop.post([this, shard] { feed(shard).unwatch(shard); });
  }

  redis::inbox_feed& feed(shard_id shard) { return *feeds[shard.value % feeds.size()]; }

  const shard_store_handlers shard_handlers;
  const member_store_handlers member_handlers;
  const std::function<void(std::string)> on_trouble;
  const key_names keys;
  redis::server_contact server;
  redis::event_loop loop;
  redis::member_lane membership;
  redis::view_feed changes;
  redis::wait_ender ender;
  std::vector<std::unique_ptr<redis::inbox_feed>> feeds;
  std::vector<std::unique_ptr<redis::shard_lane>> lanes;
};

redis_store::redis_store(redis_options options, const std::string& cluster, std::uint32_t shards,
                         shard_store_handlers of_shards, member_store_handlers of_members,
                         std::function<void(std::string)> on_trouble) {
  PAWL_INVARIANT(valid_name(cluster), "the cluster name is checked where it is configured");
  PAWL_INVARIANT(options.connections > 0, "a store without a connection carries nothing");
  PAWL_INVARIANT(shards > 0, "a dataset has shards");
  PAWL_INVARIANT(of_shards.on_answers && of_shards.on_connection && of_shards.on_inbox && of_members.on_answer &&
                     of_members.on_connection && of_members.on_change,
                 "an answer nobody hears is lost");
  impl_ = std::make_unique<implementation>(std::move(options), cluster, shards, std::move(of_shards),
                                           std::move(of_members), std::move(on_trouble));
}

redis_store::~redis_store() { stop(); }

void redis_store::start() { impl_->loop.start(); }
void redis_store::stop() { impl_->loop.stop(); }
shard_store& redis_store::shards() noexcept { return *impl_; }
member_store& redis_store::members() noexcept { return *impl_; }
inbox_watch& redis_store::inboxes() noexcept { return *impl_; }
std::uint32_t redis_store::lanes() const noexcept { return static_cast<std::uint32_t>(impl_->lanes.size()); }

}  // namespace pawl
