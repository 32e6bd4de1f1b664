#pragma once

namespace pawl::bench {

/// Senders over HTTP in a process of their own. Returns the exit status.
[[nodiscard]] int http_program(int argc, char** argv);

}  // namespace pawl::bench
