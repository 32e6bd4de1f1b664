// The hot path by itself, in one thread: batches go in at the door's side, through lanes, shards and batches, to the
// bytes of commits, which a store without a network confirms; results come back. Two figures that do not depend on what
// else a machine does:
//
//   - instructions per message of the benchmark's orders, counted by callgrind (scripts/hot-path);
//   - allocations per message, with an entity whose own members need none.
//
// What it leaves out: actors, sockets, Redis, and the JSON of the HTTP door.
#include "actors/entity.hpp"
#include "actors/request.hpp"
#include "actors/shard_seat.hpp"
#include "persistence/frontier.hpp"
#include "tests/bench/bench_order.hpp"
#include "tests/bench/workload.hpp"
#include "tests/unit/persistence/count_allocations.hpp"

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace pawl::bench {
namespace {

constexpr std::uint32_t shards = 8;
constexpr std::size_t batch_messages = 512;
const dataset_id dataset{1};
/// Vectors of a batch, a frame, a commit: all that the runtime may allocate, spread over the messages of a commit.
constexpr double allocations_max = 0.75;

struct Count {
  std::int64_t by = 0;
  PAWL_MESSAGE(Count, by)
};
struct Tally {
  std::int64_t sum = 0;
  PAWL_STATE(sum)
};
entity_type tally() {
  return entity<Tally>("tally").on([](Tally& t, const Count& m) { t.sum += m.by; });
}

/// A node of one member and a store that does at once what it is told, and remembers nothing but who owns what.
class bench_node : public seat_host {
public:
  explicit bench_node(const entity_catalog& catalog) {
    frontier first;
    first.dataset = dataset;
    frontier_ = encode(first);
    view v;
    v.number = {1};
    v.members.push_back({{"n1", 1}, member_state::up, {}, {}, 0});
    auto table = std::make_shared<const placement>(v, shards);
    for (std::uint32_t s = 0; s < shards; ++s) {
      metrics_.push_back(std::make_unique<shard_metrics>(catalog.types.size()));
      seats_.push_back(std::make_unique<shard_seat>(
          shard_id{s}, seat_policy{}, dataset, catalog, *metrics_.back(),
          [this] { return fencing_token{std::to_string(++tokens_) + "-n1"}; }, static_cast<seat_host&>(*this)));
      seats_.back()->on_connection(1);
      seats_.back()->on_placement(table, {"n1", 1});
    }
    run_store();
  }

  void submit(std::shared_ptr<const message_block> batch, std::function<void(std::vector<message_result>)> done) {
    auto request = std::make_shared<pending_request>(std::move(batch), std::move(done));
    for (auto& part : request_parts::of(request, shards)) seats_[part.shard.value]->submit({&part.messages, 1});
    run_store();
  }

private:
  instant now() const override { return {steady_time{std::chrono::hours{1}}, 1'800'000'000'000}; }
  void send(std::vector<shard_command> commands) override {
    for (auto& c : commands) commands_.push_back(std::move(c));
  }
  void send(link_number, peer_message) override {}
  std::optional<link_number> link_to(const member_id&) const override { return std::nullopt; }
  std::optional<link_number> any_link_to(const member_id&) const override { return std::nullopt; }
  void want_view(view_number) override {}
  bool may_move(shard_id) override { return true; }
  void moved(shard_id) override {}
  void note(shard_id, const shard_effects::note&) override {}
  void relay(shard_id, frame) override {}
  void watch_inbox(shard_id, std::optional<entry_id>) override {}

  void run_store() {
    while (!commands_.empty()) {
      auto c = std::move(commands_.front());
      commands_.pop_front();
      shard_answer a;
      a.shard = c.shard;
      a.ticket = c.ticket;
      a.outcome = store_outcome::done;
      if (std::holds_alternative<read_record>(c.operation)) {
        claim_record r;
        r.token = fencing_token{"0-init"};
        r.released = true;
        a.body = record_answer{r};
      } else if (std::holds_alternative<claim_shard>(c.operation)) {
        claim_answer claimed;
        claimed.frontier = frontier_;
        a.body = claimed;
      } else if (const auto* load = std::get_if<load_fields>(&c.operation)) {
        a.body = load_answer{std::vector<std::optional<std::string>>(load->fields.size())};
      } else if (std::holds_alternative<commit_fields>(c.operation)) {
        a.body = commit_answer{};
      }
      std::vector<shard_answer> one;
      one.push_back(std::move(a));
      seats_[c.shard.value]->on_store_answers(std::move(one));
    }
  }

  std::string frontier_;
  std::uint64_t tokens_ = 0;
  std::vector<std::unique_ptr<shard_metrics>> metrics_;
  std::vector<std::unique_ptr<shard_seat>> seats_;
  std::deque<shard_command> commands_;
};

using blocks = std::vector<std::shared_ptr<const message_block>>;

/// Returns how many were applied.
std::uint64_t run(bench_node& node, const blocks& work) {
  std::uint64_t applied = 0;
  for (const auto& batch : work)
    node.submit(batch, [&applied](const std::vector<message_result>& results) {
      for (const auto& r : results) applied += r.kind == result_kind::applied;
    });
  return applied;
}

/// What is counted: nothing but this function and what it calls, by its name.
__attribute__((noinline)) std::uint64_t counted_run(bench_node& node, const blocks& work) { return run(node, work); }

blocks order_events(const workload& source) {
  workload::words words{source};
  blocks out;
  message_builder b;
  for (const auto& e : source.events()) {
    words.put(e);
    b.add({"order", words.key(), "OrderEvent", words.id(), source.payload(e), 1'700'000'000'000});
    if (b.size() == batch_messages) out.push_back(b.finish());
  }
  return out;
}

/// `first`: number of the first message, so that ids are not used twice.
blocks counts(std::uint64_t first, std::uint64_t messages) {
  std::string payload;
  encode_msgpack(Count{.by = 1}, payload);
  blocks out;
  message_builder b;
  for (auto n = first; n < first + messages; ++n) {
    b.add({"tally", "t-" + std::to_string(n % 100), "Count", std::to_string(n), payload, 1'700'000'000'000});
    if (b.size() == batch_messages) out.push_back(b.finish());
  }
  return out;
}

bool as_expected(const char* what, std::uint64_t applied, std::uint64_t expected) {
  if (applied == expected) return true;
  std::fprintf(stderr, "hot path: %llu of %llu %s were applied\n", static_cast<unsigned long long>(applied),
               static_cast<unsigned long long>(expected), what);
  return false;
}

}  // namespace
}  // namespace pawl::bench

int main(int argc, char** argv) {
  using namespace pawl;
  using namespace pawl::bench;
  const auto messages = (argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 40) * batch_messages;
  const entity_catalog catalog{{bench_order(), tally()}, message_digester{{1, 2, 3}}, 1024 * 1024};
  bench_node node{catalog};

  // As many again before: then entities are in memory, and buffers have their size.
  workload_options orders;
  orders.orders = 100;
  orders.messages = messages;
  const workload warm_up{orders};
  orders.tag = "again-";
  const workload source{orders};
  auto applied = run(node, order_events(warm_up));
  applied += counted_run(node, order_events(source));
  if (!as_expected("order events", applied, warm_up.distinct() + source.distinct())) return 1;

  applied = run(node, counts(0, messages));
  const auto work = counts(messages, messages);
  const auto before = test::allocations;
  applied += run(node, work);
  const auto each = static_cast<double>(test::allocations - before) / static_cast<double>(messages);
  if (!as_expected("counts", applied, 2 * messages)) return 1;
  std::printf("%llu messages, %.2f allocations each\n", messages, each);
  if (each <= allocations_max) return 0;
  std::fprintf(stderr, "hot path: more than %.2f allocations per message\n", allocations_max);
  return 1;
}
