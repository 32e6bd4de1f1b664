#pragma once

#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace pawl::log {

enum class level { trace, debug, info, warn, error };

/// A key and its value; values are escaped (no control characters reach the terminal).
using field = std::pair<std::string_view, std::string>;

/// Lines go to stderr: time, level, event, then `key=value`. Thread-safe. `event` is a stable, greppable name such as
/// "shard claimed"; state changes use one event name each.
void write(level l, std::string_view event, std::initializer_list<field> fields = {});

inline void debug(std::string_view event, std::initializer_list<field> f = {}) { write(level::debug, event, f); }
inline void info(std::string_view event, std::initializer_list<field> f = {}) { write(level::info, event, f); }
inline void warn(std::string_view event, std::initializer_list<field> f = {}) { write(level::warn, event, f); }
inline void error(std::string_view event, std::initializer_list<field> f = {}) { write(level::error, event, f); }

/// Told of every line, also of those below the level that is written. Called on the thread that logs; must not log.
using listener = std::function<void(level l, std::string_view event, std::span<const field> fields)>;
/// To be set while one thread logs only: before the others are started.
void set_listener(listener l);

[[nodiscard]] std::string_view to_string(level l) noexcept;
/// False if `name` is not a level.
bool set_level(std::string_view name);

}  // namespace pawl::log
