#include "persistence/keys.hpp"

#include <algorithm>

namespace pawl {
namespace {

constexpr std::size_t name_bytes_max = 32;
constexpr std::size_t token_bytes_max = 96;

bool lower_or_digit(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; }

}  // namespace

key_names::key_names(std::string_view cluster) {
  prefix_.append("pawl:").append(cluster).append(":{");
  const auto global = prefix_ + "members}:";
  config_ = global + "cfg";
  members_ = global + "table";
  view_ = global + "view";
  incarnation_ = global + "incarnation";
  changes_ = global + "changes";
  votes_ = global + "votes";
}

std::string key_names::of_shard(shard_id shard, std::size_t room) const {
  const auto digits = std::to_string(shard.value);
  std::string name;
  name.reserve(prefix_.size() + digits.size() + 2 + room);
  name.append(prefix_).append(digits).append("}:");
  return name;
}

std::string key_names::record(shard_id shard) const { return of_shard(shard, 3).append("rec"); }

std::string key_names::live(shard_id shard, const fencing_token& token) const {
  return of_shard(shard, 4 + token.text().size()).append("own:").append(token.text());
}

std::string key_names::data(shard_id shard, const fencing_token& token) const {
  return of_shard(shard, token.text().size() + 2).append(token.text()).append(":s");
}

std::string key_names::inbox(shard_id shard) const { return of_shard(shard, 5).append("inbox"); }

bool valid_name(std::string_view name) noexcept {
  return !name.empty() && name.size() <= name_bytes_max && std::all_of(name.begin(), name.end(), lower_or_digit);
}

bool valid_token(std::string_view text) noexcept {
  return !text.empty() && text.size() <= token_bytes_max &&
         std::all_of(text.begin(), text.end(), [](char c) { return lower_or_digit(c) || (c >= 'A' && c <= 'Z'); });
}

}  // namespace pawl
