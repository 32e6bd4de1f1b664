#include "actors/courier.hpp"

#include <algorithm>
#include <utility>

namespace pawl {

courier::effects courier::submit(frame f, callback done, instant now) {
  effects out;
  if (closed_ || pending_.size() >= policy_.frames_max) {
    out.done.emplace_back(std::move(done), std::nullopt);
    return out;
  }
  f.number = ++number_;
  auto& p = pending_[f.number];
  p.done = std::move(done);
  p.deadline = now.steady + policy_.timeout;
  p.sent = route_.has_value();
  if (p.sent) {
    f.view = view_;
    out.send.push_back(std::move(f));
  } else {
    p.waiting = std::move(f);
  }
  return out;
}

courier::effects courier::on_route(std::optional<link_number> route, view_number view) {
  effects out;
  view_ = std::max(view_, view);
  if (route == route_) return out;
  route_ = route;
  for (auto it = pending_.begin(); it != pending_.end();) {
    auto& p = it->second;
    if (p.sent) {  // to the former owner, or by the former link
      give_back(out, p);
      it = pending_.erase(it);
      continue;
    }
    if (route_) {
      p.sent = true;
      p.waiting.view = view_;
      out.send.push_back(std::exchange(p.waiting, {}));
    }
    ++it;
  }
  return out;
}

courier::effects courier::on_answer(link_number from, frame_answer a) {
  effects out;
  auto it = pending_.find(a.number);
  if (it == pending_.end() || !it->second.sent || from != route_) return out;
  out.done.emplace_back(std::move(it->second.done), std::move(a));
  pending_.erase(it);
  return out;
}

courier::effects courier::tick(instant now) {
  effects out;
  for (auto it = pending_.begin(); it != pending_.end() && it->second.deadline <= now.steady;) {
    give_back(out, it->second);
    it = pending_.erase(it);
  }
  return out;
}

courier::effects courier::close() {
  effects out;
  closed_ = true;
  for (auto& [number, p] : pending_) give_back(out, p);
  pending_.clear();
  return out;
}

std::optional<steady_time> courier::wake() const {
  if (pending_.empty()) return std::nullopt;
  return pending_.begin()->second.deadline;
}

}  // namespace pawl
