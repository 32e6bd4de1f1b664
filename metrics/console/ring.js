// The ring: every shard is an arc, and every node has a track of its own, so that a shard's owner is told by place as
// well as by colour. A shard that no node holds lies on the outermost line.

import { h, keyed, s, setAttribute, setText } from "./dom.js";
import { count, plural, time } from "./format.js";

const size = 360;
const middle = size / 2;
const outer = 158;
const inner = 74;
const gap = 0.22; // radians, at the top, where the tracks have their names
const arcsMax = 1_024;
const colours = 8;

export const colourOf = (nodes, name) => {
  const at = nodes.findIndex((node) => node.name === name);
  return at < 0 ? "c-none" : `c${at % colours}`;
};

const at = (radius, angle) => `${(middle + radius * Math.sin(angle)).toFixed(2)} ${(middle - radius * Math.cos(angle)).toFixed(2)}`;

function arc(radius, from, to) {
  return `M${at(radius, from)}A${radius} ${radius} 0 ${to - from > Math.PI ? 1 : 0} 1 ${at(radius, to)}`;
}

/** Whom a shard is moving between, or null. */
const moving = (row) => row.owner !== "" && row.holders.length > 0 && !row.holders.includes(row.owner);

export class Ring {
  #tracks = s("g");
  #unheld = s("path", { class: "unheld" });
  #centre = s("text", { class: "centre", x: middle, y: middle - 2 });
  #below = s("text", { class: "centre below", x: middle, y: middle + 20 });
  #picture = s("svg", { viewBox: `0 0 ${size} ${size}`, role: "img", class: "ring" }, this.#tracks, this.#unheld, this.#centre, this.#below);
  #legend = h("ul", { class: "legend" });
  #movement = h("p", { class: "movement" });

  constructor() {
    this.element = h("div", { class: "ring-and-legend" }, this.#picture, h("div", null, this.#legend, this.#movement));
  }

  update(picture, moves) {
    const { shards } = picture;
    const nodes = picture.nodes.filter((node) => !node.left);
    const pitch = Math.min(24, (outer - inner) / Math.max(1, nodes.length));
    const radius = (index) => outer - pitch * (index + 0.5);
    // Above some thousand arcs are thinner than a pixel: then one stands for several neighbours, by the first of them.
    const step = Math.max(1, Math.ceil(shards.length / arcsMax));
    const drawn = shards.filter((_, index) => index % step === 0);
    const angle = (index) => gap + ((2 * Math.PI - 2 * gap) * index) / Math.max(1, drawn.length);

    const byNode = new Map(nodes.map((node) => [node.name, { held: "", placed: "", holding: 0, moving: 0 }]));
    let unheld = "";
    drawn.forEach((row, index) => {
      const [from, to] = [angle(index), angle(index + 1)];
      const owner = nodes.findIndex((node) => node.name === row.owner);
      if (row.holders.length === 0) unheld += arc(outer + 6, from, to);
      if (owner >= 0) byNode.get(row.owner)[row.holders.includes(row.owner) ? "held" : "placed"] += arc(radius(owner), from, to);
      for (const holder of row.holders) {
        if (holder === row.owner) continue;
        const place = nodes.findIndex((node) => node.name === holder);
        if (place >= 0) byNode.get(holder).placed += arc(radius(place), from, to);
      }
    });
    for (const row of shards) {
      for (const holder of row.holders) if (byNode.has(holder)) ++byNode.get(holder).holding;
      if (moving(row) && byNode.has(row.owner)) ++byNode.get(row.owner).moving;
    }

    keyed(this.#tracks, nodes, (node) => node.name,
      (node) => s("g", { class: colourOf(nodes, node.name) },
        s("path", { class: "track" }), s("path", { class: "held" }), s("path", { class: "placed" }), s("text", { class: "track-name", x: middle })),
      (group, node) => {
        const index = nodes.indexOf(node);
        const [track, held, placed, name] = group.children;
        setAttribute(group, "class", colourOf(nodes, node.name));
        for (const path of [track, held, placed]) setAttribute(path, "stroke-width", (pitch * 0.78).toFixed(1));
        setAttribute(track, "d", arc(radius(index), gap, 2 * Math.PI - gap));
        setAttribute(held, "d", byNode.get(node.name).held);
        setAttribute(placed, "d", byNode.get(node.name).placed);
        setAttribute(name, "y", (middle - radius(index) + 4).toFixed(1));
        setText(name, node.name.length > 5 ? `${node.name.slice(0, 4)}…` : node.name);
      });
    setAttribute(this.#unheld, "d", unheld);
    setText(this.#centre, picture.shardCount === null ? "" : count(picture.shardCount));
    setText(this.#below, picture.view === null ? "" : `shards · view ${picture.view}`);

    const none = shards.filter((row) => row.holders.length === 0).length;
    const rows = nodes.map((node) => ({ key: node.name, colour: colourOf(nodes, node.name), name: node.name,
      text: node.problem !== null ? "does not answer" : plural(byNode.get(node.name).holding, "shard"),
      more: byNode.get(node.name).moving > 0 ? `${count(byNode.get(node.name).moving)} moving in` : "" }));
    if (none > 0) rows.push({ key: "!", colour: "c-bad", name: "no node", text: plural(none, "shard"), more: "outermost line" });
    keyed(this.#legend, rows, (row) => row.key,
      () => h("li", null, h("span", { class: "swatch", "aria-hidden": "true" }), h("span", { class: "name" }), h("span"), h("span", { class: "note" })),
      (item, row) => {
        setAttribute(item, "class", row.colour);
        [row.name, row.text, row.more].forEach((text, index) => setText(item.children[index + 1], text));
      });
    setAttribute(this.#picture, "aria-label", `Hash ring, tracks from the outside in: ${rows.map((row) => `${row.name} ${row.text}`).join(", ")}`);
    setText(this.#movement, describe(moves));
  }
}

/** The last movement: what moved within ten seconds of the newest move. */
function describe(moves) {
  if (moves.length === 0) return "No shard has changed its owner while this page was open.";
  const newest = moves[moves.length - 1].at;
  const last = moves.filter((move) => newest - move.at < 10_000);
  const ways = new Map();
  for (const { from, to } of last) {
    const way = `${from || "nobody"} → ${to || "nobody"}`;
    ways.set(way, (ways.get(way) ?? 0) + 1);
  }
  const parts = [...ways].sort((a, b) => b[1] - a[1]).map(([way, n]) => `${way} ${count(n)}`);
  return `Last movement at ${time(newest)}: ${plural(last.length, "shard")} changed owner (${parts.slice(0, 6).join(", ")}).`;
}
