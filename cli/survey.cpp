#include "cli/survey.hpp"

#include "actors/configuration/values.hpp"
#include "cli/http_client.hpp"
#include "cli/wall_clock.hpp"

#include <algorithm>
#include <future>
#include <utility>

namespace pawl::cli {
namespace {

using std::chrono::steady_clock;

/// Between sending and answer we cannot tell when the node read its clock: the middle, give or take the half.
clock_reading compare_clocks(std::int64_t theirs, std::int64_t sent, std::int64_t received) {
  return {theirs - (sent + received) / 2, (received - sent + 1) / 2};
}

void ask_cluster(http_client& http, node_picture& out) {
  const auto sent = wall_clock_ms();
  const auto answer = http.get("/v1/cluster");
  const auto received = wall_clock_ms();
  if (answer.status != 200) {
    out.problem = answer.status == 0 ? answer.problem : problem_detail(answer.status, answer.body);
    return;
  }
  auto said = decode_cluster(answer.body);
  out.problem = std::move(said.problem);
  out.view = std::move(said.value);
  if (!out.view) return;
  out.name = out.view->node;
  if (out.view->time_ms) out.clock = compare_clocks(*out.view->time_ms, sent, received);
}

void ask_shards(http_client& http, node_picture& out) {
  const auto answer = http.get("/v1/shards");
  if (answer.status != 200) {
    out.problem = "no answer to /v1/shards: " +
                  (answer.status == 0 ? answer.problem : problem_detail(answer.status, answer.body));
    return;
  }
  auto said = decode_shards(answer.body);
  if (said.value) out.shards = std::move(*said.value);
  else out.problem = std::move(said.problem);
}

node_picture ask_node(const node_url& url, std::chrono::milliseconds timeout) {
  node_picture out;
  out.url = url.text();
  http_client http{url, timeout};
  ask_cluster(http, out);
  if (!out.view) return out;
  ask_shards(http, out);
  if (const auto metrics = http.get("/metrics"); metrics.status == 200) out.counters = read_counters(metrics.body);
  return out;
}

std::vector<node_picture> ask_all(const std::vector<node_url>& urls, std::chrono::milliseconds timeout) {
  constexpr std::size_t at_once = 32;
  std::vector<node_picture> out;
  for (std::size_t from = 0; from < urls.size(); from += at_once) {
    std::vector<std::future<node_picture>> answers;
    for (auto i = from; i < std::min(urls.size(), from + at_once); ++i)
      answers.push_back(std::async(std::launch::async, [url = urls[i], timeout] { return ask_node(url, timeout); }));
    for (auto& a : answers) out.push_back(a.get());
  }
  return out;
}

/// The same node may be known by several addresses.
void drop_repeated(std::vector<node_picture>& nodes) {
  std::vector<node_picture> kept;
  for (auto& n : nodes) {
    const bool seen = std::any_of(kept.begin(), kept.end(), [&](const node_picture& k) {
      if (!n.view || !k.view) return n.url == k.url;
      return k.view->node == n.view->node && k.view->incarnation == n.view->incarnation &&
             k.view->dataset == n.view->dataset;
    });
    if (!seen) kept.push_back(std::move(n));
  }
  nodes = std::move(kept);
}

/// Members of the latest view that were not asked yet: with the address where to ask, or with the reason why not.
class missing_members {
public:
  explicit missing_members(cluster_picture& p) {
    const auto* latest = p.latest();
    if (latest == nullptr) return;
    const auto* informed = p.find(latest->node);
    const auto asked = parse_node_url(informed->url).value_or(node_url{});
    for (const auto& m : latest->members) {
      if (p.find(m.node) != nullptr) continue;
      const auto address = address_of(m, asked);
      if (!address.url) without_address.push_back(unreached(m.node, address.problem));
      else if (!name_known_url(p, address.url->text(), m.node)) {
        urls.push_back(*address.url);
        names.push_back(m.node);
      }
    }
  }

  std::vector<node_url> urls;
  std::vector<std::string> names;  ///< one for each of `urls`
  std::vector<node_picture> without_address;

private:
  static node_picture unreached(const std::string& name, const std::string& problem) {
    node_picture out;
    out.name = name;
    out.problem = problem;
    return out;
  }

  /// A node that was asked by this address and said nothing has its name from the others.
  static bool name_known_url(cluster_picture& p, const std::string& url, const std::string& name) {
    for (auto& n : p.nodes) {
      if (n.url != url) continue;
      if (n.name.empty()) n.name = name;
      return true;
    }
    return false;
  }
};

}  // namespace

member_address address_of(const member_row& member, const node_url& asked) {
  if (member.http_address.empty()) return {std::nullopt, "it has not told its HTTP address"};
  auto url = parse_node_url(member.http_address);
  if (!url) return {std::nullopt, "its HTTP address " + member.http_address + " is none"};
  if (config::is_any_address(url->host)) {
    // It listens everywhere; the host its peers dial is the best guess.
    const auto peer = parse_node_url(member.peer_address);
    if (!peer) return {std::nullopt, "its peer address " + member.peer_address + " is none"};
    url->host = peer->host;
  }
  if (config::is_loopback(url->host) && !config::is_loopback(asked.host))
    return {std::nullopt, "its HTTP address " + url->authority() + " is reached from its own machine only"};
  return {url, {}};
}

std::vector<node_url> answering_nodes(const cluster_picture& p) {
  std::vector<node_url> out;
  for (const bool named : {true, false})
    for (const auto& n : p.nodes)
      if (const auto url = parse_node_url(n.url); n.view && n.asked_for == named && url) out.push_back(*url);
  return out;
}

cluster_picture survey(const std::vector<node_url>& nodes, std::chrono::milliseconds timeout) {
  cluster_picture out;
  out.nodes = ask_all(nodes, timeout);
  for (auto& n : out.nodes) n.asked_for = true;
  drop_repeated(out.nodes);
  missing_members missing{out};
  auto more = ask_all(missing.urls, timeout);
  for (std::size_t i = 0; i < more.size(); ++i) {
    if (more[i].name.empty()) more[i].name = missing.names[i];
    out.nodes.push_back(std::move(more[i]));
  }
  for (auto& n : missing.without_address) out.nodes.push_back(std::move(n));
  drop_repeated(out.nodes);
  std::stable_sort(out.nodes.begin(), out.nodes.end(),
                   [](const node_picture& a, const node_picture& b) { return a.name < b.name; });
  out.taken = steady_clock::now();
  return out;
}

owners_answer ask_any(const cluster_picture& p, std::chrono::milliseconds timeout,
                      const std::function<http_answer(http_client&)>& request) {
  owners_answer out;
  out.answer.problem = "no node answers";
  for (const auto& url : answering_nodes(p)) {
    out.asked = url;
    http_client client{url, timeout};
    out.answer = request(client);
    if (out.answer.status != 0 && out.answer.status != 503) break;
  }
  return out;
}

}  // namespace pawl::cli
