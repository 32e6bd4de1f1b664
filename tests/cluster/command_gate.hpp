#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pawl::testing {

/// Stops a connection to Redis at a command.
struct trap {
  enum class when : std::uint8_t {
    before,      ///< Redis never sees it
    unanswered,  ///< Redis has carried it out, and its caller does not hear of it
    answered     ///< its caller has been answered, and says and hears nothing more
  };
  std::function<bool(const std::vector<std::string>& words)> wanted;
  when at = when::before;
  std::size_t commands = 1;  ///< it, and those behind it without which its caller makes nothing of its answer
};

[[nodiscard]] std::string name_of(trap::when);

/// Bytes of the whole RESP2 value at the front of `bytes`; nothing while its end is missing.
[[nodiscard]] std::optional<std::size_t> resp_size(std::string_view bytes);

/// Lets whole commands and replies of one connection pass, until the trap's command comes by. Used from the
/// connection's first byte, so that it always knows which reply belongs to which command.
class command_gate {
public:
  explicit command_gate(trap t) : trap_(std::move(t)) {}

  /// Moves from the front of `from` to `to` what may pass.
  void pass_there(std::string& from, std::string& to);
  void pass_back(std::string& from, std::string& to);

  /// The command has come by: no other passes.
  [[nodiscard]] bool caught() const noexcept { return caught_.has_value(); }
  /// And all that was to happen has.
  [[nodiscard]] bool closed() const noexcept { return closed_; }

private:
  trap trap_;
  std::uint64_t commands_ = 0;  ///< that passed
  std::uint64_t replies_ = 0;
  std::optional<std::uint64_t> caught_;  ///< number of the command
  std::string unheard_;
  bool closed_ = false;
};

}  // namespace pawl::testing
