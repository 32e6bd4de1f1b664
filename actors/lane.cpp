#include "actors/lane.hpp"

#include "cluster/invariant.hpp"

#include <algorithm>
#include <utility>

namespace pawl {
namespace {

constexpr const char* stops_text = "the node stops; retry at another";
constexpr const char* behind_text = "an earlier message for this key is not resolved";

std::size_t bytes_of(const message& m) {
  return m.type.size() + m.key.size() + m.name.size() + m.id.size() + m.payload.size() + 64;
}

/// The owner did not judge the message: it moved, or its commit's outcome is not known. The lane keeps it and sends it
/// again. Any other unresolved result is the sender's to deal with.
bool to_be_sent_again(const message_result& r) {
  return r.kind == result_kind::unknown || r.code == reason_code::moved;
}

}  // namespace

lane::lane(shard_id shard, lane_policy policy) : shard_(shard), policy_(policy) {}

lane_effects lane::submit(std::vector<submission> messages, instant now) {
  lane_effects out;
  if (closed_) {
    for (auto& s : messages)
      out.answers.push_back({std::move(s.slot), {result_kind::busy, reason_code::no_owner, stops_text}});
    return out;
  }
  for (auto& s : messages) {
    auto size = bytes_of(s.message.msg);
    // From the first that does not fit on, all are refused: a later one of the same key must not get ahead.
    if (queue_.size() >= policy_.messages_max || bytes_ + size > policy_.bytes_max) {
      for (auto* rest = &s; rest != messages.data() + messages.size(); ++rest)
        out.answers.push_back(
            {std::move(rest->slot),
             {result_kind::busy, reason_code::queue_full, "too many messages wait for this shard at this node"}});
      break;
    }
    bytes_ += size;
    if (!waiting_since_) waiting_since_ = now.steady;
    queue_.push_back({std::move(s.message), std::move(s.slot), now.steady + policy_.timeout, false});
  }
  send_if_possible(out);
  return out;
}

lane_effects lane::on_route(std::optional<link_number> route, view_number view) {
  lane_effects out;
  view_ = std::max(view_, view);
  if (route != route_) {
    route_ = route;
    if (under_way_ != 0 && route_ != under_way_to_) lose_frame();
    // Of another owner, or by another link, nothing is known yet.
    if (queue_.empty()) waiting_since_.reset();
    // The pause was for the former owner.
    pause_ = {};
    not_before_.reset();
  }
  send_if_possible(out);
  return out;
}

void lane::pause(instant now) {
  pause_ = std::min(policy_.retry_max, pause_.count() == 0 ? policy_.retry : 2 * pause_);
  not_before_ = now.steady + pause_;
}

void lane::send_if_possible(lane_effects& out) {
  if (under_way_ != 0 || !route_ || queue_.empty() || not_before_) return;
  frame f;
  f.shard = shard_;
  f.number = ++number_;
  f.view = view_;
  std::size_t bytes = 0;
  for (auto& w : queue_) {
    auto size = bytes_of(w.message.msg);
    if (!f.messages.empty() && (f.messages.size() == limits::frame_messages || bytes + size > limits::frame_bytes))
      break;
    bytes += size;
    w.sent = true;
    f.messages.push_back(w.message);
  }
  under_way_ = f.messages.size();
  under_way_to_ = *route_;
  sent_ += under_way_;
  out.send = std::move(f);
}

lane_effects lane::on_answer(link_number from, frame_answer a, instant now) {
  lane_effects out;
  if (under_way_ == 0 || from != under_way_to_ || a.number != number_) {  // of a frame given up
    if (queue_.empty() && from == route_) waiting_since_.reset();
    return out;
  }
  auto count = std::exchange(under_way_, 0);
  if (a.results.size() != count) {
    // Not what was asked: as if no answer had come.
    pause(now);
    return out;
  }
  std::unordered_set<std::string_view> kept;      // first unresolved result: send again
  std::unordered_set<std::string_view> given_up;  // first unresolved result: the sender's
  std::vector<envelope> alive;                    // what the views in the sets point into
  std::deque<waiting> remaining;
  for (std::size_t i = 0; i < count; ++i) {
    auto& w = queue_[i];
    auto& r = a.results[i];
    auto key = w.message.msg.key;
    bool keep = false;
    if (!resolved(r.kind)) {
      if (kept.contains(key)) {
        keep = true;
      } else if (!given_up.contains(key)) {
        keep = to_be_sent_again(r);
        out.moved = out.moved || r.code == reason_code::moved;
        (keep ? kept : given_up).insert(key);
        alive.push_back(w.message);
      }
    } else if (kept.contains(key) || given_up.contains(key)) {
      // An owner that breaks the prefix rule is not believed: the message is sent again, or answered as blocked.
      keep = kept.contains(key);
      r = {result_kind::blocked, reason_code::earlier_unresolved, behind_text};
    }
    if (keep) {
      remaining.push_back(std::move(w));
      continue;
    }
    bytes_ -= bytes_of(w.message.msg);
    out.answers.push_back({std::move(w.slot), std::move(r)});
  }
  queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(count));
  auto again = remaining.size();
  queue_.insert(queue_.begin(), std::make_move_iterator(remaining.begin()), std::make_move_iterator(remaining.end()));
  if (!given_up.empty()) block_behind(out, again, given_up);
  if (again < count) waiting_since_ = now.steady;
  if (queue_.empty()) waiting_since_.reset();
  if (again != 0) {
    pause(now);
    if (a.view > view_) out.seen_view = a.view;
  } else {
    pause_ = {};
    not_before_.reset();
  }
  send_if_possible(out);
  return out;
}

/// Answers what waits from `first` on of these keys as blocked.
void lane::block_behind(lane_effects& out, std::size_t first, const std::unordered_set<std::string_view>& keys) {
  std::deque<waiting> rest;
  for (std::size_t i = 0; i < queue_.size(); ++i) {
    auto& w = queue_[i];
    if (i < first || !keys.contains(w.message.msg.key)) {
      rest.push_back(std::move(w));
      continue;
    }
    bytes_ -= bytes_of(w.message.msg);
    out.answers.push_back({std::move(w.slot), {result_kind::blocked, reason_code::earlier_unresolved, behind_text}});
  }
  queue_ = std::move(rest);
}

/// Answers what waited too long, and all behind it of the same keys.
void lane::give_up(lane_effects& out, instant now) {
  if (queue_.empty() || queue_.front().deadline > now.steady) return;
  std::unordered_set<std::string_view> keys;
  std::vector<envelope> alive;
  bool in_frame = false;
  while (!queue_.empty() && queue_.front().deadline <= now.steady) {
    auto& w = queue_.front();
    message_result r{result_kind::busy, reason_code::no_owner, "no owner of the shard could be reached in time"};
    if (w.sent)
      r = {result_kind::unknown, reason_code::timed_out, "the owner did not answer in time; retry with the same id"};
    if (!keys.insert(w.message.msg.key).second)
      r = {result_kind::blocked, reason_code::earlier_unresolved, behind_text};
    in_frame = in_frame || under_way_ != 0;
    bytes_ -= bytes_of(w.message.msg);
    alive.push_back(std::move(w.message));
    out.answers.push_back({std::move(w.slot), std::move(r)});
    queue_.pop_front();
  }
  // Results go by position: with the head gone, the answer to the frame under way fits nothing any more.
  if (in_frame) lose_frame();
  block_behind(out, 0, keys);
}

lane_effects lane::tick(instant now) {
  lane_effects out;
  give_up(out, now);
  if (not_before_ && *not_before_ <= now.steady) not_before_.reset();
  send_if_possible(out);
  return out;
}

lane_effects lane::close() {
  lane_effects out;
  closed_ = true;
  for (auto& w : queue_) {
    auto kind = w.sent ? result_kind::unknown : result_kind::busy;
    out.answers.push_back({std::move(w.slot), {kind, reason_code::no_owner, stops_text}});
  }
  queue_.clear();
  bytes_ = 0;
  lose_frame();
  return out;
}

std::optional<steady_time> lane::wake() const {
  std::optional<steady_time> at;
  if (!queue_.empty()) at = queue_.front().deadline;
  if (not_before_ && (!at || *not_before_ < *at)) at = not_before_;
  return at;
}

}  // namespace pawl
