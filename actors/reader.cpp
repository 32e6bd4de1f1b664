#include "actors/reader.hpp"

#include <algorithm>

namespace pawl {
namespace {

constexpr const char* stops_text = "the node stops";

}  // namespace

read_answer reader::unavailable(std::string reason) const {
  read_answer a;
  a.shard = shard_;
  a.answer.reason = std::move(reason);
  return a;
}

reader::effects reader::submit(shard_question about, callback done, instant now) {
  effects out;
  if (closed_ || pending_.size() >= policy_.reads_max) {
    out.done.emplace_back(std::move(done),
                          unavailable(closed_ ? stops_text : "too many reads wait for this shard at this node"));
    return out;
  }
  auto number = ++number_;
  auto& p = pending_[number];
  p.about = std::move(about);
  p.done = std::move(done);
  p.deadline = now.steady + policy_.timeout;
  if (route_) out.send.push_back({shard_, number, p.about});
  else p.again = p.deadline;
  return out;
}

reader::effects reader::on_route(std::optional<link_number> route, instant now) {
  if (route == route_) return {};
  route_ = route;
  for (auto& [number, p] : pending_) p.again = now.steady;
  return tick(now);
}

reader::effects reader::on_answer(link_number from, read_answer a, instant now) {
  effects out;
  auto it = pending_.find(a.number);
  if (it == pending_.end() || from != route_) return out;
  if (a.answer.kind == entity_answer::status::unavailable) {
    it->second.reason = std::move(a.answer.reason);
    it->second.again = now.steady + policy_.retry;
    return out;
  }
  out.done.emplace_back(std::move(it->second.done), std::move(a));
  pending_.erase(it);
  return out;
}

reader::effects reader::tick(instant now) {
  effects out;
  for (auto it = pending_.begin(); it != pending_.end();) {
    auto& p = it->second;
    if (p.deadline <= now.steady) {
      out.done.emplace_back(std::move(p.done), unavailable(std::move(p.reason)));
      it = pending_.erase(it);
      continue;
    }
    if (route_ && p.again && *p.again <= now.steady) {
      p.again.reset();
      out.send.push_back({shard_, it->first, p.about});
    }
    ++it;
  }
  return out;
}

reader::effects reader::close() {
  effects out;
  closed_ = true;
  for (auto& [number, p] : pending_) out.done.emplace_back(std::move(p.done), unavailable(stops_text));
  pending_.clear();
  return out;
}

std::optional<steady_time> reader::wake() const {
  std::optional<steady_time> at;
  for (const auto& [number, p] : pending_) {
    auto t = p.again && route_ ? std::min(*p.again, p.deadline) : p.deadline;
    at = at ? std::min(*at, t) : t;
  }
  return at;
}

}  // namespace pawl
