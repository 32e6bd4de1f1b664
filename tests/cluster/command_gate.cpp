#include "tests/cluster/command_gate.hpp"

#include "persistence/redis/reply.hpp"

#include <algorithm>
#include <charconv>

namespace pawl::testing {
namespace {

std::vector<std::string> words_of(std::string_view command) {
  redis::reply_reader reader;
  redis::reply whole;
  reader.feed(command);
  std::vector<std::string> out;
  if (!reader.next(whole)) return out;
  for (auto& word : whole.elements) out.push_back(std::move(word.text));
  return out;
}

void move_front(std::string& from, std::size_t bytes, std::string& to) {
  to.append(from, 0, bytes);
  from.erase(0, bytes);
}

}  // namespace

std::string name_of(trap::when w) {
  constexpr const char* names[] = {"before", "unanswered", "answered"};
  return names[static_cast<std::size_t>(w)];
}

std::optional<std::size_t> resp_size(std::string_view bytes) {
  constexpr std::string_view line_end = "\r\n";
  std::size_t at = 0;
  for (std::int64_t values = 1; values > 0; --values) {
    const auto end = bytes.find(line_end, at);
    if (end == std::string_view::npos) return std::nullopt;
    std::int64_t number = 0;
    std::from_chars(bytes.data() + std::min(at + 1, end), bytes.data() + end, number);
    const auto kind = bytes[at];
    at = end + line_end.size();
    if (kind == '$' && number >= 0) at += static_cast<std::size_t>(number) + line_end.size();
    if (kind == '*' && number > 0) values += number;  // below 0: nil
    if (at > bytes.size()) return std::nullopt;
  }
  return at;
}

void command_gate::pass_there(std::string& from, std::string& to) {
  const auto passing = trap_.at == trap::when::before ? 0 : trap_.commands;
  while (const auto size = resp_size(from)) {
    if (!caught_ && trap_.wanted(words_of(std::string_view{from}.substr(0, *size)))) caught_ = commands_;
    if (caught_ && commands_ >= *caught_ + passing) break;
    move_front(from, *size, to);
    ++commands_;
  }
  if (caught_ && trap_.at == trap::when::before) closed_ = true;
}

void command_gate::pass_back(std::string& from, std::string& to) {
  while (const auto size = resp_size(from)) {
    const bool unheard = caught_ && trap_.at == trap::when::unanswered && replies_ >= *caught_;
    move_front(from, *size, unheard ? unheard_ : to);
    ++replies_;
    // The last of its replies says that all of it was carried out.
    if (caught_ && trap_.at != trap::when::before && replies_ == *caught_ + trap_.commands) closed_ = true;
  }
}

}  // namespace pawl::testing
