#pragma once

#include "cluster/ids.hpp"
#include "persistence/field_list.hpp"
#include "persistence/inbox_position.hpp"
#include "persistence/store_outcome.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace pawl {

// The commands a shard gives to the store, and their answers. Key names and scripts: persistence/SCHEMA.md.

/// Reads the shard's claim record. Answered by `record_answer`.
struct read_record {};

/// Takes the shard over, if the record still holds `held` and its view is not newer than `view` (rule C23). Renames
/// the data to the name of `fresh`; never creates data (rule A2). Answered by `claim_answer`.
struct claim_shard {
  fencing_token held;
  fencing_token fresh;
  member_id self;
  view_number view;
};

/// Reads fields of the data hash of `token`, then asks whether `token` is still the live one. Answered by
/// `load_answer`: values are to be believed (a nil means "does not exist") only with `done` (rule A4). With no fields
/// it is the barrier of a linearizable read (rule D30).
struct load_fields {
  fencing_token token;
  std::vector<std::string> fields;
};

/// One atomic `HSET` of all fields to the data hash of `token`, then `EXISTS own:<token>`. Answered by `commit_answer`.
struct commit_fields {
  commit_fields(fencing_token t, field_list f)
      : commit_fields(std::move(t), std::make_shared<const field_list>(std::move(f))) {}
  commit_fields(fencing_token t, std::shared_ptr<const field_list> f) : token(std::move(t)), fields(std::move(f)) {}

  fencing_token token;
  std::shared_ptr<const field_list> fields;  ///< shared with the shard, which keeps them until the outcome is known
};

/// Removes fields that a confirmed commit has declared dead. Harmless when repeated. Answered by `done_answer`.
struct trim_fields {
  fencing_token token;
  std::vector<std::string> fields;
};

/// Marks the record as released, if it still holds `token`. Answered by `done_answer`; `fenced` if it does not.
struct release_shard {
  fencing_token token;
};

/// Removes the data name of a dead token, guarded: if that token is the live one, nothing happens and the answer is
/// `fenced` (rule A1). Answered by `done_answer`.
struct sweep_token {
  fencing_token dead;
};

/// Removes the entries of the shard's inbox up to `taken`, if it is to, then reads those behind it. Answered by
/// `inbox_answer`.
///
/// Not guarded by a token: by the connection's number (rule A5) it runs in a store that has confirmed `taken` to this
/// member, and there a former owner's position is never beyond that of the present one.
struct read_inbox {
  entry_id taken;           ///< the last entry that a confirmed commit has taken
  std::uint32_t count = 0;  ///< entries, at most
  bool trim = true;
  bool look = false;  ///< also say what the stream is like, before it is read
};

using shard_operation = std::variant<read_record, claim_shard, load_fields, commit_fields, trim_fields, release_shard,
                                     sweep_token, read_inbox>;

struct shard_command {
  shard_id shard;
  std::uint64_t ticket = 0;      ///< chosen by the shard, comes back with the answer
  std::uint64_t connection = 0;  ///< number of the connection it may use; another one is current → `unavailable` (A5)
  shard_operation operation;
};

/// The shard's claim record as stored.
struct claim_record {
  fencing_token token;
  member_id owner;  ///< who claimed it; empty for a fresh dataset
  view_number view;
  bool released = false;
  std::vector<fencing_token> dead;  ///< newest first, at most 16: names that may still be re-created by late writes
};

struct record_answer {
  claim_record record;
};
struct claim_answer {
  std::string frontier;       ///< with `done`: the bytes of field `\0f`
  claim_record record;        ///< with `fenced`: the record that refused; token and view are filled in
  std::string store_run_id;   ///< with `done`: the server process that executed the claim (rule D31)
  std::string former_run_id;  ///< the one that executed the claim before; empty: unknown
};
struct load_answer {
  std::vector<std::optional<std::string>> values;  ///< as many as fields were asked for
};
struct commit_answer {};
struct inbox_entry {
  entry_id id;
  std::vector<std::pair<std::string, std::string>> fields;  ///< names and values, as somebody put them there
};
/// What the stream of an inbox is like. One that does not exist is all zeros.
struct inbox_stream {
  bool exists = false;
  entry_id last;            ///< id given last, also if that entry is gone
  std::uint64_t added = 0;  ///< entries that were ever added
  friend bool operator==(const inbox_stream&, const inbox_stream&) = default;
};
struct inbox_answer {
  std::vector<inbox_entry> entries;
  std::optional<inbox_stream> stream;  ///< if it was asked for
};
struct done_answer {};

struct shard_answer {
  shard_id shard;
  std::uint64_t ticket = 0;
  store_outcome outcome = store_outcome::unavailable;
  store_error error = store_error::none;
  std::string text;  ///< for people: the error reply, or why the outcome is not known
  std::variant<done_answer, record_answer, claim_answer, load_answer, commit_answer, inbox_answer> body;
};

/// The connection that carries a shard's commands came up (with a new number) or went down. Numbers only increase.
/// All answers of commands sent on a connection precede the event that it is down.
struct store_connection {
  std::uint32_t lane = 0;    ///< which of the store's connections; shard s uses connection s mod lanes
  std::uint64_t number = 0;  ///< 0: down
};

/// Carries shard commands out. One implementation per store; the contract in tests/contract holds for each.
///
/// `send` is thread-safe and never blocks. Every command is answered exactly once, on the store's own thread, through
/// the handler given at construction; commands of one shard are executed and answered in the order they were given.
class shard_store {
public:
  virtual ~shard_store() = default;
  virtual void send(std::vector<shard_command> commands) = 0;
};

/// Waits at the inboxes of shards for new entries. A hint: who is told reads, and who is not told reads after a while.
///
/// Both members are thread-safe and never block.
class inbox_watch {
public:
  virtual ~inbox_watch() = default;
  /// `on_inbox` tells once when there is an entry behind `after`; then it must be asked for anew.
  virtual void watch(shard_id shard, entry_id after) = 0;
  virtual void unwatch(shard_id shard) = 0;
};

/// All are called on the store's thread and must not block.
struct shard_store_handlers {
  std::function<void(std::vector<shard_answer>)> on_answers;
  std::function<void(store_connection)> on_connection;
  std::function<void(shard_id)> on_inbox;
};

}  // namespace pawl
