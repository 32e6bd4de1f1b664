// The timeline: what each node says has happened, newest first, and the claims among it with the pauses that ended.

import { h, keyed, s, setAttribute, setText, table } from "./dom.js";
import { count, duration, plural, time } from "./format.js";
import { colourOf } from "./ring.js";

const span = 10 * 60_000;
const lane = 30;

const changesOfOwnership = new Set([
  "view", "member evicted", "member cannot be reached", "member can be reached again", "draining", "drain asked for", "node started",
  "shard claimed", "shard claimed anew, memory kept", "shard released", "shard in doubt, claiming anew", "shard stopped",
  "this member was evicted or has left; nothing is owned here until it joins again", "shards not served", "shards served again",
  "store rolled back", "drain deadline passed",
]);

const idOf = (event) => `${event.node} ${event.at} ${event.name} ${event.fields.reason ?? ""} ${event.fields.peer ?? ""} ${event.fields.member ?? ""}`;
const pauseOf = (event) => (event.name === "shard claimed" ? Number(event.fields.pause_ms) : null);

/** An event's fields as one text. A burst names how many shards it has had, not all of them. */
function details(event) {
  return Object.entries(event.fields)
    .filter(([key]) => key !== "pause_ms")
    .map(([key, value]) => (key === "shard" ? (event.count > 1 ? plural(event.count, "shard") : `shard ${value}`) : `${key} ${value}`))
    .join(" · ");
}

/** What has happened to members and to the ownership of shards, newest first. */
export const changes = (picture) => picture.events.filter((event) => changesOfOwnership.has(event.name));

/** A table of events; `show` puts them into it. */
export function eventTable(caption) {
  const { element, body } = table(caption, [
    { name: "Time" }, { name: "Node" }, { name: "Event" }, { name: "What", wide: true }, { name: "Longest pause", number: true },
  ]);
  // Where it is narrow, a row becomes a few lines; the roles say that it is a row all the same.
  element.classList.add("stacking");
  setAttribute(element.firstElementChild, "role", "table");
  setAttribute(body, "role", "rowgroup");
  const show = (events) => keyed(body, events, idOf,
    () => h("tr", { role: "row" }, h("td", { role: "cell", class: "code" }), h("td", { role: "cell" }), h("th", { role: "rowheader", scope: "row" }),
      h("td", { role: "cell", class: "details" }), h("td", { role: "cell", class: "number" })),
    (row, event) => {
      const pause = pauseOf(event);
      setAttribute(row, "class", event.level);
      const mark = { warn: "Warning: ", error: "Error: " }[event.level] ?? "";
      [time(event.at), event.node, `${mark}${event.name}${event.count > 1 ? ` × ${count(event.count)}` : ""}`, details(event),
        pause === null ? "" : duration(pause / 1e3)].forEach((text, index) => setText(row.children[index], text));
    });
  return { element, show };
}

const reasonSigns = { takeover: "M-5 5L5 5L0 -5Z", join: "M-5 -5H5V5H-5Z", drain: "M0 -6L6 0L0 6L-6 0Z" };
const roundSign = "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0";

export class TimelineView {
  #all = h("input", { type: "checkbox", onchange: () => this.#redraw() });
  #lanes = s("g");
  #picture = s("svg", { class: "lanes", role: "img" }, this.#lanes);
  #laneNames = h("ol", { class: "lane-names", "aria-hidden": "true" });
  #longest = h("p");
  #empty = h("p", { class: "notice" });
  #missing = h("p", { class: "notice" });
  #list = eventTable("Events, newest first");
  #last = null;

  constructor() {
    this.element = h("div", { class: "timeline" },
      h("section", { class: "panel", "aria-labelledby": "lanes-title" },
        h("h2", { id: "lanes-title" }, "Shards claimed in the last ten minutes"), this.#longest,
        h("div", { class: "lane-box" }, this.#laneNames,
          h("div", null, this.#picture, h("div", { class: "axis", "aria-hidden": "true" }, h("span", null, "10 min ago"), h("span", null, "now")))),
        h("p", { class: "key" }, "▲ takeover   ■ a node joined   ◆ a node drained   ● start. The bar before a sign is the longest pause: from when a shard was placed on the node to when it was served there.")),
      h("section", { class: "panel", "aria-labelledby": "events-title" },
        h("h2", { id: "events-title" }, "Events"),
        h("label", { class: "check" }, this.#all, "Also links, warnings and all else that the nodes kept"),
        this.#missing, this.#empty, this.#list.element));
  }

  update(picture) {
    if (this.#last === null) new ResizeObserver(() => this.#draw(this.#last)).observe(this.#picture);
    this.#last = picture;
    this.#redraw();
  }

  #redraw() {
    const picture = this.#last;
    if (picture === null) return;
    this.#draw(picture);
    const events = this.#all.checked ? picture.events : changes(picture);
    setText(this.#empty, events.length === 0 ? "Nothing has happened that the nodes remember." : "");
    const silent = picture.nodes.filter((node) => node.left || node.problem !== null);
    setText(this.#missing, silent.map((node) => (node.eventsAt === null ? `${node.name} does not answer: its events are not known.`
      : `${node.name} does not answer: its events as of ${time(node.eventsAt)}.`)).join(" "));
    this.#list.show(events);
  }

  #draw(picture) {
    const nodes = picture.nodes;
    const current = nodes.filter((node) => !node.left);
    const claims = picture.events.filter((event) => pauseOf(event) !== null && picture.at - event.until < span);
    // Drawn at the size that it is shown at, so that signs and lines keep theirs.
    const width = Math.max(200, this.#picture.clientWidth);
    const x = (at) => width * (1 - (picture.at - at) / span);
    const height = Math.max(1, nodes.length) * lane;
    setAttribute(this.#picture, "height", height);
    keyed(this.#laneNames, nodes, (node) => node.name, () => h("li"), (item, node) => {
      setAttribute(item, "class", colourOf(current, node.name));
      setText(item, node.name);
    });
    const marks = nodes.map((node, index) => {
      const y = lane * (index + 0.5);
      const own = claims.filter((event) => event.node === node.name);
      return s("g", { class: colourOf(current, node.name) }, s("line", { class: "lane", x1: 0, x2: width, y1: y, y2: y }),
        own.map((event) => {
          const end = x(event.until);
          const begin = Math.max(0, x(event.at - pauseOf(event)));
          return s("g", null, s("title", null, `${time(event.at)} ${node.name}: ${details(event)}, longest pause ${duration(pauseOf(event) / 1e3)}`),
            s("rect", { class: "pause", x: begin.toFixed(1), y: y - 4, width: Math.max(1, end - begin).toFixed(1), height: 8 }),
            s("path", { class: "sign", d: reasonSigns[event.fields.reason] ?? roundSign, transform: `translate(${end.toFixed(1)} ${y})` }));
        }));
    });
    this.#lanes.replaceChildren(...marks);
    const worst = claims.reduce((most, event) => (most === null || pauseOf(event) > pauseOf(most) ? event : most), null);
    const moved = claims.reduce((n, event) => n + event.count, 0);
    const text = worst === null ? "No shard was claimed in that time."
      : `${plural(moved, "claim")}; longest pause ${duration(pauseOf(worst) / 1e3)}, on ${worst.node} at ${time(worst.at)} (${worst.fields.reason}).`;
    setText(this.#longest, text);
    setAttribute(this.#picture, "aria-label", text);
  }
}
