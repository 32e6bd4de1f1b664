#pragma once

#include "persistence/redis/event_loop.hpp"
#include "persistence/redis/options.hpp"
#include "persistence/redis/reply.hpp"
#include "persistence/redis/scripts.hpp"
#include "persistence/redis/socket.hpp"

#include <cstdint>
#include <deque>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::redis {

/// Who uses a connection. All calls come on the loop's thread.
class connection_user {
public:
  virtual ~connection_user() = default;
  /// Commands may be sent from now on, as connection `number`.
  virtual void connected(std::uint64_t number) = 0;
  /// The next reply, in the order the commands were sent. Empty: it was understood. Else the reply makes no sense here
  /// (or says that this server is of no use); the text says why, and the connection is broken.
  [[nodiscard]] virtual std::string replied(reply&& r) = 0;
  /// No reply will come any more for what was sent: its outcome is unknown. Called once for each `connected`.
  virtual void disconnected(std::string_view why) = 0;
  /// A turn of the loop has ended: time to hand out what was gathered.
  virtual void flush() = 0;
  /// Why there is no connection, when that is new.
  virtual void trouble(std::string_view why) = 0;
};

/// How long to wait between attempts: doubles from the least to the greatest, each wait is half of that plus a random
/// part, so that many nodes do not come back at one moment.
inline constexpr std::chrono::milliseconds backoff_least{20};
inline constexpr std::chrono::milliseconds backoff_greatest{500};

/// Bytes waiting to be sent on one connection; beyond, commands are refused as `unavailable`.
inline constexpr std::size_t output_bytes_max = 64 * 1024 * 1024;

/// What several connections to one server share.
struct server_contact {
  explicit server_contact(redis_options o) : options(std::move(o)), where(options) {}
  redis_options options;
  endpoint where;
  std::size_t connected = 0;  ///< connections that are up
  std::string last_trouble;   ///< told already; one server's trouble is news once, not once per connection
};

/// One connection to the server, made again whenever it breaks. It is up after AUTH, a `PING` answered by `PONG` and
/// all scripts loaded; each time it gets a new number, increasing in the whole process.
///
/// It breaks on: end of stream, bytes that are no reply, a reply its user cannot understand, and silence for longer
/// than `timeout` while a reply is due (bytes of a reply under way are no silence: a large one may take its time).
/// Confined to the loop's thread.
class connection final : public loop_client {
public:
  connection(event_loop& loop, server_contact& server, connection_user& user);
  ~connection() override = default;

  [[nodiscard]] bool up() const noexcept { return state_ == state::up; }
  /// 0 while down.
  [[nodiscard]] std::uint64_t number() const noexcept { return up() ? number_ : 0; }
  [[nodiscard]] const std::string& name_of(script s) const { return names_[static_cast<std::size_t>(s)]; }

  /// Whether `bytes` more may be queued.
  [[nodiscard]] bool has_room(std::size_t bytes) const noexcept;
  /// Commands are appended here, then announced by `sent`.
  [[nodiscard]] std::string& output() noexcept { return queued_; }
  /// The output just appended will be answered by so many replies.
  void sent(std::uint32_t replies);

  void ready(bool readable, bool writable) override;
  void turn_ended(steady_time now) override;
  void stopped() override;
  [[nodiscard]] steady_time deadline() const override;

private:
  enum class state : std::uint8_t { down, connecting, greeting, up };
  struct expectation {
    std::uint32_t replies;
    steady_time since;
  };

  void connect(steady_time now);
  void greet();
  void break_off(std::string_view why);
  void disconnect(std::string_view why);
  void read();
  void write();
  [[nodiscard]] std::string take(reply&& r);
  [[nodiscard]] std::string greeted(reply&& r);

  event_loop& loop_;
  server_contact& server_;
  connection_user& user_;
  state state_ = state::down;
  descriptor socket_;
  bool watching_writable_ = false;
  std::uint64_t number_ = 0;
  steady_time since_;  ///< start of the present state
  steady_time heard_;  ///< when bytes came last
  steady_time retry_at_;
  std::chrono::milliseconds backoff_ = backoff_least;

  // Two buffers that swap: a long queue is never moved because part of it was sent.
  std::string queued_, sending_;
  std::size_t sent_bytes_ = 0;
  std::deque<expectation> expected_;
  reply_reader reader_;

  std::uint32_t greetings_ = 0;  ///< replies of the greeting so far
  script_names names_;
  std::minstd_rand jitter_;
};

}  // namespace pawl::redis
