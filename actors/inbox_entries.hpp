#pragma once

#include "actors/message.hpp"
#include "cluster/ids.hpp"
#include "persistence/shard_store.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pawl {

// What any client of the store may put into the inbox of a shard. An entry has the fields
//   type, key, message, id   as in `check_message`; the key is one of this shard
//   payload                  a msgpack map, or a JSON object; missing: empty
//   sent_at                  decimal, milliseconds since 1970; missing: the time in the entry's id
//   seq                      decimal from 1; may be missing
//   traceparent              as W3C has it; may be missing, and is ignored unless it is one
// and no others, none twice.

/// Turns a JSON object into a msgpack map, appended to `out`. Returns what is wrong with it; empty: nothing.
using json_reader = std::function<std::string(std::string_view json, std::string& out)>;

/// An entry in its place.
struct inbox_item {
  inbox_position at;
  std::string problem;    ///< why it is no message; empty: it is one
  bool given_up = false;  ///< it was not known for long enough: it becomes a dead letter
};

/// One message for each entry. In place of an entry that is none stands what can be told of it, for a dead letter.
struct inbox_batch {
  std::shared_ptr<const message_block> block;
  std::vector<inbox_item> items;
};

/// @param first_taken number of the first entry among all that were added to the stream
[[nodiscard]] inbox_batch parse_inbox(std::span<const inbox_entry> entries, std::uint64_t first_taken, shard_id shard,
                                      std::uint32_t shards, const json_reader& from_json);

}  // namespace pawl
