#include "actors/caf/link_hub.hpp"

#include "actors/caf/messages.hpp"

namespace pawl {

void link_hub::add(link_number number, const caf::actor& link, const member_id& peer, bool dialled) {
  std::lock_guard lock{mutex_};
  links_[number] = {link, peer, dialled};
  if (dialled) dialled_[peer] = number;
  if (closed_) caf::anon_send(link, close_msg{});
}

void link_hub::remove(link_number number) {
  std::lock_guard lock{mutex_};
  auto it = links_.find(number);
  if (it == links_.end()) return;
  if (auto d = dialled_.find(it->second.peer); d != dialled_.end() && d->second == number) dialled_.erase(d);
  links_.erase(it);
}

std::optional<link_number> link_hub::to(const member_id& peer) const {
  std::lock_guard lock{mutex_};
  auto it = dialled_.find(peer);
  if (it == dialled_.end()) return std::nullopt;
  return it->second;
}

std::optional<link_number> link_hub::any_to(const member_id& peer) const {
  if (auto dialled = to(peer)) return dialled;
  std::lock_guard lock{mutex_};
  for (const auto& [number, e] : links_)
    if (e.peer == peer) return number;
  return std::nullopt;
}

caf::actor link_hub::find(link_number number) const {
  std::lock_guard lock{mutex_};
  auto it = links_.find(number);
  return it == links_.end() ? caf::actor{} : it->second.link;
}

std::size_t link_hub::size() const {
  std::lock_guard lock{mutex_};
  return links_.size();
}

std::vector<caf::actor> link_hub::beyond(const view& v) const {
  std::lock_guard lock{mutex_};
  std::vector<caf::actor> out;
  for (const auto& [number, e] : links_)
    if (e.dialled && v.find(e.peer) == nullptr) out.push_back(e.link);
  return out;
}

void link_hub::close() {
  std::lock_guard lock{mutex_};
  closed_ = true;
  for (const auto& [number, e] : links_) caf::anon_send(e.link, close_msg{});
}

}  // namespace pawl
