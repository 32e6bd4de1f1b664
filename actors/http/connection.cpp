#include "actors/http/connection.hpp"

#include "metrics/log.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include <exception>
#include <optional>

namespace pawl {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

constexpr std::size_t read_ahead_bytes = 64 * 1024;
constexpr const char* traceparent_header = "traceparent";
/// How long input of a client that was refused half way is read and dropped. Closing at once would send a reset, and
/// that can destroy the answer before the client has read it.
constexpr std::chrono::seconds linger_time{1};

/// What a reading error deserves; nothing: the client is gone or silent, close without a word.
std::optional<http_response> answer_to(error_code ec, const http_limits& limits) {
  if (ec == http::error::header_limit || ec == http::error::buffer_overflow)
    return http_problem(431, "the request line and headers exceed " + std::to_string(limits.header_bytes) + " bytes");
  if (ec == http::error::body_limit)
    return http_problem(413, "the body exceeds " + std::to_string(limits.body_bytes) +
                                 " bytes; send smaller batches, or raise http.body_bytes");
  if (ec == http::error::bad_version) return http_problem(505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
  if (ec == http::error::end_of_stream || ec == http::error::partial_message) return std::nullopt;
  if (ec.category() == http::make_error_code(http::error::bad_method).category())
    return http_problem(400, "not an HTTP request: " + ec.message());
  return std::nullopt;
}

class connection;

bool is_loopback(const asio::ip::tcp::socket& socket) {
  error_code ec;
  const auto address = socket.remote_endpoint(ec).address();
  if (ec) return false;
  // A socket that listens for both has IPv4 clients in the form ::ffff:127.0.0.1.
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).is_loopback();
  return address.is_loopback();
}

/// The answer to one request, shared by all copies of its `http_respond`.
class pending_answer {
public:
  pending_answer(std::shared_ptr<http_answer_gate> gate, std::weak_ptr<connection> to)
      : gate_(std::move(gate)), to_(std::move(to)) {}
  pending_answer(const pending_answer&) = delete;
  pending_answer& operator=(const pending_answer&) = delete;
  ~pending_answer() {
    try {
      if (!given_) give(http_problem(503, "the request was dropped before it was answered; retry with the same ids"));
    } catch (const std::exception& e) {
      log::error("http answer failed", {{"error", e.what()}});
    }
  }
  void give(http_response r);

private:
  std::shared_ptr<http_answer_gate> gate_;
  std::weak_ptr<connection> to_;
  std::atomic<bool> given_{false};
};

class connection final : public http_connection, public std::enable_shared_from_this<connection> {
  enum class phase : std::uint8_t { reading, handling, writing, lingering, closed };

  /// A completion handler that keeps the connection alive and is ignored once it is closed.
  auto step(void (connection::*next)(error_code)) {
    return [self = shared_from_this(), next](error_code ec, std::size_t) {
      if (self->phase_ != phase::closed) ((*self).*next)(ec);
    };
  }

public:
  connection(asio::ip::tcp::socket socket, http_host& host)
      : host_(host), stream_(std::move(socket)), buffer_(host.limits.header_bytes + read_ahead_bytes) {}

  void start() override { post(&connection::wait_for_request); }
  void refuse() override {
    post(&connection::write, http_problem(503, "too many connections; retry later, or raise http.connections"));
  }
  void finish() override { post(&connection::close_if_reading); }
  void close() override { post(&connection::close_now); }

  /// Runs a member function on the strand.
  template <class... Args>
  void post(void (connection::*member)(Args...), Args... args) {
    asio::post(stream_.get_executor(), [self = shared_from_this(), member, ... a = std::move(args)]() mutable {
      ((*self).*member)(std::move(a)...);
    });
  }

  void write(http_response r) {
    if (phase_ == phase::closed) return;
    release_body();
    phase_ = phase::writing;
    keep_alive_ = keep_alive_ && !host_.stopping;
    answer_.version(version_);
    answer_.result(r.status);
    answer_.set(http::field::content_type, r.content_type);
    answer_.set(http::field::cache_control, "no-store");
    answer_.set("X-Content-Type-Options", "nosniff");
    for (const auto& [name, value] : r.headers) answer_.set(name, value);
    answer_.keep_alive(keep_alive_);
    answer_.body() = std::move(r.body);
    answer_.prepare_payload();
    if (head_) answer_.body().clear();  // Content-Length keeps telling what GET would have sent
    stream_.expires_after(host_.limits.timeout);
    http::async_write(stream_, answer_, step(&connection::on_written));
  }

private:
  void wait_for_request() {
    phase_ = phase::reading;
    if (host_.stopping) return close_now();
    head_ = false;
    if (buffer_.size() > 0) return read_header();
    stream_.expires_after(host_.limits.timeout);
    stream_.async_read_some(buffer_.prepare(4096), [self = shared_from_this()](error_code ec, std::size_t n) {
      if (self->phase_ == phase::closed) return;
      if (ec) return self->close_now();
      self->buffer_.commit(n);
      self->read_header();
    });
  }

  void read_header() {
    // The parser judges a request line only when the whole header is there. A TLS handshake or other binary noise
    // would wait for that until the timeout.
    const auto first = *static_cast<const char*>(buffer_.data().data());
    if (first < 'A' || first > 'z') return refuse_input(http::error::bad_method);
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(host_.limits.header_bytes));
    parser_->body_limit(host_.limits.body_bytes);
    stream_.expires_after(host_.limits.timeout);
    http::async_read_header(stream_, buffer_, *parser_, step(&connection::on_header));
  }

  void on_header(error_code ec) {
    if (ec) return refuse_input(ec);
    if (!reserve_body()) {
      keep_alive_ = false;
      return write(http_problem(503, "too many large bodies at once; retry later, or send smaller batches"));
    }
    if (!beast::iequals(parser_->get()[http::field::expect], "100-continue")) return read_body({});
    static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    asio::async_write(stream_, asio::buffer(go_on), step(&connection::read_body));
  }

  void read_body(error_code ec) {
    if (ec) return close_now();
    stream_.expires_after(host_.limits.timeout);
    http::async_read(stream_, buffer_, *parser_, step(&connection::on_request));
  }

  void on_request(error_code ec) {
    if (ec) return refuse_input(ec);
    auto message = parser_->release();
    parser_.reset();
    version_ = message.version();
    keep_alive_ = message.keep_alive();
    head_ = message.method() == http::verb::head;

    http_request request;
    request.method = head_ ? std::string{"GET"} : std::string{message.method_string()};
    const std::string_view target{message.target().data(), message.target().size()};
    if (target.empty() || target.front() != '/')
      return write(http_problem(400, "the request target must be a path that starts with '/'"));
    const auto question = target.find('?');
    request.path = target.substr(0, question);
    if (question != target.npos) request.query = target.substr(question + 1);
    request.content_type = std::string{message[http::field::content_type]};
    request.content_encoding = std::string{message[http::field::content_encoding]};
    request.if_none_match = std::string{message[http::field::if_none_match]};
    request.host = std::string{message[http::field::host]};
    // Several cannot all be right, and the standard has them all ignored.
    if (message.count(traceparent_header) == 1) request.traceparent = std::string{message[traceparent_header]};
    request.from_loopback = is_loopback(stream_.socket());
    request.body = std::move(message.body());
    hand_over(std::move(request));
  }

  void hand_over(http_request request) {
    phase_ = phase::handling;
    stream_.expires_never();
    auto pending = std::make_shared<pending_answer>(host_.gate, weak_from_this());
    try {
      host_.handler(std::move(request), [pending](http_response r) { pending->give(std::move(r)); });
    } catch (const std::exception& e) {
      log::error("http handler failed", {{"error", e.what()}});
      pending->give(http_problem(500, "internal error; the log of this node has more"));
    }
  }

  void on_written(error_code ec) {
    if (host_.answered) host_.answered(answer_.result_int());
    answer_ = {};  // an idle connection keeps no body in memory
    if (ec) return close_now();
    if (keep_alive_) return wait_for_request();
    phase_ = phase::lingering;
    stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ec);
    stream_.expires_after(linger_time);
    linger(ec);
  }

  void linger(error_code ec) {
    if (ec) return close_now();
    buffer_.clear();
    stream_.async_read_some(buffer_.prepare(4096), step(&connection::linger));
  }

  void refuse_input(error_code ec) {
    auto r = answer_to(ec, host_.limits);
    if (!r) return close_now();
    keep_alive_ = false;  // where the next request would begin is not known
    write(std::move(*r));
  }

  void close_if_reading() {
    if (phase_ == phase::reading) close_now();
  }

  void close_now() {
    if (phase_ == phase::closed) return;
    phase_ = phase::closed;
    release_body();
    stream_.close();
    host_.ended(*this);
  }

  bool reserve_body() {
    const auto length = parser_->content_length();
    std::size_t bytes = 0;
    if (length) bytes = static_cast<std::size_t>(*length);
    else if (parser_->chunked()) bytes = host_.limits.body_bytes;
    if (bytes <= http_limits::small_body_bytes) return true;
    if (host_.bodies.fetch_add(bytes) + bytes > host_.limits.bodies_bytes) {
      host_.bodies.fetch_sub(bytes);
      return false;
    }
    reserved_ = bytes;
    return true;
  }

  void release_body() {
    host_.bodies.fetch_sub(reserved_);
    reserved_ = 0;
  }

  http_host& host_;
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> answer_;
  std::size_t reserved_ = 0;
  unsigned version_ = 11;
  bool keep_alive_ = false;
  bool head_ = false;
  phase phase_ = phase::reading;
};

void pending_answer::give(http_response r) {
  if (given_.exchange(true)) return;
  std::lock_guard lock(gate_->mutex);
  if (!gate_->open) return;
  if (auto c = to_.lock()) c->post(&connection::write, std::move(r));
}

}  // namespace

std::shared_ptr<http_connection> make_http_connection(asio::ip::tcp::socket socket, http_host& host) {
  return std::make_shared<connection>(std::move(socket), host);
}

}  // namespace pawl
