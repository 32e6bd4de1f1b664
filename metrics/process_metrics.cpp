#include "metrics/process_metrics.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

namespace pawl {

namespace {

/// Fields of /proc/self/stat from the third on. The second is the program's name and may hold spaces and brackets,
/// so counting starts behind the last bracket.
std::vector<std::string> stat_fields() {
  std::ifstream file("/proc/self/stat");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto bracket = text.rfind(')');
  if (bracket == std::string::npos) return {};
  std::istringstream rest(text.substr(bracket + 1));
  return {std::istream_iterator<std::string>(rest), {}};
}

std::optional<double> number(const std::vector<std::string>& fields, std::size_t proc_index) {
  constexpr std::size_t first = 3;
  if (proc_index - first >= fields.size()) return std::nullopt;
  std::istringstream text(fields[proc_index - first]);
  double value = 0;
  return text >> value ? std::optional(value) : std::nullopt;
}

std::optional<double> boot_time() {
  std::ifstream file("/proc/stat");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name;
    double value = 0;
    if (words >> name >> value && name == "btime") return value;
  }
  return std::nullopt;
}

std::optional<double> start_time() {
  constexpr std::size_t start_ticks = 22;
  const auto ticks = number(stat_fields(), start_ticks);
  const auto boot = boot_time();
  if (!ticks || !boot) return std::nullopt;
  return *boot + *ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::optional<double> cpu_seconds() {
  timespec used{};
  if (::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) != 0) return std::nullopt;
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
}

std::optional<double> resident_bytes() {
  std::ifstream file("/proc/self/statm");
  double size = 0;
  double resident = 0;
  if (!(file >> size >> resident)) return std::nullopt;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

std::optional<double> max_fds() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::nullopt;
  return static_cast<double>(limit.rlim_cur);
}

std::optional<double> open_fds() {
  std::error_code error;
  std::filesystem::directory_iterator entries("/proc/self/fd", error);
  // Counting takes a descriptor. With none left the count is known without it, and just then somebody looks.
  if (error.value() == EMFILE) return max_fds();
  double count = -1;  // the descriptor that reads the directory
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) ++count;
  return error ? std::nullopt : std::optional(count);
}

}  // namespace

process_metrics read_process_metrics() {
  // Kept: a step of the wall clock moves the boot time, and a process that seems to restart looks like a crash.
  static const auto started = start_time();
  return {cpu_seconds(), resident_bytes(), open_fds(), max_fds(), started};
}

}  // namespace pawl
