#include "tests/bench/bench_cluster.hpp"

#include "tests/bench/door_connections.hpp"
#include "tests/cluster/until.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <string_view>

namespace pawl::bench {
namespace {

using nlohmann::json;

/// 0 until the node says that it has started.
std::uint16_t door_in(const std::string& log) {
  static constexpr std::string_view field = " http=127.0.0.1:";
  const auto at = log.find(field, std::min(log.find(" node started "), log.size()));
  return at == log.npos ? std::uint16_t{0}
                        : static_cast<std::uint16_t>(std::strtoul(log.c_str() + at + field.size(), nullptr, 10));
}

}  // namespace

bench_cluster::bench_cluster(setup s) : setup_(std::move(s)) {
  const testing::temporary_directory folder;
  testing::process init{setup_.program,
                        {"init", "--shards", std::to_string(setup_.shards), "--redis-socket", store_.options().socket},
                        folder.path() + "/log"};
  if (init.exit_status() != 0) throw std::runtime_error("init failed: " + init.log());
}

void bench_cluster::launch(const std::string& node) {
  auto socket = store_.options().socket;
  if (setup_.relayed) {
    auto& relay = relays_[node];
    if (!relay) relay = std::make_unique<store_relay>(directory_.path() + "/" + node + ".redis", socket);
    socket = relay->path();
  }
  std::vector<std::string> words{"--node", node, "--redis-socket", socket, "--http-port", "0", "--peer-port", "0"};
  words.insert(words.end(), setup_.flags.begin(), setup_.flags.end());
  nodes_[node] = {};  // the former process of that name ends before the new one starts
  nodes_[node].program =
      std::make_unique<testing::process>(setup_.program, std::move(words),
                                         (setup_.logs.empty() ? directory_.path() : setup_.logs) + "/" +
                                             std::to_string(++launched_) + "-" + node + ".log");
}

void bench_cluster::await_door(const std::string& node) {
  auto& m = nodes_.at(node);
  testing::until("the door of " + node, [&] {
    if (!m.program->running()) throw std::runtime_error(node + " has ended: " + m.program->log());
    m.door = door_in(m.program->log());
    return m.door != 0;
  });
}

bool bench_cluster::knows(const std::string& node, const std::vector<std::string>& members,
                          std::uint32_t& owned) const {
  const auto status = json::parse(get_once(door(node), "/v1/cluster"), nullptr, false);
  if (!status.is_object() || status.at("state") != "up") return false;
  std::vector<std::string> known;
  for (const auto& m : status.at("members")) known.push_back(m.at("node").get<std::string>());
  std::sort(known.begin(), known.end());
  owned += status.at("shards_owned").get<std::uint32_t>();
  return known == members;
}

void bench_cluster::await_members(std::vector<std::string> nodes) {
  std::sort(nodes.begin(), nodes.end());
  testing::until("all nodes know each other, and own all shards", [&] {
    std::uint32_t owned = 0;
    return std::all_of(nodes.begin(), nodes.end(), [&](const auto& n) { return knows(n, nodes, owned); }) &&
           owned == setup_.shards;
  });
}

void bench_cluster::settle() { await_members(running()); }

void bench_cluster::pause(const std::string& node) {
  nodes_.at(node).program->pause();
  nodes_.at(node).paused = true;
}

void bench_cluster::go_on(const std::string& node) {
  nodes_.at(node).program->go_on();
  nodes_.at(node).paused = false;
}

std::vector<std::string> bench_cluster::running() {
  std::vector<std::string> out;
  for (auto& [name, m] : nodes_)
    if (m.program->running() && !m.paused) out.push_back(name);
  return out;
}

std::vector<std::uint16_t> bench_cluster::doors() {
  std::vector<std::uint16_t> out;
  for (const auto& n : running()) out.push_back(door(n));
  return out;
}

std::uint32_t bench_cluster::owned(const std::string& node) const {
  const auto status = json::parse(get_once(door(node), "/v1/cluster"), nullptr, false);
  return status.is_object() ? status.at("shards_owned").get<std::uint32_t>() : 0;
}

std::vector<std::string> bench_cluster::owners(const std::string& node) const {
  std::vector<std::string> out;
  const auto table = json::parse(get_once(door(node), "/v1/shards"));
  for (const auto& s : table.at("shards")) out.push_back(s.at("owner").get<std::string>());
  return out;
}

double bench_cluster::metric(const std::string& node, std::string_view sample) const {
  const auto text = get_once(door(node), "/metrics");
  const auto line = "\n" + std::string{sample} + " ";
  const auto at = text.find(line);
  if (at == text.npos) throw std::runtime_error(node + " does not show " + std::string{sample});
  return std::strtod(text.c_str() + at + line.size(), nullptr);
}

}  // namespace pawl::bench
