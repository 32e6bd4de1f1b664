#include "actors/message.hpp"

namespace pawl {

std::string_view to_string(result_kind k) noexcept {
  switch (k) {
  case result_kind::applied: return "applied";
  case result_kind::duplicate: return "duplicate";
  case result_kind::refused: return "refused";
  case result_kind::blocked: return "blocked";
  case result_kind::busy: return "busy";
  case result_kind::unknown: return "unknown";
  }
  return "unknown";
}

std::string_view to_string(reason_code c) noexcept {
  switch (c) {
  case reason_code::none: return "none";
  case reason_code::unknown_entity_type: return "unknown_entity_type";
  case reason_code::unknown_message_type: return "unknown_message_type";
  case reason_code::undecodable: return "undecodable";
  case reason_code::handler_error: return "handler_error";
  case reason_code::handler_refused: return "handler_refused";
  case reason_code::id_reused: return "id_reused";
  case reason_code::too_old: return "too_old";
  case reason_code::from_the_future: return "from_the_future";
  case reason_code::invalid: return "invalid";
  case reason_code::state_too_large: return "state_too_large";
  case reason_code::store_full: return "store_full";
  case reason_code::store_down: return "store_down";
  case reason_code::ids_full: return "ids_full";
  case reason_code::queue_full: return "queue_full";
  case reason_code::no_owner: return "no_owner";
  case reason_code::moved: return "moved";
  case reason_code::timed_out: return "timed_out";
  case reason_code::earlier_unresolved: return "earlier_unresolved";
  }
  return "none";
}

void message_builder::add(const message& m) {
  part p{};
  auto put = [this](std::string_view text) {
    auto at = bytes_.size();
    bytes_.append(text);
    return at;
  };
  p.type = put(m.type);
  p.key = put(m.key);
  p.name = put(m.name);
  p.id = put(m.id);
  p.payload = put(m.payload);
  p.end = bytes_.size();
  p.sent_at = m.sent_at;
  p.seq = m.seq;
  p.stamped = m.stamped;
  parts_.push_back(p);
}

std::vector<envelope> message_builder::finish() {
  auto bytes = std::make_shared<const std::string>(std::move(bytes_));
  std::string_view all{*bytes};
  std::vector<envelope> out;
  out.reserve(parts_.size());
  for (const auto& p : parts_) {
    message m;
    m.type = all.substr(p.type, p.key - p.type);
    m.key = all.substr(p.key, p.name - p.key);
    m.name = all.substr(p.name, p.id - p.name);
    m.id = all.substr(p.id, p.payload - p.id);
    m.payload = all.substr(p.payload, p.end - p.payload);
    m.sent_at = p.sent_at;
    m.seq = p.seq;
    m.stamped = p.stamped;
    out.push_back({m, bytes});
  }
  bytes_.clear();
  parts_.clear();
  return out;
}

}  // namespace pawl
