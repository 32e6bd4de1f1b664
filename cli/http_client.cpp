#include "cli/http_client.hpp"

#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include <exception>
#include <optional>

namespace pawl::cli {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

/// Beast's blocking calls know no timeouts, so each step is started asynchronously and run to its end here.
class http_client::connection {
public:
  connection(node_url node, std::chrono::milliseconds timeout) : node_(std::move(node)), timeout_(timeout) {}

  http_answer ask(http::request<http::string_body> request) {
    request.version(11);
    request.set(http::field::host, node_.authority());
    request.set(http::field::user_agent, "pawl/" PAWL_VERSION);
    request.keep_alive(true);
    request.prepare_payload();
    const bool kept = stream_.has_value();
    auto out = attempt(request);
    // The node closes idle connections; that says nothing about whether it would answer now.
    if (kept && out.status == 0 && closed_before_answer_) out = attempt(request);
    return out;
  }

private:
  http_answer attempt(http::request<http::string_body>& request) {
    closed_before_answer_ = false;
    error_code ec;
    if (!stream_) connect(ec);
    if (ec) return none(ec);
    stream_->expires_after(timeout_);
    run(ec, [&](auto done) { http::async_write(*stream_, request, std::move(done)); });
    if (ec) return lost(ec);
    http::response_parser<http::string_body> parser;
    parser.body_limit(answer_bytes_max);
    // The header by itself: reading both in one go, Beast 1.74 goes on to reserve a body that is beyond the limit.
    run(ec, [&](auto done) { http::async_read_header(*stream_, buffer_, parser, std::move(done)); });
    if (ec) return parser.got_some() ? none(ec) : lost(ec);
    run(ec, [&](auto done) { http::async_read(*stream_, buffer_, parser, std::move(done)); });
    if (ec) return none(ec);
    auto message = parser.release();
    if (!message.keep_alive()) stream_.reset();
    return {message.result_int(), std::move(message.body()), {}};
  }

  void connect(error_code& ec) {
    buffer_.clear();
    asio::ip::tcp::resolver resolver(io_);
    const auto found =
        resolver.resolve(node_.host, std::to_string(node_.port), asio::ip::tcp::resolver::numeric_service, ec);
    if (ec) return;
    stream_.emplace(io_);
    stream_->expires_after(timeout_);
    run(ec, [&](auto done) { stream_->async_connect(found, std::move(done)); });
    if (ec) return;
    error_code ignored;
    stream_->socket().set_option(asio::ip::tcp::no_delay(true), ignored);
  }

  template <class Start>
  void run(error_code& ec, Start start) {
    start([&ec](error_code result, auto&&...) { ec = result; });
    io_.restart();
    io_.run();
  }

  http_answer lost(error_code ec) {
    closed_before_answer_ = ec != beast::error::timeout;
    return none(ec);
  }

  http_answer none(error_code ec) {
    stream_.reset();
    if (ec == beast::error::timeout) return {0, {}, "no answer within " + std::to_string(timeout_.count()) + " ms"};
    if (ec == http::error::body_limit)
      return {0, {}, "its answer is longer than " + std::to_string(answer_bytes_max) + " bytes"};
    if (ec == http::error::end_of_stream) return {0, {}, "it closed the connection without an answer"};
    if (ec == http::error::partial_message) return {0, {}, "it closed the connection within its answer"};
    if (ec.category() == http::make_error_code(http::error::bad_method).category())
      return {0, {}, "its answer is no HTTP: " + ec.message()};
    return {0, {}, ec.message()};
  }

  node_url node_;
  std::chrono::milliseconds timeout_;
  asio::io_context io_{1};
  std::optional<beast::tcp_stream> stream_;
  beast::flat_buffer buffer_;
  bool closed_before_answer_ = false;
};

http_client::http_client(node_url node, std::chrono::milliseconds timeout)
    : connection_(std::make_unique<connection>(std::move(node), timeout)) {}
http_client::~http_client() = default;
http_client::http_client(http_client&&) noexcept = default;
http_client& http_client::operator=(http_client&&) noexcept = default;

http_answer http_client::get(std::string_view path) {
  return connection_->ask({http::verb::get, beast::string_view{path.data(), path.size()}, 11});
}

http_answer http_client::post(std::string_view path, std::string_view content_type, std::string body) {
  http::request<http::string_body> request{http::verb::post, beast::string_view{path.data(), path.size()}, 11};
  request.set(http::field::content_type, beast::string_view{content_type.data(), content_type.size()});
  request.body() = std::move(body);
  return connection_->ask(std::move(request));
}

}  // namespace pawl::cli
