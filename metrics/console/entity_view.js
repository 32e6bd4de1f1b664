// One entity: where it lives, what is committed, and what its messages wait for.

import { ask } from "./cluster.js";
import { h, setText } from "./dom.js";
import { count, duration, none, plural, time } from "./format.js";
import { shardOf } from "./shard_of.js";

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

/** Why messages of a shard might not get on, as sentences; the first says whether they do. */
export function explain(row, picture) {
  const out = [];
  const holder = picture.nodes.find((node) => row.holders.includes(node.name));
  if (row.waiting.length > 0) {
    for (const { node, reason, ms } of row.waiting)
      out.push(`On ${node}, messages for shard ${row.shard} have waited for ${duration(ms / 1e3)}: ${reason}. ${remedyOf(reason)}`);
  } else if (row.holders.length === 0) {
    out.push(`Shard ${row.shard} is held by no node that answers. Its owner is ${row.owner || "nobody"}; within a lease another takes over.`);
  } else {
    out.push(`Nothing is in the way: ${row.holders.join(", ")} serves shard ${row.shard}.`);
  }
  out.push(row.queued === 0 ? "No message waits for this shard at any node that answers." : `${plural(row.queued, "message")} wait for this shard, over all nodes that answer.`);
  if (holder !== undefined)
    out.push(holder.rates.p99 === null ? `${holder.name} has committed no message since the last look.`
      : `99 of 100 messages at ${holder.name} are committed within ${duration(holder.rates.p99)} of being accepted.`);
  const silent = picture.nodes.filter((node) => !node.left && node.problem !== null).map((node) => node.name);
  if (silent.length > 0) out.push(`Unknown: what waits at ${silent.join(", ")}.`);
  return out;
}

export class EntityView {
  #types = h("datalist", { id: "entity-types" });
  #type = h("input", { id: "entity-type", name: "type", list: "entity-types", required: true, maxlength: "64", autocomplete: "off", spellcheck: "false" });
  #key = h("input", { id: "entity-key", name: "key", required: true, maxlength: "256", autocomplete: "off", spellcheck: "false" });
  #answer = h("div", { "aria-live": "polite" });
  #asked = null; // {type, key}
  #read = null; // the entity, or {problem}
  #round = 0;
  #reading = false;
  #facts = h("dl", { class: "facts" });
  #why = h("ul", { class: "why" });
  #state = h("pre", { tabindex: "0", "aria-label": "Committed state" });
  #notice = h("p", { class: "notice" });
  #result = h("div", { class: "entity-result", hidden: true },
    h("section", { class: "panel", "aria-labelledby": "where-title" }, h("h2", { id: "where-title" }, "Where it lives"), this.#facts),
    h("section", { class: "panel", "aria-labelledby": "why-title" }, h("h2", { id: "why-title" }, "Do its messages get on?"), this.#why),
    h("section", { class: "panel wide", "aria-labelledby": "state-title" }, h("h2", { id: "state-title" }, "Committed state"), this.#notice, this.#state));
  #picture = null;

  constructor() {
    this.element = h("div", { class: "entity" },
      h("section", { class: "panel", "aria-labelledby": "find-title" },
        h("h2", { id: "find-title" }, "Find an entity"),
        h("form", { class: "find", onsubmit: (event) => this.#submit(event) },
          h("label", { for: "entity-type" }, "Type"), this.#type, h("label", { for: "entity-key" }, "Key"), this.#key,
          h("button", { type: "submit" }, "Look up")), this.#types, this.#answer),
      this.#result);
  }

  /** What the address names is looked up, so that a link to an entity can be passed on. */
  route(parameters) {
    const [type, key] = [parameters.get("type"), parameters.get("key")];
    if (!type || !key) return;
    this.#type.value = type;
    this.#key.value = key;
    this.#look({ type, key });
  }

  update(picture) {
    this.#picture = picture;
    if (this.#types.children.length !== picture.types.length) this.#types.replaceChildren(...picture.types.map((type) => h("option", { value: type })));
    if (this.#type.value === "" && picture.types.length === 1 && document.activeElement !== this.#type) this.#type.value = picture.types[0];
    if (this.#asked !== null) this.#again();
  }

  #submit(event) {
    event.preventDefault();
    const parameters = new URLSearchParams({ type: this.#type.value, key: this.#key.value });
    const address = `#/entity?${parameters}`;
    if (location.hash === address) this.#look({ type: this.#type.value, key: this.#key.value });
    else location.hash = address;
  }

  #look(asked) {
    this.#asked = asked;
    this.#read = null;
    ++this.#round;
    this.#reading = false;
    setText(this.#answer, `Asking the owner of ${asked.type} ${asked.key}…`);
    this.#again();
  }

  async #again() {
    if (this.#reading) return this.#show();
    this.#reading = true;
    const round = this.#round;
    let read;
    try {
      read = await ask(`/v1/entities/${encodeURIComponent(this.#asked.type)}/${encodeURIComponent(this.#asked.key)}`);
    } catch (error) {
      read = { problem: error.message, absent: error.status === 404 };
    }
    if (round !== this.#round) return; // another one was asked for meanwhile
    this.#reading = false;
    this.#read = { ...read, at: Date.now() };
    this.#show();
  }

  #show() {
    const read = this.#read;
    if (read === null) return;
    const { type, key } = this.#asked;
    setText(this.#answer, read.problem ? `${type} ${key}: ${read.absent ? "" : "cannot be read: "}${read.problem}.` : `${type} ${key}, read at ${time(read.at)}`);
    this.#result.hidden = false;
    const shards = this.#picture?.shardCount ?? null;
    const shard = read.shard ?? (shards ? shardOf(key, shards) : null);
    const row = this.#picture?.shards.find((each) => each.shard === shard) ?? null;
    const facts = [["Shard", shard === null ? none : count(shard)], ["Owner", read.owner ?? row?.owner ?? none],
      ["Last applied number", read.problem ? none : read.last_seq > 0 ? count(read.last_seq) : "none: its senders do not number messages"],
      ["Messages waiting for its shard", count(row?.queued)], ["Commits of its shard", count(Math.max(0, ...(row?.seen.map((seen) => seen.commits) ?? [])) || null)]];
    for (const timer of read.timers ?? []) facts.push([`Timer ${timer.name}`, `${timer.message} at ${time(timer.due)}`]);
    this.#facts.replaceChildren(...facts.flatMap(([name, value]) => [h("dt", null, name), h("dd", null, value)]));
    this.#why.replaceChildren(...(row === null ? ["Its shard is not known yet."] : explain(row, this.#picture)).map((sentence) => h("li", null, sentence)));
    this.#state.hidden = Boolean(read.problem);
    setText(this.#notice, read.problem ? (read.absent ? "No message has taken effect for it." : `It cannot be read now: ${read.problem}.`) : "");
    setText(this.#state, read.problem ? "" : JSON.stringify(read.state, null, 2));
  }
}
