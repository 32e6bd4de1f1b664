#include "persistence/id_set.hpp"

#include <tsl/robin_set.h>

#include <cstring>

namespace pawl {
namespace {

struct hash_id_part {
  std::size_t operator()(const message_digest& d) const noexcept {
    std::size_t h;
    std::memcpy(&h, d.bytes.data(), sizeof h);
    return h;
  }
};

struct same_id_part {
  bool operator()(const message_digest& a, const message_digest& b) const noexcept {
    return std::memcmp(a.bytes.data(), b.bytes.data(), message_digest::id_bytes) == 0;
  }
};

}  // namespace

struct id_set::impl {
  tsl::robin_set<message_digest, hash_id_part, same_id_part> ids;
};

id_set::id_set() : impl_(std::make_unique<impl>()) {}
id_set::~id_set() = default;
id_set::id_set(id_set&&) noexcept = default;
id_set& id_set::operator=(id_set&&) noexcept = default;

const message_digest* id_set::find(const message_digest& d) const noexcept {
  auto it = impl_->ids.find(d);
  return it == impl_->ids.end() ? nullptr : &*it;
}
bool id_set::insert(const message_digest& d) { return impl_->ids.insert(d).second; }
std::size_t id_set::size() const noexcept { return impl_->ids.size(); }
void id_set::clear() noexcept { impl_->ids.clear(); }

}  // namespace pawl
