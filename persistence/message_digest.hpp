#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pawl {

/// What is remembered of a processed message, in memory and in the store:
///
///     bytes  0 … 11   hash of (entity type, key, message id): recognises it
///     bytes 12 … 15   hash of (message name, payload), little-endian: tells another content under the same id
///                     lowest bit: refused for good, else it took effect; the next: its handler replied
///
/// With 96 bits, the odds that any two of 4 million ids in a shard collide are 1 in 10^16.
struct message_digest {
  static constexpr std::size_t id_bytes = 12;

  std::array<std::uint8_t, 16> bytes{};

  [[nodiscard]] std::string_view id_part() const noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), id_bytes};
  }
  /// Without the flags: equal whatever became of the message.
  [[nodiscard]] std::uint32_t fingerprint() const noexcept {
    return std::uint32_t{bytes[15]} << 24 | std::uint32_t{bytes[14]} << 16 | std::uint32_t{bytes[13]} << 8 |
           (bytes[12] & 0xfcu);
  }
  [[nodiscard]] bool refused() const noexcept { return (bytes[12] & 1) != 0; }
  void set_refused(bool v) noexcept { bytes[12] = static_cast<std::uint8_t>((bytes[12] & 0xfe) | (v ? 1 : 0)); }
  [[nodiscard]] bool replied() const noexcept { return (bytes[12] & 2) != 0; }
  void set_replied(bool v) noexcept { bytes[12] = static_cast<std::uint8_t>((bytes[12] & 0xfd) | (v ? 2 : 0)); }

  friend bool operator==(const message_digest&, const message_digest&) = default;
};

/// Computes digests: the id part with SipHash-2-4-128, keyed with the secret of the dataset, without which nobody can
/// construct two messages that share it, which would make the second a false duplicate. The fingerprint only tells
/// mistakes of a sender, who can harm nobody but itself with it, so payloads go through XXH3, which takes a tenth of
/// the time. Immutable, thread-safe.
///
/// The digests of a dataset never change: they are compared with stored ones.
class message_digester {
public:
  using secret = std::array<std::uint8_t, 16>;

  /// What the payloads of messages of one name are hashed with.
  using content_key = std::uint64_t;

  explicit message_digester(const secret& s) : secret_(s) {}

  /// Binds the name to the payload's hash.
  [[nodiscard]] content_key key_of(std::string_view name) const;
  /// The digest of a message, not refused. Allocates only if type, key and id are longer than 1,000 bytes together.
  [[nodiscard]] message_digest digest(std::string_view type, std::string_view key, std::string_view id,
                                      const content_key& content, std::string_view payload) const;
  [[nodiscard]] message_digest digest(std::string_view type, std::string_view key, std::string_view id,
                                      std::string_view name, std::string_view payload) const {
    return digest(type, key, id, key_of(name), payload);
  }
  /// Tells another message at the same position of a source. Never 0.
  [[nodiscard]] std::uint64_t content_of(std::string_view type, std::string_view key, std::string_view name,
                                         std::string_view payload) const;

private:
  secret secret_;
};

}  // namespace pawl
