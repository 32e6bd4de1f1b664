#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pawl {

/// How a command to the store ended. `unknown` is never folded into another value: the write may have happened, may
/// happen later, or may never happen.
enum class store_outcome : std::uint8_t {
  done,         ///< executed; for a commit: the write hit the live hash and is as durable as the store mode says
  refused,      ///< the store answered with an error before any effect; `error` says which. Certainly not applied
  fenced,       ///< a compare failed (another token, an older view, a live name). Certainly not applied
  lost,         ///< data that must exist does not (rule A2), or is damaged. Stop, loudly; certainly not applied
  unknown,      ///< sent, but no conclusive answer: connection broken, timed out, or `EXISTS` said 0 (rule A8)
  unavailable,  ///< never sent: no connection, or it is not the connection the command names. Certainly not applied
};

/// Named error replies of Redis. Each has a defined behaviour; see persistence/SCHEMA.md.
enum class store_error : std::uint8_t {
  none,
  oom,          ///< `OOM`: memory limit. Commits wait and admission answers "store full"; claims pass (allow-oom)
  readonly,     ///< `READONLY`: a demoted primary. Reconnect
  loading,      ///< `LOADING`: still reading its data. Retry
  misconf,      ///< `MISCONF`: cannot persist (disk full). Retry, alarm
  no_replicas,  ///< `NOREPLICAS`: min-replicas-to-write not met. Retry
  busy,         ///< `BUSY`: a script runs for too long. Retry
  try_again,    ///< `TRYAGAIN`, `CLUSTERDOWN`, `MASTERDOWN`: slot moving. Retry
  moved,        ///< `MOVED`, `ASK`: another node of a Redis Cluster holds the slot. Operator error today
  no_auth,      ///< `NOAUTH`, `WRONGPASS`, `NOPERM`: credentials or ACL. Operator error
  wrong_type,   ///< `WRONGTYPE`: somebody else writes under our names. Operator error
  other,        ///< anything else; the text is kept
};

[[nodiscard]] std::string_view to_string(store_outcome) noexcept;
[[nodiscard]] std::string_view to_string(store_error) noexcept;

}  // namespace pawl
