#include "tests/cluster/order_ledger.hpp"

#include "tests/cluster/order_events.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace pawl::testing {
namespace {

constexpr std::string_view order_field = "eorder/";
constexpr std::size_t examples_max = 5;

std::string name_of(std::uint32_t shard, const std::string& rest) {
  return "pawl:test:{" + std::to_string(shard) + "}:" + rest;
}

/// version:u8 last_seq:varint state (msgpack)
stored_order decoded(std::string_view blob) {
  std::size_t at = 1;
  while (at < blob.size() && (blob[at] & 0x80) != 0) ++at;
  if (blob.size() < at + 2 || blob[0] != 1) throw std::runtime_error("a stored order is damaged");
  const auto state = nlohmann::json::from_msgpack(blob.begin() + static_cast<std::ptrdiff_t>(at) + 1, blob.end());
  return {state.at("status").get<std::string>(), state.at("events").get<std::uint64_t>(),
          state.at("chain").get<std::string>()};
}

std::string described(const stored_order& o) {
  return std::to_string(o.events) + " events, chain " + o.chain + ", status " + o.status;
}

}  // namespace

std::map<std::string, stored_order> stored_orders(const redis_server& store, std::uint32_t shards) {
  std::map<std::string, stored_order> out;
  for (std::uint32_t shard = 0; shard < shards; ++shard) {
    const auto token = store.ask({"HGET", name_of(shard, "rec"), "tok"}).text;
    const auto data = store.hash(name_of(shard, token + ":s"));
    if (token.empty() || data.empty() || store.ask({"EXISTS", name_of(shard, "own:" + token)}).integer != 1)
      throw std::runtime_error("shard " + std::to_string(shard) + ": the record names token '" + token +
                               "', which is not live or has no data");
    for (const auto& [field, value] : data)
      if (field.starts_with(order_field)) out[field.substr(order_field.size())] = decoded(value);
  }
  return out;
}

std::vector<std::string> dead_names(const redis_server& store) {
  auto names = store.keys("pawl:test:{*}:*:s");
  std::erase_if(names, [&](const std::string& name) {
    const auto brace = name.find("}:") + 2;
    const auto token = name.substr(brace, name.size() - brace - 2);
    return store.ask({"EXISTS", name.substr(0, brace) + "own:" + token}).integer == 1;
  });
  return names;
}

verdict judge(const std::map<std::string, std::uint64_t>& sent, const std::map<std::string, stored_order>& stored) {
  verdict out;
  const auto note = [&](std::string what) {
    if (out.examples.size() < examples_max) out.examples.push_back(std::move(what));
  };
  for (const auto& [key, events] : sent) {
    out.events += events;
    const auto found = stored.find(key);
    const auto is = found == stored.end() ? stored_order{"none", 0, expected_order{}.chain} : found->second;
    const auto should = replay(key, events);
    if (is.events == events && is.chain == should.chain && is.status == should.status) continue;
    if (is.events < events) out.lost += events - is.events;
    else if (is.events > events) out.twice += is.events - events;
    else ++out.out_of_order;
    note(key + " has " + described(is) + "; must have " + described({should.status, should.events, should.chain}));
  }
  for (const auto& [key, order] : stored) {
    if (sent.contains(key)) continue;
    ++out.invented;
    note(key + " was never sent and has " + described(order));
  }
  return out;
}

std::ostream& operator<<(std::ostream& out, const verdict& v) {
  out << "lost " << v.lost << ", twice " << v.twice << ", out of order " << v.out_of_order << ", invented "
      << v.invented << " of " << v.events << " events";
  for (const auto& e : v.examples) out << "\n  " << e;
  return out;
}

}  // namespace pawl::testing
