#pragma once

#include "tests/bench/bench_order.hpp"
#include "tests/bench/redis_client.hpp"
#include "tests/bench/workload.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace pawl::bench {

/// What one would write on Redis Streams without Pawl, as well as we can: a consumer with streams of its own, so that
/// one thread handles all messages of a key, in order. Each message is one script call that adds its id to the set of
/// processed ids, stores the new state and acknowledges the entry, together or not at all. States and ids are kept in
/// memory as well: what the script would find out is known before it is called, and a known duplicate is only
/// acknowledged.
///
/// Ids lie in one set per stream and hour of `sent_at`, which a repetition shares with what it repeats: one `SADD` is
/// both question and entry, and old ids leave by EXPIRE, for nothing.
///
/// Not in it, though Pawl has it: protection from a second consumer that believes it owns the stream. The script drops
/// what is processed already, but a stale state in memory would still be written.
class stream_consumer {
public:
  struct setup {
    std::string socket;
    std::string script;  ///< its SHA1, as loaded
    std::vector<std::uint32_t> streams;
    bool pipelined = false;          ///< a whole read's scripts at once; else each is waited for
    std::size_t read_messages = 64;  ///< per stream and read
  };
  /// A message is done: acknowledged, its state stored if it was new.
  using on_done = std::function<void(std::uint64_t event, bool duplicate)>;

  explicit stream_consumer(setup s);

  /// One read and all that follows from it. Waits up to 100 ms for messages.
  void turn(const on_done& done);
  /// Takes a state in that the store holds already.
  void remember(std::string_view key, OrderState state);
  void remember_id(std::string_view key, std::string_view id);

  /// What the producer writes: one field, since each costs the server on the way in and out.
  static void put_entry(std::string& out, const workload::words& words, std::string_view payload, std::size_t event,
                        std::string_view sent_at);
  static const char* const script;
  [[nodiscard]] static std::string stream_name(std::uint32_t stream);
  [[nodiscard]] static std::string state_name(std::string_view key);
  [[nodiscard]] static std::string id_member(std::string_view key, std::string_view id);
  [[nodiscard]] static std::string ids_name(std::uint32_t stream, unix_ms sent_at);

private:
  struct entry {
    std::uint32_t stream;
    std::string_view entry_id, key, id, payload;
    std::uint64_t event;
    unix_ms sent_at;
  };
  struct open_call {
    enum class kind : std::uint8_t { fresh, duplicate, trim };
    std::uint64_t event;
    kind what;
  };
  void read(const redisReply& r, std::vector<entry>& out) const;
  void fetch_states(const std::vector<entry>& batch);
  void handle(const entry& e);
  void drain(const on_done& done);
  void expire(const std::string& ids);
  void trim(const entry& up_to);
  void ask_for_more();

  setup setup_;
  redis_client server_;
  std::vector<std::string> read_words_;
  std::unordered_map<std::string, OrderState> states_;
  std::unordered_set<std::string> ids_;       ///< key and id
  std::unordered_set<std::string> expiring_;  ///< sets of ids that will expire
  std::vector<std::size_t> untrimmed_;        ///< by stream: entries acknowledged since the last trimming
  std::vector<open_call> open_;
  bool asked_ = false;  ///< a read is under way
  std::string text_;    ///< kept for its capacity
};

}  // namespace pawl::bench
