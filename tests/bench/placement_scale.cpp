// Every member computes the whole placement for every view, so its time is part of each join and each takeover. Times
// are CPU time of the thread, which other programs on the machine disturb least; trust "ns/step" most: it must not grow
// from row to row, for a step is one comparison of sorting M * 160 points and finding N shards among them.
#include "tests/bench/placement_scale.hpp"

#include "cluster/placement.hpp"
#include "tests/bench/quantile.hpp"

#include <CLI/CLI.hpp>

#include <malloc.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

namespace pawl::bench {
namespace {

constexpr double points_per_member = 160;

struct size {
  std::uint32_t shards;
  std::size_t members;
};

struct figures {
  size at;
  double ms = 0, steps = 0;
  double join = 0, join_worst = 0, leave = 0, leave_worst = 0;  ///< moves, as multiples of what had to move
  double fullest = 0;                                           ///< member, as a multiple of the average
  double kept_kib = 0, peak_kib = 0;
};

double cpu_ms() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_nsec) * 1e-6;
}

view view_of(int seed, std::size_t members) {
  view v{{1}, {}};
  for (std::size_t i = 0; i < members; ++i)
    v.members.push_back({{"pawl-" + std::to_string(seed) + "-" + std::to_string(i), 1},
                         member_state::up,
                         "10.0.0.1:7070",
                         "10.0.0.1:8080",
                         0});
  return v;
}

std::vector<double> loads(const placement& p) {
  std::vector<double> out(p.members().members.size());
  for (std::uint32_t s = 0; s < p.shards(); ++s)
    ++out[static_cast<std::size_t>(p.owner({s}) - p.members().members.data())];
  return out;
}

double moved(const placement& a, const placement& b) {
  double n = 0;
  for (std::uint32_t s = 0; s < a.shards(); ++s) n += a.owner({s})->id != b.owner({s})->id ? 1 : 0;
  return n;
}

/// One view with a member more than another: read in one direction a join, in the other a leave.
void add_change(figures& f, int seed, int views) {
  auto v = view_of(seed, f.at.members + 1);
  const auto goer = static_cast<std::size_t>(seed) * 7'919 % v.members.size();
  const placement with{v, f.at.shards};
  const auto leaving = std::find_if(with.members().members.begin(), with.members().members.end(),
                                    [&](const member& m) { return m.id == v.members[goer].id; });
  const auto given_up = loads(with)[static_cast<std::size_t>(leaving - with.members().members.begin())];
  v.members.erase(v.members.begin() + static_cast<std::ptrdiff_t>(goer));
  const placement without{v, f.at.shards};
  const auto n = moved(with, without);
  const auto join = n * static_cast<double>(f.at.members + 1) / f.at.shards;
  const auto leave = n / std::max(1.0, given_up);
  f.join += join / views;
  f.leave += leave / views;
  f.join_worst = std::max(f.join_worst, join);
  f.leave_worst = std::max(f.leave_worst, leave);
  f.fullest = std::max(f.fullest, largest(loads(without)) * static_cast<double>(f.at.members) / f.at.shards);
}

figures measure(size at, int views) {
  figures f{.at = at};
  const auto points = static_cast<double>(at.members) * points_per_member;
  f.steps = (points + at.shards) * std::log2(points);
  // Often enough that the fastest is not disturbed: the same work every time, so what is above it is noise.
  double least = std::numeric_limits<double>::max();
  for (int i = 0; i < 20; ++i) {
    auto v = view_of(i, at.members);
    const auto begun = cpu_ms();
    const placement p{std::move(v), at.shards};
    least = std::min(least, cpu_ms() - begun);
  }
  f.ms = least;
  for (int i = 0; i < views; ++i) add_change(f, i, views);
  return f;
}

double status_kib(const std::string& field) {
  std::ifstream status{"/proc/self/status"};
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(field + ":")) return std::strtod(line.c_str() + field.size() + 1, nullptr);
  throw std::runtime_error("/proc/self/status does not show " + field);
}

/// Of the heap for the finished table; and resident at most while it is computed.
void measure_memory(figures& f) {
  auto v = view_of(1, f.at.members);
  ::malloc_trim(0);
  const auto used = [] {
    const auto i = ::mallinfo2();
    return static_cast<double>(i.uordblks + i.hblkhd) / 1024;
  };
  std::ofstream{"/proc/self/clear_refs"} << "5";  // the peak counts from here
  const auto resident = status_kib("VmRSS");
  const auto before = used();
  const placement p{v, f.at.shards};
  f.kept_kib = used() - before;
  f.peak_kib = std::max(0.0, status_kib("VmHWM") - resident);
}

void print(const std::vector<figures>& all) {
  std::printf("%7s %8s %8s | %8s %8s %7s | %6s %6s %6s %6s | %7s | %8s %8s\n", "", "", "shards", "", "", "", "join", "",
              "leave", "", "fullest", "KiB", "KiB");
  std::printf("%7s %8s %8s | %8s %8s %7s | %6s %6s %6s %6s | %7s | %8s %8s\n", "shards", "members", "a member", "ms",
              "ns/step", "growth", "mean", "worst", "mean", "worst", "/ avg", "kept", "peak");
  const figures* former = nullptr;
  for (const auto& f : all) {
    // Time over steps, beside the former row's: above 1 is worse than steps.
    const auto growth = former == nullptr ? 1.0 : f.ms / former->ms / (f.steps / former->steps);
    std::printf("%7u %8zu %8.1f | %8.2f %8.2f %7.2f | %6.2f %6.2f %6.2f %6.2f | %7.3f | %8.0f %8.0f\n", f.at.shards,
                f.at.members, static_cast<double>(f.at.shards) / static_cast<double>(f.at.members), f.ms,
                f.ms * 1e6 / f.steps, growth, f.join, f.join_worst, f.leave, f.leave_worst, f.fullest, f.kept_kib,
                f.peak_kib);
    former = &f;
  }
}

}  // namespace

int placement_scale(int argc, char** argv) {
  int views = 20;
  CLI::App app{"What placing shards costs and moves"};
  app.add_option("--views", views, "for each row, with names of their own")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);

  std::vector<figures> all;
  for (const auto shards : {256u, 1'024u, 4'096u, 16'384u})
    for (const std::size_t members : {3, 10, 50, 100, 200, 500})
      if (shards >= members) all.push_back(measure({shards, members}, views));
  // Afterwards: with large blocks returned at once, so that their memory shows, computing is slower.
  ::mallopt(M_MMAP_THRESHOLD, 64 * 1024);
  for (auto& f : all) measure_memory(f);

  std::printf(
      "CPU time of one computation, the least of 20; moves of one join and one leave over what had to move, of %d "
      "views\n\n",
      views);
  print(all);
  const auto [least, most] = std::minmax_element(
      all.begin(), all.end(), [](const figures& a, const figures& b) { return a.ms / a.steps < b.ms / b.steps; });
  std::printf("\nA step takes %.1f to %.1f ns over all sizes.\n", least->ms * 1e6 / least->steps,
              most->ms * 1e6 / most->steps);
  return 0;
}

}  // namespace pawl::bench
