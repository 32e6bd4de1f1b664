#include "cli/cluster_report.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <utility>

namespace pawl::cli {
namespace {

using align = table::align;

/// Beyond it the rest is only counted: what a node answers must not fill the screen.
constexpr std::size_t reasons_shown = 20;

std::string upper(std::string_view text) {
  std::string out{text};
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return out;
}

/// What a node did between two looks.
struct node_rates {
  double applied = 0;
  double duplicate = 0;
  double p99_seconds = -1;
};

std::optional<node_rates> rates_of(const session& s, const node_picture& now) {
  if (s.before() == nullptr || !now.counters || !now.view) return std::nullopt;
  const auto* then = s.before()->find(now.name);
  if (then == nullptr || !then->counters || !then->view || then->view->incarnation != now.view->incarnation)
    return std::nullopt;
  const std::chrono::duration<double> passed = s.picture().taken - s.before()->taken;
  const auto per_second = [&](double after, double before) { return std::max(0.0, after - before) / passed.count(); };
  return node_rates{per_second(now.counters->applied, then->counters->applied),
                    per_second(now.counters->duplicate, then->counters->duplicate),
                    latency_quantile(*then->counters, *now.counters, 0.99)};
}

std::string milliseconds_text(double seconds) { return seconds < 0 ? "-" : rate_text(seconds * 1'000) + " ms"; }

std::uint64_t queued_at(const node_picture& n) {
  std::uint64_t out = 0;
  for (const auto& row : n.shards) out += row.queued;
  return out;
}

std::uint64_t entities_at(const node_picture& n) {
  std::uint64_t out = 0;
  for (const auto& row : n.shards) out += row.entities;
  return out;
}

std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }

std::vector<table::cell> silent_row(const node_picture& n, bool with_rates) {
  std::vector<table::cell> out{or_dash(n.name), {"no answer", tone::bad}, "-", "-", "-"};
  if (with_rates) out.insert(out.end(), {"-", "-", "-"});
  out.insert(out.end(), {"-", "-", "-", or_dash(n.url)});
  return out;
}

std::vector<table::cell> answering_row(const session& s, const node_picture& n, bool with_rates) {
  const auto& v = *n.view;
  std::vector<table::cell> out{n.name,
                               {v.state, v.state == "up" ? tone::good : tone::warning},
                               grouped(v.shards_owned),
                               grouped(entities_at(n)),
                               grouped(queued_at(n))};
  if (with_rates) {
    const auto r = rates_of(s, n);
    out.emplace_back(r ? rate_text(r->applied) : "-");
    out.emplace_back(r ? rate_text(r->duplicate) : "-");
    out.emplace_back(r ? milliseconds_text(r->p99_seconds) : "-");
  }
  out.emplace_back(v.store_up ? "up" : "down", v.store_up ? tone::plain : tone::bad);
  out.emplace_back(std::to_string(v.view));
  out.emplace_back(v.version);
  out.emplace_back(n.url);
  return out;
}

}  // namespace

exit_status status_of(health h) noexcept {
  switch (h) {
  case health::healthy: return exit_status::healthy;
  case health::degraded: return exit_status::degraded;
  case health::failed: return exit_status::failed;
  case health::unreachable: return exit_status::unreachable;
  }
  return exit_status::failed;
}

tone tone_of(health h) noexcept {
  return h == health::healthy ? tone::good : h == health::degraded ? tone::warning : tone::bad;
}

std::string verdict_text(const session& s, const verdict& v, const std::string& subject, const std::string& all_well) {
  auto out = s.paint(tone::strong, printable(subject)) + "  " + s.paint(tone_of(v.level), upper(to_string(v.level)));
  if (v.level == health::healthy) out += "  " + printable(all_well);
  else if (v.reasons.size() == 1) out += "  " + printable(v.reasons.front().text);
  out += '\n';
  const auto shown = v.reasons.size() == 1 ? 0 : std::min(v.reasons.size(), reasons_shown);
  for (std::size_t i = 0; i < shown; ++i)
    out += "  " + s.paint(tone_of(v.reasons[i].level), "-") + " " + printable(v.reasons[i].text) + '\n';
  if (v.reasons.size() > reasons_shown) out += "  and " + std::to_string(v.reasons.size() - shown) + " more reasons\n";
  for (const auto& n : v.notes) out += "  note: " + printable(n) + '\n';
  return out;
}

json verdict_json(const verdict& v) {
  json out;
  out["verdict"] = to_string(v.level);
  out["reasons"] = json::array();
  for (const auto& r : v.reasons)
    out["reasons"].push_back({{"level", to_string(r.level)}, {"code", r.code}, {"text", r.text}});
  out["notes"] = v.notes;
  return out;
}

std::string cluster_name(const cluster_picture& p) {
  const auto* latest = p.latest();
  return latest == nullptr ? "cluster" : latest->cluster;
}

std::string cluster_size(const cluster_picture& p) {
  const auto* latest = p.latest();
  if (latest == nullptr) return {};
  const auto members = latest->members.size();
  return std::to_string(members) + (members == 1 ? " node, " : " nodes, ") + std::to_string(latest->shards) +
         " shards, view " + std::to_string(latest->view);
}

table nodes_table(const session& s) {
  const bool with_rates = s.before() != nullptr;
  std::vector<table::column> columns{
      {"NODE"}, {"STATE"}, {"SHARDS", align::right}, {"ENTITIES", align::right}, {"QUEUED", align::right}};
  if (with_rates)
    columns.insert(columns.end(), {{"MSG/S", align::right}, {"DUP/S", align::right}, {"P99", align::right}});
  columns.insert(columns.end(), {{"REDIS"}, {"VIEW", align::right}, {"VERSION"}, {"ADDRESS"}});
  table out{std::move(columns)};
  for (const auto& n : s.picture().nodes) out.add(n.view ? answering_row(s, n, with_rates) : silent_row(n, with_rates));
  return out;
}

json nodes_json(const session& s) {
  auto out = json::array();
  for (const auto& n : s.picture().nodes) {
    json row;
    row["node"] = n.name;
    row["url"] = n.url;
    row["answers"] = n.view.has_value();
    row["problem"] = n.problem;
    if (n.view) {
      row["incarnation"] = n.view->incarnation;
      row["state"] = n.view->state;
      row["shards_owned"] = n.view->shards_owned;
      row["entities"] = entities_at(n);
      row["queued"] = queued_at(n);
      row["store_up"] = n.view->store_up;
      row["view"] = n.view->view;
      row["version"] = n.view->version;
    }
    if (const auto r = rates_of(s, n)) {
      row["applied_per_second"] = r->applied;
      row["duplicates_per_second"] = r->duplicate;
      if (r->p99_seconds >= 0) row["latency_p99_seconds"] = r->p99_seconds;
    }
    out.push_back(std::move(row));
  }
  return out;
}

table shards_table(const std::vector<shard_picture>& shards) {
  table out{{{"SHARD", align::right},
             {"OWNER"},
             {"HELD BY"},
             {"QUEUED", align::right},
             {"ENTITIES", align::right},
             {"COMMITS", align::right},
             {"WAITING FOR"}}};
  for (const auto& s : shards) {
    std::string holders;
    for (const auto& h : s.holders) holders += (holders.empty() ? "" : ",") + h;
    auto waits = s.waiting_for;
    if (!waits.empty()) waits += " (" + s.waiting_at + ", " + time_text(s.waiting) + ")";
    out.add({std::to_string(s.shard),
             or_dash(s.owner),
             {or_dash(holders), s.holders.size() == 1 ? tone::plain : tone::warning},
             grouped(s.queued),
             grouped(s.entities),
             grouped(s.commits),
             {or_dash(waits), waits.empty() ? tone::plain : tone::bad}});
  }
  return out;
}

json shard_json(const shard_picture& s) {
  json out;
  out["shard"] = s.shard;
  out["owner"] = s.owner;
  out["held_by"] = s.holders;
  out["claim"] = s.claim;
  out["queued"] = s.queued;
  out["entities"] = s.entities;
  out["commits"] = s.commits;
  if (!s.waiting_for.empty()) {
    out["waiting_for"] = s.waiting_for;
    out["waiting_at"] = s.waiting_at;
    out["waiting_ms"] = s.waiting.count();
  }
  return out;
}

std::string time_text(std::chrono::milliseconds d) {
  const auto ms = d.count();
  if (ms < 2'000) return std::to_string(ms) + " ms";
  if (ms < 120'000) return std::to_string(ms / 1'000) + " s";
  return std::to_string(ms / 60'000) + " min";
}

}  // namespace pawl::cli
