#include "tests/sim/network.hpp"

#include "tests/sim/process.hpp"

#include <algorithm>

namespace pawl::sim {

span network::latency() { return dice_.chance(3) ? dice_.between(2ms, 40ms) : dice_.between(50us, 500us); }

void network::gone(std::size_t at) {
  listeners_.erase(at);
  std::vector<link_number> theirs;
  for (const auto& [number, l] : links_)
    if (l.dialler.at == at || l.acceptor.at == at) theirs.push_back(number);
  for (auto number : theirs) break_off(number);
}

void network::dial(const std::shared_ptr<process>& from, std::size_t to, const member_id& peer) {
  std::weak_ptr<process> dialler = from;
  auto at = from->place();
  auto tell = [this, dialler, peer](dial_result result, span after) {
    time_.after(after, [dialler, peer, result] {
      if (auto p = dialler.lock()) p->deliver([p, peer, result] { p->on_dialled(peer, result); });
    });
  };
  if (is_cut(at, to) || is_cut(to, at)) return tell(dial_result::unreachable, 250ms);
  auto found = listeners_.find(to);
  auto listener = found == listeners_.end() ? nullptr : found->second.lock();
  if (!listener) return tell(dial_result::refused, dice_.between(200us, 2ms));
  time_.after(latency() + latency(), [this, dialler, at, to, peer, tell] {
    auto d = dialler.lock();
    auto l = listeners_.contains(to) ? listeners_[to].lock() : nullptr;
    if (!d) return;
    if (!l) return tell(dial_result::refused, 0us);
    if (is_cut(at, to) || is_cut(to, at) || l->frozen()) return tell(dial_result::unreachable, 250ms);
    // Another member at that address: whom we wanted is gone. One that has not joined yet names nobody.
    if (l->self() != peer) return tell(l->self().empty() ? dial_result::unreachable : dial_result::refused, 0us);
    auto number = ++numbers_;
    links_[number] = {{d, at, {}, {}}, {l, to, {}, {}}};
    l->deliver([l, number, id = d->self()] { l->on_accepted(number, id); });
    d->deliver([d, number, peer] { d->on_linked(number, peer); });
  });
}

void network::send(const process& from, link_number number, peer_message m) {
  auto it = links_.find(number);
  if (it == links_.end()) return;
  carry(number, it->second.dialler.at == from.place(), std::move(m));
}

void network::carry(link_number number, bool from_dialler, peer_message m) {
  auto& l = links_.at(number);
  auto& e = from_dialler ? l.dialler : l.acceptor;
  e.last = std::max(e.last, time_.elapsed() + latency());
  auto shared = std::make_shared<peer_message>(std::move(m));
  time_.at(e.last, [this, number, from_dialler, shared] { arrive(number, from_dialler, std::move(*shared)); });
}

void network::arrive(link_number number, bool from_dialler, peer_message m) {
  auto it = links_.find(number);
  if (it == links_.end()) return;
  auto& from = from_dialler ? it->second.dialler : it->second.acceptor;
  auto& to = from_dialler ? it->second.acceptor : it->second.dialler;
  if (is_cut(from.at, to.at) || !from.held.empty()) return from.held.push_back(std::move(m));
  auto p = to.who.lock();
  if (!p) return;
  auto shared = std::make_shared<peer_message>(std::move(m));
  p->deliver([p, number, shared] { p->on_peer_message(number, std::move(*shared)); });
}

void network::break_off(link_number number) {
  auto it = links_.find(number);
  if (it == links_.end()) return;
  auto l = std::move(it->second);
  links_.erase(it);
  for (const auto& e : {l.dialler, l.acceptor}) {
    time_.after(dice_.between(200us, 20ms), [who = e.who, number] {
      if (auto p = who.lock()) p->deliver([p, number] { p->on_link_down(number); });
    });
  }
}

std::vector<link_number> network::links() const {
  std::vector<link_number> out;
  for (const auto& [number, l] : links_) out.push_back(number);
  return out;
}

void network::cut(std::size_t from, std::size_t to) {
  auto number = ++cut_numbers_;
  cuts_[{from, to}] = number;
  time_.after(dice_.between(silence_max, silence_max + 500ms), [this, from, to, number] {
    auto it = cuts_.find({from, to});
    if (it == cuts_.end() || it->second != number) return;
    for (auto link : links()) {
      const auto& l = links_.at(link);
      bool between = (l.dialler.at == from && l.acceptor.at == to) || (l.dialler.at == to && l.acceptor.at == from);
      if (between) break_off(link);
    }
  });
}

void network::heal(std::size_t from, std::size_t to) {
  cuts_.erase({from, to});
  for (auto& [number, l] : links_) {
    for (bool from_dialler : {true, false}) {
      auto& e = from_dialler ? l.dialler : l.acceptor;
      const auto& other = from_dialler ? l.acceptor : l.dialler;
      if (e.at != from || other.at != to) continue;
      for (auto& m : std::exchange(e.held, {})) carry(number, from_dialler, std::move(m));
    }
  }
}

}  // namespace pawl::sim
