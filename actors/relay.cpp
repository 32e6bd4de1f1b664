#include "actors/relay.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace pawl {

relay::flow& relay::flow_to(const outbox& from, shard_id receiver) {
  auto [it, fresh] = flows_.try_emplace(receiver);
  // What was trimmed has been taken; where the receiver stands beyond it, it will tell.
  if (fresh) it->second.follows = from.find(receiver)->trimmed;
  return it->second;
}

relay_effects relay::start(const outbox& from, instant) {
  relay_effects out;
  stop();
  for (const auto& [to, p] : from.pairs())
    if (p.waiting() > 0) send(from, to, flow_to(from, to), out);
  return out;
}

relay_effects relay::added(const outbox& from, const std::vector<shard_id>& receivers, instant) {
  relay_effects out;
  for (auto to : receivers) send(from, to, flow_to(from, to), out);
  return out;
}

void relay::send(const outbox& from, shard_id receiver, flow& f, relay_effects& out) {
  const auto& p = *from.find(receiver);
  if (f.stopped || f.under_way != 0 || f.unproven || f.not_before || p.waiting() == 0) return;
  // A commit has trimmed more than the receiver has, as it fell back meanwhile: what it lacks is not stored any more.
  if (p.delivered != f.delivered) f.word = 0;
  frame sent;
  sent.shard = receiver;
  sent.number = f.under_way = ++number_;
  auto of = std::make_shared<sequence>();
  of->source = shard_source(self_.value);
  of->follows = f.follows;
  of->word = f.word;
  std::size_t bytes = 0;
  for (const auto& r : p.records) {
    if (f.word == 0) break;  // first it is asked where the receiver stands
    if (r.last().number <= p.delivered.number) continue;
    const auto skipped = p.delivered.number < r.first.number ? 0 : p.delivered.number - r.first.number + 1;
    sent.blocks.push_back(r.block);
    for (auto i = skipped; i < r.size(); ++i) {
      const auto& m = r.block->messages[i];
      const auto size = m.payload.size() + m.key.size() + m.id.size() + m.type.size() + m.name.size() + 64;
      if (!sent.messages.empty() &&
          (sent.messages.size() == limits::frame_messages || bytes + size > limits::frame_bytes))
        break;
      bytes += size;
      sent.messages.push_back(&m);
      of->positions.push_back(r.at(i));
    }
    if (of->positions.empty() || of->positions.back() != r.last()) break;
  }
  sent.of = std::move(of);
  out.send.push_back(std::move(sent));
}

void relay::pause(flow& f, instant now) const {
  f.pause = std::min(policy_.retry_max, f.pause.count() == 0 ? policy_.retry : 2 * f.pause);
  f.not_before = now.steady + f.pause;
}

relay_effects relay::on_answer(outbox& from, shard_id receiver, std::uint64_t number, const mark_report* answer,
                               bool all_taken, instant now) {
  relay_effects out;
  auto it = flows_.find(receiver);
  if (it == flows_.end() || number != it->second.under_way) return out;  // of a frame that nobody waits for
  auto& f = it->second;
  f.under_way = 0;
  if (answer == nullptr) {
    pause(f, now);
    return out;
  }
  // Of another claim than the frame named: it did not fit, for no other reason.
  if (all_taken || f.word != answer->word) f.pause = {};
  else pause(f, now);
  const auto common = from.common(receiver, answer->taken);
  if (common != answer->taken.mark()) {
    f.unproven = *answer;
    out.prove = true;
    return out;
  }
  from.delivered(receiver, *common);
  f.follows = f.delivered = *common;
  f.word = answer->word;
  send(from, receiver, f, out);
  return out;
}

void relay::asked() {
  for (auto& [to, f] : flows_) f.asked = f.unproven.has_value();
}

relay_effects relay::proven(outbox& from, instant) {
  relay_effects out;
  for (auto& [to, f] : flows_) {
    if (!f.unproven || !std::exchange(f.asked, false)) {
      out.prove = out.prove || f.unproven.has_value();
      continue;
    }
    const auto report = *std::exchange(f.unproven, std::nullopt);
    if (auto common = from.common(to, report.taken)) {
      if (f.follows != report.taken.mark())
        out.notes.push_back({to, false, "it has taken messages that this shard's store has lost"});
      from.delivered(to, *common);
      f.delivered = *common;
      f.follows = report.taken.mark();
      f.word = report.word;
      send(from, to, f, out);
    } else {
      f.stopped = true;
      ++stopped_;
      out.notes.push_back({to, true,
                           "a store was rolled back: of the messages of this shard that are still known, it has "
                           "taken none; nothing more is sent to it"});
    }
  }
  return out;
}

relay_effects relay::tick(const outbox& from, instant now) {
  relay_effects out;
  for (auto& [to, f] : flows_) {
    if (!f.not_before || *f.not_before > now.steady) continue;
    f.not_before.reset();
    send(from, to, f, out);
  }
  return out;
}

std::optional<steady_time> relay::wake() const {
  std::optional<steady_time> at;
  for (const auto& [to, f] : flows_)
    if (f.not_before && (!at || *f.not_before < *at)) at = f.not_before;
  return at;
}

}  // namespace pawl
