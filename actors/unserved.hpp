#pragma once

#include "cluster/claim.hpp"
#include "cluster/clock.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pawl {

namespace limits {
/// A shard that cannot be served or reached for less than this is on its way from one owner to the next.
inline constexpr std::chrono::milliseconds unserved_after{1'000};
}  // namespace limits

/// Why messages for a shard wait at a node.
enum class unserved_reason : std::uint8_t {
  none,
  no_view,        ///< not a member yet
  evicted,        ///< placed here by the last view, before this node was evicted
  no_owner,       ///< all members are on their way out
  no_link,        ///< another member owns it, and there is no connection to that one
  claiming,       ///< placed here, not claimed or not loaded yet
  store_down,     ///< needed here, and there is no connection
  store_silent,   ///< claimed here, and no commit is answered
  stopped,        ///< data that must exist does not
  owner_silent,   ///< sent to the owner, and nothing resolved comes back
  stuck_handler,  ///< claimed here, and a handler does not return
};

/// For people. @param owner node that the view names
[[nodiscard]] std::string to_text(unserved_reason why, std::string_view owner, std::string_view claim_state);

struct unserved {
  unserved_reason why = unserved_reason::none;
  steady_time since{};
};

/// Decides whether a node can serve a shard, or pass its messages on to the owner; and if not, why and since when. A
/// stretch lasts until the shard is served again, also when its reason changes meanwhile.
class unserved_watch {
public:
  struct facts {
    bool view = false;       ///< one is known
    bool evicted = false;    ///< since that view
    bool owner = false;      ///< the view names one
    bool here = false;       ///< it is this member
    bool linked = false;     ///< it is another, which can be reached
    bool connected = false;  ///< to the store
    bool serving = false;    ///< claimed and loaded
    bool stopped = false;    ///< its claim is lost for good
    /// Since when messages wait for it here without any of them being judged.
    std::optional<steady_time> waiting_since;
  };
  /// Nothing if the shard is served, as far as is known. That messages wait is no more than that until they have waited
  /// for longer than `limits::unserved_after`.
  [[nodiscard]] std::optional<unserved> look(const facts& f, steady_time now);

private:
  std::optional<steady_time> blocked_since_;
};

}  // namespace pawl
