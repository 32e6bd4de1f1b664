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

std::uint16_t port_in(const std::string& log, std::string_view field) {
  const auto before = " " + std::string{field} + "=127.0.0.1:";
  const auto started = log.find(" node started ");
  const auto at = started == log.npos ? log.npos : log.find(before, started);
  return at == log.npos ? std::uint16_t{0}
                        : static_cast<std::uint16_t>(std::strtoul(log.c_str() + at + before.size(), nullptr, 10));
}

}  // namespace

finished_program run_order_workflow(std::vector<std::string> arguments, const std::vector<std::string>& environment) {
  const temporary_directory folder;
  process p{PAWL_ORDER_WORKFLOW, std::move(arguments), folder.path() + "/output", environment};
  const auto status = p.exit_status();
  return {status, p.log()};
}

test_cluster::test_cluster(setup s) : setup_(std::move(s)), store_(setup_.redis) {
  auto words = arguments();
  words.insert(words.begin(), {"init", "--shards", std::to_string(setup_.shards)});
  const auto made = run_order_workflow(std::move(words), setup_.environment);
  if (made.exit_status != 0) throw std::runtime_error("init failed: " + made.text);
}

test_cluster::~test_cluster() {
  if (std::uncaught_exceptions() != 0 || ::testing::Test::HasFailure()) print_logs();
}

std::vector<std::string> test_cluster::arguments() const {
  std::vector<std::string> out{"--redis-socket", store_.options().socket, "--cluster", "test"};
  out.insert(out.end(), setup_.flags.begin(), setup_.flags.end());
  return out;
}

void test_cluster::start(const std::vector<std::string>& nodes) {
  for (const auto& n : nodes) launch(n);
  for (const auto& n : nodes) await_ports(n);
  settle();
}

void test_cluster::launch(const std::string& name) {
  auto words = arguments();
  words.insert(words.end(), {"--node", name, "--http-port", "0", "--peer-port", "0"});
  logs_.push_back(directory() + "/" + std::to_string(logs_.size()) + "-" + name + ".log");
  nodes_[name] = {};  // the former process of that name ends before the new one starts
  nodes_[name].program = std::make_unique<process>(setup_.program, std::move(words), logs_.back(), setup_.environment);
}

void test_cluster::await_ports(const std::string& name) {
  auto& m = nodes_.at(name);
  until("the line \"node started\" of " + name, [&] {
    const auto alive = m.program->running();
    const auto log = m.program->log();
    m.http_port = port_in(log, "http");
    m.peer_port = port_in(log, "peers");
    if (!alive) throw std::runtime_error(name + " has ended: " + log);
    return m.http_port != 0;
  });
  const std::lock_guard lock{mutex_};
  doors_[name] = m.http_port;
}

void test_cluster::kill(const std::string& node) { nodes_.at(node).program->kill_hard(); }

int test_cluster::terminate(const std::string& node) {
  auto& program = *nodes_.at(node).program;
  program.signal(SIGTERM);
  return program.exit_status();
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
  std::vector<std::string> running;
  for (auto& [name, m] : nodes_)
    if (m.program->running() && !m.paused) running.push_back(name);
  std::uint32_t owned = 0;
  for (const auto& name : running) {
    const auto s = client(name).status();
    if (s.state != "up" || s.members != running) return false;
    owned += s.shards_owned;
  }
  return owned == setup_.shards;
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
