#include "metrics/log.hpp"

#include <fcntl.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <utility>

namespace pawl::log {

namespace {

/// A program started with a closed stderr would get descriptor 2 for its first socket, and log lines would then go to
/// whoever is at the other end. Runs before main, so before the first socket.
const bool standard_descriptors_taken = [] {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    // open takes the lowest free number, and all below `fd` are in use by now.
    if (::fcntl(fd, F_GETFD) == -1 && errno == EBADF && ::open("/dev/null", O_RDWR) != fd) return false;
  }
  return true;
}();

constexpr std::array<std::string_view, 5> level_names{"trace", "debug", "info", "warn", "error"};
constexpr std::array spdlog_levels{spdlog::level::trace, spdlog::level::debug, spdlog::level::info, spdlog::level::warn,
                                   spdlog::level::err};

std::unique_ptr<spdlog::logger> make_logger() {
  auto logger = std::make_unique<spdlog::logger>("pawl", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_formatter(
      std::make_unique<spdlog::pattern_formatter>("%Y-%m-%dT%H:%M:%S.%eZ %v", spdlog::pattern_time_type::utc));
  return logger;
}

/// Never destroyed: threads that outlive main may still log.
spdlog::logger& logger() {
  static auto* const instance = make_logger().release();
  return *instance;
}

/// Never destroyed, like the logger.
listener& told() {
  static auto* const instance = new listener;
  return *instance;
}

bool is_plain(char c) { return c > ' ' && c <= '~' && c != '"' && c != '=' && c != '\\'; }

void append_escaped(std::string& line, char c) {
  switch (c) {
  case '"': line += "\\\""; return;
  case '\\': line += "\\\\"; return;
  case '\n': line += "\\n"; return;
  case '\r': line += "\\r"; return;
  case '\t': line += "\\t"; return;
  default: break;
  }
  // Bytes beyond ASCII too: some encode terminal controls or reverse the direction of what follows.
  if (c >= ' ' && c <= '~') {
    line += c;
    return;
  }
  std::array<char, 5> hex{};
  std::snprintf(hex.data(), hex.size(), "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
  line += hex.data();
}

void append_value(std::string& line, std::string_view value) {
  constexpr std::size_t longest = 2'048;
  if (!value.empty() && value.size() <= longest && std::ranges::all_of(value, is_plain)) {
    line += value;
    return;
  }
  line += '"';
  for (const char c : value.substr(0, longest)) append_escaped(line, c);
  line += '"';
  if (value.size() > longest) line += "...";
}

}  // namespace

void write(level l, std::string_view event, std::initializer_list<field> fields) {
  if (const auto& listens = told()) listens(l, event, {fields.begin(), fields.size()});
  const auto index = static_cast<std::size_t>(l);
  if (!logger().should_log(spdlog_levels[index])) return;
  std::string line(level_names[index]);
  line += ' ';
  line += event;
  for (const auto& [key, value] : fields) {
    line += ' ';
    line += key;
    line += '=';
    append_value(line, value);
  }
  logger().log(spdlog_levels[index], spdlog::string_view_t(line.data(), line.size()));
}

void set_listener(listener l) { told() = std::move(l); }

std::string_view to_string(level l) noexcept { return level_names[static_cast<std::size_t>(l)]; }

bool set_level(std::string_view name) {
  const auto* const found = std::ranges::find(level_names, name);
  if (found == level_names.end()) return false;
  logger().set_level(spdlog_levels[static_cast<std::size_t>(found - level_names.begin())]);
  return true;
}

}  // namespace pawl::log
