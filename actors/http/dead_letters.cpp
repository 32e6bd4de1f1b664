#include "actors/http/dead_letters.hpp"

#include "actors/http/json_text.hpp"
#include "actors/http/number_in.hpp"
#include "actors/trace_context.hpp"
#include "metrics/log.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pawl {
namespace {

constexpr std::size_t letters_most = 1'000;
/// Of payloads in one answer: a thousand letters of a mebibyte each would take the node down that shows them.
constexpr std::size_t letters_bytes_most = 8 * 1024 * 1024;

void append_letter(std::string& out, std::uint32_t shard, const numbered_letter& l) {
  const auto text = [&out](const char* name, std::string_view value) {
    out.append(",\"").append(name).append("\":");
    append_json_string(out, value);
  };
  out += R"({"shard":)" + std::to_string(shard) + R"(,"number":)" + std::to_string(l.number);
  text("type", l.letter.entity.type);
  text("key", l.letter.entity.key);
  text("message", l.letter.name);
  text("id", l.letter.id);
  if (!l.letter.source.empty()) text("source", l.letter.source);
  out += R"(,"sent_at":)" + std::to_string(l.letter.sent_at) + R"(,"at":)" + std::to_string(l.letter.at);
  text("code", to_string(l.letter.code));
  text("reason", l.letter.reason);
  if (!l.letter.trace.empty()) text("traceparent", to_traceparent(l.letter.trace));
  out += R"(,"payload":)";
  const auto before = out.size();
  std::string error;
  if (!append_json_state(out, l.letter.payload, error)) {
    // That may be why it is here.
    out.resize(before);
    out += R"(null,"payload_problem":)";
    append_json_string(out, error);
  }
  out += '}';
}

http_response json(std::string body) { return {200, "application/json", std::move(body) + '\n', {}}; }

/// The `at` of a body that is `{"at":<integer>}`, perhaps with more fields.
std::optional<unix_ms> at_in(std::string_view body) {
  constexpr std::size_t longest = 1'024;
  if (body.size() > longest) return std::nullopt;
  const auto parsed = nlohmann::json::parse(body.begin(), body.end(), nullptr, false);
  if (!parsed.is_object()) return std::nullopt;
  const auto found = parsed.find("at");
  if (found == parsed.end() || !found->is_number_integer()) return std::nullopt;
  return found->get<unix_ms>();
}

/// The answers of all shards, which come from different threads.
class survey {
public:
  survey(std::size_t shards, http_respond respond) : open_(shards), respond_(std::move(respond)) {}

  void take(std::uint32_t shard, std::optional<letter_page> page, const std::string& reason) {
    std::unique_lock lock{mutex_};
    if (!page) {
      if (missing_.empty()) reason_ = reason;
      missing_.push_back(shard);
    } else {
      total_ += page->total;
      for (auto& l : page->letters) {
        bytes_ += l.letter.payload.size();
        letters_.emplace_back(shard, std::move(l));
      }
      // Not only in the end: until then all shards' pages together would lie here.
      if (letters_.size() > 2 * letters_most || bytes_ > 2 * letters_bytes_most) keep_latest();
    }
    if (--open_ != 0) return;
    lock.unlock();
    finish();
  }

private:
  /// As many as an answer has room for; one always has.
  void keep_latest() {
    std::stable_sort(letters_.begin(), letters_.end(),
                     [](const auto& a, const auto& b) { return a.second.letter.at > b.second.letter.at; });
    bytes_ = 0;
    std::size_t kept = 0;
    for (; kept < std::min(letters_.size(), letters_most); ++kept) {
      const auto size = letters_[kept].second.letter.payload.size();
      if (kept > 0 && bytes_ + size > letters_bytes_most) break;
      bytes_ += size;
    }
    letters_.resize(kept);
  }

  void finish() {
    keep_latest();
    std::string body = R"({"total":)" + std::to_string(total_) + R"(,"letters":[)";
    for (std::size_t i = 0; i < letters_.size(); ++i) {
      if (i > 0) body += ',';
      append_letter(body, letters_[i].first, letters_[i].second);
    }
    body += R"(],"shards_missing":[)";
    std::sort(missing_.begin(), missing_.end());
    for (std::size_t i = 0; i < missing_.size(); ++i) body += (i > 0 ? "," : "") + std::to_string(missing_[i]);
    body += ']';
    if (!missing_.empty()) {
      body += R"(,"reason":)";
      append_json_string(body, reason_);
    }
    body += '}';
    respond_(json(std::move(body)));
  }

  std::mutex mutex_;
  std::size_t open_;
  http_respond respond_;
  std::uint64_t total_ = 0;
  std::size_t bytes_ = 0;
  std::vector<std::pair<std::uint32_t, numbered_letter>> letters_;
  std::vector<std::uint32_t> missing_;
  std::string reason_;
};

void list_all(ingress& door, http_respond respond) {
  const auto shards = door.cluster().shards;
  auto all = std::make_shared<survey>(shards, std::move(respond));
  for (std::uint32_t s = 0; s < shards; ++s)
    door.letters({s}, {}, [all, s](std::optional<letter_page> page, const std::string& reason) {
      all->take(s, std::move(page), reason);
    });
}

void list_one(ingress& door, std::uint32_t shard, std::uint32_t from, http_respond respond) {
  door.letters(
      {shard}, {from},
      [shard, respond = std::move(respond)](const std::optional<letter_page>& page, const std::string& reason) {
        if (!page) return respond(http_problem(503, reason));
        std::string body = R"({"total":)" + std::to_string(page->total) + R"(,"letters":[)";
        for (std::size_t i = 0; i < page->letters.size(); ++i) {
          if (i > 0) body += ',';
          append_letter(body, shard, page->letters[i]);
        }
        body += ']';
        if (page->next != 0) body += R"(,"next":)" + std::to_string(page->next);
        respond(json(body + '}'));
      });
}

void act(ingress& door, std::uint32_t shard, letter_action action, http_respond respond) {
  const bool replays = action.what == letter_action::kind::replay;
  log::info(replays ? "dead letter replayed" : "dead letter discarded",
            {{"shard", std::to_string(shard)}, {"number", std::to_string(action.number)}});
  door.act_on_letter({shard}, action, [replays, respond = std::move(respond)](const entity_answer& a) {
    if (a.kind == entity_answer::status::absent) return respond(http_problem(404, "there is no such dead letter"));
    if (a.kind == entity_answer::status::unavailable) return respond(http_problem(503, a.reason));
    if (!a.reason.empty()) return respond(http_problem(422, "refused again, and kept: " + a.reason));
    respond(json(replays ? R"({"result":"applied"})" : R"({"result":"discarded"})"));
  });
}

}  // namespace

void answer_dead_letters(ingress& door, const http_request& request, http_respond respond) {
  std::vector<std::string_view> parts;
  std::string_view rest = std::string_view{request.path}.substr(dead_letters_path.size());
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const auto end = std::min(rest.find('/'), rest.size());
    parts.push_back(rest.substr(0, end));
    rest.remove_prefix(end);
  }
  constexpr std::size_t action_parts = 3;
  if (parts.size() > action_parts || parts.size() == 2)
    return respond(http_problem(404, "no such route; GET / lists them"));
  const bool acts = parts.size() == action_parts;
  if (request.method != (acts ? "POST" : "GET")) {
    auto refusal = http_problem(405, "this route does not take the method of the request; Allow names what it takes");
    refusal.headers.emplace_back("Allow", acts ? "POST" : "GET, HEAD");
    return respond(std::move(refusal));
  }
  if (parts.empty()) return list_all(door, std::move(respond));
  const auto shard = number_in<std::uint32_t>(parts[0]);
  if (!shard || *shard >= door.cluster().shards)
    return respond(http_problem(404, "a shard is a number below " + std::to_string(door.cluster().shards)));
  if (!acts) {
    constexpr std::string_view name = "from=";
    const bool given = !request.query.empty();
    const auto from = request.query.starts_with(name)
                          ? number_in<std::uint32_t>(std::string_view{request.query}.substr(name.size()))
                          : std::optional<std::uint32_t>{};
    if (given && !from) return respond(http_problem(400, "the only parameter is from={number}"));
    return list_one(door, *shard, from.value_or(0), std::move(respond));
  }
  // A page of another site can send a browser's user here, but not with this type.
  if (!request.content_type.starts_with("application/json"))
    return respond(http_problem(415, "content type must be application/json"));
  const auto number = number_in<std::uint32_t>(parts[1]);
  if (!number || (parts[2] != "replay" && parts[2] != "discard"))
    return respond(http_problem(404, "a dead letter is replayed or discarded by its shard and number"));
  const auto at = at_in(request.body);
  if (!at)
    return respond(http_problem(400, R"(the body must name the letter by its time, as listed: {"at":1764172800000})"));
  act(door, *shard, {*number, *at, parts[2] == "replay" ? letter_action::kind::replay : letter_action::kind::discard},
      std::move(respond));
}

}  // namespace pawl
