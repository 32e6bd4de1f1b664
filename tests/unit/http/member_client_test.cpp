// Asking another member over real sockets: answers, and everything that a member, or what sits at its address, may do
// instead of answering.

#include "actors/http/member_client.hpp"

#include "server_fixture.hpp"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace pawl {
namespace {

/// A peer that answers every connection with the same bytes, whatever it is asked, and then closes or says nothing
/// more.
class scripted_peer {
public:
  enum class then { close, stay_silent };
  scripted_peer(std::string bytes, then what) : bytes_(std::move(bytes)), then_(what) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&at), size) != 0 || ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size) != 0)
      throw std::runtime_error("cannot listen");
    port = ntohs(at.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~scripted_peer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    for (const int s : open_) ::close(s);
    ::close(listener_);
  }

  std::uint16_t port = 0;
  std::atomic<int> connections{0};

private:
  void run() {
    for (;;) {
      const int s = ::accept(listener_, nullptr, nullptr);
      if (s < 0) return;
      ++connections;
      char request[4096];
      if (::recv(s, request, sizeof request, 0) > 0) ::send(s, bytes_.data(), bytes_.size(), MSG_NOSIGNAL);
      if (then_ == then::close) ::close(s);
      else open_.push_back(s);
    }
  }
  std::string bytes_;
  then then_;
  int listener_ = -1;
  std::vector<int> open_;
  std::thread thread_;
};

member_client_limits short_limits() {
  member_client_limits l;
  l.timeout = milliseconds(200);
  l.body_bytes = 10'000;
  l.requests = 4;
  return l;
}

member_reply ask(member_client& client, std::uint16_t port, std::string path = "/v1/cluster",
                 std::string host = "127.0.0.1") {
  std::promise<member_reply> got;
  client.get(std::move(host), port, std::move(path), [&](member_reply r) { got.set_value(std::move(r)); });
  auto reply = got.get_future();
  if (reply.wait_for(std::chrono::seconds(20)) != std::future_status::ready) throw std::runtime_error("never answered");
  return reply.get();
}

TEST(MemberClient, TakesTheAnswerOfANode) {
  running_server node;
  member_client client;
  const auto r = ask(client, node.server.port(), "/v1/shards");
  EXPECT_EQ(r.status, 200u);
  EXPECT_EQ(r.body, "GET /v1/shards||");
  EXPECT_EQ(ask(client, node.server.port(), "/x", "localhost").status, 200u);
}

TEST(MemberClient, FollowsNoRedirect) {
  scripted_peer elsewhere{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno", scripted_peer::then::close};
  scripted_peer peer{"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:" + std::to_string(elsewhere.port) +
                         "/\r\nContent-Length: 0\r\n\r\n",
                     scripted_peer::then::close};
  member_client client;
  EXPECT_EQ(ask(client, peer.port).status, 302u);
  EXPECT_EQ(elsewhere.connections, 0);
}

TEST(MemberClient, SaysWhyNothingUsableCame) {
  struct row {
    std::string bytes;
    scripted_peer::then then;
    std::string problem;
  };
  using then = scripted_peer::then;
  const std::vector<row> table{
      {"", then::close, "closed the connection"},
      {"", then::stay_silent, "no answer within 200 ms"},
      {"HTTP/1.1 200 OK\r\nContent-", then::close, "closed the connection within its answer"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", then::close, "closed the connection within its answer"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", then::stay_silent, "no answer within 200 ms"},
      {"SSH-2.0-OpenSSH_9.2\r\n\r\n", then::close, "no HTTP"},
      {std::string(64, '\0'), then::close, "no HTTP"},
      {"HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x'), then::stay_silent, "no HTTP"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 10001\r\n\r\n", then::stay_silent, "longer than 10000 bytes"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n", then::stay_silent, "no HTTP"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4000\r\n" + std::string(0x4000, 'x') + "\r\n0\r\n\r\n",
       then::close, "longer than 10000 bytes"},
      {"HTTP/1.1 200 OK\r\n\r\n" + std::string(10'001, 'x'), then::close, "longer than 10000 bytes"},
  };
  member_client client{short_limits()};
  for (const auto& [bytes, what, problem] : table) {
    scripted_peer peer{bytes, what};
    const auto r = ask(client, peer.port);
    EXPECT_EQ(r.status, 0u) << bytes.substr(0, 60);
    EXPECT_NE(r.problem.find(problem), std::string::npos) << bytes.substr(0, 60) << " gave: " << r.problem;
  }
}

TEST(MemberClient, RefusedConnectionIsSaid) {
  std::uint16_t port = 0;
  {
    running_server gone;
    port = gone.server.port();
  }
  member_client client;
  const auto r = ask(client, port);
  EXPECT_EQ(r.status, 0u);
  EXPECT_NE(r.problem.find("refused"), std::string::npos) << r.problem;
}

TEST(MemberClient, NameThatIsNoneIsSaid) {
  member_client client;
  const auto r = ask(client, 80, "/", "no such host");
  EXPECT_EQ(r.status, 0u);
  EXPECT_FALSE(r.problem.empty());
}

TEST(MemberClient, OneTooManyAtOnceIsAnsweredAtOnce) {
  scripted_peer peer{"", scripted_peer::then::stay_silent};
  auto limits = short_limits();
  limits.timeout = std::chrono::seconds(30);
  auto client = std::make_unique<member_client>(limits);
  std::atomic<int> ended{0};
  std::promise<member_reply> fifth;
  for (int i = 0; i < 4; ++i) client->get("127.0.0.1", peer.port, "/", [&](const member_reply&) { ++ended; });
  client->get("127.0.0.1", peer.port, "/", [&](member_reply r) { fifth.set_value(std::move(r)); });
  EXPECT_NE(fifth.get_future().get().problem.find("too much at once"), std::string::npos);
  EXPECT_EQ(ended, 0);
  // Its end answers what is under way, and does not wait for a peer that says nothing.
  client.reset();
  EXPECT_EQ(ended, 4);
}

TEST(MemberClient, PlaceIsFreeAgainAfterATimeout) {
  scripted_peer peer{"", scripted_peer::then::stay_silent};
  running_server node;
  auto limits = short_limits();
  limits.requests = 1;
  member_client client{limits};
  EXPECT_EQ(ask(client, peer.port).status, 0u);
  EXPECT_EQ(ask(client, node.server.port()).status, 200u);
}

}  // namespace
}  // namespace pawl
