#include "persistence/redis/view_feed.hpp"

#include "persistence/redis/member_answers.hpp"
#include "persistence/redis/numbers.hpp"

#include <algorithm>
#include <utility>

namespace pawl::redis {

std::optional<view_change> parse_change(const reply& entry) {
  using kind = reply::kind;
  const auto& parts = entry.elements;
  if (parts.size() != 2 || !parts[0].is(kind::string) || !parts[1].is(kind::array)) return std::nullopt;
  const auto& fields = parts[1].elements;
  const auto number = parse_u64(std::string_view{parts[0].text}.substr(0, parts[0].text.find('-')));
  if (!number || fields.size() != 4 || fields[0].text != "node" || fields[2].text != "row") return std::nullopt;
  view_change c{{*number}, fields[1].text, std::nullopt};
  if (fields[3].text.empty()) return c;
  c.row = parse_member(c.node, fields[3].text);
  if (!c.row) return std::nullopt;
  return c;
}

view_feed::view_feed(event_loop& loop, server_contact& server, const key_names& keys,
                     const member_store_handlers& handlers, const std::function<void(std::string)>& on_trouble)
    : keys_(keys),
      handlers_(handlers),
      on_trouble_(on_trouble),
      // A reply within the time after which the connection would be taken for dead.
      block_ms_(std::to_string(std::max<std::int64_t>(1, server.options.timeout.count() / 2))),
      connection_(loop, server, *this) {}

void view_feed::connected(std::uint64_t) {
  last_.reset();
  append_command(connection_.output(), {"XREVRANGE", keys_.changes(), "+", "-", "COUNT", "1"});
  connection_.sent(1);
}

void view_feed::wait() {
  append_command(connection_.output(),
                 {"XREAD", "COUNT", "256", "BLOCK", block_ms_, "STREAMS", keys_.changes(), *last_});
  connection_.sent(1);
}

std::string view_feed::take(const reply& entries) {
  for (const auto& e : entries.elements) {
    auto c = parse_change(e);
    if (!c) return "an entry in the list of view changes that makes no sense";
    last_ = e.elements[0].text;
    handlers_.on_change(std::move(*c));
  }
  return {};
}

std::string view_feed::replied(reply&& r) {
  using kind = reply::kind;
  if (r.is(kind::error)) return "cannot wait for changes of the view: " + r.text;
  std::string nonsense;
  if (!last_) {
    last_ = "0-0";
    if (!r.is(kind::array)) return "an answer to XREVRANGE that makes no sense";
    nonsense = take(r);
  } else if (r.is(kind::array)) {
    for (const auto& stream : r.elements) {
      if (stream.elements.size() != 2) return "an answer to XREAD that makes no sense";
      nonsense = take(stream.elements[1]);
      if (!nonsense.empty()) break;
    }
  } else if (!r.is(kind::nil)) {
    return "an answer to XREAD that makes no sense";
  }
  if (nonsense.empty()) wait();
  return nonsense;
}

void view_feed::trouble(std::string_view why) {
  if (on_trouble_) on_trouble_(std::string{why});
}

}  // namespace pawl::redis
