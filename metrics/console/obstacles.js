// Why the messages of an entity might not get on, from what the nodes say: of its shard, of what waits in it, of what
// waits for it in others, and of the letters that were given up.

import { addressOf } from "./letters_view.js";
import { duration, moment, plural } from "./format.js";

/** What to do about a wait, by how its reason begins. */
const remedies = [
  ["no view yet", "Wait; if it lasts, read this node's log."],
  ["this node was evicted", "Wait; if it lasts, read this node's log."],
  ["the store", "Look at Redis."],
  ["no link to", "That node is dead, paused or cut off: within a lease the others take its shards over; else read its log."],
  ["owner", "That node is dead, paused or cut off: within a lease the others take its shards over; else read its log."],
  ["being claimed here", "The former owner still has it; it is claimed over after the handoff time."],
  ["a handler has not returned", "A handler of the program blocks or loops; the owner's log names the shard."],
  ["no member may own it", "All members are draining: start another."],
  ["stopped", "Data is missing or was rolled back: an operator decides; the owner's log says more."],
];
const remedyOf = (reason) => remedies.find(([begin]) => reason.startsWith(begin))?.[1] ?? "";

// A message is on its way for some milliseconds; what has been so for longer waits for something.
const waitsAfter = 1_000;

const first = (row) => `${row.message} for ${row.type} ${row.key}, sent ${moment(row.sent_at)}`;
const longAgo = (row, now) => row.stopped || now - row.sent_at > waitsAfter;
const standing = "nothing is sent any more, since a store was rolled back and the two have no message in common; an operator decides";

/** In the way of the shard itself. */
function ofShard(row, picture) {
  if (row.waiting.length > 0)
    return row.waiting.map(({ node, reason, ms }) => ({ text: `On ${node}, messages for shard ${row.shard} have waited for ${duration(ms / 1e3)}: ${reason}. ${remedyOf(reason)}` }));
  if (row.holders.length > 0 || picture.problem !== null) return [];
  return [{ text: `Shard ${row.shard} is held by no node that answers. Its owner is ${row.owner || "nobody"}; within a lease another takes over.` }];
}

/** What an entity of the shard has sent, and its receivers have not taken. */
function sent(row, detail, picture, now) {
  return (detail?.waiting ?? []).filter((each) => longAgo(each, now)).map((each) => {
    const to = picture.shards.find(({ shard }) => shard === each.shard);
    const why = each.stopped ? standing
      : to?.waiting.length > 0 ? `there, ${to.waiting[0].reason}`
        : to?.holders.length === 0 ? "which is held by no node that answers"
          : `held by ${to?.holders.join(", ") ?? "a node"}, which has not taken it yet`;
    return { text: `${plural(each.messages, "message")} of shard ${row.shard} ${each.messages === 1 ? "waits" : "wait"} for shard ${each.shard}, ${why}. The first is ${first(each)}.` };
  });
}

/** What other shards have for this one. */
function awaited(row, others, now) {
  return others.flatMap((other) => other.waiting.filter((each) => each.shard === row.shard && other.shard !== row.shard && longAgo(each, now))
    .map((each) => ({
      text: `${plural(each.messages, "message")} for shard ${row.shard} ${each.messages === 1 ? "waits" : "wait"} in shard ${other.shard}${each.stopped ? `: ${standing}` : ""}. The first is ${first(each)}.`,
    })));
}

const given = (letters) => letters.map((letter) => ({
  text: `Given up ${moment(letter.at)}, since it could not take effect: `, link: addressOf(letter), name: letter.message, after: `: ${letter.reason || letter.code}.`,
}));

/**
 * All that is in the way of an entity's messages, worst first: {text, link?, name?, after?} each.
 * @param about {row, detail, others, letters, timers}: its shard in the picture, what the owner says of that, the same of
 *              shards whose outbox is not empty, the dead letters and the timers of the entity
 */
export function obstacles({ row, detail, others, letters, timers }, picture, now = Date.now()) {
  const late = timers.filter((timer) => now - timer.due > waitsAfter);
  return [
    ...ofShard(row, picture),
    ...given(letters),
    ...sent(row, detail, picture, now),
    ...awaited(row, others, now),
    ...late.map((timer) => ({ text: `Timer ${timer.name} was due ${moment(timer.due)} and has not fired: its ${timer.message} cannot be handled now, or waits behind others.` })),
  ];
}
