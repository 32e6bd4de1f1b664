#pragma once

#include "persistence/keys.hpp"
#include "persistence/redis/event_loop.hpp"
#include "persistence/redis/member_lane.hpp"
#include "persistence/redis/view_feed.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace pawl::bench {

/// The members of a large cluster as Redis sees them: for each the connection of its commands and the one that waits
/// for changes, as a node has them, without the nodes. All on one thread.
///
/// Members are numbered from 0, and their names sort so. Calls are for one thread, and return when what they ask for
/// has been answered.
class member_fleet {
public:
  /// Connects everybody; nobody is a member yet.
  /// @throws std::runtime_error if that takes too long, as do all calls
  member_fleet(redis_options options, const std::string& cluster, std::size_t count);
  ~member_fleet();
  member_fleet(const member_fleet&) = delete;
  member_fleet& operator=(const member_fleet&) = delete;

  [[nodiscard]] std::size_t size() const noexcept { return seats_.size(); }
  [[nodiscard]] static std::string name_of(std::size_t number);
  [[nodiscard]] const member_id& id(std::size_t number) const { return seats_[number]->self; }
  /// Whose beats a member asks for: the 8 that follow it by name.
  [[nodiscard]] std::vector<std::string> watched_by(std::size_t number) const;

  /// One command of this member's.
  /// @throws std::runtime_error if it is not done
  member_answer ask(std::size_t number, member_operation operation);
  using operation_of = std::function<member_operation(std::size_t number)>;
  using check_of = std::function<bool(const member_answer&)>;
  /// So many commands of each member's, all members at once, each sending one after the other.
  /// @param right what must hold of every answer, besides that it is done
  void ask_all(std::size_t each, const operation_of& what, const check_of& right);
  /// As `ask_all`, but each member sends one in each interval, and all of them evenly spread over it.
  void ask_all_paced(std::size_t each, std::chrono::nanoseconds interval, const operation_of& what,
                     const check_of& right);
  /// All join at once.
  void join_all();
  /// Returns once every member has been told of this view, or a later one.
  void await_change(view_number number);

private:
  struct seat {
    seat(redis::event_loop& loop, redis::server_contact& server, const key_names& keys, member_store_handlers h,
         const std::function<void(std::string)>& on_trouble);
    member_store_handlers handlers;
    redis::member_lane lane;
    redis::view_feed feed;
    view_number told;
    member_id self;
    std::size_t left = 0;  ///< commands to send in this call
    member_answer last;
  };
  void took(std::size_t number, member_answer answer);
  void send_next(std::size_t number);
  template <class Condition>
  void await(const char* what, Condition condition);

  const key_names keys_;
  redis::server_contact server_;
  const std::function<void(std::string)> on_trouble_;
  redis::event_loop loop_;

  std::mutex mutex_;  ///< of all below, and of the seats' data
  std::condition_variable changed_;
  std::vector<std::unique_ptr<seat>> seats_;
  operation_of what_;
  check_of right_;
  std::size_t unanswered_ = 0;
  std::ptrdiff_t connected_ = 0;
  view_number awaited_;
  std::ptrdiff_t untold_ = 0;  ///< members that do not know the awaited view
  std::string failure_;
};

}  // namespace pawl::bench
