#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace pawl::bench {

/// HTTP connections to doors on the loopback address, kept alive, for any number of requests at once. Built to cost the
/// machine little beside what it measures: one thread, no allocation per request once buffers have grown.
///
/// Confined to one thread.
class door_connections {
public:
  struct answer {
    std::uint64_t ticket = 0;
    int status = 0;         ///< 0: refused, closed or abandoned before there was a whole answer
    std::string_view body;  ///< until the callback returns
  };
  using on_answer = std::function<void(const answer&)>;

  explicit door_connections(on_answer done);
  ~door_connections();
  door_connections(const door_connections&) = delete;
  door_connections& operator=(const door_connections&) = delete;

  /// Each of these is answered once, from within `poll`.
  void post_batch(std::uint16_t port, std::string_view lines, std::uint64_t ticket);
  void get(std::uint16_t port, std::string_view path, std::uint64_t ticket);
  /// Ends the connection of a request that is not answered yet: it is answered with status 0.
  void abandon(std::uint64_t ticket);

  /// Waits for input, at most so long, and hands out what has been answered.
  void poll(std::chrono::nanoseconds at_most);
  /// From any thread: a `poll` that waits returns.
  void wake();

private:
  struct connection;
  connection& take(std::uint16_t port, std::uint64_t ticket);
  void begin(connection& c);
  void proceed(connection& c, std::uint32_t events);
  [[nodiscard]] bool write(connection& c);
  [[nodiscard]] bool read(connection& c);
  void finish(connection& c, int status, std::string_view body);
  void close(connection& c);

  on_answer done_;
  int epoll_ = -1;
  int waker_ = -1;
  std::vector<std::unique_ptr<connection>> all_;
  std::vector<connection*> closed_;
  std::unordered_map<std::uint16_t, std::vector<connection*>> idle_;  ///< by port
  std::unordered_map<std::uint64_t, connection*> busy_;               ///< by ticket
  std::vector<std::uint64_t> failed_;                                 ///< answered by the next `poll`
  std::vector<char> part_ = std::vector<char>(64 * 1024);
};

/// One GET, waited for; empty unless the answer is 200.
[[nodiscard]] std::string get_once(std::uint16_t port, std::string_view path);

}  // namespace pawl::bench
