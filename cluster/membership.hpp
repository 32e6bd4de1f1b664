#pragma once

#include "cluster/clock.hpp"
#include "cluster/view.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pawl {

struct membership_policy {
  std::chrono::milliseconds beat{200};
  /// A member whose beat stood still this long, while this node read the table, is evicted.
  std::chrono::milliseconds lease{3'000};
  /// The same for a member whose address refuses connections: its process is gone, so a few beats suffice. Two members
  /// that see this need not even wait so long: they accuse it.
  std::chrono::milliseconds refused_lease{250};
  /// How many others a member watches beat: those that follow it by name, so that beats cost the same in any cluster.
  std::size_t watched_max = 8;
  std::chrono::milliseconds settle{300};    ///< cold start: wait before the first view is used (rule C25)
  std::chrono::milliseconds rejoin{1'000};  ///< after an eviction; doubles up to `rejoin_max` (rule C24)
  std::chrono::milliseconds rejoin_max{60'000};
};

/// This node's part in the member table: joins, beats, judges the others, leaves.
///
/// Decides only *who tries*: every conclusion here may be wrong at any time without harm to data (the fence decides),
/// so suspicion can be quick. Beats are counters judged by this observer's own steady clock; the store's clock is never
/// asked. States and inputs: cluster/PROTOCOL.md.
///
/// Performs no I/O; not thread-safe.
class membership {
public:
  enum class state : std::uint8_t {
    reading,    ///< looks whether its name is in use
    observing,  ///< it is: watches whether that member still beats
    joining,
    settling,  ///< a member, but the first view is not used yet
    up,
    draining,
    evicted,  ///< waits before it joins again
    left,
    refused,  ///< the name is in use by a live member
  };

  struct request {
    enum class kind : std::uint8_t { read, join, beat, drain, leave, evict, accuse, acquit, raise } what;
    member_id target;  ///< evict, accuse, acquit, and join over a dead row: that row's member
    std::uint64_t beat = 0;
    view_number view;                  ///< raise: at least this; beat: the view known here
    std::vector<std::string> watched;  ///< beat: the nodes whose beats are asked for
  };

  struct effects {
    std::vector<request> requests;
    bool publish = false;  ///< hand `current()` to everyone
    bool evicted = false;  ///< nothing is ours any more, until the next publish
    bool left = false;     ///< the row is gone: the process may end
    std::string fatal;     ///< not empty: the process must end, with this sentence
  };

  membership(std::string node, membership_policy policy);

  [[nodiscard]] state current_state() const noexcept { return state_; }
  [[nodiscard]] const member_id& self() const noexcept { return self_; }
  [[nodiscard]] const view& current() const noexcept { return view_; }
  /// When the last beat that the store confirmed was sent. No observer has seen it stand still for longer: it has until
  /// then and a lease, unless its address refuses connections or it is voted out. Nothing while this node is no member,
  /// and until its first beat is confirmed.
  [[nodiscard]] std::optional<steady_time> confirmed_beat() const noexcept { return confirmed_beat_; }

  effects on_connection(bool up, instant now);
  /// Whether this node gets on with its shards. While it does not, it does not beat, so that others take them over, and
  /// once evicted it does not join again. What has been asked for goes its way, an attempt to join included.
  effects on_progress(bool progressing, instant now);
  /// A read, a join or a beat was answered with the whole table. `joined`: our row, after a join that was done.
  effects on_table(request::kind answered, view table, std::optional<member_id> joined, instant now);
  /// A beat was answered: the view is the one known here, and these are the members asked for that it still has.
  effects on_beats(const std::vector<member>& rows, instant now);
  /// Any other request was carried out. What it changed comes as a change, or with the next beat.
  effects on_done(request::kind answered, instant now);
  /// A beat, drain or leave found that our row is gone or another's; a join, that the name is taken; the others, that
  /// there is nothing to do.
  effects on_fenced(request::kind answered, instant now);
  /// No answer, or an error: the next tick tries again.
  effects on_failed(request::kind answered, instant now);
  /// The view changed in the store: `row` of `node` is new, or nothing if it is gone. One out of turn is ignored if
  /// old, and a reason to read the table if some are missing between.
  effects on_change(view_number number, const std::string& node, std::optional<member> row, instant now);
  /// No connection to this member can be made; `refused`: its address turns us away, so its process is gone. Or there
  /// is one again.
  effects on_unreachable(const member_id& id, bool refused, instant now);
  effects on_reached(const member_id& id, instant now);
  /// Somebody needs the table read again. `at_least`: a view that a claim record carries, and nothing else: the table
  /// is raised to it. What a peer says of its view is a reason to read, not to raise: pass zero.
  effects on_view_wanted(view_number at_least, instant now);
  /// Gives all shards away, from the next view on; not taken back.
  effects drain(instant now);
  /// Ends the membership: `left` follows, at once or with the store's answer. A row that cannot be removed is evicted
  /// by the others.
  effects leave(instant now);
  effects tick(instant now);

private:
  struct observation {
    std::uint64_t beat = 0;
    steady_time since{};  ///< it stands still, not counting times during which nothing was read
  };
  struct suspicion {
    bool unreachable = true;  ///< false: taken back
    bool refused = false;
    bool told = false;  ///< the store was asked to note it
  };
  [[nodiscard]] bool member_now() const noexcept;
  [[nodiscard]] std::vector<std::string> watched() const;
  void observe(const std::vector<member>& rows, instant now);
  void judge(effects& out, instant now);
  void use(view table, effects& out, instant now);
  void settle_view(effects& out);
  void beat(effects& out, instant now);
  [[nodiscard]] std::chrono::milliseconds pace() const;
  void tell_suspicions(effects& out);
  void start(effects& out, instant now);
  void lose_row(effects& out, instant now);
  void end(effects& out);
  [[nodiscard]] bool cold_start(const view& table) const;
  void ask(effects& out, request r);

  std::string node_;
  membership_policy policy_;
  state state_ = state::reading;
  member_id self_;
  view view_;
  std::map<member_id, observation> observed_;
  std::map<member_id, suspicion> suspicions_;
  bool connected_ = false;
  bool publish_next_ = true;
  bool beating_ = false;
  bool unsure_ = true;       ///< the store may have been rolled back: the next beat reads the whole table
  bool beat_again_ = false;  ///< somebody wants to know the view while a beat is under way
  bool overtaken_ = false;   ///< a change came while a beat is under way: its answer may be older
  bool draining_ = false;    ///< asked to go; never taken back
  bool progressing_ = true;
  view_number wanted_{};
  std::optional<member> rival_;  ///< the row with our name, as it was first seen
  std::optional<steady_time> wake_;
  steady_time last_beat_{};
  std::optional<steady_time> confirmed_beat_;
  steady_time read_at_{};  ///< when beats were last read
  steady_time joined_at_{};
  std::chrono::milliseconds rejoin_{0};
};

[[nodiscard]] std::string_view to_string(membership::state) noexcept;

}  // namespace pawl
