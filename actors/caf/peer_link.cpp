#include "actors/caf/peer_link.hpp"

#include "metrics/log.hpp"

#include <chrono>
#include <future>
#include <memory>
#include <utility>
#include <variant>

namespace pawl {
namespace {

constexpr auto ping_every = std::chrono::milliseconds{250};
constexpr auto hello_max = std::chrono::milliseconds{1'000};

/// A little less than a lease: whoever is cut off from us, but not from the store, shall be accused by then.
std::chrono::milliseconds silence_max(const node_host& host) { return host.options.lease * 5 / 6; }

std::size_t bytes_of(const frame& f) {
  std::size_t n = 32;
  for (const auto* m : f.messages)
    n += m->type.size() + m->key.size() + m->name.size() + m->id.size() + m->payload.size() + 32;
  return n;
}

hello our_hello(const node_host& host) {
  hello h;
  h.cluster = host.options.cluster;
  h.dataset = host.dataset;
  h.self = host.sight().self;
  return h;
}

void write(link_actor* self, caf::io::connection_handle c, const peer_message& m) {
  std::string bytes;
  encode_peer_message(m, bytes);
  auto& buffer = self->wr_buf(c);
  buffer.insert(buffer.end(), bytes.begin(), bytes.end());
  self->state.host->metrics.peer_bytes_out.fetch_add(bytes.size(), std::memory_order_relaxed);
  self->flush(c);
}

/// `gone`: it is not the member dialled that answers.
void close(link_actor* self, caf::io::connection_handle c, std::string why, bool gone = false) {
  if (!self->state.closing.empty()) return;
  self->state.closing = std::move(why);
  self->close(c);
  // Whoever waits for an answer learns here that none will come.
  self->state.host->links.remove(self->state.number);
  if (self->state.greeted)
    for (const auto& shard : self->state.host->shard_handles) caf::anon_send(shard, link_down_msg{self->state.number});
  if (self->state.expected)
    caf::anon_send(self->state.host->member_handle, peer_closed_msg{*self->state.expected, self->state.closing, gone});
  log::info("peer link closed", {{"peer", self->state.peer.node}, {"reason", self->state.closing}});
  self->state.host->metrics.peer_links = self->state.host->links.size();
  self->quit();
}

std::pair<std::uint32_t, std::string> owner_of(const frame& f) {
  return {f.shard.value, f.of ? f.of->source : std::string{}};
}

void send_waiting(link_actor* self, caf::io::connection_handle c) {
  auto& s = self->state;
  while (!s.waiting.empty()) {
    auto& f = s.waiting.front();
    auto size = bytes_of(f);
    if (!s.window.take(size)) return;
    s.under_way[owner_of(f)] = {f.number, size};
    write(self, c, std::move(f));
    s.waiting.pop_front();
  }
}

/// A lane has one frame under way, and so has a source for each shard: a newer one takes the place and the credit of
/// the older, which nobody waits for any more. So no more frames wait here than there are lanes and sources.
void send_frame(link_actor* self, caf::io::connection_handle c, frame f) {
  auto& s = self->state;
  const auto owner = owner_of(f);
  std::erase_if(s.waiting, [&owner](const frame& w) { return owner_of(w) == owner; });
  if (auto it = s.under_way.find(owner); it != s.under_way.end()) {
    s.window.returned(it->second.bytes);
    s.under_way.erase(it);
  }
  s.waiting.push_back(std::move(f));
  send_waiting(self, c);
}

void return_credit(link_actor* self, caf::io::connection_handle c, const frame_answer& a) {
  auto& s = self->state;
  auto it = s.under_way.find({a.shard.value, a.source});
  if (it == s.under_way.end() || it->second.number != a.number) return;
  s.window.returned(it->second.bytes);
  s.under_way.erase(it);
  send_waiting(self, c);
}

void greet(link_actor* self, caf::io::connection_handle c, const hello& theirs) {
  auto& s = self->state;
  auto ours = our_hello(*s.host);
  if (auto why = check_hello(theirs, ours, s.expected); !why.empty()) {
    log::warn("peer turned away", {{"reason", why}});
    // One that has not joined yet names nobody; it may be about to become the member we want.
    close(self, c, why, s.expected && !theirs.self.empty() && theirs.self != *s.expected);
    return;
  }
  if (!s.expected) write(self, c, ours);
  s.greeted = true;
  s.peer = theirs.self;
  s.host->links.add(s.number, self, s.peer, s.expected.has_value());
  s.host->metrics.peer_links = s.host->links.size();
  log::info("peer link up", {{"peer", s.peer.node}, {"direction", s.expected ? "out" : "in"}});
  if (s.expected) {
    for (const auto& shard : s.host->shard_handles) caf::anon_send(shard, link_up_msg{s.peer, s.number});
    caf::anon_send(s.host->member_handle, link_up_msg{s.peer, s.number});
  }
}

template <class M>
void to_shard(link_actor* self, caf::io::connection_handle c, M m) {
  auto shard = m.shard.value;
  if (shard >= self->state.host->shards) {
    close(self, c, "peer names shard " + std::to_string(shard) + " of " + std::to_string(self->state.host->shards));
    return;
  }
  caf::anon_send(self->state.host->shard_handles[shard], from_peer_msg{self->state.number, std::move(m)});
}

void take(link_actor* self, caf::io::connection_handle c, peer_message m) {
  bool dialled = self->state.expected.has_value();
  std::visit(
      [&](auto& x) {
        using type = std::decay_t<decltype(x)>;
        if constexpr (std::is_same_v<type, hello>) {
          greet(self, c, x);
        } else if constexpr (std::is_same_v<type, ping>) {
          write(self, c, pong{});
        } else if constexpr (std::is_same_v<type, view_notice>) {
          caf::anon_send(self->state.host->member_handle, view_notice_msg{x.view});
        } else if constexpr (std::is_same_v<type, pong>) {
          // Heard from it: that was the purpose.
        } else if constexpr (std::is_same_v<type, frame_answer> || std::is_same_v<type, read_answer>) {
          if (!dialled) return close(self, c, "peer answers what nobody asked");
          if constexpr (std::is_same_v<type, frame_answer>) return_credit(self, c, x);
          to_shard(self, c, std::move(x));
        } else if constexpr (std::is_same_v<type, release_notice>) {
          to_shard(self, c, std::move(x));
        } else {
          if (dialled) return close(self, c, "peer asks on a link that is ours to ask on");
          to_shard(self, c, std::move(x));
        }
      },
      m);
}

}  // namespace

caf::behavior peer_link(link_actor* self, caf::io::connection_handle connection, node_host* host,
                        std::optional<member_id> expected) {
  auto& s = self->state;
  s.host = host;
  s.number = host->links.next_number();
  s.expected = std::move(expected);
  if (s.expected) s.peer = *s.expected;
  s.heard = s.woke = clock_now().steady;
  self->set_exception_handler(
      [](caf::scheduled_actor*, std::exception_ptr& e) -> caf::error { stop_on_exception("peer link", e); });
  self->configure_read(connection, caf::io::receive_policy::at_most(64 * 1024));
  if (s.expected) write(self, connection, our_hello(*host));
  self->delayed_send(self, ping_every, wake_msg{});
  return {
      [=](const caf::io::new_data_msg& m) {
        auto& state = self->state;
        if (!state.closing.empty()) return;
        state.heard = clock_now().steady;
        state.host->metrics.peer_bytes_in.fetch_add(m.buf.size(), std::memory_order_relaxed);
        std::vector<peer_message> messages;
        bool good = state.decoder.feed({reinterpret_cast<const char*>(m.buf.data()), m.buf.size()}, messages);
        for (auto& x : messages) {
          if (!state.closing.empty()) return;
          take(self, connection, std::move(x));
        }
        if (!good) close(self, connection, state.decoder.error());
      },
      [=](to_peer_msg& m) {
        if (!self->state.closing.empty()) return;
        if (auto* f = std::get_if<frame>(&m.message)) send_frame(self, connection, std::move(*f));
        else write(self, connection, m.message);
      },
      [=](wake_msg) {
        if (!self->state.closing.empty()) return;
        auto& state = self->state;
        auto now = clock_now().steady;
        // This process stood still itself: what the peer sent meanwhile has not been read yet.
        if (now - std::exchange(state.woke, now) > 2 * ping_every) state.heard = now;
        if (now - state.heard > (state.greeted ? silence_max(*state.host) : hello_max))
          return close(self, connection, state.greeted ? "peer is silent" : "peer did not say hello in time");
        if (state.greeted) write(self, connection, ping{});
        self->delayed_send(self, ping_every, wake_msg{});
      },
      [=](const caf::io::connection_closed_msg&) { close(self, connection, "connection closed by peer"); },
      [=](close_msg) { close(self, connection, "this node stops"); },
  };
}

namespace {

caf::behavior acceptor(caf::io::broker* self, node_host* host) {
  return {
      [=](const caf::io::new_connection_msg& m) { self->fork(peer_link, m.handle, host, std::optional<member_id>{}); },
      [=](const caf::io::acceptor_closed_msg&) { self->quit(); },
      [=](close_msg) { self->quit(); },
  };
}

}  // namespace

listening listen_for_peers(caf::actor_system& system, node_host& host) {
  // The broker binds when it first runs, on the multiplexer's thread.
  auto bound = std::make_shared<std::promise<listening>>();
  auto answer = bound->get_future();
  auto handle = system.middleman().spawn_broker([bound, &host](caf::io::broker* self) -> caf::behavior {
    listening out;
    auto door = self->add_tcp_doorman(host.options.peer_port, host.options.peer_address.c_str(), true);
    if (door) {
      out.port = door->second;
      bound->set_value(out);
      return acceptor(self, &host);
    }
    out.error = "cannot listen for peers on " + host.options.peer_address + ":" +
                std::to_string(host.options.peer_port) + ": the address is in use, or not of this machine";
    bound->set_value(out);
    self->quit();
    return {[](close_msg) {}};
  });
  auto out = answer.get();
  out.acceptor = handle;
  return out;
}

void adopt_link(caf::actor_system& system, node_host& host, int socket, const member_id& peer) {
  system.middleman().spawn_broker([socket, &host, peer](link_actor* self) -> caf::behavior {
    return peer_link(self, self->add_scribe(socket), &host, peer);
  });
}

}  // namespace pawl
