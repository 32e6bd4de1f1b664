#include "tests/bench/http_load.hpp"

#include "persistence/codec.hpp"
#include "tests/bench/accounts.hpp"
#include "tests/bench/bench_order.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <stdexcept>

namespace pawl::bench {
namespace {

using nlohmann::json;

std::string json_of(std::string_view payload) {
  OrderEvent e;
  std::string error;
  if (!decode_msgpack(payload, e, error)) throw std::runtime_error(error);
  return json{{"status", e.status}, {"amount", e.amount}, {"note", e.note}, {"pause_us", e.pause_us}}.dump();
}

/// The state of an entity as the door shows it, encoded as it is stored; empty: there is none.
std::string state_in(const door_connections::answer& a) {
  if (a.status == 404) return {};
  if (a.status != 200) throw std::runtime_error("a read was answered " + std::to_string(a.status));
  const auto shown = json::parse(a.body).at("state");
  const OrderState o{shown.at("status"), shown.at("note"), shown.at("total"), shown.at("count"), shown.at("chain")};
  std::string out;
  encode_msgpack(o, out);
  return out;
}

/// The text between the quotes behind `name`, in one line of an answer.
std::string_view field(std::string_view line, std::string_view name) {
  const auto at = line.find(name);
  if (at == line.npos) return {};
  const auto rest = line.substr(at + name.size());
  return rest.substr(0, rest.find('"'));
}

}  // namespace

http_load::http_load(std::uint16_t port, const workload_options& w, const load_options& l, std::uint32_t senders)
    : port_(port), options_(l) {
  auto own = w;
  own.orders = std::max(1U, w.orders / senders);
  own.messages = w.messages / senders;
  for (std::uint32_t i = 0; i < senders; ++i) {
    own.prefix = w.prefix + std::to_string(i) + "-";
    senders_.push_back(std::make_unique<sender>(own));
  }
  for (std::uint32_t n = 0; n < workload::payload_variants; ++n)
    payloads_.push_back(json_of(senders_.front()->work.payload({0, n})));
}

json http_load::run() {
  std::size_t open = 0;
  door_connections connections{[&](const door_connections::answer& a) {
    auto& s = *senders_[a.ticket];
    take(s, a.status, a.body);
    if (s.sent < s.work.events().size()) send(a.ticket);
    else --open;
  }};
  connections_ = &connections;
  stamp_ = std::to_string(wall_now());
  const auto cpu = own_cpu_seconds();
  const auto began = bench_clock::now();
  for (std::size_t i = 0; i < senders_.size(); ++i) {
    ++open;
    send(i);
  }
  while (open > 0) connections.poll(std::chrono::seconds{1});
  const std::chrono::duration<double> seconds = bench_clock::now() - began;
  const auto cpu_used = own_cpu_seconds() - cpu;
  connections_ = nullptr;

  std::uint64_t messages = 0, resolved = 0;
  std::vector<float> waits;
  for (const auto& s : senders_) {
    s->results.add_latencies(0, waits);
    messages += s->work.events().size();
    resolved += s->results.count(outcomes::kind::applied) + s->results.count(outcomes::kind::duplicate);
    if (turned_away_.empty() && s->results.count(outcomes::kind::applied) != s->work.distinct())
      throw std::runtime_error("not every message was answered `applied` once");
  }
  return {{"seconds", seconds.count()},
          {"cpu_s", cpu_used},
          {"messages", messages},
          {"resolved", resolved},
          {"rate", static_cast<double>(resolved) / seconds.count()},
          {"offered_rate", static_cast<double>(messages) / seconds.count()},
          {"turned_away", turned_away_},
          {"latency_ms", latency_ms(std::move(waits))}};
}

void http_load::send(std::size_t index) {
  auto& s = *senders_[index];
  s.under_way = std::min(options_.batch, s.work.events().size() - s.sent);
  body_.clear();
  for (auto i = s.sent; i < s.sent + s.under_way; ++i) {
    const auto& e = s.work.events()[i];
    s.words.put(e);
    body_.append(R"({"type":"order","key":")").append(s.words.key());
    body_.append(R"(","message":"OrderEvent","id":")").append(s.words.id());
    body_.append(R"(","sent_at":)").append(stamp_);
    body_.append(R"(,"payload":)").append(payloads_[e.number % payloads_.size()]).append("}\n");
  }
  s.since = bench_clock::now();
  connections_->post_batch(port_, body_, index);
}

void http_load::take(sender& s, int status, std::string_view body) {
  const auto waited = bench_clock::now() - s.since;
  if (status != 200 && status != 429 && status != 503)
    throw std::runtime_error("a batch was answered with status " + std::to_string(status));
  for (auto end = s.sent + s.under_way; s.sent < end; ++s.sent) {
    auto kind = outcomes::kind::turned_away;
    if (status != 200) {
      ++turned_away_["http_" + std::to_string(status)];
    } else {
      const auto line = body.substr(0, body.find('\n'));
      body.remove_prefix(std::min(line.size() + 1, body.size()));
      const auto result = field(line, R"("result":")");
      if (result == "applied") kind = outcomes::kind::applied;
      else if (result == "duplicate") kind = outcomes::kind::duplicate;
      else if (result == "busy" || result == "blocked") ++turned_away_[std::string{field(line, R"("code":")")}];
      else throw std::runtime_error("a message was answered: " + std::string{line});
    }
    s.results.set(s.sent, kind, waited);
  }
}

std::size_t http_load::check() {
  ledger book;
  for (const auto& s : senders_) book.take(s->work, s->results.applied());
  constexpr std::size_t reads_at_once = 64;
  std::size_t wrong = 0, asked = 0, answered = 0;
  door_connections connections{[&](const door_connections::answer& a) {
    ++answered;
    if (!book.right(a.ticket, state_in(a))) ++wrong;
  }};
  while (answered < book.orders()) {
    for (; asked < book.orders() && asked - answered < reads_at_once; ++asked)
      connections.get(port_, "/v1/entities/order/" + book.key(asked), asked);
    connections.poll(std::chrono::seconds{1});
  }
  if (wrong != 0) throw std::runtime_error(std::to_string(wrong) + " orders are not what they must be");
  return book.orders();
}

}  // namespace pawl::bench
