#include "actors/http/sources.hpp"

#include "actors/frame.hpp"
#include "actors/http/json_messages.hpp"
#include "actors/http/json_text.hpp"
#include "actors/http/number_in.hpp"
#include "actors/trace_context.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pawl {
namespace {

struct query {
  std::optional<std::uint64_t> shard;
  std::optional<std::uint64_t> after;
  std::string_view history;
  std::string problem;
};

query parse(std::string_view text) {
  query q;
  while (!text.empty()) {
    const auto end = std::min(text.find('&'), text.size());
    const auto part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto equals = std::min(part.find('='), part.size());
    const auto name = part.substr(0, equals);
    const auto value = part.substr(std::min(equals + 1, part.size()));
    if (name == "shard") q.shard = number_in<std::uint64_t>(value);
    else if (name == "after") q.after = number_in<std::uint64_t>(value);
    else if (name == "history") q.history = value;
    else q.problem = "parameters are shard, history and after";
  }
  if (!q.shard) q.problem = "parameter shard must be the number of a shard";
  if (!is_name(q.history))
    q.problem = "parameter history must be 1 to 64 letters, digits, '_', '.' or '-': it names the numbering";
  return q;
}

/// Numbers of one history are on one line: it is a source of its own.
constexpr std::uint64_t line = 1;

http_response answer(unsigned status, const sequenced_answer& a, const message_block* messages) {
  std::string body = R"({"taken":)" + std::to_string(a.taken.number);
  if (messages != nullptr) {
    body += R"(,"results":[)";
    for (std::size_t i = 0; i < a.results.size(); ++i) {
      if (i > 0) body += ',';
      append_json_result(body, messages->messages[i].id, a.results[i]);
      body.pop_back();  // the newline
    }
    body += ']';
  }
  return {status, "application/json", body + "}\n", {}};
}

/// What is wrong with a batch; empty: nothing.
std::string problem_of(const ingress& door, const query& q, const parsed_messages& parsed,
                       const std::vector<std::uint64_t>& positions) {
  if (!parsed.refused.empty())
    return "line " + std::to_string(parsed.refused.front().line + 1) + ": " + parsed.refused.front().reason;
  auto before = *q.after;
  for (std::size_t i = 0; i < positions.size(); ++i) {
    if (positions[i] <= before) return "line " + std::to_string(i + 1) + ": positions must rise";
    before = positions[i];
    const auto at = door.shard_of(parsed.accepted->messages[i].key).value;
    if (at != *q.shard)
      return "line " + std::to_string(i + 1) + ": its key lies in shard " + std::to_string(at) +
             "; a batch is for one shard";
  }
  return {};
}

}  // namespace

void answer_sources(ingress& door, const http_request& request, unix_ms now, http_respond respond) {
  const auto name = std::string_view{request.path}.substr(sources_prefix.size());
  if (!is_name(name))
    return respond(http_problem(404, "a source is /v1/sources/{name}: 1 to 64 letters, digits, '_', '.' or '-'"));
  const bool posts = request.method == "POST";
  if (!posts && request.method != "GET") {
    auto refusal = http_problem(405, "this route does not take the method of the request; Allow names what it takes");
    refusal.headers.emplace_back("Allow", "GET, HEAD, POST");
    return respond(std::move(refusal));
  }
  const auto q = parse(request.query);
  if (!q.problem.empty()) return respond(http_problem(400, q.problem));
  if (*q.shard >= door.cluster().shards)
    return respond(http_problem(404, "a shard is a number below " + std::to_string(door.cluster().shards)));
  const shard_id shard{static_cast<std::uint32_t>(*q.shard)};
  sequenced_batch batch;
  batch.source = std::string{name}.append(1, '/').append(q.history);
  if (!posts) {
    return door.submit_sequenced(shard, std::move(batch), [respond = std::move(respond)](sequenced_answer a) {
      if (!a.known) return respond(http_problem(503, "no owner of the shard answered in time"));
      respond(answer(200, a, nullptr));
    });
  }
  if (!q.after) return respond(http_problem(400, "parameter after must be the position before the first message"));
  if (!request.content_type.starts_with("application/x-ndjson"))
    return respond(http_problem(415, "content type must be application/x-ndjson: one message per line"));
  std::vector<std::uint64_t> positions;
  auto parsed = parse_json_batch(request.body, now, parse_traceparent(request.traceparent), &positions);
  if (!parsed || parsed->accepted->messages.size() > limits::frame_messages)
    return respond(http_problem(413, "the batch has more than " + std::to_string(limits::frame_messages) +
                                         " lines; nothing of it was taken, send it in parts"));
  if (parsed->accepted->messages.size() > 1 && parsed->accepted->bytes.size() > limits::frame_bytes)
    return respond(http_problem(413, "the messages of the batch are larger than " +
                                         std::to_string(limits::frame_bytes) +
                                         " bytes together; nothing of it was taken, send it in parts"));
  if (auto wrong = problem_of(door, q, *parsed, positions); !wrong.empty()) return respond(http_problem(400, wrong));
  if (*q.after != 0) batch.follows = {line, *q.after};
  for (auto p : positions) batch.positions.push_back({line, p});
  batch.messages = parsed->accepted;
  door.submit_sequenced(
      shard, std::move(batch), [messages = parsed->accepted, respond = std::move(respond)](sequenced_answer a) {
        const bool follows = std::none_of(a.results.begin(), a.results.end(), [](const message_result& r) {
          return r.code == reason_code::out_of_sequence || r.code == reason_code::position_reused;
        });
        respond(answer(!a.known ? 503 : follows ? 200 : 409, a, messages.get()));
      });
}

}  // namespace pawl
