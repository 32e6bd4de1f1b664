// One entity: where it lives, what is committed, what it waits for, and what its messages wait for.

import { ask } from "./cluster.js";
import { h, keyed, setAttribute, setText, table } from "./dom.js";
import { count, duration, moment, none, plural, some, time } from "./format.js";
import { obstacles } from "./obstacles.js";
import { shardOf } from "./shard_of.js";

const patience = 8_000; // a node that finds no owner says so after five seconds
const othersMax = 8; // shards whose outbox is looked into for messages to this one
const rowsMax = 12;

const unread = { entity: { pending: true, problem: "its owner is asked" }, detail: null, detailProblem: null, letters: [], others: [], notAsked: [] };

/**
 * Asks for all that concerns an entity: itself, its shard, its dead letters, and what other shards have for it. Each is a
 * promise of some of what `unread` has, and none fails: what does not answer must not hold up what does.
 */
function readingsOf({ type, key }, picture) {
  const { shards = [], shardCount = null } = picture ?? {};
  const entity = ask(`/v1/entities/${encodeURIComponent(type)}/${encodeURIComponent(key)}`, { patience })
    .then((read) => ({ entity: { ...read, at: Date.now() } }), (error) => ({ entity: { problem: error.message, absent: error.status === 404 } }));
  if (shardCount === null) return [entity];
  const shard = shardOf(key, shardCount);
  const detail = ask(`/v1/shards/${shard}`, { patience })
    .then((read) => ({ detail: read, detailProblem: null }), (error) => ({ detail: null, detailProblem: error.message }));
  const letters = (shards[shard]?.letters ?? 0) === 0 ? Promise.resolve({ letters: [] })
    : ask(`/v1/dead-letters/${shard}`, { patience })
      .then((read) => ({ letters: read.letters.filter((letter) => letter.type === type && letter.key === key) }), () => ({}));
  const from = shards.filter((row) => row.outbox > 0 && row.shard !== shard).map((row) => row.shard);
  const others = Promise.all(from.slice(0, othersMax).map((each) => ask(`/v1/shards/${each}`, { patience }).catch(() => null)))
    .then((answers) => ({ others: answers.filter((each) => each !== null), notAsked: from.slice(othersMax) }));
  return [entity, detail, letters, others];
}

/** A titled list of rows that says so when it is empty. */
class Listing {
  #empty = h("p", { class: "notice" });
  #more = h("p", { class: "note" });
  #table;
  #numbers;

  constructor(id, title, columns) {
    this.#table = table(title, columns);
    this.#numbers = columns.map(({ number }) => Boolean(number));
    this.element = h("section", { class: "panel", "aria-labelledby": id }, h("h2", { id }, title), this.#empty, this.#table.element, this.#more);
  }

  /** @param rows {id, cells} each; @param all how many there are, with those that are not shown */
  show(rows, all, empty) {
    setText(this.#empty, rows.length === 0 ? empty : "");
    setAttribute(this.#table.element, "hidden", rows.length === 0 ? "" : null);
    setText(this.#more, all > rows.length && rows.length > 0 ? `and ${count(all - rows.length)} more` : "");
    keyed(this.#table.body, rows, (row) => row.id,
      () => h("tr", null, this.#numbers.map((number, index) => h(index === 0 ? "th" : "td", { scope: index === 0 ? "row" : null, class: number ? "number" : index > 0 ? "text" : null }))),
      (line, row) => row.cells.forEach((text, index) => setText(line.children[index], text)));
  }
}

export class EntityView {
  #types = h("datalist", { id: "entity-types" });
  #type = h("input", { id: "entity-type", name: "type", list: "entity-types", required: true, maxlength: "64", autocomplete: "off", spellcheck: "false" });
  #key = h("input", { id: "entity-key", name: "key", required: true, maxlength: "256", autocomplete: "off", spellcheck: "false" });
  #answer = h("div", { "aria-live": "polite" });
  #asked = null; // {type, key}
  #read = unread;
  #round = 0;
  #reading = false;
  #facts = h("dl", { class: "facts" });
  #why = h("ul", { class: "why" });
  #recent = new Listing("recent-title", "Took effect last", [{ name: "Message" }, { name: "Id", wide: true }, { name: "When", number: true }]);
  #timers = new Listing("timers-title", "Its pending timers", [{ name: "Timer" }, { name: "Becomes" }, { name: "Due", number: true }]);
  #outbox = new Listing("outbox-title", "Sent by its shard, not taken yet", [
    { name: "To shard" }, { name: "Messages", number: true }, { name: "First of them", wide: true }, { name: "Sent", number: true }]);
  #sources = new Listing("sources-title", "Producers that number their messages", [
    { name: "Source and history", wide: true }, { name: "Taken", number: true }, { name: "Goes on after", number: true }]);
  #state = h("pre", { tabindex: "0", "aria-label": "Committed state" });
  #notice = h("p", { class: "notice" });
  #result = h("div", { class: "entity-result", hidden: true },
    h("section", { class: "panel", "aria-labelledby": "where-title" }, h("h2", { id: "where-title" }, "Where it lives"), this.#facts),
    h("section", { class: "panel", "aria-labelledby": "why-title" }, h("h2", { id: "why-title" }, "Do its messages get on?"), this.#why),
    this.#recent.element, this.#timers.element, this.#outbox.element,
    h("section", { class: "panel", "aria-labelledby": "state-title" }, h("h2", { id: "state-title" }, "Committed state"), this.#notice, this.#state),
    this.#sources.element);
  #picture = null;

  constructor() {
    this.#sources.element.classList.add("wide");
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
    this.#read = unread;
    ++this.#round;
    this.#reading = false;
    this.#again();
  }

  async #again() {
    this.#show();
    if (this.#reading) return;
    this.#reading = true;
    const round = this.#round;
    const current = () => round === this.#round; // else another one was asked for meanwhile
    await Promise.all(readingsOf(this.#asked, this.#picture).map(async (reading) => {
      const part = await reading;
      if (!current()) return;
      this.#read = { ...this.#read, ...part };
      this.#show();
    }));
    if (current()) this.#reading = false;
  }

  #show() {
    const { type, key } = this.#asked;
    // While its owner is asked, which takes longest when something is wrong, what is known of its shard is shown.
    const read = { ...this.#read, ...this.#read.entity };
    if (read.pending) setText(this.#answer, `Asking the owner of ${type} ${key}…`);
    else setText(this.#answer, read.problem ? `${type} ${key}: ${read.absent ? "" : "cannot be read: "}${read.problem}.` : `${type} ${key}, read at ${time(read.at)}`);
    this.#result.hidden = this.#picture === null;
    const shards = this.#picture?.shardCount ?? null;
    const shard = read.shard ?? (shards ? shardOf(key, shards) : null);
    const row = this.#picture?.shards.find((each) => each.shard === shard) ?? null;
    this.#showFacts(read, row, shard);
    this.#showWhy(read, row);
    this.#showRecent(read);
    this.#showWaiting(read);
    this.#state.hidden = Boolean(read.problem);
    setText(this.#notice, !read.problem ? "" : read.pending ? "Its owner is being asked." : read.absent ? "No message has taken effect for it." : `It cannot be read now: ${read.problem}.`);
    setText(this.#state, read.problem ? "" : JSON.stringify(read.state, null, 2));
  }

  #showFacts(read, row, shard) {
    const number = read.problem ? none : read.last_seq > 0 ? `${count(read.last_seq)}; ${count(read.last_seq + 1)} is expected next${read.held ? `, ${count(read.held)} later ones are held` : ""}` : "none: its senders do not number messages";
    const facts = [
      ["Shard", shard === null ? none : count(shard)], ["Owner", read.owner ?? row?.owner ?? none], ["Last applied number", number],
      ["Messages waiting for its shard", count(row?.queued)], ["Dead letters of its shard", count(read.detail?.dead_letters ?? row?.letters)],
      ["Timers of its shard", count(read.detail?.timers)], ["Commits of its shard", count(Math.max(0, ...(row?.seen.map((seen) => seen.commits) ?? [])) || null)],
    ];
    keyed(this.#facts, facts, ([name]) => name, ([name]) => h("div", null, h("dt", null, name), h("dd")), (pair, [, value]) => setText(pair.lastChild, value));
  }

  #showWhy(read, row) {
    const list = row === null ? [{ text: "Its shard is not known yet." }] : this.#sentences(read, row);
    keyed(this.#why, list, ({ text, name, link }) => `${text}${name}${link}`,
      ({ text, link, name, after, bad }) => h("li", { class: bad ? "bad" : null }, text, link ? h("a", { href: link }, name) : null, after), () => {});
  }

  /** Whether its messages get on, then what is in their way, then what is known of their pace. */
  #sentences(read, row) {
    const picture = this.#picture;
    const holder = picture.nodes.find((node) => row.holders.includes(node.name));
    const inTheWay = obstacles({ row, detail: read.detail, others: read.others, letters: read.letters, timers: read.timers ?? [] }, picture);
    const out = inTheWay.map((each) => ({ ...each, bad: true }));
    if (row.holders.length > 0 && row.waiting.length === 0)
      out.unshift({ text: inTheWay.length > 0 ? `${row.holders.join(", ")} serves shard ${row.shard}, but:` : `Nothing is in the way: ${row.holders.join(", ")} serves shard ${row.shard}.` });
    out.push({ text: row.queued === 0 ? "No message waits for this shard at any node that answers."
      : `${plural(row.queued, "message")} ${row.queued === 1 ? "waits" : "wait"} for this shard, over all nodes that answer.` });
    if (holder !== undefined)
      out.push({ text: holder.rates.p99 === null ? `${holder.name} has committed no message since the last look.`
        : `99 of 100 messages at ${holder.name} are committed within ${duration(holder.rates.p99)} of being accepted.` });
    const silent = picture.nodes.filter((node) => !node.left && node.problem !== null).map((node) => node.name);
    if (silent.length > 0) out.push({ text: `Unknown: what waits at ${silent.join(", ")}.` });
    if (read.detailProblem) out.push({ text: `Unknown: what waits in its shard, since ${read.detailProblem}.` });
    if (read.notAsked.length > 0) out.push({ text: `Not looked into: the outboxes of ${plural(read.notAsked.length, "shard")} more, ${some(read.notAsked)}.` });
    return out;
  }

  #showRecent({ recent = [], problem, owner }) {
    this.#recent.show(recent.map(({ id, message, applied_at }) => ({ id: `${applied_at} ${id}`, cells: [message, id, moment(applied_at)] })), recent.length,
      problem ? "Not known." : `None since ${owner} has it in memory.`);
  }

  #showWaiting({ timers = [], detail, pending }) {
    const soon = [...timers].sort((a, b) => a.due - b.due);
    const unknown = pending ? "Its owner is being asked." : "Not known.";
    this.#timers.show(soon.slice(0, rowsMax).map((timer) => ({ id: timer.name, cells: [timer.name, timer.message, moment(timer.due)] })), soon.length,
      pending ? unknown : "None.");
    const waiting = (detail?.waiting ?? []).slice(0, rowsMax);
    this.#outbox.show(waiting.map((row) => ({
      id: row.shard, cells: [row.stopped ? `${row.shard}, stands still` : `${row.shard}`, count(row.messages), `${row.message} for ${row.type} ${row.key}`, moment(row.sent_at)],
    })), detail?.receivers ?? 0, detail === null ? unknown : "Nothing: all that its entities have sent has been taken.");
    const producers = (detail?.taken ?? []).filter(({ source }) => source.startsWith("source/"));
    this.#sources.element.hidden = producers.length === 0;
    this.#sources.show(producers.slice(0, rowsMax).map(({ source, position }) => ({
      id: source, cells: [source.slice("source/".length), count(position), `after=${position}`],
    })), producers.length, "");
  }
}
