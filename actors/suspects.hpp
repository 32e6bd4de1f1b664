#pragma once

#include "cluster/clock.hpp"
#include "persistence/field_list.hpp"
#include "persistence/message_digest.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pawl {

namespace limits {
inline constexpr std::size_t suspects = 4'096;
}  // namespace limits

struct suspicion_policy {
  /// After a takeover. 0: never careful.
  std::chrono::milliseconds careful{0};
  /// A message that was being handled at the end of so many owners is not handled any more. One may be near by chance
  /// when two are lost at once.
  std::uint8_t fatal_ends = 3;
};

/// Finds the message whose handler ends its process, or never returns, before it has ended all of them.
///
/// After a takeover from an owner that did not let go, a shard is careful for a while: it stores which messages it is
/// about to handle, before it does. If that owner is gone as well, they are suspects for the next one, and are handled
/// one by one, each stored by itself; whichever was being handled at the end of `fatal_ends` owners is refused for
/// good. So such a message costs one more owner than that, the first, which was not careful.
///
/// Stored as the field `\0k`: version:u8  count:varint { digest:16 ends:u8 }. Not thread-safe.
class suspects {
public:
  static constexpr std::string_view field{"\0k", 2};
  using digest_bytes = std::array<std::uint8_t, 16>;

  explicit suspects(suspicion_policy policy = {}) : policy_(policy) {}
  [[nodiscard]] bool enabled() const noexcept { return policy_.careful > std::chrono::milliseconds{0}; }
  [[nodiscard]] unsigned fatal_ends() const noexcept { return policy_.fatal_ends; }

  /// The shard was taken over from an owner that did not let go.
  void start(instant now) { careful_until_ = now.steady + policy_.careful; }
  /// What the former owner had stored. False if the bytes are damaged.
  [[nodiscard]] bool load(std::string_view bytes);
  void stop();

  [[nodiscard]] bool careful(instant now) const noexcept { return careful_until_ && now.steady < *careful_until_; }
  [[nodiscard]] std::size_t size() const noexcept { return ends_.size(); }
  [[nodiscard]] bool suspected(const message_digest& d) const { return ends_.contains(d.bytes); }
  /// It has ended as many owners as it may.
  [[nodiscard]] bool fatal(const message_digest& d) const;

  /// These are about to be handled. Returns what has to be stored before.
  [[nodiscard]] std::string about_to_handle(const std::vector<message_digest>& messages);
  /// The commit of what was about to be handled is confirmed, or has certainly failed: they have ended nobody.
  void handled();
  /// A commit is about to be built. If what is stored means nothing any more, the commit clears it.
  void tidy(instant now);
  void seal(field_list& out) const;
  void confirm();

private:
  suspicion_policy policy_;
  std::optional<steady_time> careful_until_;
  std::map<digest_bytes, std::uint8_t> ends_;  ///< of owners that were handling the message
  std::vector<digest_bytes> handling_;
  bool stored_ = false;
  bool clearing_ = false;
};

}  // namespace pawl
