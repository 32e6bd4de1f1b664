#pragma once

#include "persistence/frontier.hpp"
#include "persistence/member_store.hpp"
#include "persistence/shard_store.hpp"
#include "tests/sim/stream.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pawl::sim {

/// A store with a part missing, to see that the checks notice. `none`: as it should be.
enum class flaw : std::uint8_t {
  none,
  no_fence,          ///< a commit lands on the live data, whatever its token
  unguarded_sweep,   ///< removes the name it is told, also the live one
  release_any,       ///< a release does not compare the token
  nil_of_dead_name,  ///< a load of a dead name is answered as if it were live
};
[[nodiscard]] std::string_view to_string(flaw f) noexcept;

/// What Redis holds and does, command by command, as persistence/SCHEMA.md says; each call is one atomic command or
/// script. Held against a real Redis by tests/contract/sim_store_test.cpp. A copy is a copy of the data.
class store {
public:
  using hash = std::map<std::string, std::string>;
  struct shard_data {
    claim_record record;
    std::set<fencing_token> live;  ///< `own:` keys
    std::map<fencing_token, hash> hashes;
    std::string run_id;  ///< of the process that executed the last claim; empty: there was none
    stream inbox;
  };

  store(dataset_id dataset, std::uint32_t shards, flaw broken = flaw::none);

  // The two commands of a commit, and of a load.
  [[nodiscard]] bool write(shard_id s, const commit_fields& c);  ///< false: refused, memory is full
  [[nodiscard]] bool live(shard_id s, const fencing_token& t) const;
  [[nodiscard]] std::vector<std::optional<std::string>> values(shard_id s, const load_fields& l) const;
  /// The others are one command each; of a commit or load, both at once.
  [[nodiscard]] shard_answer execute(const shard_command& c);
  [[nodiscard]] member_answer execute(const member_command& c);

  [[nodiscard]] const shard_data& shard(shard_id s) const { return shards_.at(s.value); }
  /// The data a new owner would find.
  [[nodiscard]] const hash& data(shard_id s) const { return shard(s).hashes.at(shard(s).record.token); }
  [[nodiscard]] const view& members() const noexcept { return table_; }
  /// Removes a member as an operator would by mistake.
  void evict(const member_id& id);
  /// Changes of the view since the last call.
  [[nodiscard]] std::vector<view_change> take_changes() { return std::exchange(changes_, {}); }

  /// As any client of the store does.
  entry_id add_to_inbox(shard_id s, unix_ms now, stream::fields f) {
    return shards_.at(s.value).inbox.add(now, std::move(f));
  }

  bool memory_full = false;
  std::string run_id = "0";

private:
  struct vote {
    std::uint64_t incarnation = 0;  ///< of the accused
    std::vector<member_id> accusers;
  };
  void run(const read_record& op, shard_data& d, shard_answer& a);
  void run(const claim_shard& op, shard_data& d, shard_answer& a);
  void run(const load_fields& op, shard_data& d, shard_answer& a);
  void run(const commit_fields& op, shard_data& d, shard_answer& a);
  void run(const trim_fields& op, shard_data& d, shard_answer& a);
  void run(const release_shard& op, shard_data& d, shard_answer& a);
  void run(const sweep_token& op, shard_data& d, shard_answer& a);
  void run(const read_inbox& op, shard_data& d, shard_answer& a);

  void run(const read_members& op, member_answer& a);
  void run(const join_members& op, member_answer& a);
  void run(const beat_member& op, member_answer& a);
  void run(const drain_member& op, member_answer& a);
  void run(const leave_members& op, member_answer& a);
  void run(const evict_member& op, member_answer& a);
  void run(const accuse_member& op, member_answer& a);
  void run(const acquit_member& op, member_answer& a);
  void run(const raise_view& op, member_answer& a);
  [[nodiscard]] member* row(const member_id& id);
  void put(member m);
  void remove(std::string_view node);
  [[nodiscard]] std::vector<member_id> accusers(const member_id& target, const member_id& but) const;

  std::vector<shard_data> shards_;
  view table_;
  std::uint64_t incarnations_ = 0;
  std::map<std::string, vote, std::less<>> votes_;
  std::vector<view_change> changes_;
  flaw broken_;
  shard_id current_;
};

}  // namespace pawl::sim
