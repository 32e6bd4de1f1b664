#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::cli {

class session;

/// How the program ends; scripts rely on the numbers.
enum class exit_status : std::uint8_t { healthy = 0, failed = 1, usage = 2, degraded = 3, unreachable = 4 };

/// What a value on the command line must look like; completion offers what it can for each.
enum class value_kind : std::uint8_t { text, count, seconds, path, url, shell, format };

/// Empty, or what is allowed, as the end of "it must be …".
[[nodiscard]] std::string complaint(value_kind kind, std::string_view text);
/// The values there are, if they are few.
[[nodiscard]] std::vector<std::string_view> choices(value_kind kind);

struct argument {
  std::string_view name;  ///< as in the usage line: `TYPE`
  std::string_view help;
  value_kind kind = value_kind::text;
};

struct option {
  std::string_view name;   ///< `--payload`
  std::string_view value;  ///< name of its value, `JSON`; `[SECONDS]`: may be left out; empty: it is a switch
  std::string_view help;
  value_kind kind = value_kind::text;
  std::string_view letter{};  ///< `-o`; empty: none
  bool repeats = false;

  [[nodiscard]] bool takes_value() const noexcept { return !value.empty() && !value_optional(); }
  [[nodiscard]] bool value_optional() const noexcept { return value.starts_with('['); }
};

/// One command: what it is called, what it takes, what it does. The command line, `--help`, the completions and the
/// check of the manual page all come from these.
struct command {
  std::string_view name;  ///< one word, or two: `config check`
  std::string_view help;  ///< one line
  std::vector<argument> arguments;
  std::vector<option> options;
  exit_status (*run)(session&);
};

/// The table of commands, in the order of `--help`.
[[nodiscard]] const std::vector<command>& commands();
/// Options that every command takes.
[[nodiscard]] const std::vector<option>& common_options();
/// The name of the option that runs a command again and again.
inline constexpr std::string_view watch_option = "--watch";

/// The words that were given for one command, each of them already found to be of its kind.
class given_words {
public:
  void add(std::string_view name, std::string text) { words_[std::string{name}].push_back(std::move(text)); }
  [[nodiscard]] bool has(std::string_view name) const { return words_.find(name) != words_.end(); }
  /// Of an argument or an option; the last one of several.
  [[nodiscard]] std::string text(std::string_view name, std::string_view otherwise = {}) const;
  [[nodiscard]] std::vector<std::string> all(std::string_view name) const;
  [[nodiscard]] std::uint64_t count(std::string_view name, std::uint64_t otherwise) const;
  [[nodiscard]] std::chrono::milliseconds duration(std::string_view name, std::chrono::milliseconds otherwise) const;

private:
  std::map<std::string, std::vector<std::string>, std::less<>> words_;
};

}  // namespace pawl::cli
