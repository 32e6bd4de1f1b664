// What membership costs Redis, which all members share: the commands nodes send, over the connections nodes have,
// without the nodes. Trust "server us" and the bytes, which are the server's own account; commands per second depend on
// what else the machine does, this program included.
#include "tests/bench/members.hpp"

#include "persistence/redis/dataset.hpp"
#include "tests/bench/member_fleet.hpp"
#include "tests/contract/redis_server.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <utility>

namespace pawl::bench {
namespace {

using testing::redis_server;
using clock = std::chrono::steady_clock;

struct settings {
  std::vector<std::size_t> members{10, 100, 500};
  std::size_t commands = 20'000;
  std::size_t changes = 100;
  int rest_seconds = 4;
  int beat_ms = 200;
};

/// The server's account of itself.
struct account {
  double cpu_s = 0, in = 0, out = 0;
  clock::time_point at{};

  account operator-(const account& o) const { return {cpu_s - o.cpu_s, in - o.in, out - o.out, {}}; }
};

account read_account(const redis_server& server) {
  const auto info = server.ask({"INFO"}).text;
  const auto field = [&](const std::string& name) {
    const auto at = info.find("\n" + name + ":");
    if (at == info.npos) throw std::runtime_error("INFO lacks " + name);
    return std::strtod(info.c_str() + at + name.size() + 2, nullptr);
  };
  return {field("used_cpu_user") + field("used_cpu_sys"), field("total_net_input_bytes"),
          field("total_net_output_bytes"), clock::now()};
}

/// What the server spent from one moment to another, without what asking for it costs.
class meter {
public:
  explicit meter(const redis_server& server) : server_(server) {
    const auto once = read_account(server);
    begin_ = read_account(server);
    asking_ = begin_ - once;
  }
  [[nodiscard]] account spent() const {
    const auto now = read_account(server_);
    auto out = now - begin_;
    out.cpu_s -= asking_.cpu_s;
    out.in -= asking_.in;
    out.out -= asking_.out;
    return out;
  }
  [[nodiscard]] double seconds() const { return std::chrono::duration<double>(clock::now() - begin_.at).count(); }

private:
  const redis_server& server_;
  account begin_, asking_;
};

void print(std::size_t members, const char* what, double count, double seconds, const account& spent) {
  std::printf("%7zu  %-28s %12.0f %11.1f %10.0f %10.0f\n", members, what, count / seconds, spent.cpu_s * 1e6 / count,
              spent.in / count, spent.out / count);
  std::fflush(stdout);
}

/// Beats at their pace, everybody waiting for changes, and none.
struct rest_figures {
  std::size_t members = 0;
  double beats_per_second = 0;
  double seconds = 0;
  account spent;
};

/// One run of the cluster's members, from the first join on.
class cluster_run {
public:
  cluster_run(const settings& s, std::size_t members)
      : settings_(s), dataset_(make(server_)), fleet_(server_.options(), "bench", members) {}

  /// @return what it costs when nothing happens
  rest_figures measure() {
    start();
    auto rest = beats();
    commands(
        "read", settings_.commands / 10, [](std::size_t) { return read_members{}; }, whole);
    commands(
        "accuse", settings_.commands,
        [&](std::size_t i) {
          return accuse_member{fleet_.id(i), neighbour_of(i)};
        },
        any);
    commands(
        "take an accusation back", settings_.commands,
        [&](std::size_t i) {
          return acquit_member{fleet_.id(i), neighbour_of(i)};
        },
        any);
    changes();
    return rest;
  }

private:
  static bool any(const member_answer&) { return true; }
  static bool whole(const member_answer& a) { return a.whole; }

  static bool make(const redis_server& server) {
    if (const auto made = init_dataset(server.options(), "bench", 1); !made.ok()) throw std::runtime_error(made.error);
    return true;
  }

  [[nodiscard]] const member_id& neighbour_of(std::size_t i) const { return fleet_.id((i + 1) % fleet_.size()); }

  void start() {
    const meter m{server_};
    fleet_.join_all();
    view_ = fleet_.ask(0, read_members{}).table.number;
    fleet_.await_change(view_);
    const auto seconds = m.seconds();
    print(fleet_.size(), "joins, all at once", static_cast<double>(fleet_.size()), seconds, m.spent());
  }

  [[nodiscard]] member_operation beat_of(std::size_t i, view_number known) const {
    return beat_member{fleet_.id(i), known, fleet_.watched_by(i)};
  }

  rest_figures beats() {
    const auto watched = fleet_.watched_by(0).size();
    const auto right = [watched](const member_answer& a) { return !a.whole && a.table.members.size() == watched; };
    commands(
        "beat", settings_.commands, [&](std::size_t i) { return beat_of(i, view_); }, right);
    commands(
        "beat that missed a change", settings_.commands / 10, [&](std::size_t i) { return beat_of(i, {0}); }, whole);
    const auto each = static_cast<std::size_t>(settings_.rest_seconds * 1'000 / settings_.beat_ms);
    const meter m{server_};
    fleet_.ask_all_paced(
        each, std::chrono::milliseconds{settings_.beat_ms}, [&](std::size_t i) { return beat_of(i, view_); }, right);
    const auto seconds = m.seconds();
    return {fleet_.size(), static_cast<double>(each * fleet_.size()) / seconds, seconds, m.spent()};
  }

  void commands(const char* name, std::size_t count, const member_fleet::operation_of& what,
                const member_fleet::check_of& right) {
    const auto each = std::max<std::size_t>(1, count / fleet_.size());
    const meter m{server_};
    fleet_.ask_all(each, what, right);
    const auto seconds = m.seconds();
    print(fleet_.size(), name, static_cast<double>(each * fleet_.size()), seconds, m.spent());
  }

  /// One member more, one less, again and again; the next when all know.
  void changes() {
    const meter m{server_};
    member_id visitor;
    for (std::size_t n = 0; n < settings_.changes; ++n) {
      if (n % 2 == 0) visitor = fleet_.ask(0, join_members{"visitor", "10.0.0.1:7070", "", {}}).self;
      else fleet_.ask(0, leave_members{visitor});
      fleet_.await_change({++view_.value});
    }
    const auto seconds = m.seconds();
    print(fleet_.size(), "view change, known to all", static_cast<double>(settings_.changes), seconds, m.spent());
  }

  const settings& settings_;
  // All members connect at once: a shorter queue turns some away.
  redis_server server_{{"--tcp-backlog", "4096"}};
  bool dataset_;
  member_fleet fleet_;
  view_number view_;
};

}  // namespace

int members(int argc, char** argv) {
  settings s;
  CLI::App app{"What membership costs Redis"};
  app.add_option("--members", s.members, "in the cluster")->capture_default_str()->check(CLI::Range(2, 2'000));
  app.add_option("--commands", s.commands, "of each kind")->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--changes", s.changes, "of the view")->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--rest", s.rest_seconds, "seconds of nothing but beats")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--beat", s.beat_ms, "milliseconds between two beats")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);

  std::printf("%7s  %-28s %12s %11s %10s %10s\n", "members", "each", "per second", "server us", "bytes in",
              "bytes out");
  std::vector<rest_figures> all;
  for (const auto members : s.members) all.push_back(cluster_run{s, members}.measure());
  std::printf("\nAt rest, with a beat each %d ms:\n%7s %12s %14s %12s %12s\n", s.beat_ms, "members", "beats/s",
              "server CPU %", "KiB/s in", "KiB/s out");
  for (const auto& r : all)
    std::printf("%7zu %12.0f %14.1f %12.1f %12.1f\n", r.members, r.beats_per_second, r.spent.cpu_s * 100 / r.seconds,
                r.spent.in / r.seconds / 1024, r.spent.out / r.seconds / 1024);
  return 0;
}

}  // namespace pawl::bench
