#include "tests/bench/stream_consumer.hpp"

#include "persistence/codec.hpp"

#include <hiredis/hiredis.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace pawl::bench {
namespace {

constexpr const char* group = "g";
constexpr std::string_view ids_kept_seconds = "604800";
constexpr unix_ms ids_period_ms = 3'600'000;
constexpr std::size_t trim_after = 4'096;  // so rarely that it costs nothing, so often that the stream stays short

std::string_view text_of(const redisReply& r) { return {r.str, r.len}; }

template <class Number>
Number number_in(std::string_view text) {
  Number n{};
  std::from_chars(text.data(), text.data() + text.size(), n);
  return n;
}

}  // namespace

const char* const stream_consumer::script = "if redis.call('SADD', KEYS[2], ARGV[1]) == 0 then\n"
                                            "  redis.call('XACK', KEYS[3], 'g', ARGV[2])\n"
                                            "  return 0\n"
                                            "end\n"
                                            "redis.call('SET', KEYS[1], ARGV[3])\n"
                                            "redis.call('XACK', KEYS[3], 'g', ARGV[2])\n"
                                            "return 1\n";

std::string stream_consumer::stream_name(std::uint32_t stream) { return "s:" + std::to_string(stream); }
std::string stream_consumer::state_name(std::string_view key) { return std::string{"o:"}.append(key); }
std::string stream_consumer::id_member(std::string_view key, std::string_view id) {
  return std::string{key}.append(1, ' ').append(id);
}
std::string stream_consumer::ids_name(std::uint32_t stream, unix_ms sent_at) {
  return "d:" + std::to_string(stream) + ":" + std::to_string(sent_at / ids_period_ms);
}

stream_consumer::stream_consumer(setup s) : setup_(std::move(s)), server_(setup_.socket) {
  read_words_ = {"XREADGROUP", "GROUP", group,    "c", "COUNT", std::to_string(setup_.read_messages),
                 "BLOCK",      "100",   "STREAMS"};
  for (const auto stream : setup_.streams) read_words_.push_back(stream_name(stream));
  read_words_.insert(read_words_.end(), setup_.streams.size(), ">");
  untrimmed_.resize(1 + *std::max_element(setup_.streams.begin(), setup_.streams.end()));
}

void stream_consumer::turn(const on_done& done) {
  if (!asked_) ask_for_more();
  const auto got = server_.take();
  asked_ = false;
  if (got->type != REDIS_REPLY_ARRAY) return;
  std::vector<entry> batch;
  read(*got, batch);
  for (const auto& e : batch) expire(ids_name(e.stream, e.sent_at));
  if (setup_.pipelined) fetch_states(batch);
  for (const auto& e : batch) {
    if (!setup_.pipelined) fetch_states({e});
    handle(e);
    if (!setup_.pipelined) drain(done);
  }
  for (const auto& e : batch)
    if (++untrimmed_[e.stream] >= trim_after) trim(e);
  // The next read travels with the scripts: a batch then takes one round trip, not two.
  if (setup_.pipelined) ask_for_more();
  drain(done);
}

void stream_consumer::ask_for_more() {
  const std::vector<std::string_view> words{read_words_.begin(), read_words_.end()};
  server_.say(words);
  asked_ = true;
}

void stream_consumer::put_entry(std::string& out, const workload::words& words, std::string_view payload,
                                std::size_t event, std::string_view sent_at) {
  out.assign(words.key()).append(1, ' ').append(words.id()).append(1, ' ').append(std::to_string(event));
  out.append(1, ' ').append(sent_at).append(1, ' ').append(payload);
}

void stream_consumer::read(const redisReply& r, std::vector<entry>& out) const {
  for (std::size_t s = 0; s < r.elements; ++s) {
    const auto stream = number_in<std::uint32_t>(text_of(*r.element[s]->element[0]).substr(2));
    const auto& entries = *r.element[s]->element[1];
    for (std::size_t i = 0; i < entries.elements; ++i) {
      auto rest = text_of(*entries.element[i]->element[1]->element[1]);
      const auto word = [&rest] {
        const auto end = rest.find(' ');
        if (end == rest.npos) throw std::runtime_error("a stream's entry is not what was sent");
        const auto w = rest.substr(0, end);
        rest.remove_prefix(end + 1);
        return w;
      };
      entry e{stream, text_of(*entries.element[i]->element[0]), {}, {}, {}, 0, 0};
      e.key = word();
      e.id = word();
      e.event = number_in<std::uint64_t>(word());
      e.sent_at = number_in<unix_ms>(word());
      e.payload = rest;
      out.push_back(e);
    }
  }
}

/// One round trip for all that the batch touches for the first time.
void stream_consumer::fetch_states(const std::vector<entry>& batch) {
  std::vector<std::string> keys;
  for (const auto& e : batch)
    if (states_.try_emplace(std::string{e.key}).second) keys.emplace_back(e.key);
  if (keys.empty()) return;
  std::vector<std::string> names;
  names.reserve(keys.size());
  for (const auto& k : keys) names.push_back(state_name(k));
  std::vector<std::string_view> words{"MGET"};
  words.insert(words.end(), names.begin(), names.end());
  server_.say(words);
  const auto got = server_.take();
  std::string error;
  for (std::size_t i = 0; i < keys.size(); ++i)
    if (got->element[i]->type == REDIS_REPLY_STRING &&
        !decode_msgpack(text_of(*got->element[i]), states_.at(keys[i]), error))
      throw std::runtime_error("a stored state cannot be read: " + error);
}

void stream_consumer::handle(const entry& e) {
  const auto stream = stream_name(e.stream);
  const auto member = id_member(e.key, e.id);
  if (!ids_.insert(member).second) {
    server_.say({"XACK", stream, group, e.entry_id});
    open_.push_back({e.event, open_call::kind::duplicate});
    return;
  }
  OrderEvent message;
  std::string error;
  if (!decode_msgpack(e.payload, message, error)) throw std::runtime_error("a message cannot be read: " + error);
  auto& state = states_.find(std::string{e.key})->second;
  apply(state, message, e.id);
  text_.clear();
  encode_msgpack(state, text_);
  server_.say({"EVALSHA", setup_.script, "3", state_name(e.key), ids_name(e.stream, e.sent_at), stream, member,
               e.entry_id, text_});
  open_.push_back({e.event, open_call::kind::fresh});
}

void stream_consumer::drain(const on_done& done) {
  for (const auto& o : open_) {
    const auto answer = server_.take();
    if (o.what == open_call::kind::trim) continue;
    if (answer->integer != 1) throw std::runtime_error("memory and store disagree about what was processed");
    done(o.event, o.what == open_call::kind::duplicate);
  }
  open_.clear();
}

/// A set that does not exist cannot expire, so it begins with an id that no message has.
void stream_consumer::expire(const std::string& ids) {
  if (!expiring_.insert(ids).second) return;
  server_.ask({"SADD", ids, ""});
  server_.ask({"EXPIRE", ids, ids_kept_seconds});
}

void stream_consumer::trim(const entry& up_to) {
  untrimmed_[up_to.stream] = 0;
  server_.say({"XTRIM", stream_name(up_to.stream), "MINID", "~", up_to.entry_id});
  open_.push_back({0, open_call::kind::trim});
}

void stream_consumer::remember(std::string_view key, OrderState state) {
  states_.insert_or_assign(std::string{key}, std::move(state));
}
void stream_consumer::remember_id(std::string_view key, std::string_view id) { ids_.insert(id_member(key, id)); }

}  // namespace pawl::bench
