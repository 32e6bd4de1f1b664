#include "tests/bench/member_fleet.hpp"

#include <algorithm>
#include <stdexcept>
#include <thread>
#include <utility>

namespace pawl::bench {
namespace {

constexpr std::chrono::seconds patience{60};
/// As `membership_policy::watched_max`.
constexpr std::size_t watched = 8;

}  // namespace

member_fleet::seat::seat(redis::event_loop& loop, redis::server_contact& server, const key_names& keys,
                         member_store_handlers h, const std::function<void(std::string)>& on_trouble)
    : handlers(std::move(h)),
      lane(loop, server, keys, handlers, on_trouble),
      feed(loop, server, keys, handlers, on_trouble) {}

member_fleet::member_fleet(redis_options options, const std::string& cluster, std::size_t count)
    : keys_(cluster), server_(std::move(options)), on_trouble_([this](const std::string& why) {
        const std::lock_guard lock{mutex_};
        if (failure_.empty()) failure_ = why;
        changed_.notify_all();
      }) {
  for (std::size_t i = 0; i < count; ++i) {
    member_store_handlers handlers{[this, i](member_answer a) { took(i, std::move(a)); },
                                   [this, i](bool up) {
                                     const std::lock_guard lock{mutex_};
                                     connected_ += up ? 1 : -1;
                                     changed_.notify_all();
                                   },
                                   [this, i](const view_change& c) {
                                     const std::lock_guard lock{mutex_};
                                     auto& told = seats_[i]->told;
                                     if (told < awaited_ && c.number >= awaited_ && --untold_ == 0)
                                       changed_.notify_all();
                                     told = c.number;
                                   }};
    seats_.push_back(std::make_unique<seat>(loop_, server_, keys_, std::move(handlers), on_trouble_));
  }
  loop_.start();
  await("connections", [this] { return connected_ == static_cast<std::ptrdiff_t>(size()); });
}

member_fleet::~member_fleet() { loop_.stop(); }

std::string member_fleet::name_of(std::size_t number) {
  auto digits = std::to_string(number);
  return "pawl-" + std::string(5 - digits.size(), '0') + digits;
}

std::vector<std::string> member_fleet::watched_by(std::size_t number) const {
  std::vector<std::string> out;
  for (std::size_t i = 1; i <= std::min(watched, size() - 1); ++i) out.push_back(name_of((number + i) % size()));
  return out;
}

template <class Condition>
void member_fleet::await(const char* what, Condition condition) {
  std::unique_lock lock{mutex_};
  const bool done = changed_.wait_for(lock, patience, [&] { return !failure_.empty() || condition(); });
  if (!failure_.empty()) throw std::runtime_error("the members: " + failure_);
  if (!done) throw std::runtime_error(std::string{"waited in vain for "} + what);
}

/// On the loop's thread. The next command is posted, for a lane takes none while it hands out an answer.
void member_fleet::took(std::size_t number, member_answer answer) {
  const std::lock_guard lock{mutex_};
  auto& s = *seats_[number];
  if (answer.outcome != store_outcome::done || !right_(answer)) {
    if (failure_.empty()) failure_ = "a command of " + name_of(number) + " was answered otherwise: " + answer.text;
    changed_.notify_all();
    return;
  }
  if (answer.self.node == name_of(number)) s.self = answer.self;
  s.last = std::move(answer);
  if (--unanswered_ == 0) changed_.notify_all();
  if (s.left == 0) return;
  --s.left;
  send_next(number);
}

void member_fleet::send_next(std::size_t number) {
  (void)loop_.post([this, number, operation = what_(number)]() mutable {
    seats_[number]->lane.submit({1, std::move(operation)});
  });
}

member_answer member_fleet::ask(std::size_t number, member_operation operation) {
  {
    const std::lock_guard lock{mutex_};
    what_ = [&](std::size_t) { return operation; };
    right_ = [](const member_answer&) { return true; };
    unanswered_ = 1;
    send_next(number);
  }
  await("an answer", [this] { return unanswered_ == 0; });
  const std::lock_guard lock{mutex_};
  return seats_[number]->last;
}

void member_fleet::ask_all(std::size_t each, const operation_of& what, const check_of& right) {
  {
    const std::lock_guard lock{mutex_};
    what_ = what;
    right_ = right;
    unanswered_ = each * size();
    for (std::size_t i = 0; i < size(); ++i) {
      seats_[i]->left = each - 1;
      send_next(i);
    }
  }
  await("answers", [this] { return unanswered_ == 0; });
}

void member_fleet::ask_all_paced(std::size_t each, std::chrono::nanoseconds interval, const operation_of& what,
                                 const check_of& right) {
  {
    const std::lock_guard lock{mutex_};
    what_ = what;
    right_ = right;
    unanswered_ = each * size();
  }
  const auto begun = std::chrono::steady_clock::now();
  for (std::size_t n = 0; n < each * size(); ++n) {
    const auto due = begun + interval * static_cast<std::int64_t>(n) / static_cast<std::int64_t>(size());
    std::this_thread::sleep_until(due);
    const std::lock_guard lock{mutex_};
    send_next(n % size());
  }
  await("answers", [this] { return unanswered_ == 0; });
}

void member_fleet::join_all() {
  ask_all(
      1,
      [](std::size_t i) {
        return join_members{name_of(i), "10.0.0.1:7070", "10.0.0.1:8080", {}};
      },
      [](const member_answer& a) { return a.whole; });
}

void member_fleet::await_change(view_number number) {
  {
    const std::lock_guard lock{mutex_};
    awaited_ = number;
    untold_ = std::count_if(seats_.begin(), seats_.end(), [&](const auto& s) { return s->told < number; });
  }
  await("all members to be told of a view", [this] { return untold_ == 0; });
}

}  // namespace pawl::bench
