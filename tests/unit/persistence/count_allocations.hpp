#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>

// Counts the allocations of a program's threads. Replaces the operators of the whole program, so one of its files
// includes this, and only one.

namespace pawl::test {
inline thread_local std::size_t allocations = 0;
}

// Not inlined: g++ 12 would else see malloc and free through one half of a pair only, and warn of a mismatch.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++pawl::test::allocations;
  if (void* p = std::malloc(size)) return p;
  throw std::bad_alloc{};
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }
