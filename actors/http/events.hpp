#pragma once

#include "actors/http/exchange.hpp"
#include "metrics/recent_events.hpp"

#include <span>

namespace pawl {

/// `{"events":[{"at","until","count","level","name","fields":{…}}, …]}`, oldest first.
[[nodiscard]] http_response events_answer(std::span<const recent_event> events);

}  // namespace pawl
