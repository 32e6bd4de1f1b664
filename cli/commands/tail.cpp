#include "cli/cluster_events.hpp"
#include "cli/cluster_report.hpp"
#include "cli/commands/commands.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <chrono>
#include <ctime>
#include <optional>
#include <thread>

namespace pawl::cli {
namespace {

using std::chrono::steady_clock;
using std::chrono::system_clock;

/// RFC 3339 in UTC: the logs of the nodes have the same form.
std::string time_of(system_clock::time_point t) {
  const auto seconds = system_clock::to_time_t(t);
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(t.time_since_epoch()).count() % 1'000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> day{};
  std::strftime(day.data(), day.size(), "%FT%T", &parts);
  auto fraction = std::to_string(1'000 + ms).substr(1);
  return std::string{day.data()} + "." + fraction + "Z";
}

void print(const session& s, const cluster_event& e) {
  const auto now = time_of(system_clock::now());
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
