#pragma once

#include "actors/message.hpp"
#include "cluster/ids.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace pawl {

/// The result of the message at `index` of its request.
struct indexed_result {
  std::uint32_t index = 0;
  message_result result;
};

/// A batch that a door handed in, waiting for the result of each of its messages. Shards answer their parts from
/// different threads; whoever gives the last result calls `done`.
class pending_request {
public:
  /// @param answered told of so many results, each time some come; may be empty
  pending_request(std::shared_ptr<const message_block> batch, std::function<void(std::vector<message_result>)> done,
                  std::function<void(std::size_t)> answered = {});

  [[nodiscard]] const std::shared_ptr<const message_block>& block() const noexcept { return block_; }
  [[nodiscard]] const message& operator[](std::uint32_t index) const noexcept { return block_->messages[index]; }

  /// Takes the results. Each index once; different indexes may be answered concurrently.
  void answer(std::span<indexed_result> results);

private:
  friend class request_parts;
  std::shared_ptr<const message_block> block_;
  std::vector<std::uint32_t> by_shard_;  ///< indexes, those of one shard next to each other, in their order
  std::vector<message_result> results_;
  std::atomic<std::size_t> open_;
  std::function<void(std::vector<message_result>)> done_;
  std::function<void(std::size_t)> answered_;
};

/// The messages of one request that are for one shard.
struct submission {
  std::shared_ptr<pending_request> request;
  std::span<const std::uint32_t> indexes;  ///< of the request's messages, in order; they live as long as the request
};

/// Cuts a new request into what each shard gets of it.
class request_parts {
public:
  struct part {
    shard_id shard;
    submission messages;
  };
  [[nodiscard]] static std::vector<part> of(const std::shared_ptr<pending_request>& request, std::uint32_t shards);
};

/// Results on their way to the requests they belong to, which they keep alive.
class answer_list {
public:
  void add(const std::shared_ptr<pending_request>& to, std::uint32_t index, message_result result);
  void reserve(std::size_t results) { results_.reserve(results); }
  /// Gives every request its results, and is empty afterwards.
  void deliver();

  [[nodiscard]] bool empty() const noexcept { return results_.empty(); }
  /// `see(request, index, result)` for each result, in the order they were added.
  template <class See>
  void each(See see) const {
    std::size_t i = 0;
    for (const auto& r : runs_)
      for (; i < r.end; ++i) see(*r.to, results_[i].index, results_[i].result);
  }

private:
  /// Results up to `end` that belong to the same request: one count for all of them, not one for each.
  struct run {
    std::shared_ptr<pending_request> to;
    std::size_t end = 0;
  };
  std::vector<run> runs_;
  std::vector<indexed_result> results_;
};

}  // namespace pawl
