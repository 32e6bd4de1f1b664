#include "actors/http/server.hpp"

#include "actors/http/connection.hpp"
#include "metrics/log.hpp"

#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <thread>
#include <unordered_map>
#include <vector>

namespace pawl {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

/// Connections above the limit that may wait for their 503 at the same time; above both they are closed at once.
constexpr std::size_t refusals_max = 64;
/// Wait after a failed accept. Out of file descriptors, the next try would fail as well and turn into a busy loop.
constexpr std::chrono::milliseconds accept_pause{100};

}  // namespace

http_server_options::http_server_options(const node_options& o)
    : address(o.http_address), port(o.http_port), threads(o.http_threads) {
  limits.body_bytes = o.http_body_bytes;
  limits.bodies_bytes = 32 * o.http_body_bytes;
  limits.connections = o.http_connections;
  limits.timeout = o.http_timeout;
}

class http_server::engine {
public:
  engine(http_server_options options, http_handler handler, std::function<void(unsigned)> answered)
      : options_(std::move(options)), acceptor_(asio::make_strand(io_)), retry_(acceptor_.get_executor()) {
    host_.limits = options_.limits;
    host_.handler = std::move(handler);
    host_.answered = std::move(answered);
    host_.ended = [this](const http_connection& c) { remove(c); };
  }

  std::string start() {
    error_code ec;
    const auto endpoint = resolve(ec);
    if (!ec) acceptor_.open(endpoint.protocol(), ec);
    if (!ec) acceptor_.set_option(asio::ip::tcp::acceptor::reuse_address(true), ec);
    if (!ec) acceptor_.bind(endpoint, ec);
    if (!ec) acceptor_.listen(asio::socket_base::max_listen_connections, ec);
    if (ec)
      return "http: cannot listen on address " + options_.address + " port " + std::to_string(options_.port) + ": " +
             ec.message() + " (errno " + std::to_string(ec.value()) +
             "); set another http.address or http.port (0: any free port)";
    port_ = acceptor_.local_endpoint(ec).port();
    accept();
    for (std::size_t i = 0; i < std::max<std::size_t>(1, options_.threads); ++i)
      threads_.emplace_back([this] { run(); });
    return {};
  }

  void stop(std::chrono::milliseconds grace) {
    std::lock_guard one_at_a_time(stop_mutex_);
    if (threads_.empty()) return;
    {
      std::lock_guard lock(mutex_);
      host_.stopping = true;
    }
    asio::post(acceptor_.get_executor(), [this] {
      error_code ignored;
      acceptor_.close(ignored);
      retry_.cancel();
    });
    for (const auto& c : open_connections()) c->finish();
    {
      std::unique_lock lock(mutex_);
      emptied_.wait_for(lock, grace, [this] { return connections_.empty(); });
    }
    for (const auto& c : open_connections()) c->close();
    {
      std::lock_guard lock(host_.gate->mutex);
      host_.gate->open = false;
    }
    work_.reset();
    // With every socket closed the loop has nothing left to wait for, so `run` returns by itself.
    for (auto& t : threads_) t.join();
    threads_.clear();
  }

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] std::size_t connections() const {
    std::lock_guard lock(mutex_);
    return connections_.size();
  }

private:
  void run() {
    for (;;) {
      try {
        io_.run();
        return;
      } catch (const std::exception& e) {
        log::error("http thread caught", {{"error", e.what()}});
      }
    }
  }

  asio::ip::tcp::endpoint resolve(error_code& ec) {
    asio::ip::tcp::resolver resolver(io_);
    const auto found =
        resolver.resolve(options_.address, std::to_string(options_.port),
                         asio::ip::tcp::resolver::passive | asio::ip::tcp::resolver::numeric_service, ec);
    return ec ? asio::ip::tcp::endpoint{} : found.begin()->endpoint();
  }

  void accept() {
    acceptor_.async_accept(asio::make_strand(io_), [this](error_code ec, asio::ip::tcp::socket socket) {
      if (!acceptor_.is_open()) return;
      if (ec && ec != asio::error::connection_aborted) {
        if (!std::exchange(accept_failed_, true)) log::warn("http accept failed", {{"error", ec.message()}});
        retry_.expires_after(accept_pause);
        retry_.async_wait([this](error_code) {
          if (acceptor_.is_open()) accept();
        });
        return;
      }
      accept_failed_ = false;
      if (!ec) add(std::move(socket));
      accept();
    });
  }

  void add(asio::ip::tcp::socket socket) {
    error_code ignored;
    socket.set_option(asio::ip::tcp::no_delay(true), ignored);
    std::lock_guard lock(mutex_);
    const auto open = connections_.size();
    if (host_.stopping || open >= options_.limits.connections + refusals_max) return;
    auto c = make_http_connection(std::move(socket), host_);
    connections_.emplace(c.get(), c);
    if (open < options_.limits.connections) c->start();
    else c->refuse();
  }

  void remove(const http_connection& c) {
    std::lock_guard lock(mutex_);
    connections_.erase(&c);
    if (connections_.empty()) emptied_.notify_all();
  }

  std::vector<std::shared_ptr<http_connection>> open_connections() const {
    std::lock_guard lock(mutex_);
    std::vector<std::shared_ptr<http_connection>> out;
    out.reserve(connections_.size());
    for (const auto& [_, c] : connections_) out.push_back(c);
    return out;
  }

  http_server_options options_;
  http_host host_;
  mutable std::mutex mutex_;
  std::condition_variable emptied_;
  asio::io_context io_;  // after `host_`: what is left in its queues refers to it
  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  asio::ip::tcp::acceptor acceptor_;
  asio::steady_timer retry_;
  std::unordered_map<const http_connection*, std::shared_ptr<http_connection>> connections_;
  std::mutex stop_mutex_;
  std::vector<std::thread> threads_;
  std::uint16_t port_ = 0;
  bool accept_failed_ = false;
};

http_server::http_server(http_server_options options, http_handler handler, std::function<void(unsigned)> answered)
    : engine_(std::make_unique<engine>(std::move(options), std::move(handler), std::move(answered))) {}
http_server::~http_server() { stop(std::chrono::milliseconds::zero()); }
std::string http_server::start() { return engine_->start(); }
std::uint16_t http_server::port() const noexcept { return engine_->port(); }
std::size_t http_server::connections() const { return engine_->connections(); }
void http_server::stop(std::chrono::milliseconds grace) { engine_->stop(grace); }

}  // namespace pawl
