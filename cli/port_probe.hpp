#pragma once

#include <cstdint>
#include <string>

namespace pawl::cli {

/// Whether this machine would let a program listen there now.
struct port_state {
  enum class kind : std::uint8_t { free, taken, impossible };
  kind what = kind::impossible;
  std::string reason;  ///< of `impossible`: not an address of this machine, not allowed, …
};
/// Binds and lets go at once. A host name is looked up, which may take what the system's resolver takes.
[[nodiscard]] port_state probe_port(const std::string& host, std::uint16_t port);

/// How many files this process, and so a node started from the same shell, may open.
[[nodiscard]] std::uint64_t open_files_limit();

}  // namespace pawl::cli
