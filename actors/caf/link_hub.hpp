#pragma once

#include "actors/frame.hpp"
#include "cluster/view.hpp"

#include <caf/all.hpp>

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

namespace pawl {

/// Which links this process has, by number. Numbers are never used twice, so an answer meant for a link that is gone
/// finds nobody. Thread-safe.
class link_hub {
public:
  [[nodiscard]] link_number next_number() noexcept { return last_.fetch_add(1) + 1; }

  /// A link that passed its handshake. `dialled`: requests to this member go over it.
  void add(link_number number, const caf::actor& link, const member_id& peer, bool dialled);
  void remove(link_number number);

  [[nodiscard]] std::optional<link_number> to(const member_id& peer) const;
  /// For hints: the link dialled to this member, or else any that it dialled.
  [[nodiscard]] std::optional<link_number> any_to(const member_id& peer) const;
  /// Null if the link is gone.
  [[nodiscard]] caf::actor find(link_number number) const;
  [[nodiscard]] std::size_t size() const;
  /// Ends all links, and each that is added later: one may be in its handshake while the node stops.
  void close();
  /// Links dialled to members that are not in this view. (A link from one may be of a member too new for it.)
  [[nodiscard]] std::vector<caf::actor> beyond(const view& v) const;

private:
  struct entry {
    caf::actor link;
    member_id peer;
    bool dialled;
  };
  mutable std::mutex mutex_;
  std::unordered_map<link_number, entry> links_;
  std::map<member_id, link_number> dialled_;
  bool closed_ = false;
  std::atomic<link_number> last_{0};
};

}  // namespace pawl
