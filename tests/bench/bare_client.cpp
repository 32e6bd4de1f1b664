#include "tests/bench/bare_client.hpp"

#include <hiredis/hiredis.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <stdexcept>

namespace pawl::bench {
namespace {

struct release {
  void operator()(redisContext* c) const noexcept { redisFree(c); }
  void operator()(void* r) const noexcept { freeReplyObject(r); }
};
using connection = std::unique_ptr<redisContext, release>;

connection connect(const std::string& socket) {
  connection c{redisConnectUnix(socket.c_str())};
  if (!c || c->err != 0) throw std::runtime_error("cannot connect to redis at " + socket);
  return c;
}

void take_reply(redisContext* c) {
  void* reply = nullptr;
  if (redisGetReply(c, &reply) != REDIS_OK) throw std::runtime_error(c->errstr);
  std::unique_ptr<void, release> owned{reply};
  if (static_cast<redisReply*>(reply)->type == REDIS_REPLY_ERROR)
    throw std::runtime_error(static_cast<redisReply*>(reply)->str);
}

}  // namespace

double server_cpu_seconds(const std::string& socket) {
  auto c = connect(socket);
  std::unique_ptr<void, release> reply{redisCommand(c.get(), "INFO cpu")};
  if (!reply) throw std::runtime_error("no answer to INFO");
  std::string text{static_cast<redisReply*>(reply.get())->str};
  double sum = 0;
  for (const char* name : {"used_cpu_sys:", "used_cpu_user:"}) {
    auto at = text.find(name);
    if (at == std::string::npos) throw std::runtime_error("INFO cpu lacks a line");
    sum += std::strtod(text.c_str() + at + std::string_view{name}.size(), nullptr);
  }
  return sum;
}

double send_bare(const std::string& socket, const std::vector<recorded_commit>& commits, std::size_t window) {
  auto c = connect(socket);
  auto began = std::chrono::steady_clock::now();
  std::size_t answered = 0;
  std::vector<const char*> arguments;
  std::vector<std::size_t> sizes;
  for (std::size_t sent = 0; answered < commits.size();) {
    for (; sent < commits.size() && sent - answered < window; ++sent) {
      const auto& commit = commits[sent];
      arguments.assign({"HSET", commit.key.data()});
      sizes.assign({4, commit.key.size()});
      for (const auto& [field, value] : *commit.fields) {
        arguments.insert(arguments.end(), {field.data(), value.data()});
        sizes.insert(sizes.end(), {field.size(), value.size()});
      }
      redisAppendCommandArgv(c.get(), static_cast<int>(arguments.size()), arguments.data(), sizes.data());
      redisAppendCommand(c.get(), "EXISTS %b", commit.live.data(), commit.live.size());
    }
    take_reply(c.get());
    take_reply(c.get());
    ++answered;
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

}  // namespace pawl::bench
