#include "tests/bench/accounts.hpp"

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

namespace pawl::bench {

double own_cpu_seconds() {
  rusage u{};
  ::getrusage(RUSAGE_SELF, &u);
  const auto seconds = [](timeval t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6; };
  return seconds(u.ru_utime) + seconds(u.ru_stime);
}

own_memory memory_now() {
  std::uint64_t total = 0, resident = 0;
  std::ifstream{"/proc/self/statm"} >> total >> resident;
  const auto heap = ::mallinfo2();
  return {resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)), heap.uordblks + heap.hblkhd};
}

}  // namespace pawl::bench
