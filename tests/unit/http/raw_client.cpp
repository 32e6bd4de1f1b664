#include "raw_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <stdexcept>
#include <utility>

namespace pawl {
namespace {

constexpr int patience_seconds = 20;

}  // namespace

raw_client::raw_client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
  timeval patience{patience_seconds, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
    throw std::runtime_error("cannot connect to port " + std::to_string(port));
}

raw_client::raw_client(raw_client&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), buffer_(std::move(other.buffer_)) {}

raw_client::~raw_client() { close(); }

bool raw_client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

bool raw_client::fill() {
  char chunk[16 * 1024];
  const auto n = ::recv(socket_, chunk, sizeof chunk, 0);
  if (n <= 0) return false;
  buffer_.append(chunk, static_cast<std::size_t>(n));
  return true;
}

raw_answer raw_client::receive(bool to_head) {
  raw_answer out;
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == buffer_.npos)
    if (!fill()) return out;
  std::size_t at = buffer_.find("\r\n") + 2;
  while (at < end) {
    const auto line_end = buffer_.find("\r\n", at);
    const auto colon = buffer_.find(':', at);
    auto name = buffer_.substr(at, colon - at);
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    out.headers[name] = buffer_.substr(colon + 2, line_end - colon - 2);
    at = line_end + 2;
  }
  const auto status = std::stoi(buffer_.substr(9, 3));
  const auto length = out.headers.count("content-length") && !to_head ? std::stoul(out.headers["content-length"]) : 0;
  buffer_.erase(0, end + 4);
  while (buffer_.size() < length)
    if (!fill()) return {};
  out.body = buffer_.substr(0, length);
  buffer_.erase(0, length);
  out.status = status;
  return out;
}

raw_answer raw_client::ask(std::string_view method, std::string_view target, std::string_view body,
                           std::string_view content_type) {
  send(request_bytes(method, target, body, content_type));
  return receive(method == "HEAD");
}

bool raw_client::ended() {
  char byte = 0;
  return buffer_.empty() && (::recv(socket_, &byte, 1, 0) == 0 || errno == ECONNRESET);
}

void raw_client::shut() { ::shutdown(socket_, SHUT_WR); }

void raw_client::close() {
  if (socket_ >= 0) ::close(std::exchange(socket_, -1));
}

std::string request_bytes(std::string_view method, std::string_view target, std::string_view body,
                          std::string_view content_type) {
  std::string out;
  out.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: test\r\n");
  if (!content_type.empty()) out.append("Content-Type: ").append(content_type).append("\r\n");
  if (!body.empty()) out.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
  return out.append("\r\n").append(body);
}

}  // namespace pawl
