#include "persistence/redis/shard_answers.hpp"

#include "persistence/keys.hpp"
#include "persistence/redis/numbers.hpp"

#include <algorithm>
#include <utility>

namespace pawl::redis {
namespace {

using kind = reply::kind;

verdict of(store_outcome outcome, std::string text = {}) {
  verdict v;
  v.outcome = outcome;
  v.text = std::move(text);
  return v;
}

verdict make_nonsense(std::string_view command) {
  auto v = of(store_outcome::unknown, "a reply to " + std::string{command} + " that makes no sense");
  v.nonsense = v.text;
  return v;
}

bool integer(const reply& r, std::int64_t value) noexcept { return r.is(kind::integer) && r.integer == value; }

/// The words `<token> <view>` behind an error code. Nothing is filled in that does not fit.
claim_record refusing_record(std::string_view text) {
  claim_record record;
  const auto token = text.substr(std::min(text.size(), text.find(' ') + 1));
  const auto end = token.find(' ');
  if (end == std::string_view::npos || !valid_token(token.substr(0, end))) return record;
  record.token = fencing_token{std::string{token.substr(0, end)}};
  record.view.value = parse_u64(token.substr(end + 1)).value_or(0);
  return record;
}

bool parse_dead(std::string_view text, std::vector<fencing_token>& out) {
  while (!text.empty()) {
    const auto word = text.substr(0, text.find(' '));
    if (!valid_token(word)) return false;
    out.emplace_back(std::string{word});
    text.remove_prefix(std::min(text.size(), word.size() + 1));
  }
  return true;
}

verdict judge_record(const reply& r) {
  if (!r.is(kind::array) || r.elements.size() != 6) return make_nonsense("HMGET");
  const auto& e = r.elements;
  if (e[0].is(kind::nil)) return of(store_outcome::lost, "the shard has no claim record");
  if (!std::all_of(e.begin(), e.end(), [](const reply& x) { return x.is(kind::string); }))
    return of(store_outcome::lost, "the claim record lacks a field");
  const auto incarnation = parse_u64(e[2].text);
  const auto view = parse_u64(e[3].text);
  claim_record record;
  if (!valid_token(e[0].text) || !(e[1].text.empty() || valid_name(e[1].text)) || !incarnation || !view ||
      !parse_dead(e[5].text, record.dead))
    return of(store_outcome::lost, "the claim record is damaged");
  record.token = fencing_token{e[0].text};
  record.owner = {e[1].text, *incarnation};
  record.view.value = *view;
  record.released = e[4].text == "1";
  auto v = of(store_outcome::done);
  v.body = record_answer{std::move(record)};
  return v;
}

verdict judge_claim(reply& r) {
  if (r.is(kind::error)) {
    auto v = judge_error(r);
    claim_answer body;
    if (v.outcome == store_outcome::fenced) body.record = refusing_record(r.text);
    v.body = std::move(body);
    return v;
  }
  const auto& e = r.elements;
  if (!r.is(kind::array) || e.size() != 3 ||
      !std::all_of(e.begin(), e.end(), [](const reply& x) { return x.is(kind::string); }))
    return make_nonsense("the claim script");
  auto v = of(store_outcome::done);
  v.body =
      claim_answer{std::move(r.elements[0].text), {}, std::move(r.elements[1].text), std::move(r.elements[2].text)};
  return v;
}

verdict judge_load(std::size_t fields, std::vector<reply>& got) {
  const auto& live = got.back();
  // First of all: whatever a dead name answers is of no interest.
  if (integer(live, 0)) return of(store_outcome::fenced, "the token is not the live one");
  for (const auto& r : got)
    if (r.is(kind::error)) return judge_error(r);
  if (!integer(live, 1)) return make_nonsense("EXISTS");
  load_answer body;
  body.values.reserve(fields);
  for (std::size_t i = 0; i + 1 < got.size(); ++i) {
    const auto expected = std::min(load_fields_per_command, fields - i * load_fields_per_command);
    if (!got[i].is(kind::array) || got[i].elements.size() != expected) return make_nonsense("HMGET");
    for (auto& value : got[i].elements) {
      if (value.is(kind::string)) body.values.emplace_back(std::move(value.text));
      else if (value.is(kind::nil)) body.values.emplace_back();
      else return make_nonsense("HMGET");
    }
  }
  auto v = of(store_outcome::done);
  v.body = std::move(body);
  return v;
}

verdict judge_commit(const std::vector<reply>& got, std::string_view cut) {
  // An error reply to the HSET itself is the only proof that it had no effect, whatever follows it (rule A8).
  if (!got.empty() && got[0].is(kind::error)) return judge_error(got[0]);
  if (!cut.empty()) return of(store_outcome::unknown, std::string{cut});
  if (!got[0].is(kind::integer)) return make_nonsense("HSET");
  if (integer(got[1], 1)) return of(store_outcome::done);
  // A claim may have slipped between the two commands: then the write was in time and is part of the data.
  if (integer(got[1], 0)) return of(store_outcome::unknown, "written into a dead name: the token is not the live one");
  if (!got[1].is(kind::error)) return make_nonsense("EXISTS");
  auto v =
      of(store_outcome::unknown, "written, but whether the token is the live one was not answered: " + got[1].text);
  v.error = classify(got[1].text);
  return v;
}

bool parse_entry(reply& r, inbox_entry& out) {
  if (!r.is(kind::array) || r.elements.size() != 2 || !r.elements[0].is(kind::string) || !r.elements[1].is(kind::array))
    return false;
  const auto id = parse_entry_id(r.elements[0].text);
  auto& words = r.elements[1].elements;
  if (!id || words.size() % 2 != 0 ||
      !std::all_of(words.begin(), words.end(), [](const reply& w) { return w.is(kind::string); }))
    return false;
  out.id = *id;
  out.fields.reserve(words.size() / 2);
  for (std::size_t i = 0; i < words.size(); i += 2)
    out.fields.emplace_back(std::move(words[i].text), std::move(words[i + 1].text));
  return true;
}

/// The answer to `XINFO STREAM`: names and values by turns. Others than these two are not looked at.
std::optional<inbox_stream> parse_stream(const reply& r) {
  inbox_stream out;
  out.exists = true;
  bool last = false;
  for (std::size_t i = 0; i + 1 < r.elements.size(); i += 2) {
    const auto& value = r.elements[i + 1];
    if (r.elements[i].text == "last-generated-id") {
      const auto id = parse_entry_id(value.text);
      if (!id) return std::nullopt;
      out.last = *id;
      last = true;
    } else if (r.elements[i].text == "entries-added" && value.is(kind::integer)) {
      out.added = static_cast<std::uint64_t>(value.integer);
    }
  }
  return last ? std::optional{out} : std::nullopt;
}

verdict judge_inbox(std::size_t fields, std::vector<reply>& got) {
  const bool trimmed = (fields & inbox_trim) != 0;
  const bool looked = (fields & inbox_look) != 0;
  inbox_answer body;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const auto& r = got[i];
    const bool look = looked && i == (trimmed ? 1U : 0U);
    if (look && r.is(kind::error) && error_code(r.text) == "ERR" && r.text.find("no such key") != std::string::npos)
      body.stream.emplace();
    else if (r.is(kind::error)) return judge_error(r);
    else if (look && r.is(kind::array)) body.stream = parse_stream(r);
  }
  if (trimmed && !got.front().is(kind::integer)) return make_nonsense("XTRIM");
  if (looked && !body.stream) return make_nonsense("XINFO");
  auto& read = got.back();
  if (!read.is(kind::nil)) {
    if (!read.is(kind::array) || read.elements.size() != 1 || read.elements[0].elements.size() != 2)
      return make_nonsense("XREAD");
    for (auto& e : read.elements[0].elements[1].elements)
      if (!parse_entry(e, body.entries.emplace_back())) return make_nonsense("XREAD");
  }
  auto v = of(store_outcome::done);
  v.body = std::move(body);
  return v;
}

verdict judge_integer(const reply& r, std::string_view command) {
  if (r.is(kind::error)) return judge_error(r);
  return r.is(kind::integer) ? of(store_outcome::done) : make_nonsense(command);
}

}  // namespace

verdict judge_error(const reply& error) {
  auto v = of(store_outcome::refused, error.text);
  const auto code = error_code(error.text);
  if (code == "FENCED") v.outcome = store_outcome::fenced;
  else if (code == "LOST") v.outcome = store_outcome::lost;
  else v.error = classify(error.text);
  return v;
}

decltype(shard_answer::body) empty_body(asked what) {
  switch (what) {
  case asked::record: return record_answer{};
  case asked::claim: return claim_answer{};
  case asked::load: return load_answer{};
  case asked::commit: return commit_answer{};
  case asked::inbox: return inbox_answer{};
  case asked::trim:
  case asked::release:
  case asked::sweep: break;
  }
  return done_answer{};
}

verdict judge(asked what, std::size_t fields, std::vector<reply>&& got, std::string_view cut) {
  const auto understood = [&]() -> verdict {
    if (what == asked::commit) return judge_commit(got, cut);
    if (!cut.empty()) return of(store_outcome::unknown, std::string{cut});
    switch (what) {
    case asked::record: return got[0].is(kind::error) ? judge_error(got[0]) : judge_record(got[0]);
    case asked::claim: return judge_claim(got[0]);
    case asked::load: return judge_load(fields, got);
    case asked::commit: break;
    case asked::trim: return judge_integer(got[0], "HDEL");
    case asked::release: return judge_integer(got[0], "the release script");
    case asked::sweep: return judge_integer(got[0], "the sweep script");
    case asked::inbox: return judge_inbox(fields, got);
    }
    return make_nonsense("a command");
  };
  auto v = understood();
  if (v.body.index() == 0) v.body = empty_body(what);
  return v;
}

}  // namespace pawl::redis
