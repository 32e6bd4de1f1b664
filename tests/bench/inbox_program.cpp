// A node and, in the same process, a client of Redis that puts messages into the shards' inboxes with XADD, pipelined,
// on a connection of its own. Orders it takes:
//
//   load    so many entries, each under way until the commit that takes it is confirmed; with `rate`: due at fixed
//   times check   reads every counter
#include "tests/bench/inbox_program.hpp"

#include "persistence/codec.hpp"
#include "persistence/keys.hpp"
#include "tests/bench/accounts.hpp"
#include "tests/bench/bench_counter.hpp"
#include "tests/bench/door_messages.hpp"
#include "tests/bench/effect_times.hpp"
#include "tests/bench/redis_client.hpp"
#include "tests/bench/watched_program.hpp"
#include "tests/bench/workload.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <stdexcept>

namespace pawl::bench {
namespace {

using json = nlohmann::json;

constexpr std::size_t pipelined_most = 256;

/// The number at the end of an entry's id.
std::optional<std::uint64_t> entry_of(const message& m, const handled&) {
  const auto digits = m.id.substr(m.id.find_last_of('-') + 1);
  std::uint64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

class inbox_loads {
public:
  inbox_loads(const watched_node& n, effect_times*& heard) : node_(n.node), heard_(heard), server_(n.setup.socket) {
    const key_names names{local_node::cluster_name};
    for (std::uint32_t s = 0; s < node_.shards(); ++s) inboxes_.push_back(names.inbox(shard_id{s}));
    encode_msgpack(Count{counter_note()}, payload_);
  }

  json load(const json& asked) {
    const auto entries = asked.at("entries").get<std::size_t>();
    const auto rate = asked.value("rate", 0.0);
    const auto tag = asked.at("tag").get<std::string>() + "-";
    counted_.resize(std::max(counted_.size(), asked.at("entities").get<std::size_t>()));
    flow under_way{rate > 0 ? std::numeric_limits<std::size_t>::max() : asked.at("window").get<std::size_t>()};
    effect_times times{entries, under_way};
    heard_ = &times;
    const auto cpu = own_cpu_seconds();
    const auto began = bench_clock::now();
    const pace due{rate > 0 ? rate : 1, began};
    for (std::size_t at = 0; at < entries;) {
      auto n = std::min(pipelined_most, entries - at);
      if (rate > 0) n = std::min<std::size_t>(n, due.wait(at) - at);
      under_way.enter(n);
      add(at, n, tag);
      at += n;
    }
    under_way.wait_empty();
    auto figures = load_account(entries, began, cpu);
    if (rate > 0)
      figures["latency_ms"] = times.latency(first_counted(entries, rate), [&](std::size_t i) { return due.due(i); });
    return figures;
  }

  json check(const json&) {
    if (node_.dead_letters() != 0) throw std::runtime_error("there are dead letters");
    check_entities(node_.door(), "counter", counted_.size(), counter_key, [&](std::size_t c, const entity_answer& a) {
      Counter found;
      std::string error;
      if (a.kind == entity_answer::status::found && !decode_msgpack(a.state, found, error)) return false;
      return found.counted == counted_[c];
    });
    return {{"counters", counted_.size()}};
  }

private:
  void add(std::size_t at, std::size_t n, const std::string& tag) {
    const auto stamp = std::to_string(wall_now());
    for (auto i = at; i < at + n; ++i) {
      const auto c = i % counted_.size();
      ++counted_[c];
      const auto key = counter_key(c);
      const auto id = tag + std::to_string(i);
      server_.say({"XADD", inboxes_[node_.door().shard_of(key).value], "*", "type", "counter", "key", key, "message",
                   "Count", "id", id, "payload", payload_, "sent_at", stamp});
    }
    server_.flush();
    for (std::size_t i = 0; i < n; ++i) (void)server_.take();
  }

  local_node& node_;
  effect_times*& heard_;
  redis_client server_;
  std::vector<std::string> inboxes_;  // by shard
  std::string payload_;
  std::vector<std::uint64_t> counted_;
};

}  // namespace

int inbox_program(int argc, char** argv) {
  effect_times* heard = nullptr;  // set while nothing is under way
  commit_watch watch{
      [&](const commit_watch::tags& entries, bench_clock::time_point now) { heard->hear(entries, now); }};
  return serve_watched(argc, argv, "A node that reads its inboxes; takes orders on standard input",
                       {watch.watched(bench_counter(), entry_of)}, watch, [&](watched_node n, dialogue& orders) {
                         auto loads = std::make_shared<inbox_loads>(n, heard);
                         orders.on("load", [loads](const json& asked) { return loads->load(asked); });
                         orders.on("check", [loads](const json& asked) { return loads->check(asked); });
                       });
}

}  // namespace pawl::bench
