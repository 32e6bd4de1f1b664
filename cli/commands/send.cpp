#include "cli/cluster_report.hpp"
#include "cli/commands/commands.hpp"
#include "cli/outgoing_message.hpp"
#include "cli/survey.hpp"
#include "cli/wall_clock.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

namespace pawl::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// Sends one message until it is resolved, to one node after the other, always with the same bytes.
class delivery {
public:
  delivery(session& s, outgoing_message m) : session_(s), message_(std::move(m)), nodes_(s.nodes) {}

  /// Returns what became of the last attempt.
  send_result run(steady_clock::time_point deadline) {
    constexpr milliseconds longest_pause{1'000};
    milliseconds pause{50};
    for (;;) {
      auto result = attempt();
      const auto left = deadline - steady_clock::now();
      if (result.what != send_result::kind::unresolved || left <= pause) return result;
      std::this_thread::sleep_for(pause);
      pause = std::min(pause * 2, longest_pause);
    }
  }

  [[nodiscard]] int attempts() const noexcept { return attempts_; }
  [[nodiscard]] bool anybody_answered() const noexcept { return answered_; }

private:
  send_result attempt() {
    ++attempts_;
    auto http = http_client{nodes_[next_ % nodes_.size()], session_.patience()};
    auto result = send_once(http, message_);
    if (result.what != send_result::kind::unresolved) {
      answered_ = true;
      return result;
    }
    // The next attempt goes to another node: this one may be dead, or cut off from the owner.
    ++next_;
    if (result.word == no_answer) find_others();
    else answered_ = true;
    return result;
  }

  /// The nodes named may be the ones that died; others can take the message as well.
  void find_others() {
    for (auto& n : answering_nodes(session_.look()))
      if (std::find(nodes_.begin(), nodes_.end(), n) == nodes_.end()) nodes_.push_back(std::move(n));
  }

  session& session_;
  outgoing_message message_;
  std::vector<node_url> nodes_;
  std::size_t next_ = 0;
  int attempts_ = 0;
  bool answered_ = false;
};

exit_status ended(const send_result& r, bool answered) {
  switch (r.what) {
  case send_result::kind::applied:
  case send_result::kind::duplicate: return exit_status::healthy;
  case send_result::kind::refused:
  case send_result::kind::rejected: return exit_status::failed;
  case send_result::kind::unresolved: break;
  }
  return answered ? exit_status::degraded : exit_status::unreachable;
}

}  // namespace

exit_status run_send(session& s) {
  outgoing_message m;
  m.type = s.words.text("TYPE");
  m.key = s.words.text("KEY");
  m.name = s.words.text("MESSAGE");
  m.id = s.words.text("--id");
  if (m.id.empty()) m.id = random_id();
  m.sent_at = static_cast<std::int64_t>(s.words.count("--sent-at", static_cast<std::uint64_t>(wall_clock_ms())));
  m.seq = s.words.count("--seq", 0);
  std::string problem;
  if (!read_payload(s.words.text("--payload", "{}"), m.payload, problem)) {
    session::say(printable(problem));
    return exit_status::usage;
  }

  delivery way{s, m};
  const auto result = way.run(steady_clock::now() + s.words.duration("--deadline", std::chrono::seconds{30}));
  const auto status = ended(result, way.anybody_answered());
  const bool unresolved = result.what == send_result::kind::unresolved;

  json body;
  body["result"] = result.word;
  body["resolved"] = !unresolved && result.what != send_result::kind::rejected;
  body["type"] = m.type;
  body["key"] = m.key;
  body["message"] = m.name;
  body["id"] = m.id;
  body["sent_at"] = m.sent_at;
  body["attempts"] = way.attempts();
  if (!result.reason.empty()) body["reason"] = result.reason;
  if (!result.code.empty()) body["code"] = result.code;

  auto text = s.paint(status == exit_status::healthy ? tone::good : tone::bad, printable(result.word));
  text += "  " + printable(m.type + "/" + m.key + " " + m.name + "  id " + m.id);
  if (way.attempts() > 1) text += "  after " + std::to_string(way.attempts()) + " attempts";
  if (!result.reason.empty()) text += "\n  " + printable(result.reason);
  if (unresolved)
    text += "\n  Not resolved. To go on, send it again, before anything later for this key, with --id " +
            printable(m.id) + " --sent-at " + std::to_string(m.sent_at);
  s.show(text + '\n', body);
  return status;
}

}  // namespace pawl::cli
