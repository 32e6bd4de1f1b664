#include "tests/bench/redis_client.hpp"

#include <hiredis/hiredis.h>

#include <stdexcept>

namespace pawl::bench {

void redis_client::release::operator()(redisContext* c) const noexcept { redisFree(c); }
void redis_client::release::operator()(redisReply* r) const noexcept { freeReplyObject(r); }

redis_client::redis_client(const std::string& socket) : connection_(redisConnectUnix(socket.c_str())) {
  if (!connection_ || connection_->err != 0) throw std::runtime_error("cannot connect to redis at " + socket);
}

void redis_client::say(std::span<const std::string_view> words) {
  words_.clear();
  sizes_.clear();
  for (const auto w : words) {
    words_.push_back(w.data());
    sizes_.push_back(w.size());
  }
  redisAppendCommandArgv(connection_.get(), static_cast<int>(words.size()), words_.data(), sizes_.data());
}

void redis_client::flush() {
  for (int done = 0; done == 0;)
    if (redisBufferWrite(connection_.get(), &done) != REDIS_OK) throw std::runtime_error(connection_->errstr);
}

redis_client::reply redis_client::take() {
  void* got = nullptr;
  if (redisGetReply(connection_.get(), &got) != REDIS_OK) throw std::runtime_error(connection_->errstr);
  reply r{static_cast<redisReply*>(got)};
  if (r->type == REDIS_REPLY_ERROR) throw std::runtime_error(r->str);
  return r;
}

redis_client::reply redis_client::ask(std::initializer_list<std::string_view> words) {
  say(words);
  return take();
}

std::string redis_client::text(std::initializer_list<std::string_view> words) {
  const auto r = ask(words);
  return {r->str, r->len};
}

}  // namespace pawl::bench
