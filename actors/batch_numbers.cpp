// The part of `batch` that is about sequenced types: their messages take effect in the order of their numbers (rule
// B36).
//
//   number          id known      becomes
//   none            -             refused: seq_missing
//   passed          yes           as with any type: duplicate, refused, or id reused
//   passed          too old       as with any type, refused: too_old. What became of it is not known any more, but it
//                                 is never handled again
//   passed          no            refused: seq_passed. It was skipped, or another message had the number
//   the next one    no            handled; refused for good, it has used its number up all the same
//   the next one    yes           the same message under another number: as with any type, and the number is used up
//   later           -             busy: early; a copy is held
//
// A frame of held messages goes through the same table. If it is to pass a gap, that is part of the same commit.
#include "actors/batch.hpp"
#include "actors/verdicts.hpp"
#include "persistence/codec.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace pawl {
namespace {

/// Payload of the dead letter that a skipped gap leaves.
struct missing_numbers {
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  PAWL_FIELDS(from, to)
};

std::string entity_of(const message& m) { return "'" + std::string{m.type} + "' '" + std::string{m.key} + "'"; }

std::string numbers(std::uint64_t from, std::uint64_t to) {
  return from == to ? "number " + std::to_string(from)
                    : "numbers " + std::to_string(from) + " to " + std::to_string(to);
}

}  // namespace

std::optional<message_result> batch::decide_numbered(queued_frame& f, type_index type, const message& m, instant now,
                                                     bool& depends) {
  if (m.seq == 0)
    return refusal(reason_code::seq_missing, "messages of '" + std::string{m.type} +
                                                 "' take effect in the order of their numbers: give each its 'seq'");
  auto* r = residents_.find(type, m.key);
  if (r == nullptr) return std::nullopt;
  if (!r->damage.empty()) return take(f, type, m, now, depends);  // says so
  const auto last = [&] { return r->work != 0 ? room_.changed[r->work - 1].last_seq : r->last_seq; };

  const bool buried_before = !f.results.empty() && f.results.back().code == reason_code::seq_gap;
  if (m.seq > last() + 1 || (buried_before && m.seq > last())) {
    const bool passes = f.held && *f.held != gap::wait && (f.results.empty() || buried_before);
    if (!passes) {
      // What numbers of this very batch say shares their fate.
      depends = last() != r->last_seq;
      return hold(f, *r, m, last(), now);
    }
    if (auto not_handled = pass_gap(f, *r, m, last(), now)) {
      depends = resolved(not_handled->kind);
      return not_handled;
    }
  }

  if (m.seq <= last()) {
    auto result = decide_tracked(f, type, m, now, depends, standing::passed);
    if (result && result->code == reason_code::seq_passed) depends = m.seq > r->last_seq;
    return result;
  }
  auto result = decide_tracked(f, type, m, now, depends, standing::next);
  if (!result || !resolved(result->kind)) return result;
  depends = true;
  use_number(*r, m.seq);
  if (!held_.empty()) held_.reached(type, m.key, m.seq);
  return result;
}

/// The entity is past the number of the message, and does not know it.
message_result batch::passed(const message& m) {
  return refusal(reason_code::seq_passed, entity_of(m) + " is past number " + std::to_string(m.seq) +
                                              ": it was skipped, or another message had it");
}

/// The message is early. Its sender keeps it; if there is room, so does the owner.
message_result batch::hold(const queued_frame& f, const resident& r, const message& m, std::uint64_t last,
                           instant now) {
  auto text = entity_of(m) + " waits for number " + std::to_string(last + 1);
  if (f.held) return not_now(reason_code::early, std::move(text));
  switch (held_.hold(r.type, m, r.last_seq + 1, *catalog_.types[r.type]->ids().by_number, now.steady)) {
  case held_messages::outcome::held: text += "; this one is held until then, send it again"; break;
  case held_messages::outcome::full: text += "; it holds as many as it may, so send this one again"; break;
  case held_messages::outcome::too_far: text += "; this number is too far ahead to be held"; break;
  }
  return not_now(reason_code::early, std::move(text));
}

/// The numbers up to that of `m` have not come in time. Nothing, if the entity goes on with it; else what becomes of
/// it.
std::optional<message_result> batch::pass_gap(const queued_frame& f, resident& r, const message& m, std::uint64_t last,
                                              instant now) {
  using verdict = processed_set::verdict;
  // The first behind the gap names it; those after it are as late.
  const auto missing = f.results.empty() ? numbers(last + 1, m.seq - 1) : std::string{"numbers before it"};
  if (*f.held == gap::dead_letter) {
    auto given_up = bury(refusal(reason_code::seq_gap, missing + " did not come in time"), m, {}, now.wall);
    if (!resolved(given_up.kind)) return given_up;
    const auto digest = catalog_.digester.digest(m.type, m.key, m.id, m.name, m.payload);
    message_digest known;
    const auto v = processed_[r.type].judge(digest, m.sent_at, known);
    const bool is_new =
        room_.stages[r.type].seen.find(digest) == nullptr && (v == verdict::fresh || v == verdict::too_old);
    if (is_new) stage_id(r.type, digest, given_up, m.sent_at, 0);
    use_number(r, m.seq);
    change(r).passed = true;
    return given_up;
  }
  // A letter without a message: for people.
  std::string payload;
  encode_msgpack(missing_numbers{last + 1, m.seq - 1}, payload);
  const auto id = "gap/" + std::to_string(last + 1) + "-" + std::to_string(m.seq - 1);
  message record;
  record.type = m.type;
  record.key = m.key;
  record.id = id;
  record.payload = payload;
  record.sent_at = now.wall;
  record.seq = last + 1;
  auto noted =
      bury(refusal(reason_code::seq_gap, missing + " did not come in time and was passed"), record, {}, now.wall);
  if (!resolved(noted.kind)) return noted;
  use_number(r, m.seq - 1);
  change(r).passed = true;
  return std::nullopt;
}

/// Whatever became of the message, its number is used up.
void batch::use_number(resident& r, std::uint64_t seq) {
  auto& c = change(r);
  c.last_seq = std::max(c.last_seq, seq);
}

}  // namespace pawl
