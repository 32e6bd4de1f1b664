#include "persistence/redis/connection.hpp"

#include "cluster/invariant.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <utility>

namespace pawl::redis {
namespace {

std::atomic<std::uint64_t> last_number{0};

constexpr std::size_t read_bytes = 64 * 1024;
/// So much of one socket in one turn, then the others have theirs.
constexpr int reads_per_turn = 16;
/// Buffers that grew beyond this are given back once they are empty.
constexpr std::size_t idle_output_bytes = 1024 * 1024;
constexpr std::size_t script_name_bytes = 40;

void clear(std::string& buffer) {
  if (buffer.capacity() > idle_output_bytes) buffer = {};
  else buffer.clear();
}

}  // namespace

connection::connection(event_loop& loop, server_contact& server, connection_user& user)
    : loop_(loop), server_(server), user_(user), jitter_(std::random_device{}()) {
  loop_.add(*this);
}

bool connection::has_room(std::size_t bytes) const noexcept {
  return queued_.size() + sending_.size() - sent_bytes_ + bytes <= output_bytes_max;
}

void connection::sent(std::uint32_t replies) { expected_.push_back({replies, std::chrono::steady_clock::now()}); }

void connection::connect(steady_time now) {
  since_ = now;
  std::string error;
  // A slow resolver would hold up every connection of this thread; so it is asked only while none of them works.
  if (server_.connected == 0 || server_.where.addresses() == 0) error = server_.where.resolve();
  if (error.empty() || server_.where.addresses() > 0) {
    error.clear();
    socket_ = server_.where.connect(error);
  }
  if (!socket_.open()) return break_off("cannot connect: " + error);
  state_ = state::connecting;
  watching_writable_ = true;
  loop_.watch(socket_.get(), *this, true);
}

void connection::greet() {
  state_ = state::greeting;
  since_ = std::chrono::steady_clock::now();
  greetings_ = 0;
  const auto& o = server_.options;
  std::uint32_t commands = 1;
  if (!o.password.empty()) {
    ++commands;
    if (o.user.empty()) append_command(queued_, {"AUTH", o.password});
    else append_command(queued_, {"AUTH", o.user, o.password});
  } else {
    ++greetings_;  // as if AUTH had been answered
  }
  append_command(queued_, {"PING"});
  for (std::size_t i = 0; i < script_count; ++i, ++commands)
    append_command(queued_, {"SCRIPT", "LOAD", text_of(static_cast<script>(i))});
  sent(commands);
}

std::string connection::greeted(reply&& r) {
  const auto step = greetings_++;
  if (r.is(reply::kind::error)) return (step == 0 ? "cannot log in: " : "not ready: ") + r.text;
  if (step == 0) return r.is(reply::kind::status) ? "" : "an answer to AUTH that makes no sense";
  if (step == 1) return r.is(reply::kind::status) && r.text == "PONG" ? "" : "an answer to PING that makes no sense";
  if (!r.is(reply::kind::string) || r.text.size() != script_name_bytes)
    return "an answer to SCRIPT LOAD that makes no sense";
  names_[step - 2] = std::move(r.text);
  if (step - 1 < script_count) return "";
  state_ = state::up;
  since_ = std::chrono::steady_clock::now();
  number_ = ++last_number;
  ++server_.connected;
  server_.last_trouble.clear();
  user_.connected(number_);
  return "";
}

std::string connection::take(reply&& r) {
  if (expected_.empty()) return "a reply nobody asked for";
  auto error = state_ == state::greeting ? greeted(std::move(r)) : user_.replied(std::move(r));
  if (--expected_.front().replies == 0) expected_.pop_front();
  return error;
}

void connection::break_off(std::string_view why) {
  const auto text = server_.where.text() + ": " + std::string{why};
  disconnect(text);
  if (text == server_.last_trouble) return;
  server_.last_trouble = text;
  user_.trouble(text);
}

void connection::disconnect(std::string_view why) {
  const auto now = std::chrono::steady_clock::now();
  // A server that accepts and then fails at once must not be called every 20 ms.
  if (state_ == state::up && now - since_ > backoff_greatest) backoff_ = backoff_least;
  const bool was_up = up();
  if (socket_.open()) loop_.forget(socket_.get());
  socket_.close();
  state_ = state::down;
  expected_.clear();
  clear(queued_);
  clear(sending_);
  sent_bytes_ = 0;
  reader_.reset();
  retry_at_ = now + backoff_ / 2 +
              std::chrono::milliseconds{std::uniform_int_distribution<std::int64_t>{0, backoff_.count() / 2}(jitter_)};
  backoff_ = std::min(backoff_ * 2, backoff_greatest);

  if (!was_up) return;
  --server_.connected;
  user_.disconnected(why);
}

void connection::read() {
  std::array<char, read_bytes> buffer;
  reply r;
  for (int i = 0; i < reads_per_turn && socket_.open(); ++i) {
    const auto got = receive_some(socket_.get(), buffer.data(), buffer.size());
    if (got.blocked) return;
    if (!got.error.empty()) return break_off(got.error);
    heard_ = std::chrono::steady_clock::now();
    reader_.feed({buffer.data(), got.bytes});
    while (reader_.next(r))
      if (auto error = take(std::move(r)); !error.empty()) return break_off(error);
    if (reader_.failed()) return break_off("protocol error: " + reader_.error());
    if (got.bytes < buffer.size()) return;
  }
}

void connection::write() {
  while (socket_.open()) {
    if (sent_bytes_ == sending_.size()) {
      clear(sending_);
      sent_bytes_ = 0;
      sending_.swap(queued_);
      if (sending_.empty()) break;
    }
    const auto done = send_some(socket_.get(), std::string_view{sending_}.substr(sent_bytes_));
    if (!done.error.empty()) return break_off(done.error);
    if (done.blocked) break;
    sent_bytes_ += done.bytes;
  }
  const bool waiting = sent_bytes_ < sending_.size();
  if (waiting != watching_writable_ && socket_.open()) {
    watching_writable_ = waiting;
    loop_.rewatch(socket_.get(), *this, waiting);
  }
}

void connection::ready(bool readable, bool writable) {
  if (state_ == state::connecting) {
    if (!readable && !writable) return;
    if (auto error = connect_error(socket_.get()); !error.empty()) return break_off("cannot connect: " + error);
    greet();
  }
  if (readable && socket_.open()) read();
}

steady_time connection::deadline() const {
  switch (state_) {
  case state::down: return retry_at_;
  case state::connecting: return since_ + server_.options.timeout;
  case state::greeting:
  case state::up: break;
  }
  if (expected_.empty()) return steady_time::max();
  return std::max(expected_.front().since, heard_) + server_.options.timeout;
}

void connection::turn_ended(steady_time now) {
  if (now >= deadline()) {
    if (state_ == state::down) connect(now);
    else break_off("no answer for " + std::to_string(server_.options.timeout.count()) + " ms");
  }
  if (state_ == state::greeting || state_ == state::up) write();
  user_.flush();
}

void connection::stopped() {
  if (socket_.open()) disconnect("the store was stopped");
  user_.flush();
}

}  // namespace pawl::redis
