#include "persistence/redis/scripts.hpp"

namespace pawl::redis {
namespace {

// Every script may run with memory full (rule C20): a claim under OOM is how shards get away from a full node's owner.

// KEYS: 1 record  2 own:<held>  3 own:<fresh>  4 <held>:s  5 <fresh>:s
// ARGV: 1 held  2 fresh  3 node  4 incarnation  5 view of the claimer
// Returns {frontier, run_id, run_id at the former claim} or FENCED <token> <view>, LOST <why>, TAKEN <why>.
constexpr auto claim = R"lua(#!lua flags=allow-oom
local rec = redis.call('HMGET', KEYS[1], 'tok', 'view', 'dead', 'run')
local tok, view = rec[1], tonumber(rec[2] or '')
if not tok or not view then return redis.error_reply('LOST the claim record is missing or damaged') end
if tok ~= ARGV[1] or view > tonumber(ARGV[5]) then return redis.error_reply('FENCED ' .. tok .. ' ' .. rec[2]) end
local frontier = redis.call('HGET', KEYS[4], '\0f')
if not frontier then return redis.error_reply('LOST the data hash or its frontier is missing') end
if redis.call('EXISTS', KEYS[3], KEYS[5]) ~= 0 then return redis.error_reply('TAKEN names of the new token exist') end
local info = redis.pcall('INFO', 'server')
local run_id = type(info) == 'string' and string.match(info, 'run_id:(%x+)') or ''
local dead = {ARGV[1]}
for t in string.gmatch(rec[3] or '', '%S+') do
  if #dead < 16 then dead[#dead + 1] = t end
end
redis.call('RENAME', KEYS[4], KEYS[5])
redis.call('SET', KEYS[3], ARGV[3])
redis.call('HSET', KEYS[1], 'tok', ARGV[2], 'own', ARGV[3], 'inc', ARGV[4], 'view', ARGV[5], 'rel', '0',
           'dead', table.concat(dead, ' '), 'run', run_id)
redis.call('DEL', KEYS[2])
return {frontier, run_id, rec[4] or ''}
)lua";

// KEYS: 1 record   ARGV: 1 token
// Returns 1 or FENCED <token> <view>, LOST <why>. The token stays: a release only says "take it now".
constexpr auto release = R"lua(#!lua flags=allow-oom
local rec = redis.call('HMGET', KEYS[1], 'tok', 'view')
if not rec[1] then return redis.error_reply('LOST the claim record is missing') end
if rec[1] ~= ARGV[1] then return redis.error_reply('FENCED ' .. rec[1] .. ' ' .. (rec[2] or '0')) end
redis.call('HSET', KEYS[1], 'rel', '1')
return 1
)lua";

// KEYS: 1 record  2 own:<dead>  3 <dead>:s   ARGV: 1 dead token
// Returns how many names were removed, or FENCED <token> <view>, LOST <why>. The token stays in `dead`: a late write
// may create its name again after this.
constexpr auto sweep = R"lua(#!lua flags=allow-oom
local rec = redis.call('HMGET', KEYS[1], 'tok', 'view')
if not rec[1] then return redis.error_reply('LOST the claim record is missing') end
if rec[1] == ARGV[1] or redis.call('EXISTS', KEYS[2]) ~= 0 then
  return redis.error_reply('FENCED ' .. rec[1] .. ' ' .. (rec[2] or '0'))
end
return redis.call('UNLINK', KEYS[3])
)lua";

// All member scripts. KEYS: 1 cfg  2 table  3 view  4 incarnation  5 changes  6 votes
// Return {'done' | 'fenced', incarnation after a join, view, '' | 'all' | 'some', {node, row, ...}} or LOST <why>.
// A row is `<incarnation> <beat> <up|draining> <peer address> <http address or ->`.
constexpr auto member_prelude = R"lua(
local view, last = tonumber(redis.call('GET', KEYS[3]) or ''), tonumber(redis.call('GET', KEYS[4]) or '')
if redis.call('EXISTS', KEYS[1]) == 0 or not view or not last then
  return redis.error_reply('LOST cfg, view or incarnation is missing or damaged')
end
local function row_of(node)
  local row = redis.call('HGET', KEYS[2], node)
  if not row then return nil end
  local inc, beat, state, peer, http = string.match(row, '^(%d+) (%d+) (%a+) (%S+) (%S+)$')
  if not inc then return {damaged = true} end
  return {inc = inc, beat = beat, state = state, peer = peer, http = http}
end
local function text_of(row) return row.inc .. ' ' .. row.beat .. ' ' .. row.state .. ' ' .. row.peer .. ' ' .. row.http end
-- The list of changes is a hint, its entries are numbered as the views are. One that does not fit is begun anew.
local function raise(number, node, row)
  view = string.format('%.0f', number)
  local add = {'XADD', KEYS[5], 'MAXLEN', '~', '256', view .. '-0', 'node', node, 'row', row}
  local added = redis.pcall(unpack(add))
  if type(added) == 'table' and added.err then
    redis.call('DEL', KEYS[5])
    redis.call(unpack(add))
  end
  redis.call('SET', KEYS[3], view)
end
local function put(node, row)
  raise(view + 1, node, text_of(row))
  redis.call('HSET', KEYS[2], node, text_of(row))
end
local function remove(node)
  redis.call('HDEL', KEYS[6], node)
  raise(view + 1, node, '')
  redis.call('HDEL', KEYS[2], node)
end
local function answer(status, inc, scope, rows)
  return {status, inc or '', redis.call('GET', KEYS[3]), scope or '', rows or {}}
end
local function whole(inc) return answer('done', inc, 'all', redis.call('HGETALL', KEYS[2])) end
)lua";

constexpr auto writes = "#!lua flags=allow-oom";
// Reads go on while the server refuses writes.
constexpr auto reads = "#!lua flags=no-writes,allow-oom";

constexpr auto read_members = R"lua(return whole()
)lua";

// ARGV: 1 node  2 peer address  3 http address  4 incarnation and 5 beat of the row to replace, or '' and ''
constexpr auto join = R"lua(
local old = row_of(ARGV[1])
if old and (old.inc ~= ARGV[4] or old.beat ~= ARGV[5]) then return answer('fenced') end
redis.call('HDEL', KEYS[6], ARGV[1])
local inc = string.format('%.0f', redis.call('INCR', KEYS[4]))
put(ARGV[1], {inc = inc, beat = '0', state = 'up', peer = ARGV[2], http = ARGV[3]})
return whole(inc)
)lua";

// ARGV: 1 node  2 incarnation  3 view known to the caller  4… nodes whose rows it wants if that is the current one
constexpr auto beat = R"lua(
local row = row_of(ARGV[1])
if not row or row.inc ~= ARGV[2] then return answer('fenced') end
row.beat = string.format('%.0f', tonumber(row.beat) + 1)
redis.call('HSET', KEYS[2], ARGV[1], text_of(row))
if view ~= tonumber(ARGV[3]) then return whole() end
local rows = {}
for i = 4, #ARGV do
  local watched = redis.call('HGET', KEYS[2], ARGV[i])
  if watched then
    rows[#rows + 1] = ARGV[i]
    rows[#rows + 1] = watched
  end
end
return answer('done', '', 'some', rows)
)lua";

// ARGV: 1 node  2 incarnation
constexpr auto drain = R"lua(
local row = row_of(ARGV[1])
if not row or row.inc ~= ARGV[2] then return answer('fenced') end
if row.state ~= 'draining' then
  row.state = 'draining'
  put(ARGV[1], row)
end
return answer('done')
)lua";

// ARGV: 1 node  2 incarnation
constexpr auto leave = R"lua(
local row = row_of(ARGV[1])
if row and row.inc == ARGV[2] then remove(ARGV[1]) end
return answer('done')
)lua";

// ARGV: 1 node  2 incarnation  3 beat
constexpr auto evict = R"lua(
local row = row_of(ARGV[1])
if not row or row.inc ~= ARGV[2] or row.beat ~= ARGV[3] then return answer('fenced') end
remove(ARGV[1])
return answer('done')
)lua";

// ARGV: 1 node  2 incarnation  3 target  4 its incarnation
// A field of votes is the accused node; `<its incarnation> <node>:<incarnation> …` names the accusers, of whom only
// those still in the table count.
constexpr auto votes_prelude = R"lua(
local me, row = row_of(ARGV[1]), row_of(ARGV[3])
if not me or me.inc ~= ARGV[2] or not row or row.inc ~= ARGV[4] then return answer('fenced') end
local function others(target, inc)
  local out, accused = {}, redis.call('HGET', KEYS[6], target) or ''
  if string.match(accused, '^%d+') ~= inc then return out end
  for node, its in string.gmatch(accused, ' (%S+):(%d+)') do
    local voter = node ~= ARGV[1] and row_of(node)
    if voter and voter.inc == its then out[#out + 1] = node .. ':' .. its end
  end
  return out
end
)lua";
constexpr auto accuse = R"lua(
local votes = others(ARGV[3], ARGV[4])
votes[#votes + 1] = ARGV[1] .. ':' .. ARGV[2]
local two = redis.call('HLEN', KEYS[2]) == 2
if #votes > 1 or two and tonumber(me.inc) < tonumber(row.inc) then
  remove(ARGV[3])
else
  redis.call('HSET', KEYS[6], ARGV[3], ARGV[4] .. ' ' .. table.concat(votes, ' '))
end
return answer('done')
)lua";

// ARGV: as accuse
constexpr auto acquit = R"lua(
local votes = others(ARGV[3], ARGV[4])
if #votes > 0 then redis.call('HSET', KEYS[6], ARGV[3], ARGV[4] .. ' ' .. table.concat(votes, ' '))
else redis.call('HDEL', KEYS[6], ARGV[3]) end
return answer('done')
)lua";

// ARGV: 1 view
constexpr auto raise_view = R"lua(
if view < tonumber(ARGV[1]) then raise(ARGV[1], '', '') end
return answer('done')
)lua";

// KEYS: 1 cfg  2 view  3 incarnation   ARGV: 1 dataset id  2 secret  3 shards  4 format  5 digest
// Returns all of cfg. One that exists is left as it is: an init that died half way goes on under the same id.
constexpr auto create_config = R"lua(#!lua
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('GET', KEYS[2])
  redis.call('GET', KEYS[3])
  redis.call('HSET', KEYS[1], 'dataset', ARGV[1], 'secret', ARGV[2], 'shards', ARGV[3], 'format', ARGV[4],
             'digest', ARGV[5], 'complete', '0')
  redis.call('SET', KEYS[2], '0', 'NX')
  redis.call('SET', KEYS[3], '0', 'NX')
end
return redis.call('HGETALL', KEYS[1])
)lua";

// KEYS: 1 record  2 own:<token>  3 <token>:s   ARGV: 1 token  2 frontier
// Returns 1 if the shard was created, 0 if it exists.
constexpr auto create_shard = R"lua(#!lua
if redis.call('HEXISTS', KEYS[1], 'tok') == 1 then return 0 end
redis.call('HSET', KEYS[1], 'tok', ARGV[1], 'own', '', 'inc', '0', 'view', '0', 'rel', '1', 'dead', '')
redis.call('SET', KEYS[2], '')
redis.call('HSET', KEYS[3], '\0f', ARGV[2])
return 1
)lua";

// KEYS: 1 cfg   ARGV: 1 dataset id
// Returns 1, or 0 if cfg holds another dataset by now.
constexpr auto complete_config = R"lua(#!lua
if redis.call('HGET', KEYS[1], 'dataset') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'complete', '1')
return 1
)lua";

std::array<std::string, script_count> all_texts() {
  const auto member = [](const char* flags, const char* body) { return std::string{flags} + member_prelude + body; };
  const auto vote = [](const char* body) { return std::string{writes} + member_prelude + votes_prelude + body; };
  return {claim,
          release,
          sweep,
          member(reads, read_members),
          member(writes, join),
          member(writes, beat),
          member(writes, drain),
          member(writes, leave),
          member(writes, evict),
          vote(accuse),
          vote(acquit),
          member(writes, raise_view),
          create_config,
          create_shard,
          complete_config};
}

}  // namespace

const std::string& text_of(script s) {
  static const auto texts = all_texts();
  return texts[static_cast<std::size_t>(s)];
}

}  // namespace pawl::redis
