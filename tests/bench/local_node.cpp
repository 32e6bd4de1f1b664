#include "tests/bench/local_node.hpp"

#include "actors/http/api.hpp"
#include "actors/http/json_object.hpp"
#include "tests/bench/workload.hpp"
#include "tests/cluster/until.hpp"

#include <stdexcept>
#include <utility>

namespace pawl::bench {
namespace {

std::uint64_t sum(const node_metrics& m, single_writer_counter shard_metrics::*counter) {
  std::uint64_t out = 0;
  for (const auto& s : m.shards) out += (s.get()->*counter).value();
  return out;
}

std::vector<std::string> names_of(const std::vector<entity_type>& types) {
  std::vector<std::string> names;
  names.reserve(types.size());
  for (const auto& t : types) names.push_back(t->name());
  return names;
}

dataset_info open_dataset(const redis_options& redis, const local_node::setup& s) {
  const auto found = s.creates ? init_dataset(redis, local_node::cluster_name, s.shards)
                               : check_dataset(redis, local_node::cluster_name);
  if (!found.ok()) throw std::runtime_error(found.error);
  return found.info;
}

}  // namespace

local_node::local_node(const setup& s) {
  redis_options redis;
  redis.socket = s.socket;
  dataset_ = open_dataset(redis, s);
  shards_ = dataset_.shards;

  node_options options;
  options.node = s.name;
  options.cluster = cluster_name;
  options.peer_port = 0;
  options.http_port = 0;
  options.passivate_after = s.passivate_after;
  // A message that waits long is a figure to be seen, not to be cut off.
  options.request_timeout = std::chrono::seconds{60};
  metrics_ = std::make_unique<node_metrics>(shards_, names_of(s.types));
  node_ = std::make_unique<node>(
      options, entity_catalog{s.types, message_digester{dataset_.secret}, options.state_bytes, shards_},
      &msgpack_of_json, dataset_.id, shards_, *metrics_, [this](const std::string&) { ended_.set_value(); });
  if (auto why = node_->listen(); !why.empty()) throw std::runtime_error(why);
  if (s.http) {
    http_ = std::make_unique<http_server>(http_server_options{options},
                                          make_http_api(*node_, {[] { return std::string{}; }, wall_now}));
    if (auto why = http_->start(); !why.empty()) throw std::runtime_error(why);
  }
  auto handlers = node_->shard_handlers();
  if (s.watch != nullptr) handlers = s.watch->before(std::move(handlers));
  store_ = std::make_unique<redis_store>(redis, cluster_name, shards_, std::move(handlers), node_->member_handlers());
  shard_store* shards = &store_->shards();
  if (s.watch != nullptr) {
    s.watch->attach(*shards, shards_);
    shards = s.watch;
  }
  if (s.record_bytes) {
    recorder_ = std::make_unique<recorder>(cluster_name, *s.record_bytes);
    recorder_->attach(*shards);
    shards = recorder_.get();
  }
  node_->start(*shards, store_->members(), store_->inboxes(), store_->lanes(), "");
  store_->start();
}

local_node::~local_node() {
  node_->drain();
  ended_.get_future().wait();
  if (http_) http_->stop(std::chrono::seconds{1});
  node_->stop();
  store_->stop();
}

std::uint64_t local_node::commits() const { return sum(*metrics_, &shard_metrics::commits); }
std::uint64_t local_node::committed_messages() const { return sum(*metrics_, &shard_metrics::committed_messages); }
std::uint64_t local_node::resident_entities() const { return sum(*metrics_, &shard_metrics::entities); }
std::uint64_t local_node::pending_timers() const { return sum(*metrics_, &shard_metrics::timers); }
std::uint64_t local_node::outbox_messages() const { return sum(*metrics_, &shard_metrics::outbox_messages); }
std::uint64_t local_node::dead_letters() const { return sum(*metrics_, &shard_metrics::dead_letters); }

void local_node::await_members(std::size_t members) {
  testing::until("all members know each other and own their shards", [&] {
    const auto now = node_->cluster();
    if (now.current.members.size() != members) return false;
    std::uint32_t mine = 0;
    for (const auto& s : node_->shards()) {
      if (s.owner.empty()) return false;
      mine += s.local ? 1 : 0;
    }
    return now.shards_owned == mine;
  });
}

void local_node::await_quiet() {
  testing::until("nothing is under way between entities", [&] {
    // The sum is not of one moment: a message may move on behind the reader's back, but not without a commit.
    const auto before = commits();
    return outbox_messages() == 0 && commits() == before;
  });
}

}  // namespace pawl::bench
