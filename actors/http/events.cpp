#include "actors/http/events.hpp"

#include "actors/http/json_text.hpp"

#include <string>

namespace pawl {

http_response events_answer(std::span<const recent_event> events) {
  std::string body = R"({"events":[)";
  for (const auto& e : events) {
    if (&e != events.data()) body += ',';
    body += R"({"at":)" + std::to_string(e.at) + R"(,"until":)" + std::to_string(e.until);
    body += R"(,"count":)" + std::to_string(e.count) + R"(,"level":")";
    body += log::to_string(e.level);
    body += R"(","name":)";
    append_json_string(body, e.name);
    body += R"(,"fields":{)";
    for (std::size_t i = 0; i < e.fields.size(); ++i) {
      if (i > 0) body += ',';
      append_json_string(body, e.fields[i].first);
      body += ':';
      append_json_string(body, e.fields[i].second);
    }
    body += "}}";
  }
  body += "]}\n";
  return {200, "application/json", std::move(body), {}};
}

}  // namespace pawl
