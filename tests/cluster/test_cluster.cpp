#include "tests/cluster/test_cluster.hpp"

#include "tests/cluster/until.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string_view>

namespace pawl::testing {
namespace {

/// The last lines of a log, enough to see what led to a failure.
std::string_view tail(std::string_view log) {
  constexpr int lines = 40;
  auto at = log.size();
  for (int i = 0; i <= lines && at != log.npos && at != 0; ++i) at = log.rfind('\n', at - 1);
  return at == log.npos ? log : log.substr(at);
}

/// Of a field that is an address of the line "node started".
std::uint16_t port_in(const std::string& log, std::string_view field) {
  const auto before = " " + std::string{field} + "=127.";
  const auto started = log.find(" node started ");
  const auto at = started == log.npos ? log.npos : log.find(before, started);
  const auto colon = at == log.npos ? log.npos : log.find(':', at);
  return colon == log.npos ? std::uint16_t{0}
                           : static_cast<std::uint16_t>(std::strtoul(log.c_str() + colon + 1, nullptr, 10));
}

}  // namespace

finished_program run_order_workflow(std::vector<std::string> arguments, const std::vector<std::string>& environment) {
  const temporary_directory folder;
  process p{PAWL_ORDER_WORKFLOW, std::move(arguments), folder.path() + "/output", environment};
  const auto status = p.exit_status();
  return {status, p.log()};
}

test_cluster::test_cluster(setup s) : setup_(std::move(s)), store_(setup_.redis) {
  if (setup_.wired) network_.emplace(directory(), store_.options().socket);
  auto words = arguments();
  words.insert(words.begin(), {"init", "--shards", std::to_string(setup_.shards)});
  const auto made = run_order_workflow(std::move(words), setup_.environment);
  if (made.exit_status != 0) throw std::runtime_error("init failed: " + made.text);
}

test_cluster::~test_cluster() {
  if (std::uncaught_exceptions() != 0 || ::testing::Test::HasFailure()) print_logs();
}

std::vector<std::string> test_cluster::arguments() const { return arguments_at(store_.options().socket); }

std::vector<std::string> test_cluster::arguments_at(const std::string& redis_socket) const {
  std::vector<std::string> out{"--redis-socket", redis_socket, "--cluster", "test"};
  out.insert(out.end(), setup_.flags.begin(), setup_.flags.end());
  return out;
}

void test_cluster::start(const std::vector<std::string>& nodes) {
  for (const auto& n : nodes) launch(n);
  for (const auto& n : nodes)
    until(n + " takes requests", [&] {
      if (!running(n)) throw std::runtime_error(n + " has ended: " + node(n).log());
      return takes_requests(n);
    });
  settle();
}

void test_cluster::launch(const std::string& node) {
  auto words = network_ ? arguments_at(network_->of(node).redis_socket) : arguments();
  words.insert(words.end(), {"--node", node, "--http-port", "0"});
  if (network_) {
    const auto& where = network_->of(node);
    words.insert(words.end(), {"--peer-address", where.peer_address, "--peer-port", std::to_string(where.peer_port),
                               "--advertise", where.advertise});
    network_->appears(node);
  } else {
    words.insert(words.end(), {"--peer-port", "0"});
  }
  logs_.push_back(directory() + "/" + std::to_string(logs_.size()) + "-" + node + ".log");
  nodes_[node] = {};  // the former process of that name ends before the new one starts
  nodes_[node].program = std::make_unique<process>(setup_.program, std::move(words), logs_.back(), setup_.environment);
}

bool test_cluster::takes_requests(const std::string& node) {
  auto& m = nodes_.at(node);
  if (m.http_port != 0) return true;
  const auto log = m.program->log();
  m.peer_port = port_in(log, "peers");
  m.http_port = port_in(log, "http");
  if (m.http_port == 0) return false;
  const std::lock_guard lock{mutex_};
  doors_[node] = m.http_port;
  return true;
}

bool test_cluster::running(const std::string& node) {
  const auto found = nodes_.find(node);
  if (found == nodes_.end()) return false;
  const bool alive = found->second.program->running();
  if (!alive && network_) network_->vanishes(node);
  return alive;
}

void test_cluster::kill(const std::string& node) {
  nodes_.at(node).program->kill_hard();
  static_cast<void>(running(node));
}

void test_cluster::ask_to_end(const std::string& node) { nodes_.at(node).program->signal(SIGTERM); }

int test_cluster::terminate(const std::string& node) {
  ask_to_end(node);
  const auto status = nodes_.at(node).program->exit_status();
  static_cast<void>(running(node));
  return status;
}

void test_cluster::pause(const std::string& node) {
  nodes_.at(node).program->pause();
  nodes_.at(node).paused = true;
}

void test_cluster::go_on(const std::string& node) {
  nodes_.at(node).program->go_on();
  nodes_.at(node).paused = false;
}

void test_cluster::settle() {
  until("all running nodes know each other, and own all shards", [this] { return settled(); });
}

bool test_cluster::settled() {
  const auto all = active();
  std::uint32_t owned = 0;
  for (const auto& node : all) {
    if (!takes_requests(node)) return false;
    const auto s = client(node).status();
    if (s.state != "up" || s.members != all) return false;
    owned += s.shards_owned;
  }
  return owned == setup_.shards;
}

std::vector<std::string> test_cluster::active() {
  std::vector<std::string> out;
  for (const auto& [node, m] : nodes_)
    if (running(node) && !m.paused) out.push_back(node);
  return out;
}

int test_cluster::logged(const std::string& words) const {
  int found = 0;
  for (const auto& file : logs_) {
    const auto log = read_file(file);
    for (auto at = log.find(words); at != log.npos; at = log.find(words, at + 1)) ++found;
  }
  return found;
}

std::vector<door> test_cluster::doors() const {
  const std::lock_guard lock{mutex_};
  std::vector<door> out;
  for (const auto& [name, port] : doors_) out.push_back({name, port});
  return out;
}

void test_cluster::print_logs() const {
  for (const auto& file : logs_)
    std::cerr << "---- " << file.substr(file.rfind('/') + 1) << '\n' << tail(read_file(file)) << '\n';
}

}  // namespace pawl::testing
