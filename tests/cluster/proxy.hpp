#pragma once

#include "persistence/redis/socket.hpp"
#include "tests/cluster/command_gate.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace pawl::testing {

/// Where something listens: a path, or a port of a loopback address.
struct listening_place {
  std::string path;
  std::string address;
  std::uint16_t port = 0;
};

/// What a caller's connections have to bear.
struct passage {
  bool there_held = false;  ///< what the caller sends
  bool back_held = false;   ///< what is sent to the caller
  bool refused = false;     ///< connections are reset: those that exist, and new ones as soon as the caller is known
  /// For connections that are made from now on. Both directions are held once it has sprung.
  std::optional<trap> set{};
  bool sprung = false;
};

/// Stands where callers look for a target, on a thread of its own, and passes on every byte.
///
/// A direction that is held loses nothing: bytes, and the end of the connection, stay where they are and are delivered
/// late, as TCP would once it can repeat them. So a heal brings to light what was sent long ago, by connections whose
/// caller may have given up.
///
/// Thread-safe. After a change has returned nothing passes that it forbids.
class proxy {
public:
  /// Who is calling, from the first bytes; nothing while there are too few to tell. Empty: nobody that rules are for.
  using identifier = std::function<std::optional<std::string>(std::string_view first_bytes)>;

  /// Listens at once. Port 0: any free one; of the target: the same.
  proxy(listening_place here, listening_place target, identifier who);
  ~proxy();
  proxy(const proxy&) = delete;
  proxy& operator=(const proxy&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept { return here_.port; }
  void set(const std::string& caller, const std::function<void(passage&)>& change);
  [[nodiscard]] bool sprung(const std::string& caller) const;
  /// Refuses every connection, as the address of a process that has ended does; what exists goes on.
  void stop_listening();
  void listen();

private:
  struct stream {  ///< one direction
    /// Its caller is not known yet; or a gate wants the rest first, or lets nothing pass.
    std::string unread;
    std::string waiting;
    bool ended = false;   ///< its source sends no more
    bool told = false;    ///< the sink knows
    bool broken = false;  ///< the sink takes no more: bytes are dropped
    [[nodiscard]] bool over() const noexcept { return told || broken; }
  };
  struct connection {
    redis::descriptor caller;
    redis::descriptor target;
    std::optional<std::string> who;
    stream there;
    stream back;
    bool finished = false;
    std::optional<command_gate> gate;
  };

  void run();
  void accept();
  void serve(connection& c, short at_caller, short at_target);
  void introduce(connection& c);
  void give_up(connection& c);
  void sort(connection& c);
  void spring(connection& c);
  [[nodiscard]] passage rule(const connection& c) const;
  [[nodiscard]] short wanted_of_caller(const connection& c) const;
  [[nodiscard]] short wanted_of_target(const connection& c) const;
  void wake() const;

  listening_place here_;
  listening_place target_;
  identifier who_;
  redis::descriptor wake_;
  mutable std::mutex mutex_;  ///< of all below
  redis::descriptor listener_;
  std::map<std::string, passage> rules_;
  std::vector<connection> connections_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace pawl::testing
