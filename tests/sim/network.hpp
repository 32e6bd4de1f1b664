#pragma once

#include "actors/peer_protocol.hpp"
#include "cluster/ids.hpp"
#include "tests/sim/timeline.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

namespace pawl::sim {

class process;

/// Links between nodes: each is a pair of streams that keep their order, until it breaks.
class network {
public:
  enum class dial_result : std::uint8_t { linked, refused, unreachable };
  network(timeline& time, dice d, std::size_t nodes) : time_(time), dice_(d), nodes_(nodes) {}

  /// The process that runs at a place listens; nothing while none does.
  void listen(std::size_t at, std::weak_ptr<process> who) { listeners_[at] = std::move(who); }
  /// All links of a process end, and nobody listens at its place.
  void gone(std::size_t at);

  void dial(const std::shared_ptr<process>& from, std::size_t to, const member_id& peer);
  void send(const process& from, link_number number, peer_message m);
  void break_off(link_number number);
  [[nodiscard]] std::vector<link_number> links() const;

  /// From now on nothing passes from one place to the other; a link that is silent for too long breaks.
  void cut(std::size_t from, std::size_t to);
  void heal(std::size_t from, std::size_t to);
  [[nodiscard]] bool is_cut(std::size_t from, std::size_t to) const { return cuts_.contains({from, to}); }

  static inline constexpr span silence_max = 2'000ms;

private:
  struct end {
    std::weak_ptr<process> who;
    std::size_t at = 0;
    span last{0};  ///< when the last message sent from here arrives
    std::vector<peer_message> held;
  };
  struct pair {
    end dialler, acceptor;
  };
  void arrive(link_number number, bool from_dialler, peer_message m);
  void carry(link_number number, bool from_dialler, peer_message m);
  [[nodiscard]] span latency();

  timeline& time_;
  dice dice_;
  std::size_t nodes_;
  link_number numbers_ = 0;
  std::map<std::size_t, std::weak_ptr<process>> listeners_;
  std::map<link_number, pair> links_;
  std::map<std::pair<std::size_t, std::size_t>, std::uint64_t> cuts_;
  std::uint64_t cut_numbers_ = 0;
};

}  // namespace pawl::sim
