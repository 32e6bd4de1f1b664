#include "actors/store_options.hpp"
#include "cli/cluster_report.hpp"
#include "cli/commands/commands.hpp"
#include "cli/health_check.hpp"
#include "cli/http_client.hpp"
#include "cli/port_probe.hpp"
#include "cli/store_probe.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>

namespace pawl::cli {
namespace {

void append(findings& to, findings from) { std::move(from.begin(), from.end(), std::back_inserter(to)); }

/// The configuration a node would have that was started from this shell.
invocation configuration(const session& s) {
  std::vector<std::string> words{"--check-config"};
  if (s.words.has("--config")) words.insert(words.begin(), {"--config", s.words.text("--config")});
  auto variables = s.variables;
  variables.erase("PAWL_NODES");  // ours; a node would take it for a mistake
  return parse_invocation("pawl", words, variables, PAWL_VERSION);
}

findings check_configuration(const session& s, const invocation& i) {
  findings out;
  if (i.what != invocation::command::check)
    out.push_back({grade::fail, "config", i.text.substr(0, i.text.find_last_not_of('\n') + 1),
                   "correct it; pawl config check FILE"});
  else if (s.words.has("--config") || s.variables.contains("PAWL_CONFIG"))
    out.push_back({grade::ok, "config", "the file and the PAWL_ variables are valid", {}});
  else out.push_back({grade::ok, "config", "no file: defaults and PAWL_ variables; --config names one", {}});
  for (const auto& w : i.warnings) out.push_back({grade::warn, "config", w, "see the table in README.md"});
  return out;
}

finding describe(const std::string& subject, const std::string& where, const port_state& state) {
  switch (state.what) {
  case port_state::kind::free: return {grade::ok, subject, where + " is free: a node can start here", {}};
  case port_state::kind::taken: return {grade::ok, subject, where + " is in use by that node", {}};
  case port_state::kind::impossible: break;
  }
  return {grade::fail, subject, where + ": " + state.reason, "give an address of this machine and a port it may use"};
}

finding check_http_port(const session& s, const node_url& door, bool& node_there) {
  if (door.port == 0) return {grade::ok, "http port", "any free one", {}};
  const auto state = probe_port(door.host, door.port);
  if (state.what != port_state::kind::taken) return describe("http port", door.authority(), state);
  node_there = http_client{door, s.timeout}.get("/livez").status == 200;
  if (node_there) return {grade::ok, "http port", door.authority() + " is answered by a node", {}};
  return {grade::fail, "http port", door.authority() + " is taken, and what listens there is no node",
          "stop that program, or set http.port"};
}

findings check_ports(const session& s, const node_options& o) {
  bool node_there = false;
  findings out{check_http_port(s, {o.http_address, o.http_port}, node_there)};
  if (o.peer_port == 0) {
    out.push_back({grade::ok, "peer port", "any free one", {}});
    return out;
  }
  const auto where = node_url{o.peer_address, o.peer_port}.authority();
  const auto state = probe_port(o.peer_address, o.peer_port);
  if (state.what == port_state::kind::taken && !node_there)
    out.push_back({grade::fail, "peer port", where + " is taken, and no node answers at the HTTP port",
                   "stop what listens there, or set peers.port"});
  else out.push_back(describe("peer port", where, state));
  return out;
}

finding check_own_limit(const node_options& o) {
  const auto limit = open_files_limit();
  // Links, Redis, the log and what the system needs come on top of the clients.
  const auto needed = o.http_connections + 256;
  const auto text = std::to_string(limit) + " open files for a node started here, http.connections is " +
                    std::to_string(o.http_connections);
  if (limit < needed)
    return {grade::warn, "limits", text, "ulimit -n " + std::to_string(needed) + ", or LimitNOFILE= in its service"};
  return {grade::ok, "limits", text, {}};
}

std::string lines(const session& s, const findings& all) {
  std::string out;
  for (const auto& f : all) {
    const auto how = f.level == grade::ok ? tone::good : f.level == grade::warn ? tone::warning : tone::bad;
    const std::string word{to_string(f.level)};
    const auto subject = printable(f.subject);
    out += s.paint(how, word) + std::string(6 - word.size(), ' ') + subject +
           std::string(subject.size() < 16 ? 16 - subject.size() : 1, ' ') + printable(f.text);
    if (!f.remedy.empty()) out += ": " + printable(f.remedy);
    out += '\n';
  }
  return out;
}

}  // namespace

exit_status run_doctor(session& s) {
  const auto i = configuration(s);
  auto all = check_configuration(s, i);
  store_facts store;
  if (i.what == invocation::command::check) {
    append(all, check_ports(s, i.options));
    all.push_back(check_own_limit(i.options));
    store = probe_store(store_options_of(i.options), i.options.cluster);
    append(all, check_store(store, i.options.allow_volatile));
  }
  const auto& p = s.look();
  append(all, check_agreement(p, store.dataset));
  append(all, check_clocks(p));
  append(all, check_limits(p));

  auto worst = grade::ok;
  json rows = json::array();
  for (const auto& f : all) {
    worst = std::max(worst, f.level);
    rows.push_back({{"level", to_string(f.level)}, {"subject", f.subject}, {"text", f.text}, {"remedy", f.remedy}});
  }
  auto level = worst == grade::ok ? health::healthy : worst == grade::warn ? health::degraded : health::failed;
  const auto count = [&](grade g) {
    return std::to_string(std::count_if(all.begin(), all.end(), [g](const finding& f) { return f.level == g; }));
  };
  if (p.latest() == nullptr) level = health::unreachable;
  json body;
  body["verdict"] = to_string(level);
  body["checks"] = std::move(rows);
  s.show(s.paint(tone::strong, "doctor") + "  " + s.paint(tone_of(level), printable(to_string(level))) + "  " +
             count(grade::ok) + " ok, " + count(grade::warn) + " warnings, " + count(grade::fail) + " failed\n\n" +
             lines(s, all),
         body);
  return status_of(level);
}

}  // namespace pawl::cli
