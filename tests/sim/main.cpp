// The simulator: the classes that a node runs, in a made-up cluster whose every event follows from a seed.
#include "tests/sim/shrink.hpp"
#include "tests/sim/world.hpp"

#include <CLI/CLI.hpp>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace pawl::sim {
namespace {

struct options {
  std::uint64_t seeds = 10'000;
  std::uint64_t first = 1;
  std::uint64_t seed = 0;
  bool one = false;
  bool verbose = false;
  unsigned jobs = 0;
  std::string how = "both";
  std::string broken = "none";
};

volatile std::uint64_t current_seed = 0;

scenario plan_of(const options& o, std::uint64_t seed, mode how) {
  auto s = make_scenario(seed, how);
  if (o.broken == "epoch-token") s.epoch_tokens = true;
  for (auto f : {flaw::no_fence, flaw::unguarded_sweep, flaw::release_any, flaw::nil_of_dead_name})
    if (o.broken == to_string(f)) s.broken = f;
  return s;
}

std::vector<mode> modes_of(const options& o) {
  if (o.how == "safety") return {mode::safety};
  if (o.how == "liveness") return {mode::liveness};
  return {mode::safety, mode::liveness};
}

const char* name_of(mode m) { return m == mode::safety ? "safety" : "liveness"; }

std::string replay(const options& o, std::uint64_t seed, mode m) {
  return "./dev sim --seed " + std::to_string(seed) + " --mode " + name_of(m) +
         (o.broken == "none" ? "" : " --break " + o.broken) + " --verbose";
}

/// True if it passes.
bool run_one(const options& o, std::uint64_t seed, mode m, sightings& seen) {
  auto plan = plan_of(o, seed, m);
  try {
    world w{plan, o.verbose};
    w.run();
    seen += w.seen;
    return true;
  } catch (const failure& f) {
    std::printf("\nFAILED seed %llu (%s): %s\n%s\nreplay: %s\n", static_cast<unsigned long long>(seed), name_of(m),
                f.rule.c_str(), f.what(), replay(o, seed, m).c_str());
    if (o.one && !o.verbose) print_shrunk(plan, f.rule);
    std::fflush(stdout);
    return false;
  }
}

/// What the jobs share with their parent.
struct progress {
  std::uint64_t passed;
  std::uint64_t failed;
  sightings seen;
};

void on_abort(int) {
  char text[160];
  int n = std::snprintf(text, sizeof text, "aborted at seed %llu; replay: ./dev sim --seed %llu --verbose\n",
                        static_cast<unsigned long long>(current_seed), static_cast<unsigned long long>(current_seed));
  (void)!::write(STDERR_FILENO, text, static_cast<std::size_t>(n));
  std::signal(SIGABRT, SIG_DFL);
}

void job(const options& o, unsigned number, unsigned jobs, progress& p) {
  std::signal(SIGABRT, on_abort);
  for (auto i = static_cast<std::uint64_t>(number); i < o.seeds; i += jobs) {
    current_seed = o.first + i;
    for (auto m : modes_of(o)) {
      if (!run_one(o, o.first + i, m, p.seen)) {
        ++p.failed;
        return;
      }
    }
    ++p.passed;
  }
}

void print(const sightings& s) {
  auto n = [](std::uint64_t v) { return static_cast<unsigned long long>(v); };
  std::printf("  events %llu · requests %llu · acknowledged %llu · duplicates %llu · refused %llu · unresolved %llu · "
              "reads %llu\n",
              n(s.events), n(s.sends), n(s.acknowledged), n(s.duplicates), n(s.refused), n(s.unresolved), n(s.reads));
  std::printf(
      "  commits %llu · claims %llu · takeovers %llu · doubts %llu · views %llu · commits that met a dead name %llu\n",
      n(s.commits), n(s.claims), n(s.takeovers), n(s.doubts), n(s.views), n(s.dead_names));
  std::printf("  messages between shards %llu · units moved %llu · timers fired %llu · replies given again %llu · "
              "inbox entries %llu\n",
              n(s.echoes), n(s.units), n(s.ticks), n(s.replies_again), n(s.inbox_entries));
  std::printf("  numbered messages %llu · early %llu · gaps passed %llu\n", n(s.numbered), n(s.early), n(s.gaps));
  std::printf("  faults:");
  for (std::size_t i = 0; i < fault_kinds; ++i)
    std::printf(" %s %llu%s", std::string{to_string(static_cast<fault_kind>(i))}.c_str(), n(s.faults[i]),
                i + 1 < fault_kinds ? " ·" : "\n");
}

int run_many(const options& o) {
  auto jobs = o.jobs != 0 ? o.jobs : std::max(1U, std::thread::hardware_concurrency());
  auto* shared = static_cast<progress*>(
      ::mmap(nullptr, jobs * sizeof(progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  if (shared == MAP_FAILED) return std::perror("mmap"), 2;
  for (unsigned j = 0; j < jobs; ++j) new (&shared[j]) progress{};
  auto begun = std::chrono::steady_clock::now();
  std::fflush(stdout);
  std::vector<pid_t> children;
  for (unsigned j = 0; j < jobs; ++j) {
    auto child = ::fork();
    if (child == 0) {
      job(o, j, jobs, shared[j]);
      std::fflush(stdout);
      ::_exit(shared[j].failed == 0 ? 0 : 1);
    }
    children.push_back(child);
  }
  auto passed = [&] {
    std::uint64_t n = 0;
    for (unsigned j = 0; j < jobs; ++j) n += shared[j].passed;
    return n;
  };
  bool good = true;
  std::uint64_t told = 0;
  for (auto left = children.size(); left > 0;) {
    int status = 0;
    auto ended = ::waitpid(-1, &status, WNOHANG);
    if (ended > 0) {
      --left;
      good = good && WIFEXITED(status) && WEXITSTATUS(status) == 0;
      continue;
    }
    ::usleep(200'000);
    if (auto n = passed(); n / 50'000 != told / 50'000) {
      told = n;
      std::printf("%llu seeds passed\n", static_cast<unsigned long long>(n));
      std::fflush(stdout);
    }
  }
  sightings seen;
  for (unsigned j = 0; j < jobs; ++j) seen += shared[j].seen;
  auto seconds = in_seconds(std::chrono::steady_clock::now() - begun);
  std::printf("%llu of %llu seeds passed (%llu … %llu, mode %s), %.1f s, %u jobs\n",
              static_cast<unsigned long long>(passed()), static_cast<unsigned long long>(o.seeds),
              static_cast<unsigned long long>(o.first), static_cast<unsigned long long>(o.first + o.seeds - 1),
              o.how.c_str(), seconds, jobs);
  print(seen);
  if (good && o.seeds >= 10'000 && o.broken == "none") {
    for (std::size_t i = 0; i < fault_kinds; ++i) {
      bool possible = o.how != "liveness" || static_cast<fault_kind>(i) != fault_kind::rollback;
      if (possible && seen.faults[i] == 0) {
        std::printf("no fault of kind %s ever hit anything\n",
                    std::string{to_string(static_cast<fault_kind>(i))}.c_str());
        good = false;
      }
    }
    if (seen.dead_names == 0 || seen.takeovers == 0 || seen.duplicates == 0 || seen.echoes == 0 || seen.ticks == 0 ||
        seen.numbered == 0 || seen.early == 0 || seen.gaps == 0)
      good = false;
  }
  ::munmap(shared, jobs * sizeof(progress));
  return good ? 0 : 1;
}

}  // namespace
}  // namespace pawl::sim

int main(int argc, char** argv) {
  using namespace pawl::sim;
  options o;
  CLI::App app{"Runs a cluster in virtual time, with faults, and checks what is promised. Same seed, same run."};
  app.add_option("--seeds", o.seeds, "how many (10000)");
  app.add_option("--first", o.first, "the first of them (1)");
  auto* one = app.add_option("--seed", o.seed, "this one only");
  app.add_flag("--verbose", o.verbose, "print what happens");
  app.add_option("--jobs", o.jobs, "processes (one for each core)");
  app.add_option("--mode", o.how, "safety, liveness or both (both)")
      ->check(CLI::IsMember({"safety", "liveness", "both"}));
  app.add_option("--break", o.broken, "with a store that lacks a safeguard: the run must fail")
      ->check(CLI::IsMember({"none", "no-fence", "unguarded-sweep", "release-any", "nil-of-dead-name", "epoch-token"}));
  CLI11_PARSE(app, argc, argv);
  o.one = one->count() != 0;
  if (!o.one) return run_many(o);
  sightings seen;
  bool good = true;
  for (auto m : modes_of(o)) {
    current_seed = o.seed;
    std::signal(SIGABRT, on_abort);
    if (o.verbose) {
      std::printf("seed %llu, %s:\n", static_cast<unsigned long long>(o.seed), name_of(m));
      for (const auto& f : plan_of(o, o.seed, m).faults) std::printf("  %s\n", to_text(f).c_str());
    }
    good = run_one(o, o.seed, m, seen) && good;
  }
  if (good) print(seen);
  return good ? 0 : 1;
}
