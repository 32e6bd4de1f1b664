// The checkout saga of examples/order_workflow, in one process. Orders it takes:
//
//   open    so many accounts, each with money for everything
//   load    so many orders, numbered from `first` on; one in ten is too much for the kitchen. An order is under way
//   until
//           the commit is confirmed that makes it approved or rejected
//   check   reads every order, its ticket and every account
#include "tests/bench/saga_program.hpp"

#include "examples/order_workflow/account.hpp"
#include "examples/order_workflow/checkout.hpp"
#include "examples/order_workflow/ticket.hpp"
#include "persistence/codec.hpp"
#include "tests/bench/accounts.hpp"
#include "tests/bench/door_messages.hpp"
#include "tests/bench/effect_times.hpp"
#include "tests/bench/watched_program.hpp"

#include <charconv>
#include <stdexcept>

namespace pawl::bench {
namespace {

using json = nlohmann::json;
namespace shop = order_workflow;

constexpr shop::cents deposit = 1'000'000'000;
constexpr std::size_t openings_under_way = 4'096;

std::string order_key(std::size_t order) { return "o-" + std::to_string(order); }
std::string customer_key(std::size_t customer) { return "customer-" + std::to_string(customer); }
shop::cents amount_of(std::size_t order) { return 100 + static_cast<shop::cents>(order % 900); }
bool too_much(std::size_t order) { return order % 10 == 9; }

/// The number of an order that reached its final state by this message: it then tells account and ticket.
std::optional<std::uint64_t> final_order(const message& m, const handled& done) {
  if (m.name == "PlaceOrder" || !done.effects || done.effects->sends.empty()) return std::nullopt;
  std::uint64_t number = 0;
  std::from_chars(m.key.data() + 2, m.key.data() + m.key.size(), number);
  return number;
}

template <class State>
std::optional<State> state_in(const entity_answer& a) {
  State s;
  std::string error;
  if (a.kind != entity_answer::status::found || !decode_msgpack(a.state, s, error)) return std::nullopt;
  return s;
}

/// What is told of orders that have become final, of one load after the other.
struct final_orders {
  effect_times* times = nullptr;  ///< set while nothing is under way
  std::uint64_t first = 0;

  void hear(commit_watch::tags orders, bench_clock::time_point now) const {
    for (auto& o : orders) o -= first;
    times->hear(orders, now);
  }
};

class saga_loads {
public:
  saga_loads(local_node& node, final_orders& heard) : node_(node), heard_(heard) {}

  json open(const json& asked) {
    customers_ = asked.at("customers").get<std::size_t>();
    std::string payload;
    encode_msgpack(shop::Deposit{deposit}, payload);
    flow under_way{openings_under_way};
    hand_in(node_.door(), customers_, under_way, leaves::answered, [&](std::size_t c) {
      return outgoing{"account", customer_key(c), "Deposit", "deposit", payload};
    });
    return json::object();
  }

  json load(const json& asked) {
    const auto sagas = asked.at("sagas").get<std::size_t>();
    const auto first = orders_;
    flow under_way{asked.at("window").get<std::size_t>()};
    effect_times times{sagas, under_way};
    heard_ = {&times, first};
    std::vector<bench_clock::time_point> placed(sagas);
    const auto cpu = own_cpu_seconds();
    const auto began = bench_clock::now();
    hand_in(
        node_.door(), sagas, under_way, leaves::elsewhere, [&](std::size_t i) { return order(first + i); },
        [&](std::size_t i) { placed[i] = bench_clock::now(); });
    under_way.wait_empty();
    auto figures = load_account(sagas, began, cpu);
    figures["latency_ms"] = times.latency(0, [&](std::size_t i) { return placed[i]; });
    // What follows the final state, captures and confirmations, belongs to the saga's cost.
    node_.await_quiet();
    figures["cpu_s"] = own_cpu_seconds() - cpu;
    orders_ += sagas;
    return figures;
  }

  json check(const json&) {
    node_.await_quiet();
    if (node_.dead_letters() != 0) throw std::runtime_error("there are dead letters");
    check_entities(node_.door(), "checkout", orders_, order_key, [](std::size_t o, const entity_answer& a) {
      const auto c = state_in<shop::Checkout>(a);
      return c && c->status == (too_much(o) ? "rejected" : "approved") && a.timers.empty();
    });
    check_entities(node_.door(), "ticket", orders_, order_key, [](std::size_t o, const entity_answer& a) {
      const auto t = state_in<shop::Ticket>(a);
      return t && t->status == (too_much(o) ? "declined" : "confirmed");
    });
    std::vector<shop::cents> captured(customers_);
    for (std::size_t o = 0; o < orders_; ++o)
      if (!too_much(o)) captured[o % customers_] += amount_of(o);
    check_entities(node_.door(), "account", customers_, customer_key, [&](std::size_t c, const entity_answer& a) {
      const auto s = state_in<shop::Account>(a);
      return s && s->held.empty() && s->captured == captured[c] && s->balance == deposit - captured[c];
    });
    return {{"orders", orders_}};
  }

private:
  outgoing order(std::size_t o) const {
    shop::PlaceOrder m;
    m.customer = customer_key(o % customers_);
    m.amount = amount_of(o);
    m.items = too_much(o) ? shop::kitchen_items_max + 1 : 3;
    std::string payload;
    encode_msgpack(m, payload);
    return {"checkout", order_key(o), "PlaceOrder", "place", std::move(payload)};
  }

  local_node& node_;
  final_orders& heard_;
  std::size_t customers_ = 0;
  std::size_t orders_ = 0;
};

}  // namespace

int saga_program(int argc, char** argv) {
  final_orders heard;
  commit_watch watch{[&](const commit_watch::tags& orders, bench_clock::time_point now) { heard.hear(orders, now); }};
  return serve_watched(argc, argv, "A node that works through checkouts; takes orders on standard input",
                       {watch.watched(shop::checkout(), final_order), shop::account(), shop::ticket()}, watch,
                       [&](watched_node n, dialogue& orders) {
                         auto loads = std::make_shared<saga_loads>(n.node, heard);
                         orders.on("open", [loads](const json& asked) { return loads->open(asked); });
                         orders.on("load", [loads](const json& asked) { return loads->load(asked); });
                         orders.on("check", [loads](const json& asked) { return loads->check(asked); });
                       });
}

}  // namespace pawl::bench
