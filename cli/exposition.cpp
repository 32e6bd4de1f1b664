#include "cli/exposition.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

namespace pawl::cli {
namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

std::optional<double> number_of(std::string_view text) {
  if (text == "+Inf") return infinite;
  double out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return out;
}

/// Where a quoted text that begins at `at` ends: behind its last quote.
std::size_t end_of_quoted(std::string_view text, std::size_t at) {
  for (++at; at < text.size(); ++at) {
    if (text[at] == '\\') ++at;
    else if (text[at] == '"') return at + 1;
  }
  return text.npos;
}

/// Where the labels end: at the brace that is in no quotes.
std::size_t closing_brace(std::string_view text, std::size_t at) {
  while (at < text.size() && text[at] != '}') at = text[at] == '"' ? end_of_quoted(text, at) : at + 1;
  return at < text.size() ? at : text.npos;
}

std::optional<sample> sample_of(std::string_view line) {
  sample out;
  auto at = line.find_first_of("{ ");
  if (line.empty() || line.front() == '#' || at == line.npos) return std::nullopt;
  out.name = line.substr(0, at);
  if (line[at] == '{') {
    const auto end = closing_brace(line, at + 1);
    if (end == line.npos) return std::nullopt;
    out.labels = line.substr(at + 1, end - at - 1);
    at = end + 1;
  }
  line.remove_prefix(std::min(line.size(), line.find_first_not_of(' ', at)));
  const auto value = number_of(line.substr(0, line.find(' ')));  // a time may follow
  if (!value) return std::nullopt;
  out.value = *value;
  return out;
}

void add_to(double& total, double value) {
  if (std::isfinite(value) && value > 0) total += value;
}

void count_outcome(node_counters& c, std::string_view outcome, double value) {
  if (outcome == "applied") add_to(c.applied, value);
  else if (outcome == "duplicate") add_to(c.duplicate, value);
  else if (outcome == "refused") add_to(c.refused, value);
  else if (outcome == "busy") add_to(c.busy, value);
  else if (outcome == "unknown") add_to(c.unknown, value);
}

void count_bucket(node_counters& c, std::string_view bound, double value) {
  constexpr std::size_t bounds_max = 64;
  const auto seconds = number_of(bound);
  if (!seconds || std::isnan(*seconds)) return;
  const auto at = std::lower_bound(c.latency.begin(), c.latency.end(), *seconds,
                                   [](const latency_bucket& b, double s) { return b.seconds < s; });
  if (at != c.latency.end() && at->seconds == *seconds) add_to(at->messages, value);
  else if (c.latency.size() < bounds_max && std::isfinite(value)) c.latency.insert(at, {*seconds, value});
}

}  // namespace

void for_each_sample(std::string_view text, const std::function<void(const sample&)>& take) {
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    if (const auto s = sample_of(line)) take(*s);
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
}

std::string_view label(std::string_view labels, std::string_view name) {
  while (!labels.empty()) {
    const auto equals = labels.find("=\"");
    if (equals == labels.npos) return {};
    const auto end = end_of_quoted(labels, equals + 1);
    if (end == labels.npos) return {};
    if (labels.substr(0, equals) == name) return labels.substr(equals + 2, end - equals - 3);
    labels.remove_prefix(std::min(labels.size(), labels.find_first_not_of(", ", end)));
  }
  return {};
}

node_counters read_counters(std::string_view exposition) {
  node_counters out;
  for_each_sample(exposition, [&](const sample& s) {
    if (s.name == "pawl_messages_total") count_outcome(out, label(s.labels, "outcome"), s.value);
    else if (s.name == "pawl_message_latency_seconds_bucket") count_bucket(out, label(s.labels, "le"), s.value);
    else if (s.name == "pawl_ordering_violations_total") add_to(out.violations, s.value);
    else if (s.name == "pawl_shards_stalled") add_to(out.stalled, s.value);
    else if (s.name == "process_open_fds") add_to(out.open_files, s.value);
    else if (s.name == "process_max_fds") add_to(out.open_files_max, s.value);
  });
  return out;
}

double latency_quantile(const node_counters& before, const node_counters& after, double share) {
  const auto& buckets = after.latency;
  if (buckets.empty() || buckets.size() != before.latency.size()) return -1;
  const auto grown = [&](std::size_t i) { return buckets[i].messages - before.latency[i].messages; };
  const auto wanted = grown(buckets.size() - 1) * share;
  if (!(wanted > 0)) return -1;
  double lower = 0;
  double below = 0;
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    if (grown(i) >= wanted) {
      if (std::isinf(buckets[i].seconds)) return lower;
      return lower + (buckets[i].seconds - lower) * (wanted - below) / std::max(grown(i) - below, 1e-9);
    }
    lower = buckets[i].seconds;
    below = grown(i);
  }
  return lower;
}

}  // namespace pawl::cli
