#include "actors/lane.hpp"

#include "actors/verdicts.hpp"

#include <algorithm>
#include <utility>

namespace pawl {
namespace {

constexpr const char* stops_text = "the node stops; retry at another";

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

void lane::answer(lane_effects& out, waiting& w, message_result result) {
  bytes_ -= bytes_of(*w.msg);
  out.answers.add(w.from->request, w.index, std::move(result));
  // The message may live in the answers only from here on.
  if (--w.from->waiting == 0) w.from->request.reset();
}

void lane::forget_answered() {
  while (!origins_.empty() && origins_.front().waiting == 0) origins_.pop_front();
}

lane_effects lane::submit(std::span<submission> parts, instant now) {
  lane_effects out;
  for (auto& part : parts) {
    origins_.push_back({std::move(part.request), now.steady + policy_.timeout, 0});
    auto& from = origins_.back();
    bool refused = closed_;
    for (auto index : part.indexes) {
      const auto& m = (*from.request)[index];
      auto size = bytes_of(m);
      // From the first that does not fit on, all are refused: a later one of the same key must not get ahead.
      refused = refused || queue_.size() >= policy_.messages_max || bytes_ + size > policy_.bytes_max;
      if (refused) {
        out.answers.add(from.request, index, closed_ ? not_now(reason_code::no_owner, stops_text) : shard_full());
        continue;
      }
      bytes_ += size;
      ++from.waiting;
      if (!waiting_since_) waiting_since_ = now.steady;
      queue_.push_back({&m, &from, index, false});
    }
    if (from.waiting == 0) origins_.pop_back();
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
  const origin* from = nullptr;
  f.messages.reserve(std::min(queue_.size(), limits::frame_messages));
  for (auto& w : queue_) {
    auto size = bytes_of(*w.msg);
    if (!f.messages.empty() && (f.messages.size() == limits::frame_messages || bytes + size > limits::frame_bytes))
      break;
    bytes += size;
    w.sent = true;
    f.messages.push_back(w.msg);
    // The frame may outlive the queue: a message given up here may still be with its owner.
    if (std::exchange(from, w.from) != w.from) f.blocks.push_back(w.from->request->block());
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
  // Keys by their first unresolved result: the message is sent again, or is the sender's. The bytes of the keys live
  // as long as the answers.
  std::unordered_set<std::string_view> kept;
  std::unordered_set<std::string_view> given_up;
  std::size_t again = 0;
  out.answers.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    auto& w = queue_[i];
    auto& r = a.results[i];
    auto key = w.msg->key;
    bool keep = false;
    if (!resolved(r.kind)) {
      if (kept.contains(key)) {
        keep = true;
      } else if (!given_up.contains(key)) {
        keep = to_be_sent_again(r);
        out.moved = out.moved || r.code == reason_code::moved;
        // An early message holds up nobody: its number says where it belongs (rule B36).
        if (keep) kept.insert(key);
        else if (r.code != reason_code::early) given_up.insert(key);
      }
    } else if (kept.contains(key) || given_up.contains(key)) {
      // An owner that breaks the prefix rule is not believed: the message is sent again, or answered as blocked.
      keep = kept.contains(key);
      r = behind_unresolved();
    }
    if (keep) queue_[again++] = w;
    else answer(out, w, std::move(r));
  }
  queue_.erase(queue_.begin() + static_cast<std::ptrdiff_t>(again),
               queue_.begin() + static_cast<std::ptrdiff_t>(count));
  if (!given_up.empty()) block_behind(out, again, given_up);
  forget_answered();
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
  auto kept = first;
  for (auto i = first; i < queue_.size(); ++i) {
    auto& w = queue_[i];
    if (keys.contains(w.msg->key)) answer(out, w, behind_unresolved());
    else queue_[kept++] = w;
  }
  queue_.erase(queue_.begin() + static_cast<std::ptrdiff_t>(kept), queue_.end());
}

/// Answers what waited too long, and all behind it of the same keys.
void lane::give_up(lane_effects& out, instant now) {
  if (queue_.empty() || queue_.front().from->deadline > now.steady) return;
  std::unordered_set<std::string_view> keys;
  bool in_frame = false;
  while (!queue_.empty() && queue_.front().from->deadline <= now.steady) {
    auto& w = queue_.front();
    message_result r{result_kind::busy, reason_code::no_owner, "no owner of the shard could be reached in time"};
    if (w.sent)
      r = {result_kind::unknown, reason_code::timed_out, "the owner did not answer in time; retry with the same id"};
    if (!keys.insert(w.msg->key).second) r = behind_unresolved();
    in_frame = in_frame || under_way_ != 0;
    answer(out, w, std::move(r));
    queue_.pop_front();
  }
  // Results go by position: with the head gone, the answer to the frame under way fits nothing any more.
  if (in_frame) lose_frame();
  block_behind(out, 0, keys);
  forget_answered();
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
  for (auto& w : queue_)
    answer(out, w, {w.sent ? result_kind::unknown : result_kind::busy, reason_code::no_owner, stops_text});
  queue_.clear();
  origins_.clear();
  lose_frame();
  return out;
}

std::optional<steady_time> lane::wake() const {
  std::optional<steady_time> at;
  if (!queue_.empty()) at = queue_.front().from->deadline;
  if (not_before_ && (!at || *not_before_ < *at)) at = not_before_;
  return at;
}

}  // namespace pawl
