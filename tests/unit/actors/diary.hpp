#pragma once

#include "actors/batch.hpp"
#include "actors/entity.hpp"
#include "actors/request.hpp"
#include "persistence/state_blob.hpp"

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

// The entity of these tests: a diary notes the id of every message that took effect, in that order, so what is stored
// shows what was lost, came twice, or came out of order.

namespace pawl::test {

struct Write {
  std::string text;
  PAWL_MESSAGE(Write, text)
};
/// Writes, then throws.
struct Stumble {
  PAWL_MESSAGE(Stumble)
};
/// Writes, then refuses.
struct Decline {
  std::string why;
  PAWL_MESSAGE(Decline, why)
};
/// Makes the state this large out of next to nothing.
struct Fill {
  std::uint64_t bytes = 0;
  PAWL_MESSAGE(Fill, bytes)
};
/// Known to the newer version of the program only.
struct Underline {
  PAWL_MESSAGE(Underline)
};
struct Diary {
  std::vector<std::string> ids;
  std::string text;
  PAWL_STATE(ids, text)
};

inline constexpr std::chrono::milliseconds diary_retention{8'000};

inline entity<Diary> diary_of(std::string name) {
  auto note = [](Diary& d, const context& ctx) { d.ids.emplace_back(ctx.message_id()); };
  return entity<Diary>(std::move(name))
      .retain(diary_retention)
      .on([note](Diary& d, const Write& m, context& ctx) {
        note(d, ctx);
        d.text += m.text;
      })
      .on([note](Diary& d, const Stumble&, context& ctx) {
        note(d, ctx);
        throw std::runtime_error("stumbled");
      })
      .on([note](Diary& d, const Decline& m, context& ctx) {
        note(d, ctx);
        ctx.refuse(m.why);
      })
      .on([note](Diary& d, const Fill& m, context& ctx) {
        note(d, ctx);
        d.text.assign(m.bytes, 'x');
      });
}

inline entity_catalog diary_catalog(std::size_t state_bytes_max = 1024 * 1024) {
  return {{diary_of("diary")}, message_digester{{1, 2, 3}}, state_bytes_max};
}
/// What a node runs after an upgrade: one more message, one more type.
inline entity_catalog newer_catalog() {
  entity_type diary =
      diary_of("diary").on([](Diary& d, const Underline&, context& ctx) { d.ids.emplace_back(ctx.message_id()); });
  return {{diary, diary_of("scrapbook")}, message_digester{{1, 2, 3}}, 1024 * 1024};
}

/// A message as a test writes it. What is not given: key "k", a `Write` of nothing.
struct entry {
  std::string id;
  std::string key = "k";
  std::string name = "Write";
  std::string payload = "\x80";
  unix_ms sent_at = 1'000'000;
  std::uint64_t seq = 0;
  std::string type = "diary";
};

template <class M>
std::string packed(const M& m) {
  std::string bytes;
  encode_msgpack(m, bytes);
  return bytes;
}

/// As doors and links make them.
inline std::shared_ptr<const message_block> block_of(const std::vector<entry>& entries) {
  message_builder b;
  for (const auto& e : entries)
    b.add({.type = e.type,
           .key = e.key,
           .name = e.name,
           .id = e.id,
           .payload = e.payload,
           .sent_at = e.sent_at,
           .seq = e.seq});
  return b.finish();
}

/// A request of one message, whose result nobody waits for.
inline submission alone(const entry& e) {
  auto request = std::make_shared<pending_request>(block_of({e}), [](const std::vector<message_result>&) {});
  return request_parts::of(request, 1).front().messages;
}

/// The diary stored in a blob; fails the test if there is none.
inline Diary stored_diary(std::string_view blob) {
  std::string error;
  Diary d;
  auto stored = decode_state_blob(blob, error);
  if (!stored || !decode_msgpack(stored->state, d, error)) throw std::runtime_error("no diary: " + error);
  return d;
}

/// "applied", or "busy:moved" with the reason's code.
inline std::string brief(const message_result& r) {
  std::string text{to_string(r.kind)};
  if (r.code != reason_code::none) text.append(":").append(to_string(r.code));
  return text;
}
inline std::string brief(const std::vector<message_result>& results) {
  std::string text;
  for (const auto& r : results) text.append(text.empty() ? "" : " ").append(brief(r));
  return text;
}

}  // namespace pawl::test
