#include "tests/cluster/order_events.hpp"

#include <array>
#include <chrono>
#include <cstdio>
#include <string_view>

namespace pawl::testing {
namespace {

struct step {
  std::string_view message;
  std::string_view status;
  std::string_view payload;
};
constexpr std::array<step, 4> life{{
    {"OrderPurchased", "purchased", R"({"customer":"c-1","at":"2017-10-02T10:56"})"},
    {"OrderApproved", "approved", R"({"at":"2017-10-02T11:07"})"},
    {"OrderShipped", "shipped", R"({"at":"2017-10-04T19:55"})"},
    {"OrderDelivered", "delivered", R"({"at":"2017-10-10T21:25"})"},
}};

const step& step_of(std::uint64_t number) { return life[(number - 1) % life.size()]; }

std::string id_of(const std::string& key, std::uint64_t number) { return key + "/event-" + std::to_string(number); }

/// The time of all events: when this program began. It belongs to an event and may not change on a retry.
std::int64_t sent_at() {
  using namespace std::chrono;
  static const auto began = duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
  return began;
}

std::string fnv1a_hex(std::string_view bytes) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char c : bytes) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 1099511628211U;
  }
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(hash));
  return text.data();
}

}  // namespace

order_event event_of(const std::string& key, std::uint64_t number) {
  const auto& s = step_of(number);
  order_event out{key, id_of(key, number), R"({"type":"order","key":")"};
  out.json.append(key).append(R"(","message":")").append(s.message);
  out.json.append(R"(","id":")").append(out.id);
  out.json.append(R"(","sent_at":)").append(std::to_string(sent_at()));
  out.json.append(R"(,"seq":)").append(std::to_string(number));
  out.json.append(R"(,"payload":)").append(s.payload).append("}");
  return out;
}

expected_order replay(const std::string& key, std::uint64_t events) {
  expected_order out;
  for (; out.events < events; ++out.events) out.chain = fnv1a_hex(out.chain + id_of(key, out.events + 1));
  if (events != 0) out.status = step_of(events).status;
  return out;
}

}  // namespace pawl::testing
