#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::cli {

inline constexpr std::size_t members_max = 1'024;

/// One member in a node's view.
struct member_row {
  std::string node;
  std::uint64_t incarnation = 0;
  std::string state;
  std::string peer_address;
  std::string http_address;  ///< host:port as the node bound it; empty: unknown
};

/// What a node says of itself and of the cluster: `/v1/cluster`.
struct node_view {
  std::string cluster;
  std::string dataset;
  std::string node;
  std::uint64_t incarnation = 0;
  std::string state;
  std::string version;
  bool store_up = false;
  std::uint32_t shards = 0;
  std::uint32_t shards_owned = 0;
  std::uint64_t view = 0;
  std::vector<member_row> members;
  std::optional<std::int64_t> time_ms;  ///< its wall clock, since 1970; earlier versions do not tell
};

/// What a node knows of one shard: a row of `/v1/shards`.
struct shard_row {
  std::uint32_t shard = 0;
  std::string owner;  ///< by the node's view; empty: none
  bool local = false;
  std::string claim;
  std::uint64_t queued = 0;
  std::uint64_t entities = 0;
  std::uint64_t commits = 0;
  std::string waiting_for;  ///< empty: nothing
  std::chrono::milliseconds waiting{0};
};

inline constexpr std::size_t detail_rows_max = 1'024;

/// What the owner of a shard says of what waits in it: `/v1/shards/{shard}`.
struct shard_details {
  struct receiver {  ///< a shard that has not taken what entities of this one have sent
    std::uint32_t shard = 0;
    std::uint64_t messages = 0;
    bool stopped = false;  ///< nothing is sent there any more
    std::string type, key, message;
    std::int64_t sent_at = 0;  ///< since 1970; of the first message, as the above
  };
  struct source {
    std::string name;
    std::uint64_t position = 0;  ///< taken; its next message follows it
  };
  std::string owner;
  std::uint64_t outbox = 0;
  std::uint64_t receivers = 0;
  std::vector<receiver> waiting;  ///< the longest waited for
  std::uint64_t sources = 0;
  std::vector<source> taken;  ///< some of them
  std::uint64_t timers = 0;
  std::optional<std::int64_t> next_timer;  ///< since 1970
  std::uint64_t dead_letters = 0;
};

/// A value, or why the answer of a node is not what it should be.
template <class T>
struct decoded {
  std::optional<T> value;
  std::string problem;
};

[[nodiscard]] decoded<node_view> decode_cluster(std::string_view body);
[[nodiscard]] decoded<std::vector<shard_row>> decode_shards(std::string_view body);
[[nodiscard]] decoded<shard_details> decode_shard_details(std::string_view body);

/// The `detail` of a problem report (RFC 9457), else the status as a text.
[[nodiscard]] std::string problem_detail(unsigned status, std::string_view body);

}  // namespace pawl::cli
