#include "tests/bench/commit_watch.hpp"

#include "cluster/shard_map.hpp"

#include <utility>

namespace pawl::bench {

class commit_watch::watched_type : public entity_behavior {
public:
  watched_type(commit_watch& watch, entity_type type, tag_of tag)
      : watch_(watch), type_(std::move(type)), tag_(std::move(tag)) {}

  const std::string& name() const noexcept override { return type_->name(); }
  const id_policy& ids() const noexcept override { return type_->ids(); }
  bool knows(std::string_view message_name) const noexcept override { return type_->knows(message_name); }
  std::string messages() const override { return type_->messages(); }
  std::unique_ptr<entity_state> fresh() const override { return type_->fresh(); }
  std::unique_ptr<entity_state> decode(std::string_view bytes, std::string& error) const override {
    return type_->decode(bytes, error);
  }
  void encode(const entity_state& state, std::string& out) const override { type_->encode(state, out); }
  handled apply(const entity_state* from, entity_state& to, const message& m, unix_ms now) const override {
    auto done = type_->apply(from, to, m, now);
    if (done.what != handled::kind::applied) return done;
    if (const auto tag = tag_(m, done)) watch_.note(m.key, *tag);
    return done;
  }

private:
  commit_watch& watch_;
  entity_type type_;
  tag_of tag_;
};

entity_type commit_watch::watched(entity_type type, tag_of tag) {
  return std::make_shared<watched_type>(*this, std::move(type), std::move(tag));
}

void commit_watch::attach(shard_store& next, std::uint32_t shards) {
  next_ = &next;
  for (std::uint32_t s = 0; s < shards; ++s) shards_.push_back(std::make_unique<shard>());
}

shard_store_handlers commit_watch::before(shard_store_handlers nodes) {
  auto watched = nodes;
  watched.on_answers = [this, pass_on = std::move(nodes.on_answers)](std::vector<shard_answer> answers) {
    const auto now = bench_clock::now();
    for (const auto& a : answers) hear(a, now);
    pass_on(std::move(answers));
  };
  return watched;
}

void commit_watch::send(std::vector<shard_command> commands) {
  for (const auto& c : commands) {
    if (!std::holds_alternative<commit_fields>(c.operation)) continue;
    auto& s = *shards_[c.shard.value];
    const std::lock_guard lock{s.mutex};
    s.ticket = c.ticket;
    // Not empty if an earlier attempt at this very commit was not confirmed.
    s.under_way.insert(s.under_way.end(), s.handled.begin(), s.handled.end());
    s.handled.clear();
  }
  next_->send(std::move(commands));
}

void commit_watch::note(std::string_view key, std::uint64_t tag) {
  auto& s = *shards_[shard_of(key, static_cast<std::uint32_t>(shards_.size())).value];
  const std::lock_guard lock{s.mutex};
  s.handled.push_back(tag);
}

void commit_watch::hear(const shard_answer& answer, bench_clock::time_point now) {
  if (answer.outcome != store_outcome::done || !std::holds_alternative<commit_answer>(answer.body)) return;
  auto& s = *shards_[answer.shard.value];
  tags confirmed;
  {
    const std::lock_guard lock{s.mutex};
    if (answer.ticket != s.ticket) return;
    confirmed.swap(s.under_way);
  }
  if (!confirmed.empty()) on_commit_(confirmed, now);
}

}  // namespace pawl::bench
