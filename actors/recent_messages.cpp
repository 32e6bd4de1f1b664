#include "actors/recent_messages.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace pawl {
namespace {

struct record_head {
  unix_ms at = 0;
  std::uint16_t id_bytes = 0;
  std::uint16_t name_bytes = 0;

  [[nodiscard]] std::size_t record_bytes() const noexcept { return sizeof *this + id_bytes + name_bytes; }
};

record_head head_at(const char* record) noexcept {
  record_head h;
  std::memcpy(&h, record, sizeof h);
  return h;
}

char* put(char* to, const void* from, std::size_t bytes) noexcept {
  if (bytes != 0) std::memcpy(to, from, bytes);
  return to + bytes;
}

}  // namespace

/// Every message that takes effect comes through here: written without the general tools, it takes a quarter of what it
/// took with them.
void recent_messages::add(const message& m, unix_ms at) {
  const record_head head{at, static_cast<std::uint16_t>(m.id.size()), static_cast<std::uint16_t>(m.name.size())};
  std::size_t dropped = 0;
  while (dropped < records_.size() && (count_ == most || records_.size() - dropped + head.record_bytes() > bytes_max)) {
    dropped += head_at(records_.data() + dropped).record_bytes();
    --count_;
  }
  const auto kept = records_.size() - dropped;
  if (dropped != 0) std::memmove(records_.data(), records_.data() + dropped, kept);
  records_.resize(kept + head.record_bytes());
  auto* to = put(records_.data() + kept, &head, sizeof head);
  put(put(to, m.id.data(), m.id.size()), m.name.data(), m.name.size());
  ++count_;
}

std::vector<applied_message> recent_messages::newest_first() const {
  std::vector<applied_message> out;
  for (std::string_view left{records_}; !left.empty();) {
    const auto head = head_at(left.data());
    const auto text = left.substr(sizeof head);
    out.push_back({std::string{text.substr(0, head.id_bytes)}, std::string{text.substr(head.id_bytes, head.name_bytes)},
                   head.at});
    left.remove_prefix(head.record_bytes());
  }
  std::reverse(out.begin(), out.end());
  return out;
}

}  // namespace pawl
