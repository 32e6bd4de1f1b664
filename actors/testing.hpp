#pragma once

#include "actors/dead_letter.hpp"
#include "actors/entity_type.hpp"
#include "actors/message.hpp"
#include "cluster/shard_map.hpp"
#include "persistence/codec.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

// Unit tests of entities: the guarantees of a cluster in one thread, with virtual time and faults drawn from a seed. No
// store, no network, no clock of the machine. Link `pawl_testing`.

namespace pawl::testing {

/// How often what goes wrong goes wrong: each a probability, from 0 to 1, per message.
struct faults {
  double crash = 0;     ///< the owner dies between handling and commit: the message is handled again, later
  double lost_ack = 0;  ///< committed, but its sender does not learn it and sends again
  double copy = 0;      ///< a resolved message from outside is sent once more, soon or much later
  double delay = 0;     ///< the message is held up
  std::chrono::milliseconds takeover_max{500};                ///< how long a shard has no owner after a crash, at most
  std::chrono::milliseconds delay_max{200};                   ///< longest delay
  std::chrono::milliseconds copy_max{std::chrono::hours{1}};  ///< latest copy

  /// Enough of each that a run of a dozen messages meets several.
  [[nodiscard]] static faults frequent() { return {.crash = 0.1, .lost_ack = 0.1, .copy = 0.3, .delay = 0.5}; }
};

struct options {
  std::uint64_t seed = 1;  ///< decides every fault and every interleaving
  faults inject{};         ///< none
  std::uint32_t shards = shards_default;
  unix_ms start = 1'700'000'000'000;    ///< the clock at first
  std::size_t state_bytes = 1'048'576;  ///< `entities.state_bytes`: a message that grows the state beyond is refused
  std::size_t steps_max = 100'000;      ///< deliveries in one call; beyond, entities keep each other busy for ever
};

/// What a sender may say besides the message.
struct envelope {
  std::string id{};                  ///< empty: one of its own
  std::optional<unix_ms> sent_at{};  ///< nothing: now
  std::uint64_t seq = 0;             ///< to a sequenced type: the number of the message, from 1 for each key
  std::string traceparent{};         ///< as in an HTTP request; one that is not valid is ignored
};

/// An entity breaks a rule that its tests would not show otherwise, or a run does not end. The text says which.
struct violation : std::logic_error {
  using std::logic_error::logic_error;
};

/// What the sender of a message is told in the end. After a lost acknowledgement that is `duplicate`, as in a cluster.
struct answer : message_result {
  [[nodiscard]] bool took_effect() const noexcept {
    return kind == result_kind::applied || kind == result_kind::duplicate;
  }
  /// Nothing if the handler did not reply. @throws violation if the reply is not a T
  template <has_codec_fields T>
  [[nodiscard]] std::optional<T> reply_as() const;
};

struct pending_timer {
  std::string name;
  unix_ms due = 0;
  std::string message;
  friend bool operator==(const pending_timer&, const pending_timer&) = default;
};

/// What happened so far. A test that counts on faults asserts that there were some.
struct counts {
  std::uint64_t handled = 0;    ///< messages that took effect or were refused for good
  std::uint64_t discarded = 0;  ///< deliveries that were recognised as repeated
  std::uint64_t crashes = 0;
  std::uint64_t lost_acks = 0;
  std::uint64_t copies = 0;
  std::uint64_t delays = 0;
  std::uint64_t timers = 0;  ///< fired
};

/// Entities as a cluster would run them.
///
///     pawl::testing::cluster c{{account()}, {.seed = 7, .inject = pawl::testing::faults::frequent()}};
///     auto sent = c.send("account", "a-1", Deposit{.cents = 500}, {.id = "m-1"});
///     c.run();
///     EXPECT_EQ(c.state<Account>("account", "a-1")->balance, 500);
///
/// What holds: a message takes effect once, from a state that was stored and read back; ids are kept for ever; one that
/// throws or refuses leaves nothing; sends leave after the commit, in order for each pair of shards, and pairs overtake
/// each other; timers come when due or later, in the order of their times within a shard.
///
/// To a sequenced type each message needs its number. One that `send` is told is early is held until its turn comes or
/// the owner crashes; one that was posted is sent again and again by its sender. Gaps that last are passed as the type
/// says once the clock has moved that far; until then `run` does not wait for them.
///
/// What is checked with every message: that the handler makes the same of the same state and message when it is run
/// again, and, for types declared `idempotent`, that handling the message once more changes nothing. A handler that
/// reads a clock too coarse to tick in between gets through.
///
/// Other than in a cluster, a message of an entity or timer whose type or name nobody knows becomes a dead letter at
/// once; there it waits for a node that knows it.
///
/// Not thread-safe. After an exception from it, the cluster is of no more use but to be destroyed.
class cluster {
public:
  /// @throws std::invalid_argument if two types have one name, or an option is out of bounds
  explicit cluster(std::vector<entity_type> types, options o = {});
  ~cluster();
  cluster(const cluster&) = delete;
  cluster& operator=(const cluster&) = delete;

  /// Sends from outside and waits for the answer. Without faults nothing else happens meanwhile.
  /// @throws violation
  template <message_struct M>
  answer send(std::string_view type, std::string_view key, const M& m, envelope e = {}) {
    return send_bytes(type, key, M::pawl_message_name(), encoded(m), std::move(e));
  }
  /// As above, of any name and with any payload, as hostile as need be.
  answer send_bytes(std::string_view type, std::string_view key, std::string_view name, std::string payload,
                    envelope e = {});
  /// Leaves the message to a sender of its own: it gets there while the cluster runs, after what was posted for the
  /// same key before. Nobody reads the answer; one that is not resolved (an unknown type) becomes a dead letter.
  /// @throws std::invalid_argument for what a door does not let in
  template <message_struct M>
  void post(std::string_view type, std::string_view key, const M& m, envelope e = {}) {
    post_bytes(type, key, M::pawl_message_name(), encoded(m), std::move(e));
  }
  void post_bytes(std::string_view type, std::string_view key, std::string_view name, std::string payload,
                  envelope e = {});

  /// Delivers until no message is under way. The clock moves as far as delays demand; what is due by then comes too.
  /// @throws violation
  void run();
  /// Lets time pass; what is due or under way meanwhile happens.
  void advance(std::chrono::milliseconds span);
  /// Until there are neither messages, timers nor copies: the clock goes from one to the next.
  void run_to_end();

  [[nodiscard]] unix_ms now() const noexcept;
  /// As committed; nothing if the entity does not exist. @throws violation if the state is not a State
  template <state_struct State>
  [[nodiscard]] std::optional<State> state(std::string_view type, std::string_view key) const;
  [[nodiscard]] std::optional<std::string> state_bytes(std::string_view type, std::string_view key) const;
  /// Of one entity, by name.
  [[nodiscard]] std::vector<pending_timer> timers(std::string_view type, std::string_view key) const;
  /// Early messages of a sequenced entity that wait for a number before them.
  [[nodiscard]] std::size_t held(std::string_view type, std::string_view key) const;
  [[nodiscard]] const std::vector<dead_letter>& dead_letters() const noexcept;
  [[nodiscard]] const counts& happened() const noexcept;

private:
  template <class M>
  static std::string encoded(const M& m) {
    std::string payload;
    encode_msgpack(m, payload);
    return payload;
  }
  template <class T>
  static T decoded(std::string_view what, std::string_view bytes);
  friend struct answer;

  class world;
  std::unique_ptr<world> world_;
};

/// Calls `f` with the seeds 1 to n, or only with that in the environment variable PAWL_SEED, until it throws or
/// `failed` says so, as in `[] { return ::testing::Test::HasFailure(); }`.
/// @throws std::runtime_error that names the seed and what was wrong
void for_each_seed(std::uint64_t n, const std::function<void(std::uint64_t seed)>& f,
                   const std::function<bool()>& failed = {});

template <class T>
T cluster::decoded(std::string_view what, std::string_view bytes) {
  T value{};
  std::string error;
  if (!decode_msgpack(bytes, value, error, codec_limits::stored_elements))
    throw violation{std::string{what} + " is not of the type asked for: " + error};
  // Decoding skips what it does not know; another struct would pass with defaults.
  if (encoded(value).size() != bytes.size())
    throw violation{std::string{what} + " has other members than the type asked for"};
  return value;
}
template <has_codec_fields T>
std::optional<T> answer::reply_as() const {
  if (!reply) return std::nullopt;
  return cluster::decoded<T>("the reply", *reply);
}
template <state_struct State>
std::optional<State> cluster::state(std::string_view type, std::string_view key) const {
  const auto bytes = state_bytes(type, key);
  if (!bytes) return std::nullopt;
  return decoded<State>("the state of '" + std::string{type} + "' '" + std::string{key} + "'", *bytes);
}

}  // namespace pawl::testing
