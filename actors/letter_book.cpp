#include "actors/letter_book.hpp"

#include "actors/trace_context.hpp"
#include "cluster/bytes.hpp"
#include "persistence/source_marks.hpp"

#include <algorithm>

namespace pawl {
namespace {

constexpr std::uint8_t format = 1;
constexpr std::uint8_t format_with_trace = 2;

}  // namespace

std::string encode(const dead_letter& l) {
  std::string out;
  out.reserve(l.payload.size() + l.reason.size() + 256);
  byte_writer w{out};
  w.u8(l.trace.empty() ? format : format_with_trace);
  w.bytes(l.entity.type);
  w.bytes(l.entity.key);
  w.bytes(l.name);
  w.bytes(l.id);
  w.bytes(l.source);
  w.i64(l.sent_at);
  w.varint(l.seq);
  w.u8(static_cast<std::uint8_t>(l.code));
  w.bytes(std::string_view{l.reason}.substr(0, limits::reason_bytes));
  w.i64(l.at);
  w.bytes(l.payload);
  if (!l.trace.empty()) w.bytes(l.trace);
  return out;
}

std::optional<dead_letter> decode_dead_letter(std::string_view bytes) {
  byte_reader r{bytes};
  const auto written_as = r.u8();
  if (written_as != format && written_as != format_with_trace) return std::nullopt;
  dead_letter l;
  l.entity.type = r.bytes(limits::name_bytes);
  l.entity.key = r.bytes(limits::id_bytes);
  l.name = r.bytes(limits::name_bytes);
  l.id = r.bytes(limits::id_bytes);
  l.source = r.bytes(limits::source_name_bytes);
  l.sent_at = r.i64();
  l.seq = r.varint();
  const auto code = r.u8();
  l.reason = r.bytes(limits::reason_bytes);
  l.at = r.i64();
  l.payload = r.bytes(limits::payload_bytes);
  if (written_as == format_with_trace) {
    l.trace = r.bytes(limits::trace_bytes);
    if (!is_trace(l.trace)) return std::nullopt;
  }
  if (!r.finished() || code >= reason_codes) return std::nullopt;
  l.code = static_cast<reason_code>(code);
  return l;
}

void letter_book::discard(std::uint32_t slot) {
  if (std::find(discarded_.begin(), discarded_.end(), slot) == discarded_.end()) discarded_.push_back(slot);
}

void letter_book::seal(field_list& out) {
  for (auto& a : added_) {
    a.slot = slots_.take();
    out.add(slot_field(kind, *a.slot), encode(a.letter));
  }
  for (auto slot : discarded_) out.add(slot_field(kind, slot), {});
}

void letter_book::confirm() {
  for (auto slot : discarded_) slots_.release(slot);
  added_.clear();
  discarded_.clear();
}

void letter_book::drop() {
  for (const auto& a : added_)
    if (a.slot) slots_.release(*a.slot);
  added_.clear();
  discarded_.clear();
}

void letter_book::load_nothing(std::uint32_t slot) {
  const bool under_way =
      std::any_of(added_.begin(), added_.end(), [slot](const addition& a) { return a.slot == slot; });
  if (slots_.uses(slot) && !under_way) slots_.release(slot);
}

void letter_book::reset(std::uint32_t slots) {
  slots_.reset(slots);
  added_.clear();
  discarded_.clear();
}

}  // namespace pawl
