#pragma once

#include "actors/configuration.hpp"
#include "cli/cluster_picture.hpp"
#include "cli/command.hpp"
#include "cli/json_reader.hpp"
#include "cli/node_url.hpp"
#include "cli/terminal.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::cli {

/// What a command has to do its work with: the words it was given, the nodes to ask, and where to put what it found.
/// Results go to the standard output, as text or as JSON; talk goes to the standard error.
class session {
public:
  enum class output : std::uint8_t { for_people, for_programs };

  std::string_view command;
  given_words words;
  std::vector<node_url> nodes;          ///< to be asked first; never empty
  std::chrono::milliseconds timeout{};  ///< longest wait for what a node answers at once
  output format = output::for_people;
  painter paint;
  environment variables;
  bool screen = false;    ///< the standard output is a terminal
  bool terminal = false;  ///< so is the standard input: somebody is there to answer

  /// Asks the cluster. The picture before is kept, so that a command that runs again can show rates.
  const cluster_picture& look();
  [[nodiscard]] const cluster_picture& picture() const { return now_; }
  /// Nothing at the first look.
  [[nodiscard]] const cluster_picture* before() const { return before_ ? &*before_ : nullptr; }

  /// Longest wait for what a node may hold for up to its `messages.request_timeout` (5 s) before it gives a reason:
  /// messages, and reads of entities.
  [[nodiscard]] std::chrono::milliseconds patience() const;

  /// Prints the text, or the fields of `body` as one line of JSON that begins with the format's version.
  void show(const std::string& text, const json& body) const;
  /// Prints a remark for people.
  static void say(const std::string& text);

private:
  std::optional<cluster_picture> before_;
  cluster_picture now_;
};

/// Version of the JSON form: it changes when a field is removed, or means something else; not when one is added.
inline constexpr int output_version = 1;

}  // namespace pawl::cli
