#pragma once

#include <cstdint>
#include <string>

namespace pawl::testing {

/// One event of an order, as a sender makes it: from key and number alone, so a retry is the same to the byte.
struct order_event {
  std::string key;
  std::string id;
  std::string json;  ///< the message, without a newline
};

/// The event of an order with this number, from 1: purchased, approved, shipped, delivered, and so on in turns.
[[nodiscard]] order_event event_of(const std::string& key, std::uint64_t number);

/// What an order must be after its first so many events, each applied once and in order. Computed from the numbers, by
/// code that the runtime does not share.
struct expected_order {
  std::string status = "none";
  std::uint64_t events = 0;
  std::string chain = "0000000000000000";
};
[[nodiscard]] expected_order replay(const std::string& key, std::uint64_t events);

}  // namespace pawl::testing
