#include "actors/suspects.hpp"

#include "cluster/bytes.hpp"

#include <algorithm>
#include <utility>

namespace pawl {
namespace {

constexpr std::uint8_t format = 1;

}  // namespace

void suspects::stop() {
  careful_until_.reset();
  ends_.clear();
  handling_.clear();
  stored_ = clearing_ = false;
}

bool suspects::load(std::string_view bytes) {
  stored_ = !bytes.empty();
  if (bytes.empty()) return true;
  byte_reader r{bytes};
  if (r.u8() != format) return false;
  const auto count = r.varint();
  if (count > limits::suspects) return false;
  for (std::uint64_t i = 0; i < count && !r.failed(); ++i) {
    const auto raw = r.raw(std::tuple_size_v<digest_bytes>);
    const auto ends = r.u8();
    if (r.failed()) break;
    digest_bytes d{};
    std::copy(raw.begin(), raw.end(), d.begin());
    ends_[d] = ends;
  }
  return r.finished();
}

bool suspects::fatal(const message_digest& d) const {
  const auto known = ends_.find(d.bytes);
  return known != ends_.end() && known->second >= policy_.fatal_ends;
}

std::string suspects::about_to_handle(const std::vector<message_digest>& messages) {
  // Whoever reads this comes after the end of an owner that was handling them.
  auto next = ends_;
  handling_.clear();
  for (const auto& m : messages) {
    if (next.size() >= limits::suspects && !next.contains(m.bytes)) continue;
    handling_.push_back(m.bytes);
    auto& ends = next[m.bytes];
    if (ends < 255) ++ends;
  }
  std::string out;
  byte_writer w{out};
  w.u8(format);
  w.varint(next.size());
  for (const auto& [digest, ends] : next) {
    w.raw({reinterpret_cast<const char*>(digest.data()), digest.size()});
    w.u8(ends);
  }
  stored_ = true;
  return out;
}

void suspects::handled() {
  for (const auto& d : std::exchange(handling_, {})) ends_.erase(d);
}

void suspects::tidy(instant now) {
  if (careful(now)) return;
  ends_.clear();
  clearing_ = stored_;
}

void suspects::seal(field_list& out) const {
  if (clearing_) out.add(field, {});
}

void suspects::confirm() {
  if (std::exchange(clearing_, false)) stored_ = false;
}

}  // namespace pawl
