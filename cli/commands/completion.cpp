#include "cli/completion.hpp"

#include "cli/commands/commands.hpp"
#include "cli/session.hpp"

#include <nlohmann/json.hpp>

namespace pawl::cli {

exit_status run_completion(session& s) {
  const auto shell = s.words.text("SHELL");
  const auto script = completion_script(shell);
  json body;
  body["shell"] = shell;
  body["script"] = script;
  s.show(script, body);
  return exit_status::healthy;
}

}  // namespace pawl::cli
