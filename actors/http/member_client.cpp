#include "actors/http/member_client.hpp"

#include "metrics/log.hpp"

#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include <exception>
#include <optional>
#include <thread>
#include <unordered_set>

namespace pawl {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

namespace {

/// Longest status line and header of an answer.
constexpr std::uint32_t header_bytes = 16 * 1024;

}  // namespace

class member_client::engine {
public:
  explicit engine(member_client_limits limits) : limits_(limits), thread_([this] { run(); }) {}
  ~engine() {
    asio::post(io_, [this] {
      // A copy: each removes itself.
      for (const auto& c : std::unordered_set{calls_}) c->fail("this node is stopping");
      work_.reset();
    });
    thread_.join();
  }

  void get(std::string host, std::uint16_t port, std::string path, std::function<void(member_reply)> done) {
    asio::post(io_, [this, host = std::move(host), port, path = std::move(path), done = std::move(done)]() mutable {
      if (calls_.size() >= limits_.requests)
        return done({0, {}, "this node asks other members too much at once; try again"});
      auto c = std::make_shared<call>(*this, std::move(done));
      calls_.insert(c);
      c->start(host, port, path);
    });
  }

private:
  /// One request. All of it runs on the engine's thread.
  class call : public std::enable_shared_from_this<call> {
  public:
    call(engine& e, std::function<void(member_reply)> done)
        : engine_(e), resolver_(e.io_), stream_(e.io_), deadline_(e.io_), done_(std::move(done)) {}

    void start(const std::string& host, std::uint16_t port, const std::string& path) {
      parser_.header_limit(header_bytes);
      parser_.body_limit(engine_.limits_.body_bytes);
      request_ = {http::verb::get, beast::string_view{path}, 11};
      request_.set(http::field::host,
                   (host.find(':') == host.npos ? host : "[" + host + "]") + ":" + std::to_string(port));
      request_.keep_alive(false);
      // One clock over all steps, so that an answer that drips does not outlive it.
      deadline_.expires_after(engine_.limits_.timeout);
      deadline_.async_wait([self = shared_from_this()](error_code ec) {
        if (!ec) self->fail("no answer within " + std::to_string(self->engine_.limits_.timeout.count()) + " ms");
      });
      resolver_.async_resolve(host, std::to_string(port), asio::ip::tcp::resolver::numeric_service,
                              [self = shared_from_this()](error_code ec, const auto& found) {
                                if (self->over(ec)) return;
                                self->stream_.async_connect(
                                    found, [self](error_code e, const auto&) { self->on_connected(e); });
                              });
    }

    void fail(std::string why) { finish({0, {}, std::move(why)}); }

  private:
    void on_connected(error_code ec) {
      if (over(ec)) return;
      http::async_write(stream_, request_,
                        [self = shared_from_this()](error_code e, std::size_t) { self->on_written(e); });
    }
    void on_written(error_code ec) {
      if (over(ec)) return;
      // The header by itself: reading both in one go, Beast 1.74 goes on to reserve a body that is beyond the limit.
      http::async_read_header(stream_, buffer_, parser_,
                              [self = shared_from_this()](error_code e, std::size_t) { self->on_header(e); });
    }
    void on_header(error_code ec) {
      if (over(ec)) return;
      http::async_read(stream_, buffer_, parser_,
                       [self = shared_from_this()](error_code e, std::size_t) { self->on_answer(e); });
    }
    void on_answer(error_code ec) {
      if (over(ec)) return;
      auto message = parser_.release();
      finish({message.result_int(), std::move(message.body()), {}});
    }

    /// True if the call has ended, now or before.
    bool over(error_code ec) {
      if (!done_) return true;
      if (!ec) return false;
      if (ec == http::error::body_limit)
        fail("its answer is longer than " + std::to_string(engine_.limits_.body_bytes) + " bytes");
      else if (ec == http::error::end_of_stream) fail("it closed the connection without an answer");
      else if (ec == http::error::partial_message) fail("it closed the connection within its answer");
      else if (ec.category() == http::make_error_code(http::error::bad_method).category())
        fail("its answer is no HTTP: " + ec.message());
      else fail(ec.message());
      return true;
    }

    void finish(member_reply r) {
      if (!done_) return;
      const auto self = shared_from_this();
      engine_.calls_.erase(self);
      deadline_.cancel();
      resolver_.cancel();
      stream_.close();
      std::exchange(done_, nullptr)(std::move(r));
    }

    engine& engine_;
    asio::ip::tcp::resolver resolver_;
    beast::tcp_stream stream_;
    asio::steady_timer deadline_;
    std::function<void(member_reply)> done_;  ///< empty: the call has ended
    http::request<http::empty_body> request_;
    http::response_parser<http::string_body> parser_;
    beast::flat_buffer buffer_{header_bytes + 64 * 1024};
  };

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

  member_client_limits limits_;
  std::unordered_set<std::shared_ptr<call>> calls_;  ///< under way; before `io_`, whose queues refer to it
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  std::thread thread_;  ///< last: it uses all of the above
};

member_client::member_client(member_client_limits limits) : engine_(std::make_unique<engine>(limits)) {}
member_client::~member_client() = default;

void member_client::get(std::string host, std::uint16_t port, std::string path,
                        std::function<void(member_reply)> done) {
  engine_->get(std::move(host), port, std::move(path), std::move(done));
}

}  // namespace pawl
