#include "persistence/redis/member_answers.hpp"

#include "persistence/keys.hpp"
#include "persistence/redis/numbers.hpp"
#include "persistence/redis/shard_answers.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace pawl::redis {
namespace {

constexpr std::size_t address_bytes_max = 256;

bool printable(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

}  // namespace

std::optional<member> parse_member(std::string_view node, std::string_view row) {
  std::array<std::string_view, 5> words;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto end = i + 1 < words.size() ? row.find(' ') : row.size();
    if (end == std::string_view::npos) return std::nullopt;
    words[i] = row.substr(0, end);
    row.remove_prefix(std::min(row.size(), end + 1));
  }
  const auto incarnation = parse_u64(words[0]);
  const auto beat = parse_u64(words[1]);
  const bool known_state = words[2] == "up" || words[2] == "draining";
  if (!valid_name(node) || !incarnation || !beat || !known_state || words[3].empty() || words[4].empty() ||
      !printable(words[3]) || !printable(words[4]))
    return std::nullopt;
  member m;
  m.id = {std::string{node}, *incarnation};
  m.state = words[2] == "up" ? member_state::up : member_state::draining;
  m.peer_address = words[3];
  if (words[4] != "-") m.http_address = words[4];
  m.beat = *beat;
  return m;
}

std::string malformed(const join_members& join) {
  if (!valid_name(join.node)) return "the node name must be [a-z0-9-]{1,32}";
  for (const auto& address : {join.peer_address, join.http_address})
    if (address.size() > address_bytes_max || !printable(address))
      return "an address must be at most " + std::to_string(address_bytes_max) + " printable bytes without spaces";
  return join.peer_address.empty() ? "the peer address is empty" : "";
}

member_answer judge_member(const member_command& command, const reply& r, std::string& nonsense) {
  using kind = reply::kind;
  member_answer a;
  a.ticket = command.ticket;
  if (r.is(kind::error)) {
    auto v = judge_error(r);
    a.outcome = v.outcome;
    a.error = v.error;
    a.text = std::move(v.text);
    return a;
  }
  const auto& e = r.elements;
  const bool shaped = r.is(kind::array) && e.size() == 5 && e[0].is(kind::string) && e[1].is(kind::string) &&
                      e[2].is(kind::string) && e[3].is(kind::string) && e[4].is(kind::array) &&
                      e[4].elements.size() % 2 == 0;
  if (!shaped || (e[0].text != "done" && e[0].text != "fenced")) {
    a.outcome = store_outcome::unknown;
    a.text = nonsense = "a reply to a member script that makes no sense";
    return a;
  }
  const auto damaged = [&a](std::string what) {
    a.outcome = store_outcome::lost;
    a.text = std::move(what);
    a.table = {};
    return a;
  };
  const auto number = parse_u64(e[2].text);
  if (!number) return damaged("the view number is damaged: " + e[2].text);
  a.table.number.value = *number;
  a.whole = e[3].text == "all";
  const auto& rows = e[4].elements;
  for (std::size_t i = 0; i < rows.size(); i += 2) {
    auto m = parse_member(rows[i].text, rows[i + 1].text);
    if (!m) return damaged("the row of member \"" + rows[i].text + "\" is damaged");
    a.table.members.push_back(std::move(*m));
  }
  std::sort(a.table.members.begin(), a.table.members.end(),
            [](const member& x, const member& y) { return x.id < y.id; });
  a.outcome = e[0].text == "done" ? store_outcome::done : store_outcome::fenced;
  if (const auto* join = std::get_if<join_members>(&command.operation); join && a.outcome == store_outcome::done) {
    const auto incarnation = parse_u64(e[1].text);
    if (!incarnation) return damaged("the incarnation handed out is damaged: " + e[1].text);
    a.self = {join->node, *incarnation};
  }
  return a;
}

}  // namespace pawl::redis
