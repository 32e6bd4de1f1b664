#include "cli/cluster_report.hpp"
#include "cli/commands/commands.hpp"
#include "cli/http_client.hpp"
#include "cli/survey.hpp"
#include "cli/table.hpp"

#include <nlohmann/json.hpp>

#include <functional>
#include <optional>
#include <string>

namespace pawl::cli {
namespace {

constexpr std::size_t letters_max = 1'000;

http_answer ask(const session& s, const std::function<http_answer(http_client&)>& request) {
  return ask_any(s.picture(), s.patience(), request).answer;
}

exit_status failed(const session& s, const http_answer& a) {
  const auto level = a.status == 0 ? health::unreachable : health::failed;
  const auto why = a.status == 0 ? a.problem : problem_detail(a.status, a.body);
  json body;
  body["verdict"] = to_string(level);
  body["text"] = why;
  s.show(s.paint(tone_of(level), a.status == 0 ? "UNREACHABLE" : "FAILED") + "  " + printable(why) + '\n', body);
  return status_of(level);
}

/// A letter's row, if it is understood.
bool add_row(table& rows, const json& letter) {
  json_fields f{letter};
  const auto shard = f.count("shard");
  const auto number = f.count("number");
  const auto what = f.text("type") + "/" + f.text("key", 1'024);
  const auto name = f.text("message");
  const auto code = f.text("code");
  const auto reason = f.text("reason", 4'096);
  if (!f.problem().empty()) return false;
  rows.add({std::to_string(shard), std::to_string(number), what, name, code, reason});
  return true;
}

/// The letter that the words name; else `a` says why there is none.
std::optional<json> find_letter(const session& s, http_answer& a) {
  a = ask(s, [&](http_client& c) {
    return c.get("/v1/dead-letters/" + s.words.text("SHARD") + "?from=" + s.words.text("NUMBER"));
  });
  if (a.status != 200) return std::nullopt;
  std::string problem;
  const auto answer = read_json(a.body, problem);
  json_fields f{answer};
  const auto& letters = f.array("letters", letters_max);
  if (!letters.empty() && json_fields{letters.front()}.count("number") == s.words.count("NUMBER", 0))
    return letters.front();
  a = {404, R"({"detail":"there is no such dead letter"})", {}};
  return std::nullopt;
}

exit_status act(session& s, const char* action) {
  s.look();
  http_answer a;
  const auto letter = find_letter(s, a);
  if (!letter) return failed(s, a);
  // By its time as well: the number is another letter's once this one is gone.
  json which;
  which["at"] = json_fields{*letter}.count("at");
  const auto path = "/v1/dead-letters/" + s.words.text("SHARD") + "/" + s.words.text("NUMBER") + "/" + action;
  a = ask(s, [&](http_client& c) { return c.post(path, "application/json", json_line(which)); });
  std::string problem;
  const auto answer = a.status == 200 ? read_json(a.body, problem) : json{};
  json_fields f{answer};
  const auto result = f.text("result");
  if (a.status != 200 || !f.problem().empty()) return failed(s, a);
  json body;
  body["verdict"] = to_string(health::healthy);
  body["result"] = result;
  s.show(s.paint(tone::good, printable(result)) + "  letter " + s.words.text("NUMBER") + " of shard " +
             s.words.text("SHARD") + " is gone\n",
         body);
  return exit_status::healthy;
}

}  // namespace

exit_status run_letters_list(session& s) {
  s.look();
  const auto a = ask(s, [](http_client& c) { return c.get("/v1/dead-letters"); });
  if (a.status != 200) return failed(s, a);
  std::string problem;
  auto answer = read_json(a.body, problem);
  json_fields f{answer};
  const auto total = f.count("total");
  const auto& letters = f.array("letters", letters_max);
  const auto& missing = f.array("shards_missing", 16'384);
  table rows{
      {{"SHARD", table::align::right}, {"NUMBER", table::align::right}, {"ENTITY"}, {"MESSAGE"}, {"CODE"}, {"REASON"}}};
  bool good = problem.empty() && f.problem().empty();
  for (const auto& l : letters) good = good && add_row(rows, l);
  if (!good) return failed(s, {0, {}, "the answer is not understood"});

  const auto level = missing.empty() ? health::healthy : health::degraded;
  json body;
  body["verdict"] = to_string(level);
  body["total"] = total;
  body["shards_missing"] = missing;
  body["letters"] = letters;
  auto text = s.paint(total == 0 ? tone::good : tone::bad, std::to_string(total)) + " dead letters";
  if (!missing.empty()) text += "; " + std::to_string(missing.size()) + " shards did not answer";
  text += '\n';
  if (!rows.empty()) text += '\n' + rows.text(s.paint);
  s.show(text, body);
  return status_of(level);
}

exit_status run_letters_show(session& s) {
  s.look();
  http_answer a;
  const auto letter = find_letter(s, a);
  if (!letter) return failed(s, a);
  json body;
  body["verdict"] = to_string(health::healthy);
  body["letter"] = *letter;
  s.show(indented(*letter), body);
  return exit_status::healthy;
}

exit_status run_letters_replay(session& s) { return act(s, "replay"); }
exit_status run_letters_discard(session& s) { return act(s, "discard"); }

}  // namespace pawl::cli
