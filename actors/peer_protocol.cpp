#include "actors/peer_protocol.hpp"

#include "actors/handler_effects.hpp"
#include "actors/letter_book.hpp"
#include "actors/trace_context.hpp"
#include "cluster/bytes.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

namespace pawl {
namespace {

enum class kind : std::uint8_t {
  hello = 1,
  frame = 2,
  frame_answer = 3,
  read_request = 4,
  read_answer = 5,
  release_notice = 6,
  ping = 7,
  pong = 8,
  view_notice = 9,
};

constexpr std::uint32_t magic = 0x4c574150;  // "PAWL"
constexpr std::size_t header_bytes = 4;
// Of a message.
constexpr std::uint8_t stamped_flag = 1;
constexpr std::uint8_t trace_flag = 2;  ///< its trace follows

struct encoder {
  byte_writer w;

  void put(const position& p) {
    w.u64(p.line);
    w.varint(p.number);
  }
  void put(const shard_detail& d) {
    w.varint(d.outbox_messages);
    w.varint(d.receivers_waited_for);
    w.varint(d.receivers.size());
    for (const auto& r : d.receivers) {
      w.varint(r.receiver.value);
      w.varint(r.messages);
      w.u8(r.stopped ? 1 : 0);
      w.bytes(r.to.type);
      w.bytes(r.to.key);
      w.bytes(r.message);
      w.i64(r.sent_at);
    }
    w.varint(d.sources_known);
    w.varint(d.sources.size());
    for (const auto& s : d.sources) {
      w.bytes(s.source);
      w.varint(s.taken);
    }
    w.varint(d.timers);
    w.u8(d.next_timer ? 1 : 0);
    if (d.next_timer) w.i64(*d.next_timer);
    w.varint(d.dead_letters);
  }

  void operator()(const hello& m) {
    w.u8(static_cast<std::uint8_t>(kind::hello));
    w.u32(magic);
    w.u16(peer_protocol_version);
    w.bytes(m.cluster);
    w.raw({reinterpret_cast<const char*>(m.dataset.data()), m.dataset.size()});
    w.bytes(m.self.node);
    w.varint(m.self.incarnation);
  }
  void operator()(const frame& m) {
    w.u8(static_cast<std::uint8_t>(kind::frame));
    w.varint(m.shard.value);
    w.varint(m.number);
    w.varint(m.view.value);
    w.varint(m.messages.size());
    for (const auto* x : m.messages) {
      w.bytes(x->type);
      w.bytes(x->key);
      w.bytes(x->name);
      w.bytes(x->id);
      w.bytes(x->payload);
      w.i64(x->sent_at);
      w.varint(x->seq);
      w.u8(static_cast<std::uint8_t>((x->stamped ? stamped_flag : 0) | (x->trace.empty() ? 0 : trace_flag)));
      w.raw(x->trace);
    }
    w.u8(m.of ? 1 : 0);
    if (!m.of) return;
    w.bytes(m.of->source);
    put(m.of->follows);
    w.u64(m.of->word);
    for (const auto& p : m.of->positions) put(p);
  }
  void operator()(const frame_answer& m) {
    w.u8(static_cast<std::uint8_t>(kind::frame_answer));
    w.varint(m.shard.value);
    w.varint(m.number);
    w.varint(m.view.value);
    w.varint(m.results.size());
    for (const auto& r : m.results) {
      w.u8(static_cast<std::uint8_t>(r.kind));
      w.u8(static_cast<std::uint8_t>(r.code));
      w.bytes(std::string_view{r.reason}.substr(0, limits::reason_bytes));
      w.u8(r.reply ? 1 : 0);
      if (r.reply) w.bytes(*r.reply);
    }
    w.bytes(m.source);
    w.u8(m.mark ? 1 : 0);
    if (!m.mark) return;
    w.u64(m.mark->word);
    w.u8(m.mark->taken.dropped ? 1 : 0);
    w.varint(m.mark->taken.lines.size());
    for (const auto& end : m.mark->taken.lines) put(end);
  }
  void operator()(const read_request& m) {
    w.u8(static_cast<std::uint8_t>(kind::read_request));
    w.varint(m.shard.value);
    w.varint(m.number);
    w.u8(static_cast<std::uint8_t>(m.about.index()));
    if (const auto* entity = std::get_if<entity_id>(&m.about)) {
      w.bytes(entity->type);
      w.bytes(entity->key);
    } else if (const auto* query = std::get_if<letter_query>(&m.about)) {
      w.varint(query->from);
    } else if (const auto* action = std::get_if<letter_action>(&m.about)) {
      w.varint(action->number);
      w.i64(action->at);
      w.u8(static_cast<std::uint8_t>(action->what));
    }
  }
  void operator()(const read_answer& m) {
    w.u8(static_cast<std::uint8_t>(kind::read_answer));
    w.varint(m.shard.value);
    w.varint(m.number);
    w.u8(static_cast<std::uint8_t>(m.answer.kind));
    w.bytes(m.answer.state);
    w.varint(m.answer.last_seq);
    w.bytes(m.answer.owner);
    w.bytes(std::string_view{m.answer.reason}.substr(0, limits::reason_bytes));
    w.varint(m.answer.timers.size());
    for (const auto& t : m.answer.timers) {
      w.bytes(t.name);
      w.i64(t.due);
      w.bytes(t.message);
    }
    w.varint(m.answer.expected);
    w.varint(m.answer.held);
    w.varint(m.answer.recent.size());
    for (const auto& a : m.answer.recent) {
      w.bytes(a.id);
      w.bytes(a.name);
      w.i64(a.at);
    }
    w.varint(m.letters.total);
    w.varint(m.letters.next);
    w.varint(m.letters.letters.size());
    for (const auto& l : m.letters.letters) {
      w.varint(l.number);
      w.bytes(encode(l.letter));
    }
    w.u8(m.detail ? 1 : 0);
    if (m.detail) put(*m.detail);
  }
  void operator()(const release_notice& m) {
    w.u8(static_cast<std::uint8_t>(kind::release_notice));
    w.varint(m.shard.value);
  }
  void operator()(const view_notice& m) {
    w.u8(static_cast<std::uint8_t>(kind::view_notice));
    w.varint(m.view.value);
  }
  void operator()(const ping&) { w.u8(static_cast<std::uint8_t>(kind::ping)); }
  void operator()(const pong&) { w.u8(static_cast<std::uint8_t>(kind::pong)); }
};

shard_id read_shard(byte_reader& r) {
  auto v = r.varint();
  return {v > 0xffff ? 0xffffu : static_cast<std::uint32_t>(v)};
}

/// True if the whole body was this message and nothing else.
bool decode_hello(byte_reader r, std::vector<peer_message>& out, std::string& error) {
  hello m;
  auto their_magic = r.u32();
  auto version = r.u16();
  if (r.failed() || their_magic != magic) {
    error = "not a pawl peer";
    return false;
  }
  if (version != peer_protocol_version) {
    error = "peer speaks protocol " + std::to_string(version) + ", this node speaks " +
            std::to_string(peer_protocol_version);
    return false;
  }
  m.cluster = r.bytes(32);
  auto id = r.raw(m.dataset.size());
  std::copy(id.begin(), id.end(), m.dataset.begin());
  m.self.node = r.bytes(32);
  m.self.incarnation = r.varint();
  if (!r.finished()) return false;
  out.emplace_back(std::move(m));
  return true;
}

/// Number of a dead letter; one that cannot be is that of no letter.
std::uint32_t read_letter(byte_reader& r) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(r.varint(), 0xffff'ffffu));
}

position read_position(byte_reader& r) {
  position p;
  p.line = r.u64();
  p.number = r.varint();
  return p;
}

/// A yes or no; anything else, and what is cut off, makes the message malformed.
bool read_flag(byte_reader& r, bool& good) {
  const auto v = r.u8();
  good = good && v <= 1 && !r.failed();
  return v == 1;
}

/// `block` holds the bytes of the whole message, behind its kind.
bool decode_frame(const std::shared_ptr<message_block>& block, byte_reader r, std::vector<peer_message>& out) {
  const auto shard = read_shard(r);
  const auto number = r.varint();
  const view_number view{r.varint()};
  const auto count = r.varint();
  if (r.failed() || count > limits::frame_messages) return false;
  block->messages.reserve(count);
  for (std::uint64_t i = 0; i < count && !r.failed(); ++i) {
    message x;
    x.type = r.bytes(limits::name_bytes);
    x.key = r.bytes(limits::id_bytes);
    x.name = r.bytes(limits::name_bytes);
    x.id = r.bytes(limits::id_bytes);
    x.payload = r.bytes(limits::payload_bytes);
    x.sent_at = r.i64();
    x.seq = r.varint();
    const auto flags = r.u8();
    if (flags > (stamped_flag | trace_flag)) return false;
    x.stamped = (flags & stamped_flag) != 0;
    if ((flags & trace_flag) != 0) {
      x.trace = r.raw(limits::trace_bytes);
      if (!is_trace(x.trace)) return false;
    }
    block->messages.push_back(x);
  }
  bool good = true;
  auto f = whole_block(shard, number, view, block);
  if (read_flag(r, good)) {
    auto of = std::make_shared<sequence>();
    of->source = r.bytes(limits::source_name_bytes);
    of->follows = read_position(r);
    of->word = r.u64();
    of->positions.reserve(count);
    for (std::uint64_t i = 0; i < count && !r.failed(); ++i) of->positions.push_back(read_position(r));
    good = good && !of->source.empty();
    f.of = std::move(of);
  } else {
    good = good && count > 0;
  }
  if (!good || !r.finished()) return false;
  out.emplace_back(std::move(f));
  return true;
}

bool decode_frame_answer(byte_reader r, std::vector<peer_message>& out) {
  frame_answer m;
  m.shard = read_shard(r);
  m.number = r.varint();
  m.view = {r.varint()};
  auto count = r.varint();
  if (r.failed() || count > limits::frame_messages) return false;
  m.results.reserve(count);
  bool good = true;
  for (std::uint64_t i = 0; i < count && !r.failed(); ++i) {
    auto what = r.u8();
    auto code = r.u8();
    if (what > static_cast<std::uint8_t>(result_kind::unknown) || code >= reason_codes) return false;
    message_result x{static_cast<result_kind>(what), static_cast<reason_code>(code),
                     std::string{r.bytes(limits::reason_bytes)}};
    if (read_flag(r, good)) x.reply = std::make_shared<const std::string>(r.bytes(limits::reply_bytes));
    m.results.push_back(std::move(x));
  }
  m.source = r.bytes(limits::source_name_bytes);
  if (read_flag(r, good)) {
    auto mark = std::make_shared<mark_report>();
    mark->word = r.u64();
    mark->taken.dropped = read_flag(r, good);
    const auto lines = r.varint();
    if (lines > limits::lines_per_source) return false;
    for (std::uint64_t i = 0; i < lines; ++i) mark->taken.lines.push_back(read_position(r));
    m.mark = std::move(mark);
  }
  if (!good || !r.finished()) return false;
  out.emplace_back(std::move(m));
  return true;
}

bool decode_read_request(byte_reader r, std::vector<peer_message>& out) {
  read_request m;
  m.shard = read_shard(r);
  m.number = r.varint();
  switch (r.u8()) {
  case 0: {
    entity_id entity;
    entity.type = r.bytes(limits::name_bytes);
    entity.key = r.bytes(limits::id_bytes);
    m.about = std::move(entity);
    break;
  }
  case 1: m.about = letter_query{read_letter(r)}; break;
  case 2: {
    letter_action action;
    action.number = read_letter(r);
    action.at = r.i64();
    const auto what = r.u8();
    if (what > static_cast<std::uint8_t>(letter_action::kind::replay)) return false;
    action.what = static_cast<letter_action::kind>(what);
    m.about = action;
    break;
  }
  case 3: m.about = shard_query{}; break;
  default: return false;
  }
  if (!r.finished()) return false;
  out.emplace_back(std::move(m));
  return true;
}

std::optional<shard_detail> read_detail(byte_reader& r, bool& good) {
  if (!read_flag(r, good)) return std::nullopt;
  shard_detail d;
  d.outbox_messages = r.varint();
  d.receivers_waited_for = r.varint();
  const auto receivers = r.varint();
  good = good && receivers <= limits::receivers_shown;
  for (std::uint64_t i = 0; good && i < receivers && !r.failed(); ++i) {
    waiting_receiver x;
    x.receiver = read_shard(r);
    x.messages = r.varint();
    x.stopped = read_flag(r, good);
    x.to.type = r.bytes(limits::name_bytes);
    x.to.key = r.bytes(limits::id_bytes);
    x.message = r.bytes(limits::name_bytes);
    x.sent_at = r.i64();
    d.receivers.push_back(std::move(x));
  }
  d.sources_known = r.varint();
  const auto sources = r.varint();
  good = good && sources <= limits::sources_shown;
  for (std::uint64_t i = 0; good && i < sources && !r.failed(); ++i) {
    source_progress x;
    x.source = r.bytes(limits::source_name_bytes);
    x.taken = r.varint();
    d.sources.push_back(std::move(x));
  }
  d.timers = r.varint();
  if (read_flag(r, good)) d.next_timer = r.i64();
  d.dead_letters = r.varint();
  return d;
}

bool decode_read_answer(byte_reader r, std::vector<peer_message>& out) {
  read_answer m;
  m.shard = read_shard(r);
  m.number = r.varint();
  auto status = r.u8();
  if (status > static_cast<std::uint8_t>(entity_answer::status::unavailable)) return false;
  m.answer.kind = static_cast<entity_answer::status>(status);
  m.answer.state = r.bytes(limits::peer_message_bytes);
  m.answer.last_seq = r.varint();
  m.answer.owner = r.bytes(32);
  m.answer.reason = r.bytes(limits::reason_bytes);
  const auto timers = r.varint();
  if (timers > limits::timers_shown) return false;
  for (std::uint64_t i = 0; i < timers && !r.failed(); ++i) {
    pending_timer t;
    t.name = r.bytes(limits::name_bytes);
    t.due = r.i64();
    t.message = r.bytes(limits::name_bytes);
    m.answer.timers.push_back(std::move(t));
  }
  m.answer.expected = r.varint();
  m.answer.held = r.varint();
  const auto recent = r.varint();
  if (recent > recent_messages::most) return false;
  for (std::uint64_t i = 0; i < recent && !r.failed(); ++i) {
    applied_message a;
    a.id = r.bytes(limits::id_bytes);
    a.name = r.bytes(limits::name_bytes);
    a.at = r.i64();
    m.answer.recent.push_back(std::move(a));
  }
  m.letters.total = r.varint();
  m.letters.next = read_letter(r);
  const auto letters = r.varint();
  if (letters > limits::letters_per_page) return false;
  for (std::uint64_t i = 0; i < letters && !r.failed(); ++i) {
    const auto number = read_letter(r);
    auto letter = decode_dead_letter(r.bytes(limits::peer_message_bytes));
    if (!letter) return false;
    m.letters.letters.push_back({number, std::move(*letter)});
  }
  bool good = true;
  m.detail = read_detail(r, good);
  if (!good || !r.finished()) return false;
  out.emplace_back(std::move(m));
  return true;
}

bool decode_release_notice(byte_reader r, std::vector<peer_message>& out) {
  release_notice m{read_shard(r)};
  if (!r.finished()) return false;
  out.emplace_back(m);
  return true;
}

bool decode_view_notice(byte_reader r, std::vector<peer_message>& out) {
  view_notice m{{r.varint()}};
  if (!r.finished()) return false;
  out.emplace_back(m);
  return true;
}

}  // namespace

void encode_peer_message(const peer_message& m, std::string& out) {
  auto at = out.size();
  out.append(header_bytes, '\0');
  std::visit(encoder{byte_writer{out}}, m);
  auto length = out.size() - at - header_bytes;
  for (std::size_t i = 0; i < header_bytes; ++i) out[at + i] = static_cast<char>(length >> (8 * i));
}

bool peer_decoder::fail(std::string why) {
  if (error_.empty()) error_ = std::move(why);
  buffer_.clear();
  return false;
}

bool peer_decoder::feed(std::string_view bytes, std::vector<peer_message>& out) {
  if (!error_.empty()) return false;
  buffer_.append(bytes);
  std::size_t at = 0;
  while (buffer_.size() - at >= header_bytes) {
    std::size_t length = byte_reader{std::string_view{buffer_}.substr(at, header_bytes)}.u32();
    // Judged before the bytes are there, so that a length alone cannot make us wait for, or hold, that much.
    if (length == 0) return fail("empty message");
    if (length > (greeted_ ? limits::peer_message_bytes : limits::peer_hello_bytes))
      return fail(greeted_ ? "message of " + std::to_string(length) + " bytes is too long" : "not a pawl peer");
    if (buffer_.size() - at - header_bytes < length) break;
    auto body = std::make_shared<message_block>();
    body->bytes.assign(buffer_, at + header_bytes, length);
    at += header_bytes + length;
    byte_reader r{body->bytes};
    auto what = static_cast<kind>(r.u8());
    if (greeted_ == (what == kind::hello)) return fail(greeted_ ? "a second hello" : "not a pawl peer");
    bool good = false;
    std::string why = "malformed message of kind " + std::to_string(static_cast<int>(what));
    switch (what) {
    case kind::hello:
      good = decode_hello(r, out, why);
      greeted_ = true;
      break;
    case kind::frame: good = decode_frame(body, r, out); break;
    case kind::frame_answer: good = decode_frame_answer(r, out); break;
    case kind::read_request: good = decode_read_request(r, out); break;
    case kind::read_answer: good = decode_read_answer(r, out); break;
    case kind::release_notice: good = decode_release_notice(r, out); break;
    case kind::view_notice: good = decode_view_notice(r, out); break;
    case kind::ping:
      good = r.finished();
      if (good) out.emplace_back(ping{});
      break;
    case kind::pong:
      good = r.finished();
      if (good) out.emplace_back(pong{});
      break;
    default: why = "unknown kind " + std::to_string(static_cast<int>(what)); break;
    }
    if (!good) return fail(std::move(why));
  }
  buffer_.erase(0, at);
  return true;
}

std::string check_hello(const hello& theirs, const hello& ours, const std::optional<member_id>& expected) {
  if (theirs.cluster != ours.cluster)
    return "peer belongs to cluster '" + theirs.cluster + "', this node to '" + ours.cluster + "'";
  if (theirs.dataset != ours.dataset) return "peer serves another dataset under the same cluster name";
  if (expected && theirs.self != *expected)
    return "peer is " + theirs.self.node + " incarnation " + std::to_string(theirs.self.incarnation) + ", expected " +
           expected->node + " incarnation " + std::to_string(expected->incarnation);
  return {};
}

}  // namespace pawl
