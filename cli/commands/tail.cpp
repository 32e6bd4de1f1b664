#include "cli/cluster_events.hpp"
#include "cli/cluster_report.hpp"
#include "cli/commands/commands.hpp"
#include "cli/wall_clock.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <optional>
#include <thread>

namespace pawl::cli {
namespace {

using std::chrono::steady_clock;

void print(const session& s, const cluster_event& e) {
  const auto now = utc_text(wall_clock_ms());
  json body;
  body["time"] = now;
  body["event"] = e.code;
  body["text"] = e.text;
  const auto how = e.tone == health::healthy ? tone::plain : tone_of(e.tone);
  s.show(now + "  " + s.paint(how, e.code) + "  " + printable(e.text) + '\n', body);
}

}  // namespace

exit_status run_tail(session& s) {
  const auto interval = s.words.duration("--interval", std::chrono::seconds{1});
  const auto length = s.words.has("--for") ? std::optional{s.words.duration("--for", {})} : std::nullopt;
  const auto begun = steady_clock::now();
  event_watch watch;
  for (auto next = begun;;) {
    for (const auto& e : watch.look(s.look())) print(s, e);
    // A look that takes longer than the interval is followed by the next at once, never by several.
    next = std::max(next + interval, steady_clock::now());
    if (length && next > begun + *length) return status_of(judge(s.picture()).level);
    std::this_thread::sleep_until(next);
  }
}

}  // namespace pawl::cli
