#include "tests/bench/bare_client.hpp"

#include "tests/bench/redis_client.hpp"

#include <chrono>

namespace pawl::bench {

double send_bare(const std::string& socket, const std::vector<recorded_commit>& commits, std::size_t window) {
  redis_client server{socket};
  const auto began = std::chrono::steady_clock::now();
  std::size_t answered = 0;
  std::vector<std::string_view> words;
  for (std::size_t sent = 0; answered < commits.size();) {
    for (; sent < commits.size() && sent - answered < window; ++sent) {
      const auto& commit = commits[sent];
      words.assign({"HSET", commit.key});
      for (const auto& [field, value] : *commit.fields) words.insert(words.end(), {field, value});
      server.say(words);
      server.say({"EXISTS", commit.live});
    }
    server.take();
    server.take();
    ++answered;
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

}  // namespace pawl::bench
