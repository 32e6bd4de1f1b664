#include "actors/configuration/toml_file.hpp"

#include "actors/configuration/values.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <toml++/toml.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <system_error>

namespace pawl::config {

namespace {

std::string errno_text() { return std::generic_category().message(errno); }

class file_descriptor {
public:
  explicit file_descriptor(int fd) noexcept : fd_(fd) {}
  ~file_descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  file_descriptor(const file_descriptor&) = delete;
  file_descriptor& operator=(const file_descriptor&) = delete;
  [[nodiscard]] int get() const noexcept { return fd_; }

private:
  int fd_;
};

std::string type_text(const toml::node& node) {
  switch (node.type()) {
  case toml::node_type::table: return "a table";
  case toml::node_type::array: return "an array";
  case toml::node_type::floating_point: return "a number with a fraction";
  case toml::node_type::date:
  case toml::node_type::time:
  case toml::node_type::date_time: return "a date or time";
  default: return "a value of another type";
  }
}

setting to_setting(const toml::node& node, std::string origin) {
  using type = setting::type;
  if (const auto* text = node.as_string()) return {type::string, text->get(), std::move(origin)};
  if (const auto* integer = node.as_integer())
    return {type::integer, std::to_string(integer->get()), std::move(origin)};
  if (const auto* toggle = node.as_boolean())
    return {type::boolean, toggle->get() ? "true" : "false", std::move(origin)};
  return {type::other, type_text(node), std::move(origin)};
}

std::string at(const std::string& path, const toml::source_region& region) {
  return path + ":" + std::to_string(region.begin.line);
}

void collect(const toml::table& root, const std::string& path, file_content& out) {
  for (const auto& [section, content] : root) {
    const std::string name(section.str());
    const auto* table = content.as_table();
    if (table == nullptr) {
      out.settings.emplace_back(name, to_setting(content, at(path, section.source())));
      continue;
    }
    for (const auto& [leaf, value] : *table) {
      out.settings.emplace_back(name + "." + std::string(leaf.str()), to_setting(value, at(path, leaf.source())));
    }
    if (table->empty()) {
      const bool known = std::ranges::any_of(keys(), [&](const key& k) { return k.section() == name; });
      if (!known) out.errors.push_back("unknown section " + in_quotes(name) + " at " + at(path, section.source()));
    }
  }
}

}  // namespace

file_bytes read_small_file(const std::string& path, std::size_t limit) {
  file_bytes out;
  // O_NONBLOCK: opening a named pipe must not wait for a writer.
  const file_descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0) {
    out.error = errno_text();
    return out;
  }
  out.mode = status.st_mode & 0777U;
  if (!S_ISREG(status.st_mode)) {
    out.error = "it is not a regular file";
    return out;
  }
  // One byte more than allowed tells "too large" without trusting the size of a file that may be growing.
  out.bytes.resize(limit + 1);
  std::size_t used = 0;
  while (used < out.bytes.size()) {
    const auto n = ::read(file.get(), out.bytes.data() + used, out.bytes.size() - used);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      out.error = errno_text();
      return out;
    }
    if (n == 0) break;
    used += static_cast<std::size_t>(n);
  }
  if (used > limit) out.error = "it is larger than " + format_bytes(limit);
  out.bytes.resize(used);
  return out;
}

file_content read_toml_file(const std::string& path) {
  constexpr std::size_t limit = 1024 * 1024;
  file_content out;
  const auto file = read_small_file(path, limit);
  if (!file.error.empty()) {
    out.errors.push_back("cannot read the configuration file " + in_quotes(path) + ": " + file.error);
    return out;
  }
  constexpr unsigned writable_by_others = 0022;
  if ((file.mode & writable_by_others) != 0) {
    out.warnings.push_back("configuration file " + in_quotes(path) +
                           " can be written by others; run: chmod go-w on it");
  }
  try {
    collect(toml::parse(file.bytes, path), path, out);
  } catch (const toml::parse_error& e) {
    out.errors.push_back("syntax error at " + at(path, e.source()) + ": " + std::string(e.description()));
  }
  return out;
}

}  // namespace pawl::config
