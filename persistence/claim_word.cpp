#include "persistence/claim_word.hpp"

#include <xxhash.h>

#include <algorithm>

namespace pawl {

std::uint64_t word_of(const fencing_token& token) noexcept {
  return std::max<std::uint64_t>(1, XXH3_64bits(token.text().data(), token.text().size()));
}

}  // namespace pawl
