#pragma once

#include "actors/activation.hpp"
#include "actors/entity_type.hpp"
#include "actors/frame.hpp"
#include "actors/held_messages.hpp"
#include "actors/inbox_entries.hpp"
#include "actors/shard_books.hpp"
#include "metrics/metrics.hpp"
#include "persistence/field_list.hpp"
#include "persistence/message_digest.hpp"
#include "persistence/processed_set.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace pawl {

namespace limits {
inline constexpr std::size_t commit_bytes = 8 * 1024 * 1024;  ///< rule C22
inline constexpr std::size_t batch_messages_max = 4'096;
/// Messages of entities that their receivers have not taken yet: beyond, a shard takes no more from outside. What other
/// shards and timers bring is always taken, else two shards could wait for each other (rule C27).
inline constexpr std::size_t outbox_messages = 65'536;
inline constexpr std::size_t outbox_bytes = 64 * 1024 * 1024;
/// Beyond this many times as much, a message whose handler would send more has no effect and becomes a dead letter:
/// entities that send each other ever more must not fill the memory of both.
inline constexpr std::size_t outbox_hard = 4;
}  // namespace limits

/// What every batch of a node needs to know; immutable.
struct entity_catalog {
  std::vector<entity_type> types;
  message_digester digester;
  std::size_t state_bytes_max = 1024 * 1024;
  std::uint32_t shards = 1;  ///< of the dataset

  [[nodiscard]] std::optional<type_index> find(std::string_view type) const noexcept {
    for (type_index i = 0; i < types.size(); ++i)
      if (types[i]->name() == type) return i;
    return std::nullopt;
  }
  /// Why a message or question for a type that is not there is not answered.
  [[nodiscard]] std::string lacks(std::string_view type) const;
};

/// In place of an index, for a type that the catalog does not hold.
inline constexpr type_index unknown_type = ~type_index{0};

/// A frame at its owner, with the results so far. One without a sender holds timers that are due, entries of the inbox,
/// a letter that is replayed, or messages that were early.
struct queued_frame {
  /// What has been taken of its source is told with the answer: a commit has proven that it is this member who takes
  /// it. Without one it must be asked for first; and if the shard is gone, nothing is told.
  enum class proof : std::uint8_t { by_commit, wanted, asked, given, withheld };

  queued_frame(const entity_catalog& catalog, link_number sender, frame f, steady_time now);

  link_number from = 0;
  frame contents;
  std::vector<type_index> types;        ///< of each message, or `unknown_type`
  std::vector<message_result> results;  ///< of the first `results.size()` messages
  steady_time arrived{};
  /// Keys with an unresolved message in this frame: all later messages of theirs are refused too (rule B13).
  std::unordered_set<std::string_view> blocked;
  bool stopped = false;  ///< of a source, or of the inbox: all later messages are refused
  proof proven = proof::by_commit;
  std::optional<std::uint32_t> letter;     ///< that the message is, replayed
  std::uint64_t asked_as = 0;              ///< number of the question that replays it
  std::vector<timer_book::serial> timers;  ///< that the messages are
  std::vector<inbox_item> inbox;           ///< that the messages are
  std::size_t marked = 0;                  ///< of the messages, so many may be handled while the shard is careful
  /// The messages are one entity's, were early, and their senders are not told: they send them again. What to do about
  /// a gap before the first.
  std::optional<gap> held;

  /// Its sender waits for its results. Else they are the shard's own matter.
  [[nodiscard]] bool has_sender() const noexcept { return timers.empty() && inbox.empty() && !letter && !held; }
  /// Its messages come from senders who see to each of them.
  [[nodiscard]] bool free_form() const noexcept { return timers.empty() && inbox.empty() && !letter && !contents.of; }
  /// One message of it after the other, whatever their keys: what follows an unresolved one is refused.
  [[nodiscard]] bool in_one_order() const noexcept { return contents.of || !inbox.empty(); }
  /// A message of it is not resolved. An early one holds up nobody: its number says where it belongs (rule B36).
  void leave_unresolved(const message& m, reason_code why) {
    if (in_one_order()) stopped = true;
    else if (why != reason_code::early) blocked.insert(m.key);
    if (contents.of) proven = proof::wanted;
  }
  [[nodiscard]] bool finished() const noexcept { return results.size() == contents.messages.size(); }
  [[nodiscard]] const message& next() const noexcept { return *contents.messages[results.size()]; }
};

/// What a batch is made of, kept from one to the next: a shard that is busy then allocates next to nothing of its own.
struct batch_room {
  /// An entity that the batch has changed.
  struct changed_entity {
    resident* of = nullptr;
    std::unique_ptr<entity_state> state;  ///< null: it was erased, or its state is as it was
    std::uint64_t last_seq = 0;
    std::size_t bytes = 0;  ///< of its blob: as counted so far, or as sealed
    bool as_it_was = true;  ///< only its number has changed so far
    bool passed = false;    ///< a gap in its numbers
    /// The last messages that took effect, in a ring. Their frames stay in the queue while results depend on the batch.
    std::array<const message*, recent_messages::most> applied{};
    std::size_t applied_count = 0;

    /// Null: it does not exist.
    [[nodiscard]] const entity_state* now() const noexcept { return as_it_was ? of->state.get() : state.get(); }
  };
  /// Position of a result: frame in the queue, message in the frame.
  struct place {
    std::size_t frame;
    std::size_t message;
    friend auto operator<=>(const place&, const place&) = default;
  };
  struct type_stage {
    processed_set::staged ids;
    id_set seen;
    std::uint64_t out_of_order = 0;
    std::uint64_t violations = 0;
    // Messages of one name mostly come together.
    std::string name;
    message_digester::content_key content{};
    /// States to copy into.
    std::vector<std::unique_ptr<entity_state>> spare;
  };
  std::vector<changed_entity> changed;
  std::vector<type_stage> stages;
  static constexpr std::size_t untouched = ~std::size_t{0};
  /// Per frame: how many results it had before the batch; or `untouched`, if the batch ran nothing of it.
  std::vector<std::size_t> starts;
  std::vector<place> places;  ///< in order: results that depend on the commit
  std::string blob;
  /// Replies to the messages of the batch, and those to earlier ones that were loaded; by the id part of the digest.
  std::unordered_map<std::string, std::shared_ptr<const std::string>> replies;
  std::unordered_map<std::string, std::shared_ptr<const std::string>> loaded_replies;
  std::vector<std::string> wanted_replies;  ///< that are not in memory
  /// Entities that were erased and leave no number behind: what is stored of them is to be removed.
  std::vector<std::pair<type_index, std::string>> erased;
};

/// Messages of a batch that have something to be said about in the log; their contents are not.
struct message_note {
  std::uint64_t count = 0;
  // Of the first of them.
  std::string what;  ///< "<message> of <entity type>"
  reason_code code = reason_code::none;
  std::string trace;

  void add(const message& m, reason_code why);
};

/// The messages of one commit, applied to copies: what they changed, the ids they used, and their results.
///
/// Nothing outside is touched until `confirm`; dropping the batch undoes it (rule B16). Reads confirmed memory only, so
/// it must be the only batch of its shard. Entities it has changed must stay in memory (rule A5). Not thread-safe.
class batch {
public:
  /// `exact`: measures every state after every message instead of once at the end; needed only when a state grew beyond
  /// its limit and the message that did it must be found, or when the whole grew beyond what a commit may hold.
  enum class sizing : std::uint8_t { at_the_end, exact };

  /// @param line the word of the claim, under which what is sent is numbered
  batch(const entity_catalog& catalog, activation& residents, std::vector<processed_set>& processed, shard_books& books,
        held_messages& held, batch_room& room, std::uint64_t line, sizing how,
        std::size_t messages_max = limits::batch_messages_max);
  ~batch();
  batch(const batch&) = delete;
  batch& operator=(const batch&) = delete;

  /// Runs the message that is next in `f`, the frame at `index` of the queue, and notes its result; false if it must
  /// wait for a later batch (its entity is not in memory, or this batch is full).
  [[nodiscard]] bool run(queued_frame& f, std::size_t index, instant now);

  /// True if there is something to store.
  [[nodiscard]] bool writes() const noexcept { return !room_.places.empty(); }
  [[nodiscard]] std::size_t messages() const noexcept { return room_.places.size(); }
  /// Results of the first so many frames of the queue depend on it: they must neither be answered nor leave the queue.
  [[nodiscard]] std::size_t frames() const noexcept { return room_.starts.size(); }

  /// The fields of the commit that follows `base`, the frontier first; nothing if a state, or all together, is larger
  /// than it may be (run again, exactly).
  [[nodiscard]] std::optional<field_list> seal(const frontier& base);
  /// The commit is confirmed: moves states and ids to memory and counts. Returns the frontier it stored.
  [[nodiscard]] frontier confirm(shard_metrics& metrics, instant now);
  /// After `confirm`: the shards for which there is something new in the outbox.
  [[nodiscard]] const std::vector<shard_id>& receivers() const noexcept { return receivers_; }

  /// Messages that became dead letters.
  [[nodiscard]] const message_note& buried() const noexcept { return buried_; }
  /// Messages with a trace that were refused for good, and whose senders are told.
  [[nodiscard]] const message_note& refused() const noexcept { return refused_; }

  /// Takes back every result this batch gave in `frames`.
  void undo(std::deque<queued_frame>& frames) const;
  /// The commit certainly did not happen, or its outcome is not known: every result that depended on it becomes
  /// `result`, and what follows of the same keys is blocked.
  void fail(std::deque<queued_frame>& frames, const message_result& result) const;

private:
  [[nodiscard]] bool full() const noexcept;
  [[nodiscard]] std::optional<message_result> decide(queued_frame& f, type_index type, const message& m, instant now,
                                                     bool& depends);
  /// Where its number puts a message: nowhere, if its type is not sequenced.
  enum class standing : std::uint8_t { unnumbered, passed, next };
  [[nodiscard]] std::optional<message_result> decide_tracked(queued_frame& f, type_index type, const message& m,
                                                             instant now, bool& depends,
                                                             standing number = standing::unnumbered);
  [[nodiscard]] std::optional<message_result> decide_entry(queued_frame& f, type_index type, const message& m,
                                                           instant now, bool& depends);
  [[nodiscard]] message_result bury(message_result why, const message& m, std::string source, unix_ms now);
  [[nodiscard]] std::optional<message_result> decide_numbered(queued_frame& f, type_index type, const message& m,
                                                              instant now, bool& depends);
  [[nodiscard]] message_result hold(const queued_frame& f, const resident& r, const message& m, std::uint64_t last,
                                    instant now);
  [[nodiscard]] std::optional<message_result> pass_gap(const queued_frame& f, resident& r, const message& m,
                                                       std::uint64_t last, instant now);
  [[nodiscard]] static message_result passed(const message& m);
  void use_number(resident& r, std::uint64_t seq);
  [[nodiscard]] std::optional<message_result> take(const queued_frame& f, type_index type, const message& m,
                                                   instant now, bool& depends);
  [[nodiscard]] std::optional<message_result> with_reply(message_result r, const message_digest& known,
                                                         const queued_frame& f);
  void want_replies(const queued_frame& f);
  [[nodiscard]] bool follows(const queued_frame& f) const;
  void refuse_sequence(queued_frame& f) const;
  [[nodiscard]] message_result apply(resident& r, const message& m, std::uint64_t number, unix_ms now);
  void carry_out(const resident& r, handler_effects&& e, message_result& result, unix_ms now);
  [[nodiscard]] std::unique_ptr<entity_state> spare_state(type_index type);
  void keep(type_index type, std::unique_ptr<entity_state> state, std::size_t bytes);
  [[nodiscard]] batch_room::changed_entity& change(resident& r);
  void stage_id(type_index type, message_digest d, const message_result& r, unix_ms sent_at, unix_ms high);

  const entity_catalog& catalog_;
  activation& residents_;
  std::vector<processed_set>& processed_;
  shard_books& books_;
  held_messages& held_;
  batch_room& room_;
  std::uint64_t line_;
  sizing sizing_;
  std::size_t messages_max_;
  std::size_t bytes_ = 0;                ///< of the commit: an estimate, or with exact sizing at least its size
  std::optional<inbox_position> inbox_;  ///< as far as it has taken
  frontier sealed_;
  std::vector<shard_id> receivers_;
  message_note buried_, refused_;
};

/// An entity that messages wait for and that is not in memory.
struct missing_entity {
  type_index type;
  std::string key;
};

/// The entities needed by the messages ahead, at most `most`, each once.
[[nodiscard]] std::vector<missing_entity> missing_entities(activation& residents,
                                                           const std::deque<queued_frame>& frames, std::size_t most);

}  // namespace pawl
