#include "persistence/message_digest.hpp"

#include <sodium/crypto_shorthash_siphash24.h>
#include <xxhash.h>

#include <algorithm>
#include <initializer_list>
#include <string>

namespace pawl {
namespace {

using hash = std::array<std::uint8_t, 16>;
static_assert(crypto_shorthash_siphashx24_BYTES == sizeof(hash) &&
              crypto_shorthash_siphashx24_KEYBYTES == sizeof(hash));

hash siphash(const hash& key, const char* data, std::size_t size) {
  hash out;
  crypto_shorthash_siphashx24(out.data(), reinterpret_cast<const unsigned char*>(data), size, key.data());
  return out;
}

void put_length(char* to, std::size_t v) {
  for (int i = 0; i < 4; ++i) to[i] = static_cast<char>(v >> (8 * i));
}

/// Hash of the parts, each behind its length in 4 bytes: ("ab", "c") differs from ("a", "bc").
hash hash_parts(const hash& key, std::initializer_list<std::string_view> parts) {
  std::size_t size = 0;
  for (auto p : parts) size += 4 + p.size();
  // libsodium hashes one contiguous input only.
  std::array<char, 1024> small;
  std::string large;
  if (size > small.size()) large.resize(size);
  char* const begin = large.empty() ? small.data() : large.data();
  char* to = begin;
  for (auto p : parts) {
    put_length(to, p.size());
    to = std::copy(p.begin(), p.end(), to + 4);
  }
  return siphash(key, begin, size);
}

}  // namespace

message_digester::content_key message_digester::key_of(std::string_view name) const {
  const auto h = siphash(secret_, name.data(), name.size());
  content_key key = 0;
  for (int i = 7; i >= 0; --i) key = key << 8 | h[static_cast<std::size_t>(i)];
  return key;
}

message_digest message_digester::digest(std::string_view type, std::string_view key, std::string_view id,
                                        const content_key& content, std::string_view payload) const {
  message_digest d;
  const auto who = hash_parts(secret_, {type, key, id});
  const auto what = XXH3_64bits_withSeed(payload.data(), payload.size(), content);
  std::copy_n(who.begin(), message_digest::id_bytes, d.bytes.begin());
  for (auto i = message_digest::id_bytes; i < d.bytes.size(); ++i)
    d.bytes[i] = static_cast<std::uint8_t>(what >> (8 * (i - message_digest::id_bytes)));
  d.set_refused(false);
  d.set_replied(false);
  return d;
}

std::uint64_t message_digester::content_of(std::string_view type, std::string_view key, std::string_view name,
                                           std::string_view payload) const {
  const auto who = hash_parts(secret_, {type, key, name});
  std::uint64_t seed = 0;
  for (int i = 7; i >= 0; --i) seed = seed << 8 | who[static_cast<std::size_t>(i)];
  return std::max<std::uint64_t>(1, XXH3_64bits_withSeed(payload.data(), payload.size(), seed));
}

}  // namespace pawl
