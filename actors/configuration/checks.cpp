#include "actors/configuration/checks.hpp"

#include "actors/configuration/keys.hpp"
#include "actors/configuration/toml_file.hpp"
#include "actors/configuration/values.hpp"

#include <algorithm>
#include <chrono>

namespace pawl::config {

namespace {

constexpr std::size_t longest_password = 4'096;

std::string shown(std::chrono::milliseconds d) { return format_milliseconds(static_cast<std::uint64_t>(d.count())); }

std::string contradiction(std::string_view key, std::chrono::milliseconds value, std::string_view rule,
                          std::chrono::milliseconds beat, std::string_view why) {
  return "'" + std::string(key) + "' is " + shown(value) + ", but must be " + std::string(rule) + " 'cluster.beat' (" +
         shown(beat) + "): " + std::string(why);
}

void check_times(const node_options& o, std::vector<std::string>& errors) {
  if (o.beat * 3 >= o.lease) {
    errors.push_back(contradiction("cluster.lease", o.lease, "more than three times", o.beat,
                                   "a member that loses two beats would be evicted though it is alive"));
  }
  // Members learn of a new view with a beat. Shorter than two, others would claim before the owner can know.
  if (o.handoff < o.beat * 2) {
    errors.push_back(contradiction("cluster.handoff", o.handoff, "at least twice", o.beat,
                                   "an owner needs to hear of the new view and to finish its commit"));
  }
  if (o.drain < o.beat * 2) {
    errors.push_back(contradiction("cluster.drain", o.drain, "at least twice", o.beat,
                                   "the others need to hear that this node leaves"));
  }
}

void check_addresses(const node_options& o, findings& out) {
  if (!is_loopback(o.peer_address) && !o.insecure) {
    out.errors.push_back("'peers.address' is " + in_quotes(o.peer_address) +
                         ": nodes do not authenticate their peers yet, so whoever reaches this port could read and "
                         "change every entity; use a loopback address, or accept that with --insecure on a network "
                         "where every machine is trusted");
  }
  if (is_any_address(o.peer_address) && (o.advertise.empty() || is_any_address(o.advertise))) {
    out.errors.push_back("'peers.address' is " + in_quotes(o.peer_address) +
                         ", which other nodes cannot dial; set 'peers.advertise' to the host name or address at which "
                         "they reach this node");
  }
  if (!is_loopback(o.http_address)) {
    out.warnings.push_back("'http.address' is " + in_quotes(o.http_address) +
                           ": whoever reaches that port may send messages and read entities; there is no "
                           "authentication");
  }
}

}  // namespace

findings check_together(const node_options& options) {
  findings out;
  check_times(options, out.errors);
  check_addresses(options, out);
  return out;
}

findings resolve_password(node_options& options, const std::string& variable) {
  findings out;
  if (options.redis_password_file.empty()) {
    if (variable.size() > longest_password) {
      out.errors.push_back("the password in " + std::string(password_variable) + " is longer than " +
                           format_bytes(longest_password));
      return out;
    }
    options.redis_password = variable;
    return out;
  }
  const auto where = "the password file " + in_quotes(options.redis_password_file) + " ('redis.password_file')";
  auto file = read_small_file(options.redis_password_file, longest_password);
  if (!file.error.empty()) {
    out.errors.push_back("cannot read " + where + ": " + file.error);
    return out;
  }
  // The line end that editors and `echo` leave is not part of the password.
  if (file.bytes.ends_with('\n')) file.bytes.pop_back();
  if (file.bytes.ends_with('\r')) file.bytes.pop_back();
  if (file.bytes.empty()) out.errors.push_back(where + " is empty");
  if (file.bytes.find('\n') != std::string::npos || file.bytes.find('\0') != std::string::npos) {
    out.errors.push_back(where + " must hold one line, the password, and nothing else");
  }
  constexpr unsigned open_to_others = 0077;
  if ((file.mode & open_to_others) != 0) {
    out.warnings.push_back(where + " is open to other users; run: chmod 600 on it");
  }
  options.redis_password = std::move(file.bytes);
  return out;
}

}  // namespace pawl::config
