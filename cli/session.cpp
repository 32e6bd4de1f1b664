#include "cli/session.hpp"

#include "cli/survey.hpp"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <utility>

namespace pawl::cli {

const cluster_picture& session::look() {
  auto taken = survey(nodes, timeout);
  if (now_.taken != std::chrono::steady_clock::time_point{}) before_ = std::move(now_);
  now_ = std::move(taken);
  return now_;
}

std::chrono::milliseconds session::patience() const { return words.duration("--timeout", std::chrono::seconds{10}); }

void session::show(const std::string& text, const json& body) const {
  if (format == output::for_people) {
    std::fwrite(text.data(), 1, text.size(), stdout);
  } else {
    json out;
    out["version"] = output_version;
    out["command"] = command;
    out.update(body);
    const auto line = json_line(out) + '\n';
    std::fwrite(line.data(), 1, line.size(), stdout);
  }
  std::fflush(stdout);
}

void session::say(const std::string& text) { std::fprintf(stderr, "pawl: %s\n", text.c_str()); }

}  // namespace pawl::cli
