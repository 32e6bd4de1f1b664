#include "tests/cluster/proxy.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdexcept>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

namespace pawl::testing {
namespace {

/// A caller that cannot be named by this many bytes is none of ours.
constexpr std::size_t introduction_bytes = 4'096;

struct name_bytes {
  sockaddr_storage bytes{};
  socklen_t size = 0;
  [[nodiscard]] sockaddr* get() noexcept { return reinterpret_cast<sockaddr*>(&bytes); }
};

name_bytes name_of(const listening_place& p) {
  name_bytes out;
  if (p.path.empty()) {
    auto& name = reinterpret_cast<sockaddr_in&>(out.bytes);
    name.sin_family = AF_INET;
    name.sin_port = htons(p.port);
    if (::inet_pton(AF_INET, p.address.c_str(), &name.sin_addr) != 1)
      throw std::runtime_error("no address: " + p.address);
    out.size = sizeof name;
  } else {
    auto& name = reinterpret_cast<sockaddr_un&>(out.bytes);
    if (p.path.size() >= sizeof name.sun_path) throw std::runtime_error("the path is too long: " + p.path);
    name.sun_family = AF_UNIX;
    p.path.copy(name.sun_path, sizeof name.sun_path - 1);
    out.size = sizeof name;
  }
  return out;
}

redis::descriptor open_socket(const listening_place& p) {
  return redis::descriptor{::socket(p.path.empty() ? AF_INET : AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
}

void no_delay(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // fails for a unix socket, which does not delay
}

/// Ends a connection the hard way: its other end sees a reset, not an end.
void reset(redis::descriptor& fd) {
  if (!fd.open()) return;
  const linger at_once{1, 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  fd.close();
}

/// False if the source was reset.
bool take(int from, std::string& into, bool& ended) {
  std::array<char, 64 * 1024> buffer;
  const auto n = ::recv(from, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (n < 0) return errno == EAGAIN || errno == EINTR;
  if (n == 0) ended = true;
  into.append(buffer.data(), static_cast<std::size_t>(n));
  return true;
}

/// False if the sink takes no more.
bool give(int to, std::string& waiting) {
  const auto n = ::send(to, waiting.data(), waiting.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n < 0) return errno == EAGAIN || errno == EINTR;
  waiting.erase(0, static_cast<std::size_t>(n));
  return true;
}

}  // namespace

proxy::proxy(listening_place here, listening_place target, identifier who)
    : here_(std::move(here)), target_(std::move(target)), who_(std::move(who)), wake_(::eventfd(0, EFD_CLOEXEC)) {
  listen();
  thread_ = std::thread{[this] { run(); }};
}

proxy::~proxy() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  wake();
  thread_.join();
}

void proxy::listen() {
  const std::lock_guard lock{mutex_};
  if (listener_.open()) return;
  if (!here_.path.empty()) ::unlink(here_.path.c_str());
  auto fd = open_socket(here_);
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  auto name = name_of(here_);
  if (::bind(fd.get(), name.get(), name.size) != 0 || ::listen(fd.get(), 64) != 0 ||
      ::getsockname(fd.get(), name.get(), &name.size) != 0)
    throw std::runtime_error("a proxy cannot listen: " + redis::error_text(errno));
  if (here_.path.empty()) here_.port = ntohs(reinterpret_cast<sockaddr_in&>(name.bytes).sin_port);
  if (target_.path.empty() && target_.port == 0) target_.port = here_.port;
  listener_ = std::move(fd);
  wake();
}

void proxy::stop_listening() {
  const std::lock_guard lock{mutex_};
  listener_.close();
  wake();
}

void proxy::set(const std::string& caller, const std::function<void(passage&)>& change) {
  const std::lock_guard lock{mutex_};
  change(rules_[caller]);
  wake();
}

bool proxy::sprung(const std::string& caller) const {
  const std::lock_guard lock{mutex_};
  const auto found = rules_.find(caller);
  return found != rules_.end() && found->second.sprung;
}

/// Decides what of the bytes that have come may pass.
void proxy::sort(connection& c) {
  const auto all = [](stream& s) { s.waiting += std::exchange(s.unread, {}); };
  if (!c.gate) {
    all(c.there);
    all(c.back);
    return;
  }
  c.gate->pass_there(c.there.unread, c.there.waiting);
  c.gate->pass_back(c.back.unread, c.back.waiting);
}

/// Holds all connections of the caller once its command has come to where it shall, and all before that has arrived.
void proxy::spring(connection& c) {
  if (!c.gate || !c.gate->closed() || !c.there.waiting.empty() || !c.back.waiting.empty()) return;
  if (auto& r = rules_[*c.who]; r.set) r.there_held = r.back_held = r.sprung = true;
}

void proxy::wake() const {
  const std::uint64_t one = 1;
  static_cast<void>(!::write(wake_.get(), &one, sizeof one));
}

passage proxy::rule(const connection& c) const {
  const auto found = c.who ? rules_.find(*c.who) : rules_.end();
  return found == rules_.end() ? passage{} : found->second;
}

short proxy::wanted_of_caller(const connection& c) const {
  const auto held = rule(c);
  // Bytes that are held are not read, so their end is not seen either. Only a caller that hangs up before the target
  // has heard of it is let go: nobody repeats a greeting for one who has left.
  if (c.who && !c.target.open()) return POLLRDHUP;
  short out = 0;
  if (!held.there_held && !c.there.ended && c.there.waiting.empty()) out |= POLLIN;
  if (!held.back_held && !c.back.waiting.empty()) out |= POLLOUT;
  return out;
}

short proxy::wanted_of_target(const connection& c) const {
  const auto held = rule(c);
  short out = 0;
  if (!c.target.open()) return out;
  if (!held.back_held && !c.back.ended && c.back.waiting.empty()) out |= POLLIN;
  if (!held.there_held && !c.there.waiting.empty()) out |= POLLOUT;
  return out;
}

void proxy::run() {
  std::vector<pollfd> fds;
  for (std::unique_lock lock{mutex_}; !stopping_;) {
    fds.assign({{wake_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}});
    for (const auto& c : connections_) {
      // poll reports a hang-up of whatever it is given, asked for or not.
      const auto caller = wanted_of_caller(c);
      const auto target = wanted_of_target(c);
      fds.push_back({caller == 0 ? -1 : c.caller.get(), caller, 0});
      fds.push_back({target == 0 ? -1 : c.target.get(), target, 0});
    }
    lock.unlock();
    ::poll(fds.data(), fds.size(), -1);
    lock.lock();
    if (std::uint64_t count = 0; fds[0].revents != 0) static_cast<void>(!::read(wake_.get(), &count, sizeof count));
    for (std::size_t i = 0; i < connections_.size(); ++i)
      serve(connections_[i], fds[2 + 2 * i].revents, fds[3 + 2 * i].revents);
    std::erase_if(connections_, [](const connection& c) { return c.finished; });
    if (fds[1].revents != 0) accept();
  }
}

void proxy::accept() {
  if (!listener_.open()) return;  // closed while poll looked at it
  redis::descriptor fd{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
  if (!fd.open()) return;
  no_delay(fd.get());
  connections_.emplace_back().caller = std::move(fd);
  introduce(connections_.back());
}

/// Names the caller if that can be told, and dials the target for it unless the way there is cut.
void proxy::introduce(connection& c) {
  if (!c.who) {
    c.who = who_(c.there.unread);
    if (!c.who && (c.there.ended || c.there.unread.size() >= introduction_bytes)) c.who = "";
    if (const auto set = rule(c).set) c.gate.emplace(*set);
  }
  if (!c.who || c.target.open() || rule(c).there_held) return;
  if (rule(c).refused) return give_up(c);
  c.target = open_socket(target_);
  auto name = name_of(target_);
  // At once on the loopback network, or not at all: a listener that is there has room.
  if (::connect(c.target.get(), name.get(), name.size) != 0) return give_up(c);
  no_delay(c.target.get());
}

void proxy::give_up(connection& c) {
  reset(c.caller);
  reset(c.target);
  c.finished = true;
}

/// Moves what may be moved. What was allowed when poll was asked may be forbidden by now.
void proxy::serve(connection& c, short at_caller, short at_target) {
  if (rule(c).refused) return give_up(c);
  if (c.who && !c.target.open() && (at_caller & (POLLRDHUP | POLLHUP | POLLERR)) != 0) return give_up(c);
  if (at_caller != 0 && (wanted_of_caller(c) & POLLIN) != 0 && !take(c.caller.get(), c.there.unread, c.there.ended))
    return give_up(c);
  if (at_target != 0 && (wanted_of_target(c) & POLLIN) != 0 && !take(c.target.get(), c.back.unread, c.back.ended))
    return give_up(c);
  introduce(c);
  if (!c.target.open()) return;
  sort(c);

  const auto pass_on = [](stream& s, int sink) {
    if (!s.broken && !s.waiting.empty()) s.broken = !give(sink, s.waiting);
    // Its source learns it by itself, when the other direction passes.
    if (s.broken) s.waiting.clear();
    if (s.ended && s.waiting.empty() && !std::exchange(s.told, true)) ::shutdown(sink, SHUT_WR);
  };
  const auto held = rule(c);
  if (!held.there_held) pass_on(c.there, c.target.get());
  if (!held.back_held) pass_on(c.back, c.caller.get());
  spring(c);
  c.finished = c.there.over() && c.back.over();
}

}  // namespace pawl::testing
