#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace httplib {
class Client;
}

namespace pawl::testing {

/// What became of one message of a request.
struct message_answer {
  std::string id;
  std::string result;
  std::string reason;

  [[nodiscard]] bool resolved() const { return result == "applied" || result == "duplicate" || result == "refused"; }
};

/// The answer to messages.
struct post_answer {
  int status = 0;  ///< 0: no answer, or half of one
  bool retry_after = false;
  std::vector<message_answer> messages;  ///< in the order of the request; empty unless the body has results
  std::string body;
};

/// An order as a node shows it.
struct order_answer {
  int status = 0;  ///< 200, 404, 503 …; 0: no answer. The rest is filled in with 200 only
  std::string owner;
  std::uint32_t shard = 0;
  std::string order_status;
  std::uint64_t events = 0;
  std::string chain;
};

/// What a node says of itself and of the cluster.
struct node_status {
  std::string state;  ///< joining, up, draining …; empty: no answer
  std::uint64_t incarnation = 0;
  std::uint32_t shards = 0;
  std::uint32_t shards_owned = 0;
  std::vector<std::string> members;  ///< names, sorted
};

struct shard_row {
  std::string owner;
  std::uint64_t queued = 0;
};

/// Talks HTTP with one node, over a connection that is kept. Not thread-safe. Nothing throws because of the node's
/// state: no answer is status 0.
class node_client {
public:
  explicit node_client(std::uint16_t port, std::chrono::milliseconds timeout = std::chrono::seconds{20});
  ~node_client();
  node_client(node_client&&) noexcept;
  node_client& operator=(node_client&&) noexcept;

  /// One message, a JSON object.
  [[nodiscard]] post_answer post(const std::string& message);
  /// One message per line.
  [[nodiscard]] post_answer post_batch(const std::string& lines);
  [[nodiscard]] order_answer order(const std::string& key);
  [[nodiscard]] node_status status();
  [[nodiscard]] std::vector<shard_row> shards();
  /// The value of a sample as it is named in the text format, labels included. 0 if there is none.
  [[nodiscard]] double metric(std::string_view sample);
  /// The body of any GET; empty if there is no answer.
  [[nodiscard]] std::string get(const std::string& path);

private:
  std::unique_ptr<httplib::Client> http_;
};

}  // namespace pawl::testing
