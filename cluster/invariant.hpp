#pragma once

#include <string_view>

namespace pawl {

/// Reports a broken invariant on stderr and aborts. A restart is safe (the store holds the truth); going on is not.
[[noreturn]] void broken_invariant(const char* file, int line, const char* condition, std::string_view why);

}  // namespace pawl

/// Always on, also in release builds. For bugs only: data that a peer, a client or the store controls is an operating
/// error and is answered, never asserted.
#define PAWL_INVARIANT(condition, why)                                                                                 \
  do {                                                                                                                 \
    if (!(condition)) ::pawl::broken_invariant(__FILE__, __LINE__, #condition, (why));                                 \
  } while (false)
