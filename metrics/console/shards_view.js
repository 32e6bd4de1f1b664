// The heat map: one cell a shard, and what each node knows of the one that is chosen.

import { h, keyed, setAttribute, setText, table } from "./dom.js";
import { count, duration, none, rate, some } from "./format.js";

const cellsMax = 1_024;
const levels = 6;

const measures = {
  rate: { name: "Messages a second", most: "Busiest shards", of: (row) => row.rate, format: rate },
  backlog: { name: "Messages waiting", most: "Longest queues", of: (row) => row.queued, format: count },
  entities: { name: "Entities in memory", most: "Most entities", of: (row) => row.entities, format: count },
};

const add = (a, b) => (a === null ? b : b === null ? a : a + b);

/** Neighbouring shards that share a cell, summed. */
function cellsOf(shards, measure) {
  const step = Math.max(1, Math.ceil(shards.length / cellsMax));
  const cells = [];
  for (let first = 0; first < shards.length; first += step) {
    const rows = shards.slice(first, first + step);
    const last = rows[rows.length - 1].shard;
    cells.push({
      key: rows[0].shard,
      last,
      name: rows.length === 1 ? `${rows[0].shard}` : `${rows[0].shard}–${last}`,
      value: rows.map(measure.of).reduce(add, null),
      owners: [...new Set(rows.map((row) => row.owner || "nobody"))],
      unheld: rows.filter((row) => row.holders.length === 0).length,
      waiting: rows.filter((row) => row.waiting.length > 0).length,
    });
  }
  return cells;
}

export class ShardsView {
  #measure = "rate";
  #chosen = null;
  #cells = [];
  #picture = null;
  #choice = h("fieldset", { class: "choice" }, h("legend", null, "Colour by"),
    Object.entries(measures).map(([key, { name }]) => h("label", null,
      h("input", { type: "radio", name: "measure", value: key, checked: key === this.#measure, onchange: () => this.#set(key) }), name)));
  #map = h("div", { class: "heat", role: "group", "aria-label": "Shards; arrow keys move, Enter shows one", onkeydown: (event) => this.#move(event) });
  #most = h("span");
  #scale = h("p", { class: "heat-scale" }, h("span", null, "0"),
    h("span", { class: "steps", "aria-hidden": "true" }, Array.from({ length: levels + 1 }, (_, level) => h("span", { class: `step l${level}` }))), this.#most);
  #note = h("p", { class: "key" });
  // A cell may stand for several shards, and a number read in a log is quicker typed than found.
  #number = h("input", { id: "shard-number", type: "number", min: "0", step: "1", onchange: () => this.#typed() });
  #title = h("h2", { id: "shard-title" }, "One shard");
  #summary = h("p");
  #seen = table("The shard as each node sees it", [
    { name: "Node" }, { name: "Claim" }, { name: "Waiting", number: true }, { name: "Entities", number: true },
    { name: "Commits", number: true }, { name: "What messages wait for", wide: true },
  ]);
  #busiestTitle = h("h2", { id: "busiest-title" }, "Busiest shards");
  #busiest = table("Busiest shards", [
    { name: "Shard" }, { name: "Owner" }, { name: "Messages/s", number: true }, { name: "Waiting", number: true }, { name: "Entities", number: true },
  ]);

  constructor() {
    this.element = h("div", { class: "shards" },
      h("section", { class: "panel map", "aria-labelledby": "map-title" }, h("h2", { id: "map-title" }, "Load by shard"), this.#choice, this.#map, this.#scale, this.#note),
      h("section", { class: "panel", "aria-labelledby": "shard-title" }, this.#title,
        h("p", { class: "pick" }, h("label", { for: "shard-number" }, "Number"), this.#number), this.#summary, this.#seen.element),
      h("section", { class: "panel", "aria-labelledby": "busiest-title" }, this.#busiestTitle, this.#busiest.element));
  }

  update(picture) {
    this.#picture = picture;
    const measure = measures[this.#measure];
    this.#cells = cellsOf(picture.shards, measure);
    const most = Math.max(0, ...this.#cells.map((cell) => cell.value ?? 0));
    // Equal steps of the root: a hot shard stands out, and small differences among the others stay visible.
    const level = (value) => (value > 0 && most > 0 ? Math.max(1, Math.ceil(levels * Math.sqrt(value / most))) : 0);
    setAttribute(this.#map, "class", this.#cells.length > 512 ? "heat many" : "heat");
    const chosen = this.#cells.find((cell) => this.#chosen !== null && cell.key <= this.#chosen && this.#chosen <= cell.last) ?? null;
    const reachable = (chosen ?? this.#cells[0])?.key;
    setAttribute(this.#number, "max", Math.max(0, picture.shards.length - 1));
    keyed(this.#map, this.#cells, (cell) => cell.key,
      (cell) => h("button", { type: "button", onclick: () => this.#choose(cell.key) }),
      (button, cell) => {
        const troubled = cell.unheld > 0 || cell.waiting > 0;
        setAttribute(button, "class", `cell l${level(cell.value)}${troubled ? " troubled" : ""}`);
        setText(button, `${cell.key}`);
        setAttribute(button, "tabindex", cell.key === reachable ? "0" : "-1");
        setAttribute(button, "aria-pressed", cell === chosen ? "true" : "false");
        const trouble = cell.unheld > 0 ? ", held by no node that answers" : cell.waiting > 0 ? ", messages wait" : "";
        const label = `Shard ${cell.name}, ${some(cell.owners, 3)}, ${measure.name.toLowerCase()} ${measure.format(cell.value)}${trouble}`;
        setAttribute(button, "aria-label", label);
        setAttribute(button, "title", label);
      });
    setAttribute(this.#scale, "hidden", this.#cells.length === 0 ? "" : null);
    setText(this.#most, `${most === 0 ? "0 everywhere" : measure.format(most)}: ${measure.name.toLowerCase()}`);
    setText(this.#note, this.#cells.length === 0 ? "This node knows no shards yet." : "A cell with a thick dashed edge is not served, or messages wait for it.");
    this.#show();
    this.#rank();
  }

  #set(measure) {
    this.#measure = measure;
    if (this.#picture !== null) this.update(this.#picture);
  }

  #typed() {
    if (this.#number.value !== "" && this.#number.checkValidity()) this.#choose(Number(this.#number.value));
  }

  #choose(shard) {
    this.#chosen = shard;
    this.#number.value = shard;
    this.update(this.#picture);
  }

  /** Keys move by what is seen: one row down is the cell that lies below. */
  #move(event) {
    const buttons = [...this.#map.children];
    const at = buttons.indexOf(document.activeElement);
    if (at < 0) return;
    const top = buttons[0].offsetTop;
    const found = buttons.findIndex((button) => button.offsetTop > top);
    const wide = found < 0 ? buttons.length : found;
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, ArrowDown: at + wide, ArrowUp: at - wide, Home: 0, End: buttons.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const next = buttons[to];
    if (next === undefined) return;
    buttons[at].tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }

  #show() {
    const row = this.#picture.shards.find((each) => each.shard === this.#chosen) ?? null;
    setText(this.#title, row === null ? "One shard" : `Shard ${row.shard}`);
    setAttribute(this.#seen.element, "hidden", row === null ? "" : null);
    if (row === null) return setText(this.#summary, "Choose a cell, or type a number, to see what each node knows of a shard.");
    const holders = row.holders.length === 0 ? "held by no node that answers" : `held by ${row.holders.join(", ")}`;
    setText(this.#summary, `Placed on ${row.owner || "no node"}, ${holders}; ${rate(row.rate)} messages a second.`);
    keyed(this.#seen.body, row.seen, (seen) => seen.node,
      () => h("tr", null, h("th", { scope: "row" }), h("td"), Array.from({ length: 3 }, () => h("td", { class: "number" })), h("td")),
      (line, seen) => [seen.node, seen.claim, count(seen.queued), count(seen.entities), seen.commits > 0 ? count(seen.commits) : none,
        seen.waiting_for ? `${seen.waiting_for}, for ${duration(seen.waiting_ms / 1e3)}` : "nothing"].forEach((text, index) => setText(line.children[index], text)));
  }

  #rank() {
    const { of, most } = measures[this.#measure];
    const rows = [...this.#picture.shards].filter((row) => of(row) > 0).sort((a, b) => of(b) - of(a) || a.shard - b.shard).slice(0, 10);
    setText(this.#busiestTitle, rows.length === 0 ? `${most}: none` : most);
    setAttribute(this.#busiest.element, "hidden", rows.length === 0 ? "" : null);
    keyed(this.#busiest.body, rows, (row) => row.shard,
      () => h("tr", null, h("th", { scope: "row" }), h("td"), Array.from({ length: 3 }, () => h("td", { class: "number" }))),
      (line, row) => [row.shard, row.owner || "nobody", rate(row.rate), count(row.queued), count(row.entities)].forEach((text, index) => setText(line.children[index], `${text}`)));
  }
}
