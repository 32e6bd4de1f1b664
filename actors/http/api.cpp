#include "actors/http/api.hpp"

#include "actors/http/console.hpp"
#include "actors/http/dead_letters.hpp"
#include "actors/http/events.hpp"
#include "actors/http/json_messages.hpp"
#include "actors/http/json_text.hpp"
#include "actors/http/shard_details.hpp"
#include "actors/http/sources.hpp"
#include "actors/trace_context.hpp"
#include "metrics/log.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <exception>
#include <memory>
#include <optional>

namespace pawl {
namespace {

using json = nlohmann::ordered_json;

constexpr std::string_view entities_prefix = "/v1/entities/";
constexpr std::string_view routes_text =
    R"(POST /v1/messages                one message (application/json) or one per line (application/x-ndjson)
GET  /v1/entities/{type}/{key}   committed state of an entity
POST /v1/sources/{name}          messages of a producer that numbers them, for one shard; GET: how far it has come
GET  /v1/dead-letters            messages that could not take effect; /{shard}?from={number} of one shard
POST /v1/dead-letters/{shard}/{number}/replay or /discard
GET  /v1/cluster                 this node and the members it knows
GET  /v1/shards                  what this node knows of every shard; /{shard}: what its owner says of one
GET  /v1/events                  what has happened on this node lately
GET  /v1/nodes/{node}/{what}     what another member answers: cluster, shards, events, metrics or readyz
POST /v1/drain                   hand the shards over and end; from this machine only
GET  /livez                      the process answers
GET  /readyz                     joined, store reachable, not draining
GET  /metrics                    Prometheus text format
GET  /console/                   a page that shows the cluster
)";

http_response text_answer(unsigned status, std::string body) {
  http_response out;
  out.status = status;
  out.body = std::move(body);
  return out;
}

http_response json_answer(unsigned status, std::string body) {
  return {status, "application/json", std::move(body), {}};
}

http_response json_answer(const json& body) {
  return json_answer(200, body.dump(-1, ' ', false, json::error_handler_t::replace) + '\n');
}

/// Undoes percent-encoding; nothing if a '%' is not followed by two hexadecimal digits.
std::optional<std::string> percent_decoded(std::string_view in) {
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  std::string out;
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (in[i] != '%') {
      out += in[i];
      continue;
    }
    const auto high = i + 2 < in.size() ? digit(in[i + 1]) : -1;
    const auto low = i + 2 < in.size() ? digit(in[i + 2]) : -1;
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

/// Without parameters, in lower case.
std::string media_type(const http_request& r) {
  std::string type = r.content_type.substr(0, r.content_type.find(';'));
  std::erase_if(type, [](char c) { return c == ' ' || c == '\t'; });
  std::transform(type.begin(), type.end(), type.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return type;
}

enum class body_format : std::uint8_t { one_message, batch, unsupported };

body_format format_of(const http_request& r) {
  const auto type = media_type(r);
  if (type == "application/json") return body_format::one_message;
  if (type == "application/x-ndjson") return body_format::batch;
  if (!type.empty() && type != "application/octet-stream") return body_format::unsupported;
  const auto line_end = r.body.find('\n');
  if (line_end == r.body.npos || r.body.find_first_not_of(" \t\r\n", line_end) == r.body.npos)
    return body_format::one_message;
  const std::string_view first{r.body.data(), line_end};
  const auto begin = first.find_first_not_of(" \t");
  const bool object = begin != first.npos && first[begin] == '{' && json::accept(first.begin(), first.end());
  return object ? body_format::batch : body_format::one_message;
}

/// A Host header that names an address of this machine and no name: who looks a name up decides where it leads.
bool names_loopback(std::string_view host) {
  if (host.starts_with("[::1]")) return true;
  host = host.substr(0, host.find(':'));
  return host == "localhost" || (host.starts_with("127.") && host.find_first_not_of("0123456789.") == host.npos);
}

/// Whether a body is `{"node":"<node>"}`, perhaps with more fields.
bool names_node(std::string_view body, std::string_view node) {
  constexpr std::size_t longest = 1'024;
  if (body.size() > longest) return false;
  const auto parsed = json::parse(body.begin(), body.end(), nullptr, false);
  const auto found = parsed.find("node");
  return parsed.is_object() && found != parsed.end() && found->is_string() && *found == node;
}

unsigned status_of(const message_result& r) {
  switch (r.kind) {
  case result_kind::applied:
  case result_kind::duplicate: return 200;
  case result_kind::refused: return r.code == reason_code::id_reused || r.code == reason_code::seq_passed ? 409 : 422;
  case result_kind::blocked:
  case result_kind::busy: return 429;
  case result_kind::unknown: return 503;
  }
  return 503;
}

http_response one_result(std::optional<std::string_view> id, const message_result& r) {
  std::string body;
  append_json_result(body, id, r);
  auto out = json_answer(status_of(r), std::move(body));
  if (!resolved(r.kind)) out.headers.emplace_back("Retry-After", "1");
  return out;
}

http_response entity_found(const entity_id& id, shard_id shard, const entity_answer& a) {
  std::string body = R"({"type":)";
  append_json_string(body, id.type);
  body += R"(,"key":)";
  append_json_string(body, id.key);
  body += R"(,"owner":)";
  append_json_string(body, a.owner);
  body += R"(,"shard":)" + std::to_string(shard.value);
  body += R"(,"last_seq":)" + std::to_string(a.last_seq);
  if (a.expected != 0) body += R"(,"expected":)" + std::to_string(a.expected) + R"(,"held":)" + std::to_string(a.held);
  body += R"(,"state":)";
  std::string error;
  if (!append_json_state(body, a.state, error)) return http_problem(500, "the state cannot be shown as JSON: " + error);
  body += R"(,"timers":[)";
  for (std::size_t i = 0; i < a.timers.size(); ++i) {
    if (i > 0) body += ',';
    body += R"({"name":)";
    append_json_string(body, a.timers[i].name);
    body += R"(,"due":)" + std::to_string(a.timers[i].due) + R"(,"message":)";
    append_json_string(body, a.timers[i].message);
    body += '}';
  }
  body += R"(],"recent":[)";
  for (std::size_t i = 0; i < a.recent.size(); ++i) {
    if (i > 0) body += ',';
    body += R"({"id":)";
    append_json_string(body, a.recent[i].id);
    body += R"(,"message":)";
    append_json_string(body, a.recent[i].name);
    body += R"(,"applied_at":)" + std::to_string(a.recent[i].at) + '}';
  }
  body += "]}\n";
  return json_answer(200, std::move(body));
}

/// Wraps a callback that runs on a thread of the runtime, where an exception of ours would be out of place. The client
/// then gets the 503 of a request that was dropped.
template <class Answer>
auto answer_with(http_respond respond, Answer make) {
  return [respond = std::move(respond), make = std::move(make)](auto result) {
    try {
      respond(make(std::move(result)));
    } catch (const std::exception& e) {
      log::error("http answer failed", {{"error", e.what()}});
    }
  };
}

class api {
public:
  api(ingress& door, http_api_sources sources) : door_(door), sources_(std::move(sources)) {}

  void handle(http_request request, http_respond respond) const {
    struct route {
      std::string_view path;
      bool post;
      void (api::*go)(http_request, http_respond) const;
    };
    static constexpr std::array<route, 9> routes{{
        {"/v1/messages", true, &api::post_messages},
        {"/v1/drain", true, &api::post_drain},
        {"/v1/cluster", false, &api::get_cluster},
        {"/v1/shards", false, &api::get_shards},
        {"/v1/events", false, &api::get_events},
        {"/livez", false, &api::get_livez},
        {"/readyz", false, &api::get_readyz},
        {"/metrics", false, &api::get_metrics},
        {"/", false, &api::get_routes},
    }};
    const std::string_view path = request.path;
    if (path == dead_letters_path || path.starts_with(std::string{dead_letters_path} + '/'))
      return answer_dead_letters(door_, request, std::move(respond));
    if (path.starts_with(shards_prefix)) return answer_shard_details(door_, request, std::move(respond));
    if (path.starts_with(sources_prefix)) return answer_sources(door_, request, sources_.now(), std::move(respond));
    route found{entities_prefix, false, &api::get_entity};
    if (path.starts_with(console_prefix)) {
      found = {console_prefix, false, &api::get_console};
    } else if (path.starts_with(nodes_prefix)) {
      found = {nodes_prefix, false, &api::get_from_member};
    } else if (!path.starts_with(entities_prefix)) {
      const auto r = std::find_if(routes.begin(), routes.end(), [&](const route& x) { return x.path == path; });
      if (r == routes.end()) return respond(http_problem(404, "no such route; GET / lists them"));
      found = *r;
    }
    if (request.method != (found.post ? "POST" : "GET")) {
      auto refusal = http_problem(405, "this route does not take the method of the request; Allow names what it takes");
      refusal.headers.emplace_back("Allow", found.post ? "POST" : "GET, HEAD");
      return respond(std::move(refusal));
    }
    (this->*found.go)(std::move(request), std::move(respond));
  }

private:
  void post_messages(http_request request, http_respond respond) const {
    if (!request.content_encoding.empty() && request.content_encoding != "identity")
      return respond(http_problem(415, "content encodings are not supported; send the body uncompressed"));
    switch (format_of(request)) {
    case body_format::one_message: return post_one(request, std::move(respond));
    case body_format::batch: return post_batch(request, std::move(respond));
    case body_format::unsupported: break;
    }
    respond(http_problem(415, "content type must be application/json for one message, or application/x-ndjson for a "
                              "batch with one message per line"));
  }

  void post_one(const http_request& request, http_respond respond) const {
    auto parsed = parse_json_message(request.body, sources_.now(), parse_traceparent(request.traceparent));
    if (!parsed.refused.empty()) {
      const auto& r = parsed.refused.front();
      if (r.malformed) return respond(http_problem(400, r.reason));
      return respond(one_result(r.id, {result_kind::refused, reason_code::invalid, r.reason}));
    }
    door_.submit(parsed.accepted,
                 answer_with(std::move(respond), [batch = parsed.accepted](const std::vector<message_result>& results) {
                   return one_result(batch->messages.front().id, results.at(0));
                 }));
  }

  void post_batch(const http_request& request, http_respond respond) const {
    if (request.body.empty()) return respond(http_problem(400, "the batch is empty; send one JSON object per line"));
    auto parsed = parse_json_batch(request.body, sources_.now(), parse_traceparent(request.traceparent));
    if (!parsed)
      return respond(http_problem(413, "the batch has more than " + std::to_string(limits::batch_messages) +
                                           " lines; nothing of it was taken, send it in parts"));
    auto done = answer_with(std::move(respond), [batch = parsed->accepted, refused = std::move(parsed->refused)](
                                                    const std::vector<message_result>& results) {
      http_response out{200, "application/x-ndjson", {}, {}};
      append_json_results(out.body, batch->messages, results, refused);
      return out;
    });
    if (parsed->accepted->messages.empty()) return done(std::vector<message_result>{});
    door_.submit(std::move(parsed->accepted), std::move(done));
  }

  void post_drain(http_request request, http_respond respond) const {
    if (!sources_.drain) return respond(http_problem(404, "this program does not end by HTTP"));
    if (!request.from_loopback || !names_loopback(request.host))
      return respond(http_problem(403, "a drain is asked for on the machine of the node, at a loopback address; from "
                                       "elsewhere, send the process SIGTERM"));
    if (media_type(request) != "application/json")
      return respond(http_problem(415, "content type must be application/json"));
    const auto node = door_.cluster().node;
    if (!names_node(request.body, node))
      return respond(
          http_problem(409, R"(the body must name the node to drain; this one is {"node":")" + node + R"("})"));
    log::info("drain asked for", {{"node", node}, {"by", "http"}});
    sources_.drain();
    json out;
    out["node"] = node;
    out["state"] = "draining";
    respond(json_answer(202, out.dump() + '\n'));
  }

  void get_entity(http_request request, http_respond respond) const {
    const auto rest = std::string_view{request.path}.substr(entities_prefix.size());
    const auto slash = rest.find('/');
    if (slash == rest.npos || rest.find('/', slash + 1) != rest.npos)
      return respond(http_problem(404, "an entity is /v1/entities/{type}/{key}; a '/' in a key is written %2F"));
    const auto type = percent_decoded(rest.substr(0, slash));
    const auto key = percent_decoded(rest.substr(slash + 1));
    if (!type || !key) return respond(http_problem(400, "a '%' must be followed by two hexadecimal digits"));
    message probe;
    probe.type = *type;
    probe.key = *key;
    probe.name = probe.id = "x";
    probe.payload = "\x80";
    if (auto wrong = check_message(probe); !wrong.empty()) return respond(http_problem(400, wrong));

    const entity_id id{*type, *key};
    const auto shard = door_.shard_of(id.key);
    door_.read(id, answer_with(std::move(respond), [id, shard](const entity_answer& a) {
                 switch (a.kind) {
                 case entity_answer::status::found: return entity_found(id, shard, a);
                 case entity_answer::status::absent:
                   return http_problem(404, a.held == 0 ? "no message has taken effect for this entity"
                                                        : "no message has taken effect for this entity; " +
                                                              std::to_string(a.held) + " are held until number " +
                                                              std::to_string(a.expected) + " comes");
                 case entity_answer::status::unavailable: break;
                 }
                 return http_problem(503, a.reason);
               }));
  }

  void get_cluster(http_request, http_respond respond) const {
    const auto c = door_.cluster();
    json members = json::array();
    for (const auto& m : c.current.members) {
      json row;
      row["node"] = m.id.node;
      row["incarnation"] = m.id.incarnation;
      row["state"] = m.state == member_state::up ? "up" : "draining";
      row["peer_address"] = m.peer_address;
      row["http_address"] = m.http_address;
      members.push_back(std::move(row));
    }
    json out;
    out["cluster"] = c.cluster;
    out["dataset"] = c.dataset;
    out["node"] = c.node;
    out["incarnation"] = c.incarnation;
    out["state"] = c.state;
    out["version"] = c.version;
    out["store_up"] = c.store_up;
    out["shards"] = c.shards;
    out["shards_owned"] = c.shards_owned;
    out["view"] = c.current.number.value;
    out["time_ms"] = sources_.now();
    out["lease_ms"] = c.lease.count();
    if (c.lease_remaining) out["lease_remaining_ms"] = c.lease_remaining->count();
    out["members"] = std::move(members);
    respond(json_answer(out));
  }

  void get_shards(http_request, http_respond respond) const {
    json rows = json::array();
    for (const auto& s : door_.shards()) {
      json row;
      row["shard"] = s.shard.value;
      row["owner"] = s.owner;
      row["local"] = s.local;
      row["claim"] = s.claim;
      row["queued"] = s.queued;
      row["entities"] = s.entities;
      row["commits"] = s.commits;
      row["outbox"] = s.outbox;
      row["timers"] = s.timers;
      row["dead_letters"] = s.dead_letters;
      if (!s.waiting_for.empty()) {
        row["waiting_ms"] = s.waiting.count();
        row["waiting_for"] = s.waiting_for;
      }
      rows.push_back(std::move(row));
    }
    json out;
    out["shards"] = std::move(rows);
    respond(json_answer(out));
  }

  void get_livez(http_request, http_respond respond) const { respond(text_answer(200, "ok\n")); }

  void get_readyz(http_request, http_respond respond) const {
    std::string why;
    if (door_.ready(why)) return respond(text_answer(200, "ok\n"));
    auto out = text_answer(503, why + '\n');
    out.headers.emplace_back("Retry-After", "1");
    respond(std::move(out));
  }

  void get_metrics(http_request, http_respond respond) const {
    respond({200, "text/plain; version=0.0.4; charset=utf-8", sources_.metrics(), {}});
  }

  void get_events(http_request, http_respond respond) const {
    if (!sources_.events) return respond(http_problem(404, "this program keeps no events"));
    respond(events_answer(sources_.events()));
  }

  void get_console(http_request request, http_respond respond) const { respond(console_answer(request)); }

  void get_from_member(http_request request, http_respond respond) const {
    if (!sources_.ask) return respond(http_problem(404, "this program asks no other members"));
    answer_from_member(door_, sources_.ask, request, std::move(respond));
  }

  /// A browser goes on to the console, a command-line client shows the text.
  void get_routes(http_request, http_respond respond) const {
    auto out = text_answer(307, std::string{routes_text});
    out.headers.emplace_back("Location", std::string{console_prefix});
    respond(std::move(out));
  }

  ingress& door_;
  http_api_sources sources_;
};

}  // namespace

http_handler make_http_api(ingress& door, http_api_sources sources) {
  auto routes = std::make_shared<const api>(door, std::move(sources));
  return
      [routes](http_request request, http_respond respond) { routes->handle(std::move(request), std::move(respond)); };
}

}  // namespace pawl
