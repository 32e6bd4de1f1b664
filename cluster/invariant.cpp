#include "cluster/invariant.hpp"

#include <cstdio>
#include <cstdlib>

namespace pawl {

void broken_invariant(const char* file, int line, const char* condition, std::string_view why) {
  std::fprintf(stderr, "%s:%d: broken invariant: %s: %.*s\n", file, line, condition, static_cast<int>(why.size()),
               why.data());
  std::fflush(stderr);
  std::abort();
}

}  // namespace pawl
