#include "tests/bench/stream_system.hpp"

#include "persistence/codec.hpp"
#include "tests/bench/accounts.hpp"

#include <hiredis/hiredis.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <iostream>
#include <limits>
#include <stdexcept>
#include <thread>

namespace pawl::bench {
namespace {

constexpr std::size_t bulk = 1'000;  // commands or words sent at once, where nothing is measured
constexpr std::size_t producer_pipeline = 64;

/// Sends a workload's messages to the streams, pipelined.
class producer {
public:
  explicit producer(const std::string& socket) : server_(socket) {}

  void send(std::string_view stream, std::string_view entry) {
    server_.say({"XADD", stream, "*", "m", entry});
    ++unanswered_;
  }
  [[nodiscard]] std::size_t unanswered() const noexcept { return unanswered_; }
  void flush() { server_.flush(); }
  void take_answers() {
    for (; unanswered_ > 0; --unanswered_) server_.take();
  }

private:
  redis_client server_;
  std::size_t unanswered_ = 0;
};

/// The system's threads, for the time of one load. Whatever goes wrong in one of them ends the program: the comparison
/// is void, and others wait for it.
template <class Turn>
std::jthread worker(Turn turn) {
  return std::jthread{[turn](const std::stop_token& stop) {
    try {
      while (!stop.stop_requested()) turn();
    } catch (const std::exception& e) {
      std::cerr << "pawl_bench: " << e.what() << "\n";
      std::_Exit(1);
    }
  }};
}

}  // namespace

stream_system::stream_system(const setup& s) : setup_(s), server_(s.socket) {
  const auto script = server_.text({"SCRIPT", "LOAD", stream_consumer::script});
  for (std::uint32_t i = 0; i < s.streams; ++i) {
    stream_names_.push_back(stream_consumer::stream_name(i));
    server_.ask({"XGROUP", "CREATE", stream_names_.back(), "g", "0", "MKSTREAM"});
  }
  for (std::uint32_t c = 0; c < s.consumers; ++c) {
    stream_consumer::setup own{s.socket, script, {}, s.pipelined, s.read_messages};
    for (auto stream = c; stream < s.streams; stream += s.consumers) own.streams.push_back(stream);
    consumers_.push_back(std::make_unique<stream_consumer>(std::move(own)));
  }
}

std::uint32_t stream_system::stream_of(std::string_view key) const {
  std::uint32_t h = 2166136261U;
  for (const unsigned char c : key) h = (h ^ c) * 16777619U;
  return (h ^ (h >> 15)) % setup_.streams;
}

void stream_system::fill(const workload& w) {
  book_.take(w);
  workload::words words{w};
  std::vector<OrderState> states(w.options().orders);
  const auto now = wall_now();
  std::string error;
  std::size_t queued = 0;
  const auto settle = [&](std::size_t most) {
    if (queued < most) return;
    for (; queued > 0; --queued) server_.take();
  };
  std::uint32_t next = 0;
  for (const auto& e : w.events()) {
    if (e.number != next) continue;
    ++next;
    words.put(e);
    OrderEvent message;
    if (!decode_msgpack(w.payload(e), message, error)) throw std::runtime_error(error);
    apply(states[e.order], message, words.id());
    const auto stream = stream_of(words.key());
    consumer_of(stream).remember_id(words.key(), words.id());
    server_.say({"SADD", stream_consumer::ids_name(stream, now), stream_consumer::id_member(words.key(), words.id())});
    ++queued;
    settle(bulk);
  }
  for (std::uint32_t o = 0; o < states.size(); ++o) {
    if (states[o].count == 0) continue;
    const auto key = workload::key_of(w.options().prefix, o);
    std::string encoded;
    encode_msgpack(states[o], encoded);
    server_.say({"SET", stream_consumer::state_name(key), encoded});
    ++queued;
    settle(bulk);
    consumer_of(stream_of(key)).remember(key, std::move(states[o]));
  }
  settle(0);
}

nlohmann::json stream_system::run(const workload_options& w, const load_options& l) {
  const workload work{w};
  const auto messages = work.events().size();
  outcomes all{messages};
  std::vector<bench_clock::time_point> since(messages);  // written before the message is sent
  flow under_way{l.rate > 0 ? std::numeric_limits<std::size_t>::max() : l.window};
  producer out{setup_.socket};
  workload::words words{work};
  const auto sent_at = std::to_string(wall_now());
  std::string entry;

  const auto cpu = own_cpu_seconds();
  const auto began = bench_clock::now();
  std::vector<std::jthread> threads;
  threads.reserve(consumers_.size());
  for (auto& c : consumers_)
    threads.push_back(worker([&, consumer = c.get()] {
      consumer->turn([&](std::uint64_t event, bool duplicate) {
        all.set(event, duplicate ? outcomes::kind::duplicate : outcomes::kind::applied,
                bench_clock::now() - since[event]);
        under_way.leave(1);
      });
    }));
  const pace due{l.rate > 0 ? l.rate : 1, began};
  for (std::size_t at = 0; at < messages; ++at) {
    const auto& e = work.events()[at];
    words.put(e);
    if (l.rate > 0) {
      since[at] = due.due(at);
      if (bench_clock::now() < since[at]) {
        out.flush();
        due.wait(at);
      }
    } else {
      if (!under_way.has_room(1)) out.take_answers();
      since[at] = bench_clock::now();
    }
    under_way.enter(1);
    stream_consumer::put_entry(entry, words, work.payload(e), at, sent_at);
    out.send(stream_names_[stream_of(words.key())], entry);
    if (out.unanswered() >= producer_pipeline) out.take_answers();
  }
  out.take_answers();
  under_way.wait_empty();
  const std::chrono::duration<double> seconds = bench_clock::now() - began;
  const auto cpu_used = own_cpu_seconds() - cpu;

  if (all.count(outcomes::kind::applied) != work.distinct())
    throw std::runtime_error("not every message was applied once");
  book_.take(work, all.applied());
  std::vector<float> waits;
  all.add_latencies(first_counted(messages, l.rate), waits);
  return {{"seconds", seconds.count()},
          {"cpu_s", cpu_used},
          {"messages", messages},
          {"resolved", messages},
          {"rate", static_cast<double>(messages) / seconds.count()},
          {"latency_ms", latency_ms(std::move(waits))}};
}

std::size_t stream_system::check() {
  std::size_t wrong = 0;
  for (std::size_t o = 0; o < book_.orders(); o += bulk) {
    const auto end = std::min(o + bulk, book_.orders());
    for (auto i = o; i < end; ++i) server_.say({"GET", stream_consumer::state_name(book_.key(i))});
    for (auto i = o; i < end; ++i) {
      const auto got = server_.take();
      wrong += book_.right(i, {got->str, got->len}) ? 0 : 1;
    }
  }
  if (wrong != 0) throw std::runtime_error(std::to_string(wrong) + " orders are not what they must be");
  for (const auto& s : stream_names_)
    if (server_.ask({"XPENDING", s, "g"})->element[0]->integer != 0)
      throw std::runtime_error("messages are not acknowledged");
  return book_.orders();
}

}  // namespace pawl::bench
