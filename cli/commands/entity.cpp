#include "cli/cluster_report.hpp"
#include "cli/commands/commands.hpp"
#include "cli/survey.hpp"
#include "cli/table.hpp"
#include "cli/wall_clock.hpp"
#include "cluster/shard_map.hpp"

#include <nlohmann/json.hpp>

namespace pawl::cli {
namespace {

constexpr std::size_t recent_max = 100;

/// The messages that took effect last, a line each; empty if its owner has seen none.
std::string recent_text(const session& s, json_fields& entity) {
  table rows{{{"TOOK EFFECT"}, {"MESSAGE"}, {"ID"}}};
  for (const auto& row : entity.array("recent", recent_max)) {
    json_fields f{row};
    const auto at = f.count("applied_at", wall_clock_max_ms);
    const auto message = f.text("message"), id = f.text("id");
    if (f.problem().empty()) rows.add({utc_text(static_cast<std::int64_t>(at)), message, id});
  }
  return rows.empty() ? std::string{} : '\n' + rows.text(s.paint);
}

/// The fields of an entity as a text; nothing if the answer is none.
std::optional<std::string> entity_text(const session& s, const json& entity) {
  json_fields f{entity};
  const auto owner = f.text("owner");
  const auto shard = f.count("shard");
  const auto seq = f.count("last_seq");
  const bool sequenced = f.has("expected");
  const auto expected = sequenced ? f.count("expected") : 0, held = sequenced ? f.count("held") : 0;
  if (!f.problem().empty() || !f.has("state")) return std::nullopt;
  auto text = s.paint(tone::good, "FOUND") + "  on shard " + std::to_string(shard) + ", told by " + printable(owner);
  if (seq != 0) text += ", sender's number " + std::to_string(seq);
  if (held != 0) text += "; waits for number " + std::to_string(expected) + ", " + std::to_string(held) + " held";
  return text + "\n\n" + indented(entity.at("state")) + recent_text(s, f);
}

/// The shard of the key explains why an entity cannot be read, or why its messages wait.
std::string shard_text(session& s, const std::string& key, json& body, verdict& v) {
  const auto& p = s.picture();
  const auto all = shards_of(p);
  if (all.empty()) return {};
  const auto& shard = all[shard_of(key, static_cast<std::uint32_t>(all.size())).value];
  v = judge_shard(p, shard.shard);
  body["shard"] = shard_json(shard);
  return verdict_text(s, v, "shard " + std::to_string(shard.shard), "held by " + shard.owner);
}

}  // namespace

exit_status run_entity(session& s) {
  const auto type = s.words.text("TYPE");
  const auto key = s.words.text("KEY");
  const auto subject = s.paint(tone::strong, printable(type + "/" + key)) + "  ";
  s.look();
  json body;
  body["type"] = type;
  body["key"] = key;
  if (s.picture().latest() == nullptr) {
    const auto v = judge(s.picture());
    body.update(verdict_json(v));
    s.show(verdict_text(s, v, type + "/" + key, {}), body);
    return status_of(v.level);
  }
  const auto path = "/v1/entities/" + percent_encoded(type) + "/" + percent_encoded(key);
  const auto found = ask_any(s.picture(), s.patience(), [&path](http_client& node) { return node.get(path); });
  verdict v;
  const auto shard = shard_text(s, key, body, v);

  std::string problem;
  auto entity = found.answer.status == 200 ? read_json(found.answer.body, problem) : json{};
  const auto text = found.answer.status == 200 && problem.empty() ? entity_text(s, entity) : std::nullopt;
  if (text) {
    body.update(verdict_json(v));
    body["found"] = true;
    for (const auto* field : {"last_seq", "expected", "held", "recent"})
      if (entity.contains(field)) body[field] = entity.at(field);
    body["state"] = std::move(entity.at("state"));
    s.show(subject + *text + (v.level == health::healthy ? "" : '\n' + shard), body);
    return status_of(v.level);
  }

  auto why = found.answer.problem;
  if (found.answer.status == 200) why = "the answer of " + found.asked.text() + " is not understood";
  else if (found.answer.status != 0) why = problem_detail(found.answer.status, found.answer.body);
  v.level = health::failed;
  v.reasons.insert(v.reasons.begin(), {health::failed, found.answer.status == 404 ? "absent" : "unavailable", why});
  body.update(verdict_json(v));
  body["found"] = false;
  const auto word = found.answer.status == 404 ? "ABSENT" : "UNAVAILABLE";
  s.show(subject + s.paint(tone::bad, word) + "  " + printable(why) + '\n' + shard, body);
  return exit_status::failed;
}

}  // namespace pawl::cli
