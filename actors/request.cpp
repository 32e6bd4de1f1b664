#include "actors/request.hpp"

#include "cluster/invariant.hpp"
#include "cluster/shard_map.hpp"

#include <algorithm>
#include <utility>

namespace pawl {

pending_request::pending_request(std::shared_ptr<const message_block> batch,
                                 std::function<void(std::vector<message_result>)> done,
                                 std::function<void(std::size_t)> answered)
    : block_(std::move(batch)),
      results_(block_->messages.size()),
      open_(block_->messages.size()),
      done_(std::move(done)),
      answered_(std::move(answered)) {}

void pending_request::answer(std::span<indexed_result> results) {
  // Before the results are written: once all are given, there is no place for them any more.
  PAWL_INVARIANT(open_.load(std::memory_order_relaxed) >= results.size(), "a message was answered twice");
  for (auto& r : results) results_[r.index] = std::move(r.result);
  if (answered_) answered_(results.size());
  // Releases the results to whoever counts down last, and acquires all others there.
  if (open_.fetch_sub(results.size(), std::memory_order_acq_rel) == results.size()) done_(std::move(results_));
}

std::vector<request_parts::part> request_parts::of(const std::shared_ptr<pending_request>& request,
                                                   std::uint32_t shards) {
  const auto& messages = request->block_->messages;
  // Sorted as numbers: shard, then index. That keeps the order within a shard.
  std::vector<std::uint64_t> order(messages.size());
  for (std::size_t i = 0; i < order.size(); ++i)
    order[i] = std::uint64_t{shard_of(messages[i].key, shards).value} << 32 | i;
  std::sort(order.begin(), order.end());
  auto& indexes = request->by_shard_;
  indexes.resize(order.size());
  std::vector<part> out;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    indexes[i] = static_cast<std::uint32_t>(order[i]);
    if (i + 1 < order.size() && order[i + 1] >> 32 == order[i] >> 32) continue;
    out.push_back(
        {{static_cast<std::uint32_t>(order[i] >> 32)}, {request, std::span{indexes}.subspan(begin, i + 1 - begin)}});
    begin = i + 1;
  }
  return out;
}

void answer_list::add(const std::shared_ptr<pending_request>& to, std::uint32_t index, message_result result) {
  if (runs_.empty() || runs_.back().to != to) runs_.push_back({to, results_.size()});
  results_.push_back({index, std::move(result)});
  runs_.back().end = results_.size();
}

void answer_list::deliver() {
  // Moved out first: what is called may make the owner of this list add to it.
  auto runs = std::exchange(runs_, {});
  auto results = std::exchange(results_, {});
  std::size_t begin = 0;
  for (auto& r : runs) {
    r.to->answer(std::span{results}.subspan(begin, r.end - begin));
    begin = r.end;
  }
}

}  // namespace pawl
