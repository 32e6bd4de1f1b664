#pragma once

#include "persistence/redis/socket.hpp"

#include <list>
#include <mutex>
#include <string>
#include <thread>

namespace pawl::bench {

/// Stands between a node and Redis on a unix socket of its own and passes every byte on, until it is cut: then nothing
/// passes and nothing is lost, as with a network that drops packets, and new connections lead nowhere. What was held is
/// delivered late, when it is healed.
class store_relay {
public:
  store_relay(std::string path, std::string target);
  ~store_relay();
  store_relay(const store_relay&) = delete;
  store_relay& operator=(const store_relay&) = delete;

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  /// When this returns, nothing passes any more.
  void cut();
  void heal();

private:
  struct stream {  ///< one direction
    std::string waiting;
    bool ended = false;
  };
  struct connection {
    redis::descriptor node, store;
    stream there, back;
    bool broken = false;
  };
  void run();
  void serve();
  void accept();
  void wake() const;

  const std::string path_;
  const std::string target_;
  redis::descriptor listener_;
  redis::descriptor wake_;
  std::mutex mutex_;  ///< held while bytes pass
  bool cut_ = false;
  bool stopping_ = false;
  std::list<connection> connections_;
  std::thread thread_;
};

}  // namespace pawl::bench
