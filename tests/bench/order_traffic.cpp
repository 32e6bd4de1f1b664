#include "tests/bench/order_traffic.hpp"

#include "cluster/shard_map.hpp"
#include "examples/order_workflow/order.hpp"
#include "tests/cluster/until.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <future>
#include <memory>
#include <stdexcept>

namespace pawl::bench {
namespace {

using namespace std::chrono_literals;

constexpr auto watched_interval_least = 10ms;
constexpr auto first_after_fault = 10ms;
constexpr std::size_t keys_per_shared_request = 40;
/// After each door has refused: else a client without any door would turn into a busy loop.
constexpr auto pause_after_all_doors = 5ms;

unix_ms wall_now() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

double in_ms(steady_time::duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

steady_time::duration of_seconds(double s) {
  return std::chrono::duration_cast<steady_time::duration>(std::chrono::duration<double>(s));
}

void append_message(std::string& to, const std::string& key, std::uint64_t number, unix_ms stamp) {
  to.append(R"({"type":"order","message":"OrderApproved","payload":{"at":"2017-10-02T11:07"},"key":")").append(key);
  to.append(R"(","id":")").append(key).append("/").append(std::to_string(number));
  to.append(R"(","sent_at":)").append(std::to_string(stamp)).append("}\n");
}

std::string_view next_line(std::string_view& text) {
  const auto end = std::min(text.find('\n'), text.size());
  const auto line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

std::string_view after(std::string_view text, std::string_view mark) {
  const auto at = text.find(mark);
  return at == text.npos ? std::string_view{} : text.substr(at + mark.size());
}

}  // namespace

order_traffic::order_traffic(shape s)
    : shape_(s), serving_(s.shards), connections_([this](const auto& answer) { take_answer(answer); }) {
  std::vector<std::vector<std::string>> names(s.shards);
  for (std::uint64_t number = 0, missing = s.shards; missing != 0; ++number) {
    auto name = "order-" + std::to_string(number);
    auto& of_shard = names[shard_of(name, s.shards).value];
    if (of_shard.size() == s.keys_per_shard) continue;
    of_shard.push_back(std::move(name));
    if (of_shard.size() == s.keys_per_shard) --missing;
  }
  for (auto& of_shard : names)
    for (auto& name : of_shard) keys_.emplace_back().name = std::move(name);
  thread_ = std::thread{[this] { work(); }};
}

order_traffic::~order_traffic() {
  stopped_ = true;
  connections_.wake();
  thread_.join();
}

void order_traffic::work() {
  while (!stopped_) {
    std::vector<std::function<void()>> commands;
    {
      const std::lock_guard lock{mutex_};
      commands.swap(commands_);
    }
    for (const auto& c : commands) c();
    send_due(std::chrono::steady_clock::now());
    auto wait = std::chrono::nanoseconds{100ms};
    if (!schedule_.empty()) wait = std::min(wait, schedule_.top().at - std::chrono::steady_clock::now());
    connections_.poll(std::max(wait, 0ns));
  }
}

/// Runs it on the senders' thread and returns when it is done.
void order_traffic::command(const std::function<void()>& what) {
  const auto done = std::make_shared<std::promise<void>>();
  {
    const std::lock_guard lock{mutex_};
    if (!failure_.empty()) throw std::runtime_error("the traffic: " + failure_);
    commands_.emplace_back([&what, done] {
      what();
      done->set_value();
    });
  }
  connections_.wake();
  done->get_future().wait();
}

void order_traffic::fail(std::string why) {
  const std::lock_guard lock{mutex_};
  if (failure_.empty()) failure_ = std::move(why);
}

void order_traffic::use_doors(std::vector<std::uint16_t> ports) {
  command([&] { doors_ = std::move(ports); });
}

void order_traffic::abandon_door(std::uint16_t port) {
  command([&] {
    for (std::uint32_t i = 0; i < senders_.size(); ++i)
      if (senders_[i].open && senders_[i].through == port) connections_.abandon(i);
  });
}

void order_traffic::pause() {
  command([&] { paused_ = true; });
  rest();
}

void order_traffic::rest() {
  testing::until("everything under way is resolved", [this] {
    std::size_t left = 0;
    command([&] { left = under_way_; });
    return left == 0;
  });
}

order_traffic::sender order_traffic::sender_of(std::vector<std::uint32_t> keys) const {
  sender out;
  out.keys = std::move(keys);
  return out;
}

void order_traffic::watch(std::vector<shard_id> shards) {
  pause();
  const auto per_shard = shape_.keys_per_shard;
  const auto requests =
      std::min(shape_.watched_requests_per_second,
               static_cast<double>(shards.size()) / std::chrono::duration<double>(watched_interval_least).count());
  std::vector<bool> watched(shape_.shards, false);
  std::vector<sender> senders;
  for (const auto s : shards) {
    watched[s.value] = true;
    std::vector<std::uint32_t> keys;
    for (std::uint32_t i = 0; i < per_shard; ++i) keys.push_back(s.value * per_shard + i);
    auto& one = senders.emplace_back(sender_of(std::move(keys)));
    one.shard = s.value;
    one.watched = true;
    one.interval = of_seconds(static_cast<double>(shards.size()) / requests);
  }
  auto rest_of_messages = shape_.messages_per_second - requests * per_shard;
  if (shards.size() == shape_.shards) {
    const auto each = std::max(1.0, shape_.messages_per_second / (requests * per_shard));
    for (auto& s : senders) s.messages_per_key = static_cast<std::uint32_t>(std::lround(each));
  }

  // Shards in strides, so that no shared request is one member's alone.
  std::vector<std::uint32_t> others;
  for (std::uint32_t i = 0; i < per_shard; ++i)
    for (std::uint32_t s = 0; s < shape_.shards; ++s)
      if (!watched[s]) others.push_back(s * per_shard + i);
  const auto shared = (others.size() + keys_per_shared_request - 1) / keys_per_shared_request;
  const auto interval = of_seconds(static_cast<double>(others.size()) / std::max(1.0, rest_of_messages));
  for (std::size_t n = 0; n < shared; ++n) {
    std::vector<std::uint32_t> keys;
    for (auto at = n; at < others.size(); at += shared) keys.push_back(others[at]);
    senders.emplace_back(sender_of(std::move(keys))).interval = interval;
  }
  command([&] { begin(std::move(senders)); });
}

void order_traffic::flood(std::uint32_t requests, std::uint32_t messages) {
  pause();
  std::vector<sender> senders;
  for (std::uint32_t n = 0; n < requests; ++n) {
    std::vector<std::uint32_t> keys;
    for (auto at = n; at < keys_.size(); at += requests) keys.push_back(at);
    const auto each = std::max<std::size_t>(1, messages / std::max<std::size_t>(1, keys.size()));
    senders.emplace_back(sender_of(std::move(keys))).messages_per_key = static_cast<std::uint32_t>(each);
  }
  command([&] { begin(std::move(senders)); });
}

/// Senders begin one after the other within their interval, and keep that distance.
void order_traffic::begin(std::vector<sender> senders) {
  senders_ = std::move(senders);
  schedule_ = {};
  const auto now = std::chrono::steady_clock::now();
  const auto count = static_cast<std::int64_t>(senders_.size());
  for (std::uint32_t i = 0; i < senders_.size(); ++i) {
    senders_[i].due = now + senders_[i].interval * i / count;
    schedule_.push({senders_[i].due, i});
  }
  paused_ = false;
}

void order_traffic::send_due(steady_time now) {
  while (!schedule_.empty() && schedule_.top().at <= now) {
    const auto index = schedule_.top().sender;
    schedule_.pop();
    auto& s = senders_[index];
    if (!s.open) {
      if (paused_) continue;
      for (const auto k : s.keys) keys_[k].open = s.messages_per_key;
      s.open = true;
      s.stamp = wall_now();
      s.attempt = 0;
      ++under_way_;
      if (window_open_) window_.lag_ms = std::max(window_.lag_ms, in_ms(now - s.due));
    }
    send(index, now);
  }
}

void order_traffic::send(std::uint32_t index, steady_time now) {
  auto& s = senders_[index];
  body_.clear();
  std::uint64_t count = 0;
  for (const auto k : s.keys)
    for (std::uint64_t i = 1; i <= keys_[k].open; ++i, ++count)
      append_message(body_, keys_[k].name, keys_[k].resolved + i, s.stamp);
  if (window_open_ && s.attempt != 0) window_.retries += count;
  s.sent = now;
  s.through = doors_[(index + s.attempt) % doors_.size()];
  connections_.post_batch(s.through, body_, index);
}

void order_traffic::take_answer(const door_connections::answer& a) {
  const auto now = std::chrono::steady_clock::now();
  const auto index = static_cast<std::uint32_t>(a.ticket);
  auto& s = senders_[index];
  if (a.status != 200 && a.status != 0 && a.status != 429 && a.status != 503)
    return fail("a request was turned away: " + std::string{a.body});
  if (a.status == 200 && settle(s, a.body, now)) {
    s.open = false;
    --under_way_;
    // A sender that was held up goes on at once, and does not make up for what it missed.
    s.due = std::max(s.due + s.interval, now);
    schedule_.push({s.due, index});
    return;
  }
  ++s.attempt;
  const bool all_refused = s.attempt % doors_.size() == 0;
  schedule_.push({all_refused ? now + pause_after_all_doors : now, index});
}

/// True if everything of the sender's is resolved.
bool order_traffic::settle(sender& s, std::string_view body, steady_time now) {
  bool all = true;
  bool served = false;
  for (const auto index : s.keys) {
    auto& k = keys_[index];
    const auto open = k.open;
    bool waits = false;
    for (std::uint64_t i = 0; i < open; ++i) {
      const auto line = next_line(body);
      const auto result = after(line, R"("result":")");
      if (result.starts_with("refused") || result.empty()) {
        fail("message of " + k.name + " was answered: " + std::string{line});
        return false;
      }
      if (!result.starts_with("applied") && !result.starts_with("duplicate")) {
        waits = true;
      } else if (waits) {
        fail("a message of " + k.name + " was resolved before an earlier one");
      } else {
        settle_one(k, s, now);
        served = true;
      }
    }
    all = all && k.open == 0;
  }
  if (served && window_open_ && s.watched && s.sent >= fault_complete_ && serving_[s.shard] == 0ns)
    serving_[s.shard] = now - fault_;
  return all;
}

void order_traffic::settle_one(key& k, const sender& s, steady_time now) {
  --k.open;
  ++k.resolved;
  k.chain = order_workflow::next_link(k.chain, k.name + "/" + std::to_string(k.resolved));
  resolved_.fetch_add(1, std::memory_order_relaxed);
  if (window_open_) {
    ++window_.resolved;
    k.wait = std::max(k.wait, now - s.due);
    k.gap = std::max(k.gap, now - k.answered);
  }
  k.answered = now;
  k.answered_due = s.due;
}

void order_traffic::open_window(steady_time begun) {
  command([&] {
    const auto now = std::chrono::steady_clock::now();
    window_ = {};
    window_open_ = true;
    fault_ = begun;
    fault_complete_ = now;
    std::fill(serving_.begin(), serving_.end(), steady_time::duration{});
    for (auto& k : keys_) k.wait = k.gap = {};
    std::vector<due_later> sooner;
    for (; !schedule_.empty(); schedule_.pop()) sooner.push_back(schedule_.top());
    const auto watched = std::count_if(senders_.begin(), senders_.end(), [](const sender& s) { return s.watched; });
    for (std::int64_t n = 0; auto& d : sooner) {
      auto& s = senders_[d.sender];
      if (s.watched && !s.open) {
        const auto at = now + std::chrono::nanoseconds{first_after_fault} * n++ / watched;
        if (at < d.at) s.due = d.at = at;
      }
      schedule_.push(d);
    }
  });
}

bool order_traffic::all_serve() {
  bool all = true;
  command([&] {
    for (const auto& s : senders_) all = all && (!s.watched || serving_[s.shard] != 0ns);
  });
  return all;
}

bool order_traffic::all_moved_on(steady_time since) {
  bool all = true;
  command([&] {
    for (const auto& s : senders_)
      for (const auto k : s.keys) all = all && (!s.watched || keys_[k].answered_due >= since);
  });
  return all;
}

traffic_window order_traffic::close_window() {
  traffic_window out;
  command([&] {
    out = std::move(window_);
    window_ = {};
    window_open_ = false;
    out.seconds = in_seconds(std::chrono::steady_clock::now() - fault_);
    for (const auto& s : senders_) {
      if (!s.watched) continue;
      if (serving_[s.shard] != 0ns) out.serving_ms.push_back(in_ms(serving_[s.shard]));
      for (const auto k : s.keys) {
        out.wait_ms.push_back(in_ms(keys_[k].wait));
        out.gap_ms.push_back(in_ms(keys_[k].gap));
      }
    }
  });
  return out;
}

void order_traffic::check(std::uint16_t port) const {
  std::vector<std::string> wrong;
  std::size_t asked = 0;
  std::size_t answered = 0;
  door_connections reads{[&](const door_connections::answer& a) {
    ++answered;
    const auto& k = keys_[a.ticket];
    const auto events = std::strtoull(std::string{after(a.body, R"("events":)").substr(0, 20)}.c_str(), nullptr, 10);
    const auto chain = after(a.body, R"("chain":")").substr(0, k.chain.size());
    const bool untouched = k.resolved == 0 && a.status == 404;
    if (!untouched && (a.status != 200 || events != k.resolved || chain != k.chain))
      wrong.push_back(k.name + ", " + std::to_string(k.resolved) + " events, is " + std::string{a.body});
  }};
  while (answered < keys_.size()) {
    for (; asked < keys_.size() && asked - answered < 32; ++asked)
      reads.get(port, "/v1/entities/order/" + keys_[asked].name, asked);
    reads.poll(100ms);
  }
  if (wrong.empty()) return;
  std::string text = std::to_string(wrong.size()) + " orders are not what they must be, such as\n";
  for (std::size_t i = 0; i < std::min<std::size_t>(wrong.size(), 3); ++i) text += wrong[i] + "\n";
  throw std::runtime_error(text);
}

}  // namespace pawl::bench
