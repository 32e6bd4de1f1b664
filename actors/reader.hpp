#pragma once

#include "actors/frame.hpp"
#include "cluster/clock.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace pawl {

struct reader_policy {
  std::chrono::milliseconds timeout{5'000};
  std::chrono::milliseconds retry{20};
  std::size_t reads_max = 1'024;
};

/// The router's side of questions to one shard: sends each to the shard's owner, again after a refusal or a change of
/// owner, until it is answered or its time is over. They may be repeated freely. Performs no
/// I/O; not thread-safe.
class reader {
public:
  /// Unless it was answered, `answer.kind` is `unavailable` and its reason says why.
  using callback = std::function<void(read_answer)>;
  struct effects {
    std::vector<read_request> send;  ///< to the owner, as the route names it
    std::vector<std::pair<callback, read_answer>> done;
  };

  reader(shard_id shard, reader_policy policy) : shard_(shard), policy_(policy) {}

  effects submit(shard_question about, callback done, instant now);
  effects on_route(std::optional<link_number> route, instant now);
  effects on_answer(link_number from, read_answer a, instant now);
  effects tick(instant now);
  /// Answers all, and whatever is submitted from now on: the node stops.
  effects close();
  [[nodiscard]] std::optional<steady_time> wake() const;

private:
  struct pending {
    shard_question about;
    callback done;
    steady_time deadline;
    std::optional<steady_time> again;  ///< when to send it again; nothing while an answer is awaited
    std::string reason = "no owner of the shard could be reached in time";
  };
  [[nodiscard]] read_answer unavailable(std::string reason) const;

  shard_id shard_;
  reader_policy policy_;
  std::optional<link_number> route_;
  std::uint64_t number_ = 0;
  bool closed_ = false;
  std::map<std::uint64_t, pending> pending_;
};

}  // namespace pawl
