#pragma once

#include "actors/activation.hpp"
#include "actors/batch.hpp"
#include "actors/frame.hpp"
#include "actors/held_messages.hpp"
#include "actors/inbox_reader.hpp"
#include "actors/relay.hpp"
#include "actors/shard_books.hpp"
#include "cluster/claim.hpp"
#include "persistence/claim_word.hpp"
#include "persistence/shard_store.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pawl {

namespace limits {
inline constexpr std::size_t load_entities_max = 1'024;
}  // namespace limits

struct shard_policy {
  claim_policy claim;
  std::chrono::milliseconds passivate_after{300'000};
  std::size_t resident_max = 65'536;
  /// After a claim, for the names it made dead: a command of the former owner may still be on its way (rule C26).
  std::chrono::milliseconds first_sweep{5'000};
  std::chrono::milliseconds second_sweep{60'000};
  /// After the last commit, before one is made only to say which messages of the outbox were delivered.
  std::chrono::milliseconds tidy_after{100};
  /// Before a timer whose message could not be handled is tried again; others come before it.
  std::chrono::milliseconds timer_retry{1'000};
  /// Between two notes of one kind about messages: one whose every message fails must not fill the log.
  std::chrono::milliseconds tell_every{1'000};
  suspicion_policy suspicion;
  relay_policy relay;
  inbox_policy inbox;
  json_reader from_json;  ///< of payloads in the inbox; needed if that is enabled
};

/// What a shard wants done after an input; the host carries it out in this order.
struct shard_effects {
  struct framed {
    link_number to = 0;
    frame_answer answer;
  };
  struct read_done {
    link_number to = 0;
    read_answer answer;
  };
  enum class event : std::uint8_t {
    claimed,
    kept,
    released,
    doubt,
    other_server,
    rolled_back,
    suspects,
    lost,
    relay_resumed,
    relay_stopped,
    inbox_lost,
    inbox_stopped,
    inbox_resumed,
    inbox_failed,
    buried,   ///< messages became dead letters
    refused,  ///< messages with a trace were refused for good, and their senders told
    gap,      ///< an entity has waited too long for a number
  };
  struct note {
    event what;
    std::string text;
    // Of messages: how many since the last such note, and what the first of them was.
    std::uint64_t count = 0;
    reason_code code = reason_code::none;
    std::string trace{};
  };
  std::vector<shard_command> commands;
  std::vector<framed> answers;
  std::vector<read_done> reads;
  std::vector<frame> relayed;  ///< messages of entities, to the shards they name; `on_relayed` is the answer
  std::vector<note> notes;     ///< for the log
  std::optional<member_id> tell_released;  ///< send a release_notice to this member
  std::optional<entry_id> watch_inbox;     ///< tell `on_inbox` once there is an entry of the inbox behind this one
  bool unwatch_inbox = false;
  bool refresh_view = false;  ///< a newer view is needed, at least `seen_view`
  view_number seen_view;
};

/// The owner's side of one shard: claims it, takes frames in, applies their messages in order to copies, commits, and
/// answers after the commit; then sends on what its entities have sent, and lets their timers become messages. Only
/// sequences the classes that decide: `shard_claim`, `batch`, `processed_set`, `activation`, `shard_books`, `relay`.
///
/// One commit in flight; what arrives meanwhile forms the next batch. Memory always shows confirmed state. Bounded: at
/// most one frame per link and per source waits here, since each sends the next after the previous is answered.
///
/// Performs no I/O; inputs return effects. Not thread-safe.
class shard {
public:
  shard(shard_id id, shard_policy policy, dataset_id dataset, const entity_catalog& catalog, shard_metrics& metrics,
        std::function<fencing_token()> mint);

  shard_effects on_placement(std::shared_ptr<const placement> p, const member_id& self, instant now);
  shard_effects on_evicted(instant now);
  shard_effects on_connection(std::uint64_t number, instant now);
  shard_effects on_answer(shard_answer answer, instant now);
  shard_effects on_frame(link_number from, frame f, instant now);
  shard_effects on_read(link_number from, read_request r, instant now);
  /// What became of a frame of `relayed`, by its number; no answer: it may have arrived, or not.
  shard_effects on_relayed(shard_id receiver, std::uint64_t number, const std::optional<frame_answer>& answer,
                           instant now);
  /// The link is gone: nobody waits for its answers any more. Frames not yet begun are dropped.
  shard_effects on_link_down(link_number link, instant now);
  shard_effects on_release_notice(instant now);
  /// A hint: there is something new in the inbox.
  shard_effects on_inbox(instant now);
  shard_effects tick(instant now);

  [[nodiscard]] std::optional<steady_time> wake() const;
  [[nodiscard]] shard_claim::state claim_state() const noexcept { return claim_.current(); }
  [[nodiscard]] std::uint64_t sequence() const noexcept { return confirmed_.seq; }
  [[nodiscard]] std::size_t queued() const noexcept;
  [[nodiscard]] const shard_books& books() const noexcept { return books_; }

private:
  enum class proof : std::uint8_t { none, wanted, asked };
  enum class trimming : std::uint8_t { ids, books, erased };
  /// What memory is good for, once the claim is held.
  enum class memory : std::uint8_t {
    none,     ///< empty; not loaded
    loading,  ///< waiting for the groups of processed ids
    ready,
  };
  struct waiting_read {
    link_number from;
    read_request request;
    bool asked = false;                    ///< its barrier is under way
    std::vector<std::uint32_t> letters{};  ///< that are read with it
  };

  void carry_out(shard_claim::request r, shard_effects& out, instant now);
  void settle(shard_effects& out, instant now);
  void granted(claim_answer a, shard_effects& out, instant now);
  void note_dead_tokens(instant now);
  void load_groups(shard_effects& out, instant now);
  void on_groups(load_answer a, shard_effects& out, instant now);
  void ready(shard_effects& out, instant now);
  void pump(shard_effects& out, instant now);
  void carry_out(relay_effects r, shard_effects& out);
  void add_due_timers(instant now);
  void find_next_timer(instant now);
  void ask_inbox(shard_effects& out, instant now);
  void on_inbox_answer(shard_answer a, shard_effects& out, instant now);
  void forget_inbox();
  void note(const inbox_reader::news& n, shard_effects& out);
  void add_held(const held_messages::run& r, instant now);
  void add_ready(instant now);
  void add_late(shard_effects& out, instant now);
  [[nodiscard]] bool unfinished() const;
  [[nodiscard]] bool untidy(instant now) const;
  void unask();
  void show_books();
  struct telling {
    std::uint64_t untold = 0;
    std::optional<steady_time> last;
  };
  void tell(shard_effects::event what, const message_note& n, telling& so_far, shard_effects& out, instant now) const;
  [[nodiscard]] std::vector<std::string> erased_fields();
  bool load_missing(shard_effects& out);
  void on_entities(const load_answer& a, instant now);
  [[nodiscard]] bool mark_next(shard_effects& out, instant now);
  [[nodiscard]] bool may_run(const queued_frame& f, instant now) const;
  void run_batch(shard_effects& out, instant now);
  void send_commit(shard_effects& out, instant now);
  void commit_done(shard_effects& out, instant now);
  void commit_failed(const shard_answer& a, shard_effects& out, instant now);
  void commit_again(shard_effects& out, instant now);
  void answer_finished(shard_effects& out, instant now);
  void ask_reads(shard_effects& out);
  void on_reads(const shard_answer& a, shard_effects& out, instant now);
  [[nodiscard]] entity_answer entity_now(const entity_id& id) const;
  [[nodiscard]] shard_detail detail_now() const;
  void answer_read(const waiting_read& r, const std::vector<std::optional<std::string>>& values, std::size_t& next,
                   shard_effects& out, instant now);
  [[nodiscard]] bool is_acted_on(const letter_action& action) const;
  void replay(const waiting_read& r, const dead_letter& letter, std::uint32_t number, instant now);
  [[nodiscard]] std::vector<std::uint32_t> letters_wanted(const shard_question& about) const;
  void finish_letter(link_number to, std::uint64_t number, entity_answer a, shard_effects& out);
  void discard_letters();
  void trim(shard_effects& out);
  void doubt(shard_effects& out, const std::string& why, instant now);
  void load_confirmed();
  void drop_memory(shard_effects& out, instant now);
  void refuse_waiting(shard_effects& out, const message_result& why, instant now);
  void stop(shard_effects& out, const std::string& why, instant now);
  [[nodiscard]] bool idle() const noexcept { return !batch_; }
  std::uint64_t ask(shard_effects& out, shard_operation op);

  shard_id id_;
  shard_policy policy_;
  dataset_id dataset_;
  const entity_catalog& catalog_;
  shard_metrics& metrics_;
  shard_claim claim_;

  memory memory_ = memory::none;
  frontier confirmed_;
  std::uint64_t highest_seq_ = 0;  ///< ever confirmed here, also under former claims (rule D31)
  claim_record record_;            ///< as last read
  activation residents_;
  std::vector<processed_set> processed_;
  shard_books books_;
  bool taken_over_ = false;  ///< from an owner that did not let go
  held_messages held_;
  relay relay_;
  inbox_reader inbox_;
  proof relay_proof_ = proof::none;  ///< that this member still owns the shard, for the relay

  std::uint64_t connection_ = 0;
  std::uint64_t last_ticket_ = 0;
  // Tickets of what is under way; 0: nothing. An answer with another ticket comes too late and is not listened to.
  std::uint64_t claim_ticket_ = 0;
  std::uint64_t groups_ticket_ = 0;
  std::uint64_t entities_ticket_ = 0;
  std::uint64_t commit_ticket_ = 0;
  std::uint64_t reads_ticket_ = 0;
  std::uint64_t trim_ticket_ = 0;
  std::uint64_t inbox_ticket_ = 0;
  std::uint64_t mark_ticket_ = 0;

  std::vector<missing_entity> entities_asked_;
  std::size_t load_max_ = limits::load_entities_max;  ///< halved when a load is not answered
  std::vector<std::string> replies_asked_;  ///< id parts; their fields were asked for behind those of the entities
  trimming trimming_ = trimming::ids;
  std::size_t trim_type_ = 0;

  std::deque<queued_frame> frames_;
  batch_room room_;
  std::optional<batch> batch_;                ///< the commit under way, or in doubt
  std::shared_ptr<const field_list> fields_;  ///< its bytes, kept until it is resolved (rule C21)
  steady_time commit_sent_{};
  unsigned unconfirmed_ = 0;  ///< times the batch in doubt was sent in vain
  std::size_t batch_max_ = limits::batch_messages_max;
  std::deque<waiting_read> reads_;
  /// Questions that discard a letter, and wait for a commit; those in the commit under way come first.
  struct waiting_discard {
    link_number from;
    std::uint64_t number;
    std::uint32_t letter;
  };
  std::deque<waiting_discard> discards_;
  std::size_t discards_under_way_ = 0;
  std::vector<missing_entity> reads_missing_;
  std::size_t reads_asked_ = 0;  ///< fields; letters behind the missing entities
  std::vector<std::pair<steady_time, fencing_token>> sweeps_;
  steady_time next_passivation_{};
  steady_time last_commit_{};  ///< when it was sent
  std::optional<steady_time> next_timer_;
  telling buried_told_, refused_told_;
};

}  // namespace pawl
