// The overview: rates, the ring, the nodes.

import { Chart } from "./chart.js";
import { h, keyed, setAttribute, setText, table } from "./dom.js";
import { count, duration, none, rate, seconds, time } from "./format.js";
import { colourOf, Ring } from "./ring.js";
import { changes, eventTable } from "./timeline_view.js";

const eventsShown = 8;

const columns = [
  { name: "Node" }, { name: "State" }, { name: "Shards", number: true }, { name: "Lease left", number: true }, { name: "Applied/s", number: true },
  { name: "p99", number: true }, { name: "Waiting", number: true }, { name: "Entities", number: true },
  { name: "View", number: true }, { name: "Version" }, { name: "Address" },
];

/** State in words, and the sign that goes with it. */
function stateOf(node) {
  if (node.left) return { sign: "gone", text: `left ${time(node.left)}` };
  if (node.asOf) return { sign: "gone", text: `${node.problem === null ? node.state : "no answer"} at ${time(node.asOf)}` };
  if (node.problem !== null) return { sign: "bad", text: "no answer" };
  if (node.storeUp === false) return { sign: "bad", text: `${node.state}, no store` };
  return { sign: node.state === "up" ? "good" : "warn", text: node.state };
}

/** How long a node that answered would still be a member if it beat no more, of how long it would after a beat. */
function leaseOf(node) {
  if (node.left || node.asOf || node.problem !== null || node.leaseLeft === null) return none;
  return `${seconds(node.leaseLeft)} of ${seconds(node.lease)} s`;
}

export class OverviewView {
  #charts = [
    new Chart("Applied", "messages a second", (sample) => sample.applied, rate),
    new Chart("Duplicates", "recognised a second", (sample) => sample.duplicate, rate),
    new Chart("Out of order", "arrived a second", (sample) => sample.outOfOrder, rate),
    new Chart("Latency p99", "accepted to committed", (sample) => sample.p99, duration),
  ];
  #ring = new Ring();
  #nodes = table("Nodes", columns);
  #events = eventTable("Latest changes of ownership, newest first");

  constructor() {
    this.element = h("div", { class: "overview" },
      h("section", { class: "panel rates", "aria-labelledby": "rates-title" },
        h("h2", { id: "rates-title" }, "Messages, whole cluster"), h("div", { class: "charts" }, this.#charts.map((chart) => chart.element))),
      h("section", { class: "panel who", "aria-labelledby": "ring-title" }, h("h2", { id: "ring-title" }, "Who owns what"), this.#ring.element),
      h("section", { class: "panel nodes", "aria-labelledby": "nodes-title" }, h("h2", { id: "nodes-title" }, "Nodes"), this.#nodes.element),
      h("section", { class: "panel latest", "aria-labelledby": "latest-title" }, h("h2", { id: "latest-title" }, "Latest changes"), this.#events.element));
  }

  update(picture, cluster) {
    for (const chart of this.#charts) chart.update(cluster.samples);
    this.#ring.update(picture, cluster.moves);
    keyed(this.#nodes.body, picture.nodes, (node) => node.name, () => this.#row(), (row, node) => this.#fill(row, node, picture));
    this.#events.show(changes(picture).slice(0, eventsShown));
  }

  #row() {
    return h("tr", null,
      h("th", { scope: "row" }, h("span", { class: "swatch", "aria-hidden": "true" }), h("span"), h("span", { class: "note" })),
      h("td", null, h("span", { class: "state" })),
      Array.from({ length: 7 }, () => h("td", { class: "number" })), h("td"), h("td", { class: "code" }, h("a")));
  }

  #fill(row, node, picture) {
    const [head, state, ...cells] = row.children;
    const current = picture.nodes.filter((each) => !each.left);
    setAttribute(row, "class", `${colourOf(current, node.name)}${node.left ? " gone" : ""}`);
    setText(head.children[1], node.name);
    setText(head.children[2], node.self ? " this page" : "");
    const { sign, text } = stateOf(node);
    setAttribute(state.firstChild, "class", `state ${sign}`);
    setText(state.firstChild, text);
    const figures = [
      count(node.shardsOwned), leaseOf(node), rate(node.rates.applied), duration(node.rates.p99), count(node.counters?.queued),
      count(node.counters?.entities), count(node.view), node.version ?? none,
    ];
    figures.forEach((figure, index) => setText(cells[index], figure));
    const link = cells[figures.length].firstChild;
    setText(link, node.address || "no HTTP address");
    setAttribute(link, "href", node.address && !node.left ? `http://${node.address}/console/` : null);
    setAttribute(link, "title", node.problem ?? `incarnation ${node.incarnation}, peers at ${node.peerAddress || none}`);
  }
}
