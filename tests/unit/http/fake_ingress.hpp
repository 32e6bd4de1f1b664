#pragma once

#include "actors/ingress.hpp"
#include "cluster/shard_map.hpp"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pawl {

/// An ingress whose answers the test decides. By default every message is applied at once; with `hold` set, submissions
/// wait until the test takes them with `next`.
class fake_ingress final : public ingress {
public:
  struct held {
    std::shared_ptr<const message_block> batch;
    std::function<void(std::vector<message_result>)> done;
  };

  void submit(std::shared_ptr<const message_block> batch,
              std::function<void(std::vector<message_result>)> done) override {
    std::unique_lock lock(mutex_);
    if (hold_) {
      held_.push_back({std::move(batch), std::move(done)});
      arrived_.notify_all();
      return;
    }
    std::vector<message_result> results;
    seen_blocks_.push_back(batch);
    for (const auto& m : batch->messages) {
      seen_.push_back(m);
      const auto r = results_by_id_.find(std::string{m.id});
      results.push_back(r == results_by_id_.end() ? message_result{result_kind::applied, {}, {}} : r->second);
    }
    lock.unlock();
    done(std::move(results));
  }

  void submit_sequenced(shard_id shard, sequenced_batch batch, std::function<void(sequenced_answer)> done) override {
    sequenced.emplace_back(shard, std::move(batch));
    done(sequenced_result);
  }

  void read(entity_id id, std::function<void(entity_answer)> done) override {
    entity_answer answer;
    {
      std::lock_guard lock(mutex_);
      answer = entity;
      read_ = std::move(id);
    }
    done(std::move(answer));
  }

  void letters(shard_id shard, letter_query query,
               std::function<void(std::optional<letter_page>, std::string)> done) override {
    const auto page = letter_pages.find({shard.value, query.from});
    if (page == letter_pages.end()) return done(letter_page{}, {});
    done(page->second, page->second ? "" : "no owner");
  }
  void act_on_letter(shard_id shard, letter_action action, std::function<void(entity_answer)> done) override {
    acted.emplace_back(shard, action);
    done(entity);
  }
  void detail(shard_id shard,
              std::function<void(std::optional<shard_detail>, std::string, std::string)> done) override {
    const auto found = details.find(shard.value);
    if (found == details.end()) return done(std::nullopt, {}, "no owner");
    done(found->second, "n1", {});
  }

  [[nodiscard]] cluster_status cluster() const override { return status; }
  [[nodiscard]] std::vector<shard_status> shards() const override { return shard_rows; }
  [[nodiscard]] shard_id shard_of(std::string_view key) const override { return pawl::shard_of(key, 16); }
  [[nodiscard]] bool ready(std::string& why) const override {
    why = not_ready;
    return not_ready.empty();
  }

  void hold() {
    std::lock_guard lock(mutex_);
    hold_ = true;
  }
  void answer(std::string id, message_result r) {
    std::lock_guard lock(mutex_);
    results_by_id_[std::move(id)] = std::move(r);
  }
  /// Waits for `n` held submissions and takes them, in the order they came.
  std::vector<held> next(std::size_t n) {
    std::unique_lock lock(mutex_);
    if (!arrived_.wait_for(lock, std::chrono::seconds(20), [&] { return held_.size() >= n; })) return {};
    return std::exchange(held_, {});
  }
  /// Valid as long as this object.
  [[nodiscard]] std::vector<message> seen() {
    std::lock_guard lock(mutex_);
    return seen_;
  }
  [[nodiscard]] entity_id last_read() {
    std::lock_guard lock(mutex_);
    return read_;
  }

  // To be set before requests are sent.
  entity_answer entity;
  cluster_status status;
  std::vector<shard_status> shard_rows;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::optional<letter_page>> letter_pages;  ///< shard, from
  std::vector<std::pair<shard_id, letter_action>> acted;
  std::map<std::uint32_t, shard_detail> details;
  std::vector<std::pair<shard_id, sequenced_batch>> sequenced;
  sequenced_answer sequenced_result;
  std::string not_ready;

private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  bool hold_ = false;
  std::vector<held> held_;
  std::vector<message> seen_;
  std::vector<std::shared_ptr<const message_block>> seen_blocks_;
  std::map<std::string, message_result> results_by_id_;
  entity_id read_;
};

}  // namespace pawl
