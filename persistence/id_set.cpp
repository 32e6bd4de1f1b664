#include "persistence/id_set.hpp"

#include <absl/container/flat_hash_set.h>

#include <cstdint>
#include <cstring>
#include <memory>

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
    // Two integers: a call of memcmp costs more than the comparison.
    std::uint64_t a8 = 0, b8 = 0;
    std::uint32_t a4 = 0, b4 = 0;
    static_assert(message_digest::id_bytes == sizeof a8 + sizeof a4);
    std::memcpy(&a8, a.bytes.data(), sizeof a8);
    std::memcpy(&b8, b.bytes.data(), sizeof b8);
    std::memcpy(&a4, a.bytes.data() + sizeof a8, sizeof a4);
    std::memcpy(&b4, b.bytes.data() + sizeof b8, sizeof b4);
    return a8 == b8 && a4 == b4;
  }
};

}  // namespace

// Millions of ids are kept, in slots of 17 bytes that are between seven eighths and seven sixteenths full: 39 bytes an
// id at most. An id that is not there, as nearly all are that are asked for, is known not to be from the one byte of
// each slot that lies apart, 16 of them at once.
struct id_set::impl {
  absl::flat_hash_set<message_digest, hash_id_part, same_id_part> ids;
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
void id_set::collect_replied(std::vector<std::string>& out) const {
  for (const auto& d : impl_->ids)
    if (d.replied()) out.emplace_back(d.id_part());
}

}  // namespace pawl
