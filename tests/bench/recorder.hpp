#pragma once

#include "persistence/keys.hpp"
#include "persistence/shard_store.hpp"

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace pawl::bench {

/// One commit as it goes to the server: `HSET key field value …`, then `EXISTS live`.
struct recorded_commit {
  std::string key;
  std::string live;
  std::shared_ptr<const field_list> fields;
};

/// Passes commands on to the real store and keeps its commits, up to a bound, so that a bare client can send the same
/// bytes.
class recorder : public shard_store {
public:
  recorder(const std::string& cluster, std::size_t bytes_max) : names_(cluster), left_(bytes_max) {}
  void attach(shard_store& next) { next_ = &next; }

  void send(std::vector<shard_command> commands) override {
    for (const auto& c : commands) {
      const auto* commit = std::get_if<commit_fields>(&c.operation);
      if (commit == nullptr) continue;
      auto size = commit->fields->bytes();
      std::lock_guard lock{mutex_};
      ++commits_;
      if (size > left_) continue;
      left_ -= size;
      recorded_.push_back({names_.data(c.shard, commit->token), names_.live(c.shard, commit->token), commit->fields});
    }
    next_->send(std::move(commands));
  }

  [[nodiscard]] std::uint64_t commits() const noexcept { return commits_; }
  [[nodiscard]] const std::vector<recorded_commit>& recorded() const noexcept { return recorded_; }

private:
  key_names names_;
  shard_store* next_ = nullptr;
  std::mutex mutex_;
  std::size_t left_;
  std::uint64_t commits_ = 0;
  std::vector<recorded_commit> recorded_;
};

}  // namespace pawl::bench
