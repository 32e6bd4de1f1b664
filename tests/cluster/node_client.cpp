#include "tests/cluster/node_client.hpp"

#include <algorithm>
#include <cstdlib>
#include <httplib.h>
#include <nlohmann/json.hpp>

namespace pawl::testing {
namespace {

using nlohmann::json;

json parsed(std::string_view text) { return json::parse(text.begin(), text.end(), nullptr, false); }

std::string text_of(const json& object, const char* field) {
  const auto found = object.find(field);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

/// A problem report has no result, and so no messages.
std::vector<message_answer> messages_of(std::string_view body) {
  std::vector<message_answer> out;
  while (!body.empty()) {
    const auto line = parsed(body.substr(0, body.find('\n')));
    if (!line.is_object() || !line.contains("result")) return {};
    out.push_back({text_of(line, "id"), text_of(line, "result"), text_of(line, "reason")});
    body.remove_prefix(std::min(body.size(), body.find('\n') == body.npos ? body.size() : body.find('\n') + 1));
  }
  return out;
}

post_answer answer_of(const httplib::Result& r) {
  post_answer out;
  if (!r) return out;
  out.status = r->status;
  out.retry_after = r->has_header("Retry-After");
  out.body = r->body;
  out.messages = messages_of(out.body);
  return out;
}

}  // namespace

node_client::node_client(std::uint16_t port, std::chrono::milliseconds timeout)
    : http_(std::make_unique<httplib::Client>("127.0.0.1", port)) {
  http_->set_keep_alive(true);
  http_->set_tcp_nodelay(true);  // header and body are two writes
  http_->set_connection_timeout(timeout);
  http_->set_read_timeout(timeout);
  http_->set_write_timeout(timeout);
}

node_client::~node_client() = default;
node_client::node_client(node_client&&) noexcept = default;
node_client& node_client::operator=(node_client&&) noexcept = default;

post_answer node_client::post(const std::string& message) {
  return answer_of(http_->Post("/v1/messages", message, "application/json"));
}

post_answer node_client::post_batch(const std::string& lines) {
  return answer_of(http_->Post("/v1/messages", lines, "application/x-ndjson"));
}

std::string node_client::get(const std::string& path) {
  const auto r = http_->Get(path);
  return r ? r->body : std::string{};
}

order_answer node_client::order(const std::string& key) {
  order_answer out;
  const auto r = http_->Get("/v1/entities/order/" + key);
  if (!r) return out;
  out.status = r->status;
  if (out.status != 200) return out;
  const auto entity = json::parse(r->body);
  const auto& state = entity.at("state");
  out.owner = entity.at("owner").get<std::string>();
  out.shard = entity.at("shard").get<std::uint32_t>();
  out.order_status = state.at("status").get<std::string>();
  out.events = state.at("events").get<std::uint64_t>();
  out.chain = state.at("chain").get<std::string>();
  return out;
}

node_status node_client::status() {
  node_status out;
  const auto c = parsed(get("/v1/cluster"));
  if (!c.is_object()) return out;
  out.state = c.at("state").get<std::string>();
  out.incarnation = c.at("incarnation").get<std::uint64_t>();
  out.shards = c.at("shards").get<std::uint32_t>();
  out.shards_owned = c.at("shards_owned").get<std::uint32_t>();
  for (const auto& m : c.at("members")) out.members.push_back(m.at("node").get<std::string>());
  std::sort(out.members.begin(), out.members.end());
  return out;
}

std::vector<shard_row> node_client::shards() {
  std::vector<shard_row> out;
  const auto all = parsed(get("/v1/shards"));
  if (!all.is_object()) return out;
  for (const auto& s : all.at("shards")) out.push_back({text_of(s, "owner"), s.at("queued").get<std::uint64_t>()});
  return out;
}

double node_client::metric(std::string_view sample) {
  const auto text = get("/metrics");
  const auto line = "\n" + std::string{sample} + " ";
  const auto at = text.find(line);
  return at == text.npos ? 0 : std::strtod(text.c_str() + at + line.size(), nullptr);
}

}  // namespace pawl::testing
