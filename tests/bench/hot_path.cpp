// The hot path by itself, in one thread: batches go in at the door's side, through lanes, shards and batches, to the
// bytes of commits, which a store without a network confirms; results come back. Run under callgrind by
// `./dev bench hot-path`, it counts instructions per message, which do not depend on what else a machine does.
//
// What it leaves out: actors, sockets, Redis, and the JSON of the HTTP door.
#include "actors/request.hpp"
#include "actors/shard_seat.hpp"
#include "examples/order_workflow/order.hpp"
#include "persistence/frontier.hpp"
#include "tests/bench/workload.hpp"

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
      metrics_.push_back(std::make_unique<shard_metrics>(1));
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
  [[nodiscard]] std::uint64_t commits() const noexcept { return commits_; }

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
        ++commits_;
        a.body = commit_answer{};
      }
      std::vector<shard_answer> one;
      one.push_back(std::move(a));
      seats_[c.shard.value]->on_store_answers(std::move(one));
    }
  }

  std::string frontier_;
  std::uint64_t tokens_ = 0;
  std::uint64_t commits_ = 0;
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

blocks take(workload& source, std::uint64_t messages) {
  blocks out;
  for (std::uint64_t n = 0; n < messages; n += out.back()->messages.size()) out.push_back(source.next(batch_messages));
  return out;
}

}  // namespace
}  // namespace pawl::bench

int main(int argc, char** argv) {
  using namespace pawl;
  using namespace pawl::bench;
  const auto batches = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 40;
  const auto messages = batches * batch_messages;
  const entity_catalog catalog{{order_workflow::order()}, message_digester{{1, 2, 3}}, 1024 * 1024};
  bench_node node{catalog};
  workload source{{.orders = 100, .messages = 2 * messages}};
  // As many again before: then entities are in memory, and buffers have their size.
  auto applied = run(node, take(source, messages));
  const auto commits = node.commits();
  applied += counted_run(node, take(source, messages));
  std::printf("%llu messages in %llu commits\n", messages, static_cast<unsigned long long>(node.commits() - commits));
  if (applied == source.distinct()) return 0;
  std::fprintf(stderr, "hot path: %llu of %llu messages were applied\n", static_cast<unsigned long long>(applied),
               static_cast<unsigned long long>(source.distinct()));
  return 1;
}
