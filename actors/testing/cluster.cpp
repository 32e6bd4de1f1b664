#include "actors/testing/world.hpp"

namespace pawl::testing {

cluster::cluster(std::vector<entity_type> types, options o) : world_(std::make_unique<world>(std::move(types), o)) {}
cluster::~cluster() = default;

answer cluster::send_bytes(std::string_view type, std::string_view key, std::string_view name, std::string payload,
                           envelope e) {
  return world_->send(world_->addressed(type, key, name, std::move(payload), std::move(e)));
}
void cluster::post_bytes(std::string_view type, std::string_view key, std::string_view name, std::string payload,
                         envelope e) {
  world_->post(world_->addressed(type, key, name, std::move(payload), std::move(e)));
}

void cluster::run() { world_->run(); }
void cluster::advance(std::chrono::milliseconds span) { world_->advance(span); }
void cluster::run_to_end() { world_->run_to_end(); }

unix_ms cluster::now() const noexcept { return world_->now; }
std::optional<std::string> cluster::state_bytes(std::string_view type, std::string_view key) const {
  const auto found = world_->states.find({std::string{type}, std::string{key}});
  if (found == world_->states.end()) return std::nullopt;
  return found->second;
}
std::vector<pending_timer> cluster::timers(std::string_view type, std::string_view key) const {
  return world_->timers_of({std::string{type}, std::string{key}});
}
std::size_t cluster::held(std::string_view type, std::string_view key) const {
  return world_->held({std::string{type}, std::string{key}});
}
const std::vector<dead_letter>& cluster::dead_letters() const noexcept { return world_->letters; }
const counts& cluster::happened() const noexcept { return world_->happened; }

}  // namespace pawl::testing
