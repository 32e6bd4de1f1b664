#include "persistence/store_outcome.hpp"

namespace pawl {

std::string_view to_string(store_outcome outcome) noexcept {
  switch (outcome) {
  case store_outcome::done: return "done";
  case store_outcome::refused: return "refused";
  case store_outcome::fenced: return "fenced";
  case store_outcome::lost: return "lost";
  case store_outcome::unknown: return "unknown";
  case store_outcome::unavailable: return "unavailable";
  }
  return "invalid";
}

std::string_view to_string(store_error error) noexcept {
  switch (error) {
  case store_error::none: return "none";
  case store_error::oom: return "oom";
  case store_error::readonly: return "readonly";
  case store_error::loading: return "loading";
  case store_error::misconf: return "misconf";
  case store_error::no_replicas: return "no_replicas";
  case store_error::busy: return "busy";
  case store_error::try_again: return "try_again";
  case store_error::moved: return "moved";
  case store_error::no_auth: return "no_auth";
  case store_error::wrong_type: return "wrong_type";
  case store_error::other: return "other";
  }
  return "invalid";
}

}  // namespace pawl
