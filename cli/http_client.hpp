#pragma once

#include "cli/node_url.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace pawl::cli {

/// Largest body of an answer that is read; beyond it the answer counts as none. The longest honest one is an entity's
/// state of 4 MiB, which may grow several times as JSON.
inline constexpr std::size_t answer_bytes_max = 32 * 1024 * 1024;

struct http_answer {
  unsigned status = 0;  ///< 0: none, see `problem`
  std::string body;
  std::string problem;  ///< why there is no answer, such as "connection refused"
};

/// Asks one node, one request at a time, over a connection that is kept. No request takes longer than the timeout, but
/// for the look-up of a host name, which takes what the system's resolver takes. Not thread-safe. Does not throw for
/// anything a node or the network does.
class http_client {
public:
  http_client(node_url node, std::chrono::milliseconds timeout);
  ~http_client();
  http_client(http_client&&) noexcept;
  http_client& operator=(http_client&&) noexcept;

  /// Both send the request a second time if a kept connection turns out to be closed: what is posted here may be
  /// repeated (messages by their ids, a drain by itself).
  [[nodiscard]] http_answer get(std::string_view path);
  [[nodiscard]] http_answer post(std::string_view path, std::string_view content_type, std::string body);

private:
  class connection;
  std::unique_ptr<connection> connection_;
};

}  // namespace pawl::cli
