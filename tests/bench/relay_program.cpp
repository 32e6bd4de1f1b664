// What a message from entity to entity costs. Orders it takes:
//
//   direct   so many messages, each counted by its entity
//   relay    so many messages, each passed on to another counter; under way until that one's commit is confirmed
//   check    reads every counter
#include "tests/bench/relay_program.hpp"

#include "persistence/codec.hpp"
#include "tests/bench/accounts.hpp"
#include "tests/bench/bench_counter.hpp"
#include "tests/bench/door_messages.hpp"
#include "tests/bench/watched_program.hpp"

#include <stdexcept>

namespace pawl::bench {
namespace {

using json = nlohmann::json;

class relay_loads {
public:
  relay_loads(local_node& node, flow*& passed_on) : node_(node), passed_on_(passed_on) {}

  json direct(const json& asked) {
    std::string payload;
    encode_msgpack(Count{counter_note()}, payload);
    return run(asked, leaves::answered, [&](std::size_t c) {
      ++must_.at(c).counted;
      return outgoing{"counter", counter_key(c), "Count", {}, payload};
    });
  }

  json relay(const json& asked) {
    return run(asked, leaves::elsewhere, [&](std::size_t c) {
      // Half way round: in another shard, but for one in as many as there are shards.
      const auto to = (c + must_.size() / 2) % must_.size();
      ++must_.at(c).passed;
      ++must_.at(to).counted;
      std::string payload;
      encode_msgpack(Pass{counter_key(to), counter_note()}, payload);
      return outgoing{"counter", counter_key(c), "Pass", {}, std::move(payload)};
    });
  }

  json check(const json&) {
    node_.await_quiet();
    check_entities(node_.door(), "counter", must_.size(), counter_key, [&](std::size_t c, const entity_answer& a) {
      Counter found;
      std::string error;
      if (a.kind == entity_answer::status::found && !decode_msgpack(a.state, found, error)) return false;
      return found.counted == must_[c].counted && found.passed == must_[c].passed;
    });
    return {{"counters", must_.size()}};
  }

private:
  json run(const json& asked, leaves when, const std::function<outgoing(std::size_t)>& message_to) {
    const auto messages = asked.at("messages").get<std::size_t>();
    const auto tag = asked.at("tag").get<std::string>();
    must_.resize(std::max(must_.size(), asked.at("entities").get<std::size_t>()));
    flow under_way{asked.at("window").get<std::size_t>()};
    // What is counted of direct messages is told as well, to a flow that nobody waits for: both loads pay for it.
    flow unheeded{messages};
    unheeded.enter(when == leaves::answered ? messages : 0);
    passed_on_ = when == leaves::answered ? &unheeded : &under_way;
    const auto cpu = own_cpu_seconds();
    const auto began = bench_clock::now();
    hand_in(node_.door(), messages, under_way, when, [&](std::size_t i) {
      auto m = message_to(i % must_.size());
      m.id = tag + std::to_string(i);
      return m;
    });
    under_way.wait_empty();
    unheeded.wait_empty();
    return load_account(messages, began, cpu);
  }

  local_node& node_;
  flow*& passed_on_;
  std::vector<Counter> must_;
};

}  // namespace

int relay_program(int argc, char** argv) {
  flow* passed_on = nullptr;  // set while nothing is under way
  commit_watch watch{[&](const commit_watch::tags& t, bench_clock::time_point) { passed_on->leave(t.size()); }};
  auto counted = [](const message& m, const handled&) {
    return m.name == "Count" ? std::optional<std::uint64_t>{0} : std::nullopt;
  };
  return serve_watched(argc, argv, "A node whose entities send each other messages; takes orders on standard input",
                       {watch.watched(bench_counter(), counted)}, watch, [&](watched_node n, dialogue& orders) {
                         auto loads = std::make_shared<relay_loads>(n.node, passed_on);
                         orders.on("direct", [loads](const json& asked) { return loads->direct(asked); });
                         orders.on("relay", [loads](const json& asked) { return loads->relay(asked); });
                         orders.on("check", [loads](const json& asked) { return loads->check(asked); });
                       });
}

}  // namespace pawl::bench
