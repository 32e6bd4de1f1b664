#include "actors/http/shard_details.hpp"

#include "actors/http/json_text.hpp"
#include "actors/http/number_in.hpp"

#include <optional>
#include <string>
#include <utility>

namespace pawl {
namespace {

void append_text(std::string& out, const char* name, std::string_view value) {
  out.append(",\"").append(name).append("\":");
  append_json_string(out, value);
}
void append_number(std::string& out, const char* name, std::uint64_t value) {
  out.append(",\"").append(name).append("\":").append(std::to_string(value));
}

http_response details(std::uint32_t shard, std::string_view owner, const shard_detail& d) {
  std::string body = R"({"shard":)" + std::to_string(shard);
  append_text(body, "owner", owner);
  append_number(body, "outbox", d.outbox_messages);
  append_number(body, "receivers", d.receivers_waited_for);
  body += R"(,"waiting":[)";
  bool first = true;
  for (const auto& r : d.receivers) {
    body += std::exchange(first, false) ? "" : ",";
    body += R"({"shard":)" + std::to_string(r.receiver.value);
    append_number(body, "messages", r.messages);
    body += r.stopped ? R"(,"stopped":true)" : R"(,"stopped":false)";
    append_text(body, "type", r.to.type);
    append_text(body, "key", r.to.key);
    append_text(body, "message", r.message);
    body += R"(,"sent_at":)" + std::to_string(r.sent_at) + '}';
  }
  body += ']';
  append_number(body, "sources", d.sources_known);
  body += R"(,"taken":[)";
  first = true;
  for (const auto& s : d.sources) {
    body += std::exchange(first, false) ? R"({"source":)" : R"(,{"source":)";
    append_json_string(body, s.source);
    append_number(body, "position", s.taken);
    body += '}';
  }
  body += ']';
  append_number(body, "timers", d.timers);
  if (d.next_timer) body += R"(,"next_timer":)" + std::to_string(*d.next_timer);
  append_number(body, "dead_letters", d.dead_letters);
  return {200, "application/json", body + "}\n", {}};
}

}  // namespace

void answer_shard_details(ingress& door, const http_request& request, http_respond respond) {
  if (request.method != "GET") {
    auto refusal = http_problem(405, "this route does not take the method of the request; Allow names what it takes");
    refusal.headers.emplace_back("Allow", "GET, HEAD");
    return respond(std::move(refusal));
  }
  const auto shard = number_in<std::uint32_t>(std::string_view{request.path}.substr(shards_prefix.size()));
  if (!shard || *shard >= door.cluster().shards)
    return respond(http_problem(404, "a shard is a number below " + std::to_string(door.cluster().shards)));
  door.detail({*shard}, [shard = *shard, respond = std::move(respond)](
                            const std::optional<shard_detail>& d, const std::string& owner, const std::string& reason) {
    respond(d ? details(shard, owner, *d) : http_problem(503, reason));
  });
}

}  // namespace pawl
