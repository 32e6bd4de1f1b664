#include "actors/unserved.hpp"

#include <algorithm>

namespace pawl {
namespace {

using reason = unserved_reason;

/// What stands in the way, whether or not there are messages.
reason obstacle(const unserved_watch::facts& f) {
  if (!f.view) return f.connected ? reason::no_view : reason::store_down;
  if (!f.owner) return reason::no_owner;
  if (!f.here) return f.linked ? reason::none : reason::no_link;
  if (f.stopped) return reason::stopped;
  if (!f.connected) return reason::store_down;
  if (f.evicted) return reason::evicted;
  return f.serving ? reason::none : reason::claiming;
}

}  // namespace

std::string to_text(unserved_reason why, std::string_view owner, std::string_view claim_state) {
  std::string name{owner};
  switch (why) {
  case reason::none: return {};
  case reason::no_view: return "no view yet";
  case reason::evicted: return "this node was evicted and has not joined again";
  case reason::no_owner: return "no member may own it";
  case reason::no_link: return "no link to " + name;
  case reason::claiming: return "being claimed here (" + std::string{claim_state} + ")";
  case reason::store_down: return "the store cannot be reached";
  case reason::store_silent: return "the store does not answer";
  case reason::stopped: return "stopped; see the log";
  case reason::owner_silent: return "owner " + name + " does not answer";
  case reason::stuck_handler: return "a handler has not returned";
  }
  return {};
}

std::optional<unserved> unserved_watch::look(const facts& f, steady_time now) {
  auto why = obstacle(f);
  if (why == reason::none) {
    blocked_since_.reset();
    if (!f.waiting_since) return std::nullopt;
    return unserved{f.here ? reason::store_silent : reason::owner_silent, *f.waiting_since};
  }
  if (!blocked_since_) blocked_since_ = now;
  // Messages that waited before for another reason have waited all the time.
  if (f.waiting_since) blocked_since_ = std::min(*blocked_since_, *f.waiting_since);
  return unserved{why, *blocked_since_};
}

}  // namespace pawl
