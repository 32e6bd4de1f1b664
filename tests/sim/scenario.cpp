#include "tests/sim/scenario.hpp"

#include <algorithm>

namespace pawl::sim {

std::string_view to_string(fault_kind k) noexcept {
  static constexpr std::array<std::string_view, fault_kinds> names{
      "crash",     "freeze",  "drain",      "join",        "suspect",       "cut pair",     "cut one way", "isolate",
      "cut store", "swizzle", "break link", "break store", "store restart", "store freeze", "memory full", "rollback"};
  return names[static_cast<std::size_t>(k)];
}

std::string to_text(const fault& f) {
  using std::chrono::duration_cast;
  using ms = std::chrono::milliseconds;
  std::string text = "at " + std::to_string(duration_cast<ms>(f.at).count()) + " ms " + std::string{to_string(f.what)};
  text += " n" + std::to_string(f.a + 1);
  if (f.what == fault_kind::cut_pair || f.what == fault_kind::cut_one_way) text += " n" + std::to_string(f.b + 1);
  return text + (f.for_ever ? " for ever" : " for " + std::to_string(duration_cast<ms>(f.length).count()) + " ms");
}

bool scenario::rolls_back() const noexcept {
  return std::any_of(faults.begin(), faults.end(), [](const fault& f) { return f.what == fault_kind::rollback; });
}

scenario make_scenario(std::uint64_t seed, mode how) {
  dice d{seed, how == mode::safety ? 1U : 2U};
  scenario s;
  s.seed = seed;
  s.how = how;
  s.nodes = d.between(2, 4);
  s.places = s.nodes + d.below(2);
  s.shards = static_cast<std::uint32_t>(d.between(1, 3));
  s.keys = d.between(1, 4);
  s.messages = d.between(6, 24);
  if (d.chance(25)) s.retention = std::chrono::milliseconds{d.between(200, 3'000)};
  s.lease = std::chrono::milliseconds{d.between(600, 1'500)};
  s.handoff = std::chrono::milliseconds{d.between(300, 2'000)};
  if (d.chance(30)) s.passivate_after = std::chrono::milliseconds{d.between(40, 2'000)};
  if (d.chance(20)) s.resident_max = d.below(2);
  if (d.chance(30)) s.lane_timeout = std::chrono::milliseconds{d.between(50, 600)};
  if (d.chance(50)) s.first_sweep = std::chrono::milliseconds{d.between(20, 1'500)};
  s.busy = d.between(2s, 8s);
  s.older.resize(s.places, false);
  if (d.chance(20)) s.older[d.below(s.places)] = true;

  // Few kinds at a time, often: what breaks a protocol is the same thing at an awkward moment.
  std::vector<fault_kind> menu;
  for (auto n = d.between(1, 5); n > 0; --n) menu.push_back(static_cast<fault_kind>(d.below(fault_kinds - 1)));
  bool rolls_back = how == mode::safety && d.chance(25);
  auto count = d.between(1, 14);
  for (std::uint64_t i = 0; i < count; ++i) {
    fault f{};
    f.what = menu[d.below(menu.size())];
    f.at = d.between(400ms, s.busy);
    f.length = d.chance(60) ? d.between(1ms, 900ms) : d.between(900ms, 4s);
    f.a = d.below(s.places);
    f.b = (f.a + 1 + d.below(s.places - 1)) % s.places;
    s.faults.push_back(f);
  }
  if (rolls_back) {
    fault f{fault_kind::rollback, d.between(1'500ms, s.busy), d.between(1ms, 300ms)};
    s.faults.push_back(f);
    // Of what a rollback takes away, claims matter most: an owner goes shortly before, and comes back after it.
    static constexpr std::array away{fault_kind::freeze, fault_kind::crash, fault_kind::cut_store, fault_kind::suspect};
    for (auto n = d.below(4); n > 0; --n) {
      fault g{};
      g.what = away[d.below(away.size())];
      g.a = d.below(s.nodes);
      auto before = d.between(0us, std::min<span>(f.at - 400ms, s.lease + 1'200ms));
      g.at = f.at - before;
      g.length = before + d.between(1ms, 3s);
      // One that does not see the rollback, and comes back when another has claimed in its place.
      if (g.what == fault_kind::cut_store && d.chance(70)) {
        before = d.between(0us, 300ms);
        g.at = f.at - before;
        g.length = before + s.lease + d.between(100ms, 1'500ms);
      }
      s.faults.push_back(g);
    }
  }
  if (rolls_back && d.chance(50)) {
    // Views and claims that the rollback takes away, so that others use their numbers again.
    const auto rollback_at = s.faults[count].at;
    for (auto n = d.between(1, 3); n > 0; --n)
      s.faults.push_back({fault_kind::suspect, rollback_at - d.between(200ms, 1'200ms), {}, d.below(s.nodes)});
  }
  if (how == mode::liveness) {
    fault f{};
    f.what = d.chance(60)                  ? fault_kind::crash
             : s.nodes > 2 && d.chance(50) ? fault_kind::isolate
                                           : fault_kind::cut_store;
    f.at = d.between(600ms, s.busy);
    f.a = d.below(s.nodes);
    f.for_ever = true;
    s.faults.push_back(f);
  }
  s.inboxes = d.below(3);
  s.journals = d.below(3);
  s.numbers.on_gap = d.chance(60) ? gap::wait : d.chance(50) ? gap::skip : gap::dead_letter;
  s.numbers.gap_timeout = std::chrono::milliseconds{d.between(50, 2'000)};
  s.numbers.hold = d.between(1, 12);
  std::stable_sort(s.faults.begin(), s.faults.end(), [](const fault& x, const fault& y) { return x.at < y.at; });
  return s;
}

}  // namespace pawl::sim
