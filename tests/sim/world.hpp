#pragma once

#include "tests/sim/inbox_writer.hpp"
#include "tests/sim/ledger.hpp"
#include "tests/sim/network.hpp"
#include "tests/sim/numbered_sender.hpp"
#include "tests/sim/process.hpp"
#include "tests/sim/scenario.hpp"
#include "tests/sim/sender.hpp"
#include "tests/sim/store.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace pawl::sim {

/// What must never happen has happened.
struct failure : std::runtime_error {
  failure(std::string r, const std::string& what) : std::runtime_error(what), rule(std::move(r)) {}
  std::string rule;
};

/// What a run has seen; shows that faults really hit something.
struct sightings {
  std::uint64_t events = 0, sends = 0, acknowledged = 0, duplicates = 0, refused = 0, unresolved = 0, reads = 0;
  std::uint64_t commits = 0, claims = 0, takeovers = 0, doubts = 0, views = 0;
  std::uint64_t dead_names = 0;  ///< commits that met one
  std::uint64_t echoes = 0, units = 0, ticks = 0, replies_again = 0, inbox_entries = 0;
  std::uint64_t numbered = 0, early = 0, gaps = 0;  ///< of journals: taken, told to wait, passed
  std::array<std::uint64_t, fault_kinds> faults{};
  sightings& operator+=(const sightings& o);
};

/// A cluster, its store and its senders, for one scenario. Runs it and watches that nothing promised is broken.
class world {
public:
  explicit world(scenario s, bool verbose = false);
  ~world();
  /// @throws failure
  void run();

  // For the parts.
  static constexpr dataset_id dataset{7, 7, 7};
  struct sent_message {
    std::string key;
    std::string name;
    unix_ms sent_at = 0;
    bool acknowledged = false;
    bool applied = false;  ///< somebody was told so
    bool added = false;    ///< to an inbox, and whoever did it was told so
  };
  /// The placement of a view. Its members share what each would compute for itself: that was a sixth of the run.
  [[nodiscard]] std::shared_ptr<const placement> table_of(const view& v);
  [[noreturn]] void fail(const std::string& rule, const std::string& what) const;
  void say(const std::string& text) const;
  /// A node that runs, rather not the one at `but`; nothing if there is none.
  [[nodiscard]] std::shared_ptr<process> some_node(dice& d, std::optional<std::size_t> but = {});
  /// Whether a node that starts here now is one from before the upgrade.
  [[nodiscard]] bool is_older(std::size_t place) const { return !quiet_ && plan.older[place]; }
  [[nodiscard]] const sent_message& register_message(const std::string& id, const std::string& key, unix_ms sent_at,
                                                     dice& d);
  void on_result(const std::string& id, const message_result& r);
  /// As a client of the store does; nodes that watch may be told.
  void add_to_inbox(const std::string& key, stream::fields f);
  void on_added(const std::string& id) { messages_.at(id).added = true; }
  /// Tells the node if there is something behind `after` in the inbox.
  void look_for(const std::shared_ptr<process>& p, shard_id s, const entry_id& after);
  struct numbered_message {
    std::string id;
    std::string name;
    bool acknowledged = false;
    bool applied = false;  ///< somebody was told so
    bool refused = false;
  };
  [[nodiscard]] const numbered_message& register_numbered(const std::string& key, std::uint64_t number, dice& d);
  void on_numbered_result(const std::string& key, std::uint64_t number, const message_result& r);
  [[nodiscard]] std::vector<std::string> acknowledged(const std::string& key) const;
  void on_read(const std::string& key, const std::vector<std::string>& known, const entity_answer& a);
  void on_stopped(const process& p, shard_id s, const std::string& why);
  void on_ended(const process& p);
  /// At the store.
  [[nodiscard]] bool write(shard_id s, const commit_fields& c);
  [[nodiscard]] shard_answer execute(const shard_command& c);
  [[nodiscard]] member_answer execute(const member_command& c);

  const scenario plan;
  const bool verbose;
  timeline time;
  server redis;
  store data;
  network net;
  sightings seen;
  std::uint64_t rollbacks = 0;

private:
  std::deque<std::shared_ptr<const placement>> tables_;  ///< of the latest views
  void start(std::size_t place);
  void strike(const fault& f);
  void heal(const fault& f);
  void heal_all();
  void heal_link(std::size_t from, std::size_t to);
  [[nodiscard]] bool for_ever(fault_kind k, std::size_t at) const;
  void swizzle(const fault& f);
  void restart_store(span down, bool to_former_data);
  void spread_changes();
  void check_commit(shard_id s, const store::hash& before, const commit_fields& c) const;
  void check_end();
  void check_ledger(const std::string& name, const std::string& before, std::string_view after) const;
  void check_journal(const std::string& name, const std::string& before, std::string_view after) const;
  void check_journals_end();
  void check_purse(const std::string& name, const std::string& before, std::string_view after) const;
  [[nodiscard]] Purse all_purses() const;
  [[nodiscard]] std::string units_outstanding() const;
  void check_nothing_left(shard_id shard, const frontier& f, const store::hash& fields) const;
  void check_echo(const std::string& name, const std::string& before, std::string_view after) const;
  /// All that the ledgers have sent and scheduled has arrived, and all inboxes are taken. Empty, or what is missing.
  [[nodiscard]] std::string outstanding() const;
  [[nodiscard]] std::string_view stored_blob(std::string_view type, const std::string& key) const;
  [[nodiscard]] Ledger stored(std::string_view type, const std::string& key) const;
  [[nodiscard]] std::vector<std::string> appended(const std::string& key) const;
  [[nodiscard]] bool is_stored(const std::string& id, const sent_message& m) const;

  std::vector<std::shared_ptr<process>> places_;
  std::vector<std::uint64_t> runs_;
  std::vector<bool> for_ever_dead_;
  std::vector<std::unique_ptr<sender>> senders_;
  std::vector<std::unique_ptr<inbox_writer>> writers_;
  std::vector<std::unique_ptr<numbered_sender>> numberers_;
  std::map<std::string, sent_message> messages_;
  std::map<std::string, std::map<std::uint64_t, numbered_message>> numbered_;  ///< by journal
  std::vector<store> snapshots_;
  std::set<std::pair<std::uint32_t, std::string>> tokens_;  ///< ever granted, also before a rollback
  dice dice_;
  bool quiet_ = false;
};

}  // namespace pawl::sim
