// The page: which view is shown, and the pace of looking.

import { Cluster } from "./cluster.js";
import { h, keyed, setAttribute, setText } from "./dom.js";
import { EntityView } from "./entity_view.js";
import { count, time } from "./format.js";
import { LettersView } from "./letters_view.js";
import { OverviewView } from "./overview_view.js";
import { ShardsView } from "./shards_view.js";
import { TimelineView } from "./timeline_view.js";

const lookEvery = 2_000;
const perNode = 150; // milliseconds; a large cluster is looked at less often

const byId = (id) => document.getElementById(id);
const cluster = new Cluster();
const views = { overview: new OverviewView(), shards: new ShardsView(), timeline: new TimelineView(), entity: new EntityView(), letters: new LettersView() };
let shown = null;
let picture = null;
let paused = false;
let timer = null;

const signs = { healthy: "●", degraded: "▲", failed: "■" };

function showVerdict({ state, title, reasons }) {
  const box = byId("verdict");
  setAttribute(box, "class", `verdict ${state}`);
  if (box.firstElementChild === null) {
    box.append(h("p", null, h("span", { class: "sign", "aria-hidden": "true" }), h("strong")), h("ul"), h("p", { class: "others", hidden: true }));
  }
  const [line, list] = box.children;
  setText(line.children[0], signs[state]);
  setText(line.children[1], title);
  keyed(list, reasons, (reason) => reason, (reason) => h("li", null, reason), () => {});
}

/** The other consoles, for when this page's node is gone. */
function showOthers(current) {
  const line = byId("verdict").querySelector(".others");
  const others = current.problem === null ? [] : current.nodes.filter((node) => !node.self && !node.left && node.address);
  setAttribute(line, "hidden", others.length === 0 ? "" : null);
  // Built once, not at each look: a link that has the focus keeps it.
  const names = others.map((node) => node.address).join(" ");
  if (line.dataset.names === names) return;
  line.dataset.names = names;
  line.replaceChildren("Other consoles: ", ...others.flatMap((node, index) => [index > 0 ? ", " : "", h("a", { href: `http://${node.address}/console/` }, node.name)]));
}

function show() {
  if (picture === null) return;
  setText(byId("cluster-name"), picture.name);
  document.title = picture.name ? `${picture.name} – Pawl console` : "Pawl console";
  showVerdict(picture.verdict);
  showOthers(picture);
  const letters = picture.shards.reduce((sum, row) => sum + row.letters, 0);
  setText(byId("letters-count"), letters > 0 ? ` ${count(letters)}` : "");
  const looked = picture.at === null ? "nothing heard yet" : `seen from ${picture.node} at ${time(picture.at)}`;
  setText(byId("seen"), paused ? `${looked}, paused` : looked);
  views[shown].update(picture, cluster);
}

async function look() {
  clearTimeout(timer);
  picture = await cluster.look();
  show();
  document.documentElement.dataset.looks = Number(document.documentElement.dataset.looks ?? 0) + 1;
  if (!paused) timer = setTimeout(look, Math.max(lookEvery, perNode * picture.nodes.length));
}

function route() {
  const [name, query] = location.hash.replace(/^#\//, "").split("?", 2);
  const next = Object.hasOwn(views, name) ? name : (shown ?? "overview");
  for (const link of byId("views").children) setAttribute(link, "aria-current", link.hash === `#/${next}` ? "page" : null);
  if (next !== shown) {
    shown = next;
    byId("main").replaceChildren(views[shown].element);
  }
  if (name === shown) views[shown].route?.(new URLSearchParams(query ?? ""));
  show();
}

byId("pause").addEventListener("click", (event) => {
  paused = !paused;
  setAttribute(event.target, "aria-pressed", paused);
  setText(event.target, paused ? "Go on" : "Pause");
  if (paused) clearTimeout(timer);
  else look();
  show();
});
byId("skip").addEventListener("click", (event) => {
  event.preventDefault();
  byId("main").focus();
});
addEventListener("hashchange", route);
route();
look();
