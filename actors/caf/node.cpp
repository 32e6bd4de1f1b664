#include "actors/caf/node.hpp"

#include "actors/caf/host.hpp"
#include "actors/caf/member_actor.hpp"
#include "actors/caf/messages.hpp"
#include "actors/caf/peer_link.hpp"
#include "actors/caf/shard_actor.hpp"
#include "actors/request.hpp"
#include "actors/sequenced_call.hpp"
#include "actors/verdicts.hpp"
#include "cluster/invariant.hpp"
#include "cluster/shard_map.hpp"
#include "metrics/log.hpp"

#include <caf/io/all.hpp>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <iterator>
#include <random>
#include <thread>
#include <utility>

namespace pawl {

instant clock_now() {
  using namespace std::chrono;
  return {steady_clock::now(), duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count()};
}

fencing_token mint_token(const std::string& node) {
  // Uniqueness is by these 128 bits from the system's source; the counter is for people who read the keys.
  static std::atomic<std::uint64_t> counter{0};
  thread_local std::random_device source;
  static constexpr char digits[] = "0123456789abcdef";
  std::string text = std::to_string(counter.fetch_add(1) + 1) + "-" + node + "-";
  for (int word = 0; word < 4; ++word) {
    std::uint32_t bits = source();
    for (int i = 0; i < 8; ++i, bits >>= 4) text.push_back(digits[bits & 15]);
  }
  return fencing_token{std::move(text)};
}

void stop_on_exception(const char* actor, const std::exception_ptr& why) {
  std::string text = "unknown exception";
  try {
    std::rethrow_exception(why);
  } catch (const std::exception& e) {
    text = e.what();
  } catch (...) {
  }
  log::error("exception in an actor, stopping", {{"actor", actor}, {"what", text}});
  std::abort();
}

namespace {

struct actor_config : caf::actor_system_config {
  explicit actor_config(std::size_t threads) {
    load<caf::io::middleman>();
    // Work stealing polls and sleeps up to 10 ms when idle; one shared queue wakes a worker at once.
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", threads);
    set("middleman.workers", std::size_t{0});
  }
};

}  // namespace

std::size_t worker_threads(const node_options& o) {
  if (o.threads != 0) return o.threads;
  return std::max<std::size_t>(2, std::thread::hardware_concurrency());
}

struct node::implementation {
  implementation(node_options options, entity_catalog catalog, json_reader from_json, dataset_id dataset,
                 std::uint32_t shards, node_metrics& metrics)
      : host(std::move(options), std::move(catalog), std::move(from_json), dataset, shards, metrics),
        words(shards),
        config(host.threads),
        system(config) {}

  // CAF waits for the end of detached actors, which is that nobody holds on to them.
  ~implementation() { host.member_handle = nullptr; }

  void ask(shard_id shard, shard_question about, reader::callback done) {
    PAWL_INVARIANT(shard.value < host.shards, "a shard of the dataset is asked");
    caf::anon_send(host.shard_handles[shard.value], read_msg{std::move(about), std::move(done)});
  }

  node_host host;
  std::vector<std::atomic<std::uint64_t>> words;  ///< of each shard's claim, as last heard by a sequenced batch
  actor_config config;
  caf::actor_system system;
  caf::actor acceptor;
  std::uint16_t peer_port = 0;
  std::vector<bool> lanes_up{false};  ///< by number of the store's connection; of the store's thread, once started
  bool stopped = false;
};

node::node(node_options options, entity_catalog catalog, json_reader from_json, dataset_id dataset,
           std::uint32_t shards, node_metrics& metrics, std::function<void(std::string)> on_end)
    : impl_(std::make_unique<implementation>(std::move(options), std::move(catalog), std::move(from_json), dataset,
                                             shards, metrics)) {
  impl_->host.on_end = std::move(on_end);
  for (std::uint32_t s = 0; s < shards; ++s)
    impl_->host.shard_handles.push_back(impl_->system.spawn<shard_actor>(impl_->host, shard_id{s}));
}

node::~node() { stop(); }

std::string node::listen() {
  auto door = listen_for_peers(impl_->system, impl_->host);
  impl_->acceptor = door.acceptor;
  impl_->peer_port = door.port;
  return door.error;
}

std::uint16_t node::peer_port() const noexcept { return impl_->peer_port; }

shard_store_handlers node::shard_handlers() {
  auto* host = &impl_->host;
  auto* lanes = &impl_->lanes_up;
  shard_store_handlers h;
  h.on_answers = [host](std::vector<shard_answer> answers) {
    // One message per shard, its answers in order.
    std::stable_sort(answers.begin(), answers.end(),
                     [](const shard_answer& x, const shard_answer& y) { return x.shard.value < y.shard.value; });
    for (auto at = answers.begin(); at != answers.end();) {
      auto end = std::find_if(at, answers.end(), [at](const shard_answer& a) { return a.shard != at->shard; });
      shard_answers_msg part{{std::make_move_iterator(at), std::make_move_iterator(end)}};
      caf::anon_send(host->shard_handles[at->shard.value], std::move(part));
      at = end;
    }
  };
  h.on_connection = [host, lanes](store_connection c) {
    log::info(c.number != 0 ? "store connection up" : "store connection down", {{"lane", std::to_string(c.lane)}});
    (*lanes)[c.lane] = c.number != 0;
    bool all = std::find(lanes->begin(), lanes->end(), false) == lanes->end();
    host->store_up = all;
    host->metrics.store_up = all ? 1 : 0;
    if (c.number != 0) host->metrics.store_reconnects.fetch_add(1);
    for (auto s = c.lane; s < host->shards; s += static_cast<std::uint32_t>(lanes->size()))
      caf::anon_send(host->shard_handles[s], store_connection_msg{c});
  };
  h.on_inbox = [host](shard_id s) { caf::anon_send(host->shard_handles[s.value], inbox_msg{}); };
  return h;
}

member_store_handlers node::member_handlers() {
  auto* host = &impl_->host;
  member_store_handlers h;
  h.on_answer = [host](member_answer a) { caf::anon_send(host->member_handle, member_answer_msg{std::move(a)}); };
  h.on_connection = [host](bool up) { caf::anon_send(host->member_handle, member_connection_msg{up}); };
  h.on_change = [host](view_change c) { caf::anon_send(host->member_handle, view_change_msg{std::move(c)}); };
  return h;
}

void node::start(shard_store& shards, member_store& members, inbox_watch& inboxes, std::uint32_t store_lanes,
                 const std::string& http_address) {
  auto& host = impl_->host;
  host.store = &shards;
  host.members = &members;
  host.inboxes = &inboxes;
  impl_->lanes_up.assign(store_lanes, false);
  auto name = host.options.advertise.empty() ? host.options.peer_address : host.options.advertise;
  // On a thread of its own: it tells when all workers are stuck.
  host.member_handle = impl_->system.spawn<member_actor, caf::detached>(
      host, name + ":" + std::to_string(impl_->peer_port), http_address);
}

void node::drain() {
  if (impl_->host.member_handle) caf::anon_send(impl_->host.member_handle, drain_msg{});
}

void node::stop() {
  if (std::exchange(impl_->stopped, true)) return;
  auto& host = impl_->host;
  if (host.member_handle) caf::anon_send(host.member_handle, close_msg{});
  if (impl_->acceptor) caf::anon_send(impl_->acceptor, close_msg{});
  host.links.close();
  for (const auto& shard : host.shard_handles) caf::anon_send(shard, close_msg{});
  impl_->system.await_all_actors_done();
}

namespace {

/// All of it: a later message of a key must not get ahead of an earlier one.
void turn_away(const submission& s) {
  std::vector<indexed_result> results;
  results.reserve(s.indexes.size());
  for (auto index : s.indexes) results.push_back({index, shard_full()});
  s.request->answer(results);
}

}  // namespace

void node::submit(std::shared_ptr<const message_block> batch, std::function<void(std::vector<message_result>)> done) {
  const queue_load load{batch->messages.size(), batch->bytes.size()};
  if (load.messages == 0) return done({});
  auto& host = impl_->host;
  if (!host.room.enter(load)) return done(std::vector<message_result>(load.messages, node_full()));
  // Messages leave one by one, so that one that stands still does not keep the room of those beside it; their bytes
  // stay until the last has its result.
  auto finished = [&room = host.room, load, done = std::move(done)](std::vector<message_result> results) {
    room.leave({0, load.bytes});
    done(std::move(results));
  };
  auto answered = [&room = host.room](std::size_t messages) { room.leave({messages, 0}); };
  auto request = std::make_shared<pending_request>(std::move(batch), std::move(finished), answered);
  const auto left = host.room.left();
  const queue_load most{std::min(host.options.shard_queue_messages, left.messages),
                        std::min(host.options.shard_queue_bytes, left.bytes)};
  for (auto& part : request_parts::of(request, host.shards)) {
    const auto shard = part.shard.value;
    const auto behind = host.sights[shard].in_lane.load(std::memory_order_relaxed);
    switch (host.boxes[shard].put(part.messages, behind, most)) {
    case submission_box::outcome::put: break;
    case submission_box::outcome::first: caf::anon_send(host.shard_handles[shard], submitted_msg{}); break;
    case submission_box::outcome::full: turn_away(part.messages); break;
    }
  }
}

void node::submit_sequenced(shard_id shard, sequenced_batch batch, std::function<void(sequenced_answer)> done) {
  auto* impl = impl_.get();
  PAWL_INVARIANT(shard.value < impl->host.shards, "a batch is for a shard of the dataset");
  auto& word = impl->words[shard.value];
  auto carry = [impl, shard](frame f, courier::callback answered) {
    caf::anon_send(impl->host.shard_handles[shard.value], carry_msg{std::move(f), std::move(answered)});
  };
  auto heard = [&word](std::uint64_t now) { word.store(now, std::memory_order_relaxed); };
  std::make_shared<sequenced_call>(shard, std::move(batch), std::move(carry), std::move(heard), std::move(done))
      ->start(word.load(std::memory_order_relaxed));
}

void node::read(entity_id id, std::function<void(entity_answer)> done) {
  const auto shard = pawl::shard_of(id.key, impl_->host.shards);
  impl_->ask(shard, std::move(id), [done = std::move(done)](read_answer a) { done(std::move(a.answer)); });
}

void node::letters(shard_id shard, letter_query query,
                   std::function<void(std::optional<letter_page>, std::string)> done) {
  impl_->ask(shard, query, [done = std::move(done)](read_answer a) {
    if (a.answer.kind == entity_answer::status::unavailable) done(std::nullopt, std::move(a.answer.reason));
    else done(std::move(a.letters), {});
  });
}

void node::act_on_letter(shard_id shard, letter_action action, std::function<void(entity_answer)> done) {
  impl_->ask(shard, action, [done = std::move(done)](read_answer a) { done(std::move(a.answer)); });
}

void node::detail(shard_id shard, std::function<void(std::optional<shard_detail>, std::string, std::string)> done) {
  impl_->ask(shard, shard_query{}, [done = std::move(done)](read_answer a) {
    if (!a.detail && a.answer.reason.empty()) a.answer.reason = "the owner's answer has no details";
    done(std::move(a.detail), std::move(a.answer.owner), std::move(a.answer.reason));
  });
}

cluster_status node::cluster() const {
  const auto& host = impl_->host;
  auto sight = host.sight();
  cluster_status s;
  s.cluster = host.options.cluster;
  static constexpr char digits[] = "0123456789abcdef";
  for (auto b : host.dataset) {
    s.dataset.push_back(digits[b >> 4]);
    s.dataset.push_back(digits[b & 15]);
  }
  s.node = host.options.node;
  s.incarnation = sight.self.incarnation;
  s.state = sight.state;
  s.shards = host.shards;
  for (const auto& m : host.metrics.shards) s.shards_owned += static_cast<std::uint32_t>(m->owned.value());
  s.store_up = host.store_up;
  s.current = sight.table->members();
  s.version = PAWL_VERSION;
  s.lease = host.options.lease;
  s.lease_remaining = host.metrics.lease.remaining(clock_now().steady);
  return s;
}

std::vector<shard_status> node::shards() const {
  const auto& host = impl_->host;
  auto sight = host.sight();
  auto now = clock_now().steady;
  std::vector<shard_status> out;
  out.reserve(host.shards);
  for (std::uint32_t i = 0; i < host.shards; ++i) {
    shard_status s;
    s.shard = {i};
    if (const auto* owner = sight.table->owner({i})) {
      s.owner = owner->id.node;
      s.local = owner->id == sight.self;
    }
    const auto& seen = host.sights[i];
    s.claim = to_string(static_cast<shard_claim::state>(seen.claim.load(std::memory_order_relaxed)));
    s.queued = seen.queued.load(std::memory_order_relaxed);
    s.entities = seen.entities.load(std::memory_order_relaxed);
    s.commits = seen.commits.load(std::memory_order_relaxed);
    const auto& counted = *host.metrics.shards[i];
    s.outbox = counted.outbox_messages.value();
    s.timers = counted.timers.value();
    s.dead_letters = counted.dead_letters.value();
    if (auto u = seen.obstacle(now)) {
      s.waiting_for = to_text(u->why, s.owner, s.claim);
      s.waiting = std::chrono::duration_cast<std::chrono::milliseconds>(now - u->since);
    }
    out.push_back(std::move(s));
  }
  return out;
}

shard_id node::shard_of(std::string_view key) const { return pawl::shard_of(key, impl_->host.shards); }

bool node::ready(std::string& why) const {
  const auto& host = impl_->host;
  auto sight = host.sight();
  if (!host.store_up) why = "the store cannot be reached";
  else if (sight.state != "up") why = "this node is " + sight.state;
  else if (sight.table->number().value == 0) why = "no view of the cluster yet";
  else return true;
  return false;
}

}  // namespace pawl
