#include "tests/sim/pipe.hpp"

#include <algorithm>
#include <utility>

namespace pawl::sim {

pipe::pipe(timeline& time, server& at, dice d, deliver to_node, std::function<void(std::uint64_t)> on_connection)
    : time_(time), server_(at), dice_(d), deliver_(std::move(to_node)), on_connection_(std::move(on_connection)) {}

span pipe::latency() { return dice_.chance(3) ? dice_.between(2ms, 30ms) : dice_.between(50us, 400us); }

void pipe::connect() {
  if (connection_ || std::exchange(connecting_, true)) return;
  time_.after(dice_.between(1ms, 60ms), [this, alive = alive_] {
    if (!*alive) return;
    connecting_ = false;
    if (!server_.up || server_.frozen || cut_) return connect();
    connection_ = std::make_shared<connection>();
    connection_->number = ++numbers_;
    connection_->process = server_.process;
    deliver_([this, c = connection_] {
      if (c->open) on_connection_(c->number);
    });
  });
}

void pipe::call(execution execute, timeline::action lost) {
  auto c = connection_;
  auto p = std::make_shared<pending>();
  p->lost = std::move(lost);
  c->sent.push_back(p);
  c->executed = std::max(c->executed, time_.elapsed() + latency());
  time_.at(c->executed, [this, alive = alive_, c, p, execute = std::move(execute)] {
    if (*alive) arrive(c, p, execute, false);
    else if (!c->dropped && c->process == server_.process && server_.up && !server_.frozen) (void)execute();
  });
  time_.after(timeout, [this, alive = alive_, c, p] {
    if (!*alive || p->answered) return;
    deliver_([this, c, p] {
      if (c->open && !p->answered && c == connection_) break_off();
    });
  });
}

void pipe::arrive(const std::shared_ptr<connection>& c, const std::shared_ptr<pending>& p, const execution& execute,
                  bool delayed) {
  auto again = [this, alive = alive_, c, p, execute] {
    if (*alive) arrive(c, p, execute, true);
  };
  if (c->dropped || c->process != server_.process || !server_.up) return;
  if (!c->open && !delayed && c->late.count() != 0) return time_.after(c->late, again);
  if (cut_ && c == connection_) return (void)held_.emplace_back(again);
  if (server_.frozen) return (void)server_.arrived.emplace_back(again);
  auto reply = execute();
  c->replied = std::max(c->replied, time_.elapsed() + latency());
  time_.at(c->replied, [this, alive = alive_, c, p, reply = std::move(reply)] {
    if (!*alive || !c->open) return;
    if (cut_) c->stalled = true;
    if (c->stalled) return;
    deliver_([c, p, reply] {
      if (!c->open) return;
      p->answered = true;
      c->sent.pop_front();
      reply();
    });
  });
}

void pipe::break_off() {
  auto c = std::exchange(connection_, nullptr);
  if (!c) return;
  c->open = false;
  c->dropped = dice_.chance(40);
  c->late = dice_.chance(50) ? span{0} : dice_.between(1ms, 3s);
  for (auto& held : std::exchange(held_, {})) time_.after(c->late, std::move(held));
  deliver_([this, c] {
    for (const auto& p : std::exchange(c->sent, {}))
      if (!p->answered) p->lost();
    on_connection_(0);
    connect();
  });
}

void pipe::cut(bool on) {
  cut_ = on;
  if (on) return;
  for (auto& held : std::exchange(held_, {})) held();
}

/// The node is gone: nobody hears anything any more, but what was sent may still be executed.
void pipe::abandon() {
  *alive_ = false;
  if (!connection_) return;
  connection_->open = false;
  connection_->dropped = dice_.chance(40);
}

}  // namespace pawl::sim
