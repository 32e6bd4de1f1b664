#pragma once

#include "cluster/clock.hpp"
#include "cluster/placement.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pawl {

struct claim_policy {
  std::chrono::milliseconds handoff{5'000};  ///< how long a live owner may keep a shard the view gave to us
  std::chrono::milliseconds poll{100};       ///< while waiting for its release, if no notice comes
  std::chrono::milliseconds retry{20};       ///< first pause after a failed read or claim; doubles up to 1 s
};

/// One shard's claim on one member, and the answer to "may this shard start a commit now?".
///
/// Safety rests on the token alone: a deposed owner writes into a dead name. This class decides who *tries*, and when
/// memory may be kept. Table of states and inputs: cluster/PROTOCOL.md.
///
/// Performs no I/O; each input returns the one request to carry out, if any. Confined to one shard; not thread-safe.
class shard_claim {
public:
  enum class state : std::uint8_t {
    unclaimed,  ///< not ours, or nothing known yet
    reading,    ///< waiting for the record
    waiting,    ///< ours by the view, but a live owner has not released it yet
    claiming,   ///< waiting for the answer to a claim
    held,       ///< commits may start
    draining,   ///< held, but the view names another owner: no new commits; release when nothing is in flight
    releasing,  ///< waiting for the answer to a release
    lost,       ///< data that must exist does not: stopped for good
  };

  struct request {
    enum class kind : std::uint8_t { none, read, claim, release } what = kind::none;
    fencing_token held;   ///< claim: the token to replace. release: the token to give back
    fencing_token fresh;  ///< claim: the new token
  };

  /// What the record says, as far as the claim is concerned.
  struct record {
    fencing_token token;
    member_id owner;
    view_number view;
    bool released = false;
  };

  /// `mint` makes tokens that never repeat.
  shard_claim(shard_id shard, claim_policy policy, std::function<fencing_token()> mint);

  [[nodiscard]] state current() const noexcept { return state_; }
  [[nodiscard]] bool may_commit() const noexcept { return state_ == state::held; }
  /// The token of the claim held; empty unless held or draining.
  [[nodiscard]] const fencing_token& token() const noexcept { return token_; }
  [[nodiscard]] bool mine() const noexcept { return mine_; }
  /// True if what the shard has in memory is still what the store has, should a claim succeed now (rule C21).
  [[nodiscard]] bool memory_valid() const noexcept { return !own_tokens_.empty(); }
  /// True when a confirmed newer view is needed before this claim may go on (rules C21, C23).
  [[nodiscard]] bool needs_view() const noexcept { return needs_view_; }
  /// The newest view any record has shown; above the member table's own number only after a rollback (rule C23).
  [[nodiscard]] view_number seen() const noexcept { return seen_; }
  /// When to call `tick`, if at all.
  [[nodiscard]] std::optional<steady_time> wake() const noexcept { return wake_; }
  /// Since when the shard is this member's to serve: the view names it, and no other was seen to hold it later.
  [[nodiscard]] steady_time interrupted_since() const noexcept { return interrupted_since_; }

  /// A view was read from the store just now. `self`: this member; after an eviction it is another one.
  /// `idle`: no commit is in flight.
  request on_placement(std::shared_ptr<const placement> p, const member_id& self, bool idle, instant now);
  /// This member learned that it is evicted or leaves: nothing is its own any more.
  request on_evicted(bool idle, instant now);
  request on_connection(bool up, instant now);
  request on_record(const record& r, instant now);
  /// A read that did not answer, or a claim or release of which it is certain that it did not happen.
  request on_failed(instant now);
  request on_granted(instant now);
  /// The record refused the claim; `newer_view` if it was made under a newer view than ours.
  request on_fenced(bool newer_view, instant now);
  /// A claim or release whose outcome is not known.
  request on_unknown(instant now);
  request on_released(instant now);
  /// A commit or load was answered `unknown` or `fenced`: the token may be dead. The next claim tells.
  /// One doubt upon another, with nothing confirmed between, is claimed over after a pause only (rule C22).
  request on_doubt(instant now);
  /// A commit or load was answered for certain.
  void on_confirmed() noexcept { doubt_pause_.reset(); }
  /// The last commit in flight was resolved.
  request on_idle(instant now);
  request on_lost();
  [[nodiscard]] const member_id& self() const noexcept { return self_; }
  /// Whom the view names for the shard; null if nobody.
  [[nodiscard]] const member* next_owner() const noexcept { return placement_ ? placement_->owner(shard_) : nullptr; }
  /// True if that member is in the view and not on its way out.
  [[nodiscard]] bool knows_up(const member_id& id) const noexcept {
    const auto* m = placement_ ? placement_->members().find(id) : nullptr;
    return m != nullptr && m->state == member_state::up;
  }
  [[nodiscard]] view_number view_of_placement() const noexcept {
    return placement_ ? placement_->number() : view_number{};
  }
  /// Another member told that it released the shard.
  request on_release_notice(instant now);
  request tick(instant now);

private:
  request reassigned(bool mine, bool idle, instant now);
  request read();
  request read_if_useful();
  request read_later(std::chrono::milliseconds pause, instant now);
  request release(fencing_token held);
  request stop_trying();
  void note_unknown_claim();
  [[nodiscard]] bool is_own(const fencing_token& t) const;
  [[nodiscard]] bool live_elsewhere(const record& r) const;

  shard_id shard_;
  member_id self_;
  claim_policy policy_;
  std::function<fencing_token()> mint_;

  state state_ = state::unclaimed;
  fencing_token token_;
  fencing_token replaced_;  ///< of the claim under way: the token it replaces
  fencing_token fresh_;     ///< of the claim under way: the token it brings
  /// The record may name us as its owner. Should the shard be another's by then, it is given back; else its next owner
  /// would wait for that until `policy_.handoff` is over.
  bool named_ = false;
  /// Tokens of which it is certain that whoever finds one in the record finds nobody's writes but ours since our
  /// memory was right: the one held, and those of our own claims whose outcome was not known.
  std::vector<fencing_token> own_tokens_;
  std::shared_ptr<const placement> placement_;
  bool mine_ = false;
  bool connected_ = false;
  bool needs_view_ = true;
  bool asked_ = false;    ///< a request is under way
  bool noticed_ = false;  ///< a release notice came while the record was being read
  std::chrono::milliseconds pause_{0};
  std::optional<std::chrono::milliseconds> doubt_pause_;  ///< set by the first doubt, for the next
  std::optional<steady_time> wake_;
  steady_time mine_since_{};
  steady_time interrupted_since_{};
  view_number seen_{};
};

[[nodiscard]] std::string_view to_string(shard_claim::state) noexcept;

}  // namespace pawl
