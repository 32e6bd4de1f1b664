#pragma once

#include "persistence/frontier.hpp"
#include "persistence/shard_store.hpp"
#include "tests/sim/stream.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <variant>

namespace pawl::test {

/// One shard's part of a store, in memory: what persistence/shard_store.hpp asks for, executed at once and as a whole.
/// Whoever drives it decides when a command is executed, and whether its answer arrives.
class fake_store {
public:
  using hash = std::map<std::string, std::string>;

  explicit fake_store(dataset_id dataset) {
    frontier f;
    f.dataset = dataset;
    record.token = fencing_token{"0-init"};
    hashes[record.token][std::string{frontier_field}] = encode(f);
  }

  shard_answer execute(const shard_command& c) {
    shard_answer a;
    a.shard = c.shard;
    a.ticket = c.ticket;
    a.outcome = store_outcome::done;
    std::visit([&](const auto& op) { run(op, a); }, c.operation);
    return a;
  }

  /// The live data.
  [[nodiscard]] hash& data() { return hashes.at(record.token); }
  [[nodiscard]] frontier committed() { return decode_frontier(data().at(std::string{frontier_field})).value(); }

  /// A token that was never used with this store.
  [[nodiscard]] fencing_token mint(const std::string& node) {
    return fencing_token{std::to_string(++tokens) + "-" + node};
  }

  claim_record record;
  std::map<fencing_token, hash> hashes;
  sim::stream inbox;
  bool memory_full = false;
  std::uint64_t tokens = 0;

private:
  [[nodiscard]] bool live(const fencing_token& t) const { return t == record.token; }
  static void refuse(shard_answer& a, store_outcome why) { a.outcome = why; }

  void run(const read_record&, shard_answer& a) { a.body = record_answer{record}; }
  void run(const claim_shard& op, shard_answer& a) {
    claim_answer body;
    if (!live(op.held) || record.view > op.view) {
      body.record = record;
      refuse(a, store_outcome::fenced);
    } else if (auto held = hashes.find(op.held); held == hashes.end()) {
      refuse(a, store_outcome::lost);
    } else {
      auto data_of_shard = std::move(held->second);
      hashes.erase(held);
      record.dead.insert(record.dead.begin(), op.held);
      if (record.dead.size() > 16) record.dead.pop_back();
      record.token = op.fresh;
      record.owner = op.self;
      record.view = op.view;
      record.released = false;
      body.frontier = data_of_shard.at(std::string{frontier_field});
      hashes[op.fresh] = std::move(data_of_shard);
    }
    a.body = std::move(body);
  }
  void run(const load_fields& op, shard_answer& a) {
    load_answer body;
    if (!live(op.token)) {
      refuse(a, store_outcome::fenced);
    } else {
      for (const auto& f : op.fields) {
        auto it = data().find(f);
        body.values.push_back(it == data().end() ? std::nullopt : std::optional{it->second});
      }
    }
    a.body = std::move(body);
  }
  void run(const commit_fields& op, shard_answer& a) {
    a.body = commit_answer{};
    if (memory_full) {
      a.error = store_error::oom;
      return refuse(a, store_outcome::refused);
    }
    for (const auto& [field, value] : *op.fields) hashes[op.token][std::string{field}] = value;
    if (!live(op.token)) refuse(a, store_outcome::unknown);
  }
  void run(const trim_fields& op, shard_answer&) {
    for (const auto& f : op.fields) hashes[op.token].erase(f);
  }
  void run(const read_inbox& op, shard_answer& a) { a.body = inbox.answer(op); }
  void run(const release_shard& op, shard_answer& a) {
    if (live(op.token)) record.released = true;
    else refuse(a, store_outcome::fenced);
  }
  void run(const sweep_token& op, shard_answer& a) {
    if (live(op.dead)) refuse(a, store_outcome::fenced);
    else hashes.erase(op.dead);
  }
};

}  // namespace pawl::test
