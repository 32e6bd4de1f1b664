#include "cli/cluster_report.hpp"
#include "cli/commands/commands.hpp"
#include "cli/http_client.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>

namespace pawl::cli {
namespace {

using std::chrono::steady_clock;

/// What will happen, before it does.
std::string plan(const cluster_picture& p, const node_picture& node) {
  std::string others;
  for (const auto& m : p.latest()->members)
    if (m.node != node.name && m.state == "up") others += (others.empty() ? "" : ", ") + printable(m.node);
  const auto shards = std::to_string(node.view->shards_owned);
  if (others.empty())
    return printable(node.name) + " is the last member that is up: its " + shards +
           " shards will be served by nobody until another node starts";
  return printable(node.name) + " hands its " + shards + " shards over to " + others + ", and its process ends";
}

bool agreed(const session& s, const std::string& what) {
  if (s.words.has("--yes")) return true;
  if (!s.terminal) {
    session::say(what);
    session::say("nothing was done; --yes does it");
    return false;
  }
  std::fprintf(stderr, "%s. Go on? [y/N] ", what.c_str());
  const int answer = std::getchar();
  return answer == 'y' || answer == 'Y';
}

/// True once no node that answers counts it among the members.
bool gone(const cluster_picture& p, const std::string& node) {
  const auto* latest = p.latest();
  if (latest == nullptr) return true;  // it was the last
  return std::none_of(latest->members.begin(), latest->members.end(), [&](const auto& m) { return m.node == node; });
}

exit_status finish(const session& s, const std::string& node, health level, const std::string& word,
                   const std::string& text) {
  json body;
  body["verdict"] = to_string(level);
  body["node"] = node;
  body["result"] = word;
  body["text"] = text;
  s.show(s.paint(tone::strong, printable(node)) + "  " + s.paint(tone_of(level), word) + "  " + printable(text) + '\n',
         body);
  return status_of(level);
}

exit_status wait_for_end(session& s, const std::string& node) {
  const auto begun = steady_clock::now();
  const auto patience = s.words.duration("--wait", std::chrono::seconds{30});
  while (!gone(s.look(), node)) {
    if (steady_clock::now() - begun > patience)
      return finish(s, node, health::degraded, "draining", "asked to, and not done within " + time_text(patience));
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
  }
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - begun);
  return finish(s, node, health::healthy, "drained", "left the cluster after " + time_text(took));
}

}  // namespace

exit_status run_drain(session& s) {
  const auto name = s.words.text("NODE");
  const auto& p = s.look();
  const auto* node = p.find(name);
  if (p.latest() == nullptr) return finish(s, name, health::unreachable, "unreachable", judge(p).reasons.front().text);
  if (node == nullptr) {
    session::say("there is no node '" + printable(name) + "'; pawl nodes lists them");
    return exit_status::usage;
  }
  if (!node->view) return finish(s, name, health::unreachable, "unreachable", node->problem);
  if (!agreed(s, plan(p, *node))) return exit_status::usage;

  const auto url = parse_node_url(node->url);
  json body;
  body["node"] = name;
  const auto answer = http_client{*url, s.timeout}.post("/v1/drain", "application/json", json_line(body));
  if (answer.status == 0) return finish(s, name, health::unreachable, "unreachable", answer.problem);
  if (answer.status != 202)
    return finish(s, name, health::failed, "refused", problem_detail(answer.status, answer.body));
  return wait_for_end(s, name);
}

}  // namespace pawl::cli
