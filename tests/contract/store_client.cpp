#include "tests/contract/store_client.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>

namespace pawl::testing {

using namespace std::chrono_literals;

fencing_token token(unsigned n, const std::string& node) {
  const auto digits = std::to_string(n);
  return fencing_token{digits + "-" + node + "-" + std::string(32 - digits.size(), '0') + digits};
}

store_client::store_client(redis_options options, const std::string& cluster, std::uint32_t shards)
    : store_(std::move(options), cluster, shards,
             {[this](std::vector<shard_answer> batch) {
                const std::lock_guard lock{mutex_};
                for (auto& a : batch) {
                  if (on_answer_) on_answer_(a);
                  history_.push_back(a.ticket);
                  answers_.emplace(a.ticket, std::move(a));
                }
                changed_.notify_all();
              },
              [this](store_connection c) {
                const std::lock_guard lock{mutex_};
                if (c.lane != 0) return;
                number_ = c.number;
                if (c.number == 0) history_.push_back(0);
                changed_.notify_all();
              },
              [this](shard_id s) {
                const std::lock_guard lock{mutex_};
                hints_.push_back(s);
                changed_.notify_all();
              }},
             {[this](member_answer a) {
                const std::lock_guard lock{mutex_};
                member_answers_.emplace(a.ticket, std::move(a));
                changed_.notify_all();
              },
              [this](bool up) {
                const std::lock_guard lock{mutex_};
                members_up_ = up;
                changed_.notify_all();
              },
              [this](view_change c) {
                const std::lock_guard lock{mutex_};
                changes_.push_back(std::move(c));
                changed_.notify_all();
              }},
             [this](std::string why) {
               const std::lock_guard lock{mutex_};
               troubles_.push_back(std::move(why));
               changed_.notify_all();
             }) {
  store_.start();
}

template <class Predicate>
void store_client::wait_until(Predicate p, const char* what) {
  std::unique_lock lock{mutex_};
  if (!changed_.wait_for(lock, 20s, p)) throw std::runtime_error(std::string{"waited in vain for "} + what);
}

std::uint64_t store_client::wait_up(std::uint64_t than) {
  wait_until([&] { return number_ > than; }, "a connection");
  const std::lock_guard lock{mutex_};
  return number_;
}

void store_client::wait_down() {
  wait_until([&] { return number_ == 0; }, "the connection to break");
}

void store_client::wait_members_up() {
  wait_until([&] { return members_up_; }, "the members' connection");
}

std::uint64_t store_client::send(shard_id shard, shard_operation operation, std::uint64_t connection) {
  std::uint64_t ticket = 0;
  {
    const std::lock_guard lock{mutex_};
    ticket = next_ticket_++;
  }
  std::vector<shard_command> batch;
  batch.push_back({shard, ticket, connection, std::move(operation)});
  store_.shards().send(std::move(batch));
  return ticket;
}

shard_answer store_client::wait(std::uint64_t ticket) {
  wait_until([&] { return answers_.contains(ticket); }, "an answer");
  const std::lock_guard lock{mutex_};
  return answers_.at(ticket);
}

shard_answer store_client::ask(shard_id shard, shard_operation operation) {
  return wait(send(shard, std::move(operation), wait_up()));
}

std::uint64_t store_client::send(member_operation operation) {
  std::uint64_t ticket = 0;
  {
    const std::lock_guard lock{mutex_};
    ticket = next_ticket_++;
  }
  store_.members().send({ticket, std::move(operation)});
  return ticket;
}

member_answer store_client::wait_member(std::uint64_t ticket) {
  wait_until([&] { return member_answers_.contains(ticket); }, "a member answer");
  const std::lock_guard lock{mutex_};
  return member_answers_.at(ticket);
}

member_answer store_client::ask(member_operation operation) {
  wait_members_up();
  return wait_member(send(std::move(operation)));
}

shard_answer store_client::claim(const fencing_token& held, const fencing_token& fresh, std::uint64_t view,
                                 const std::string& node) {
  return ask({}, claim_shard{held, fresh, {node, 7}, {view}});
}

shard_answer store_client::commit(const fencing_token& t, field_list fields) {
  return ask({}, commit_fields{t, std::move(fields)});
}

shard_answer store_client::load(const fencing_token& t, std::vector<std::string> fields) {
  return ask({}, load_fields{t, std::move(fields)});
}

claim_record store_client::record(shard_id shard) {
  const auto a = ask(shard, read_record{});
  if (a.outcome != store_outcome::done) throw std::runtime_error("no record: " + a.text);
  return std::get<record_answer>(a.body).record;
}

std::vector<std::uint64_t> store_client::history() const {
  const std::lock_guard lock{mutex_};
  return history_;
}

view_change store_client::wait_change(view_number number) {
  const auto it = [&] {
    return std::find_if(changes_.begin(), changes_.end(), [&](const auto& c) { return c.number == number; });
  };
  wait_until([&] { return it() != changes_.end(); }, "a change of the view");
  const std::lock_guard lock{mutex_};
  return *it();
}

std::vector<view_change> store_client::wait_changes(std::size_t count) {
  wait_until([&] { return changes_.size() >= count; }, "changes of the view");
  const std::lock_guard lock{mutex_};
  return changes_;
}

std::vector<std::string> store_client::troubles() const {
  const std::lock_guard lock{mutex_};
  return troubles_;
}

void store_client::wait_trouble(const std::string& part) {
  wait_until(
      [&] {
        return std::any_of(troubles_.begin(), troubles_.end(),
                           [&](const auto& t) { return t.find(part) != std::string::npos; });
      },
      "a trouble text");
}

void store_client::watch(shard_id shard, entry_id after) { store_.inboxes().watch(shard, after); }
void store_client::unwatch(shard_id shard) { store_.inboxes().unwatch(shard); }

std::vector<shard_id> store_client::wait_hints(std::size_t count) {
  wait_until([&] { return hints_.size() >= count; }, "hints of inboxes");
  const std::lock_guard lock{mutex_};
  return hints_;
}

void store_client::on_answer(std::function<void(const shard_answer&)> f) {
  const std::lock_guard lock{mutex_};
  on_answer_ = std::move(f);
}

}  // namespace pawl::testing
