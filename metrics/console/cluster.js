// What the cluster is doing, put together from what each of its nodes says. The page talks to the node that served it,
// which relays the questions to the other members.

import { buckets, parseExposition, quantile, sum } from "./exposition.js";
import { plural, some } from "./format.js";

const requestTimeout = 5_000;
const forgetAfter = 15 * 60_000; // members that left, and movements
const samplesMax = 240;

/** A problem document's detail, or else the status. */
async function refusal(response) {
  try {
    const { detail } = await response.json();
    if (typeof detail === "string") return detail;
  } catch {
    // No problem document: the status has to do.
  }
  return `status ${response.status}`;
}

/** Asks this node, or tells it something: `post` is sent as JSON. Throws an Error whose message is for people. */
export async function ask(path, { text = false, post = null, patience = requestTimeout } = {}) {
  let response;
  try {
    const told = post === null ? {} : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(post) };
    response = await fetch(path, { signal: AbortSignal.timeout(patience), cache: "no-store", redirect: "error", ...told });
  } catch (error) {
    throw new Error(error.name === "TimeoutError" ? `no answer within ${patience / 1e3} s` : "it cannot be reached");
  }
  if (response.status !== 200) throw Object.assign(new Error(await refusal(response)), { status: response.status });
  try {
    return text ? await response.text() : await response.json();
  } catch {
    throw new Error("its answer was cut off, or is no JSON");
  }
}

/** Growth of a counter in a second; null for the first look, and after a restart. */
function growth(now, before, seconds) {
  if (now === null || now === undefined || before === null || before === undefined || now < before) return null;
  return (now - before) / seconds;
}

const total = (values) => {
  const known = values.filter((value) => value !== null && value !== undefined);
  return known.length === 0 ? null : known.reduce((a, b) => a + b, 0);
};

/** What a node's counters say, in the form that rates need. */
function readCounters(families) {
  const outcome = (name) => sum(families, "pawl_messages_total", (labels) => labels.outcome === name);
  const counters = {
    at: performance.now(),
    applied: outcome("applied"),
    duplicate: outcome("duplicate"),
    refused: outcome("refused"),
    outOfOrder: sum(families, "pawl_messages_out_of_order_total"),
    violations: sum(families, "pawl_ordering_violations_total"),
    queued: sum(families, "pawl_shard_queued_messages"),
    entities: sum(families, "pawl_shard_entities"),
    latency: buckets(families, "pawl_message_latency_seconds"),
    types: [...new Set((families.get("pawl_messages_total") ?? []).map(({ labels }) => labels.entity_type))],
    shards: new Map(),
  };
  for (const { labels, value } of families.get("pawl_shard_messages_total") ?? []) counters.shards.set(Number(labels.shard), value);
  return counters;
}

function ratesOf(now, before) {
  const none = { applied: null, duplicate: null, outOfOrder: null, latency: new Map(), p99: null, shards: new Map() };
  if (now === null || before === null) return none;
  const seconds = (now.at - before.at) / 1e3;
  if (!(seconds > 0) || growth(now.applied, before.applied, seconds) === null) return none;
  const latency = new Map([...now.latency].map(([bound, n]) => [bound, Math.max(0, n - (before.latency.get(bound) ?? 0))]));
  return {
    applied: growth(now.applied, before.applied, seconds),
    duplicate: growth(now.duplicate, before.duplicate, seconds),
    outOfOrder: growth(now.outOfOrder, before.outOfOrder, seconds),
    latency,
    p99: quantile(0.99, latency),
    shards: new Map([...now.shards].map(([shard, n]) => [shard, growth(n, before.shards.get(shard), seconds)])),
  };
}

/** One shard as all nodes that answer see it. The node the page came from says who owns it. */
function shardsOf(nodes, own) {
  const rows = new Map();
  for (const row of own?.shards ?? [])
    rows.set(row.shard, { shard: row.shard, owner: row.owner, holders: [], queued: 0, entities: 0, outbox: 0, letters: 0, rate: null, waiting: [], seen: [] });
  for (const node of nodes) {
    for (const row of node.shards ?? []) {
      const shard = rows.get(row.shard);
      if (shard === undefined) continue;
      shard.seen.push({ node: node.name, ...row });
      shard.queued += row.queued;
      if (row.claim === "held" || row.claim === "draining") {
        shard.holders.push(node.name);
        shard.entities += row.entities;
        shard.outbox += row.outbox ?? 0;
        shard.letters += row.dead_letters ?? 0;
        shard.rate = node.rates.shards.get(row.shard) ?? null;
      }
      if (row.waiting_for) shard.waiting.push({ node: node.name, reason: row.waiting_for, ms: row.waiting_ms });
    }
  }
  return [...rows.values()].sort((a, b) => a.shard - b.shard);
}

/** The verdict: a state, one sentence, and the reasons. */
function judge(picture) {
  if (picture.problem !== null)
    return { state: "failed", title: `This page's node does not answer: ${picture.problem}`, reasons: ["What is shown is what it said last."] };
  const reasons = [];
  for (const node of picture.nodes) {
    if (node.left) continue;
    if (node.problem !== null) reasons.push(`${node.name} does not answer: ${node.problem}`);
    else if (!node.storeUp) reasons.push(`${node.name} cannot reach the store`);
    else if (node.state !== "up") reasons.push(`${node.name} is ${node.state}`);
  }
  const without = picture.shards.filter((shard) => shard.holders.length === 0);
  const waiting = picture.shards.filter((shard) => shard.waiting.length > 0 && shard.holders.length > 0);
  if (without.length > 0) reasons.push(`${plural(without.length, "shard")} held by no node that answers: ${some(without.map((row) => row.shard))}`);
  if (waiting.length > 0) reasons.push(`messages wait for ${plural(waiting.length, "shard")}: ${some(waiting.map((row) => row.shard))}`);
  const views = new Set(picture.nodes.filter((node) => node.view !== null && !node.left).map((node) => node.view));
  if (views.size > 1) reasons.push(`the nodes act on different views: ${[...views].sort((a, b) => a - b).join(", ")}`);
  const violations = total(picture.nodes.map((node) => node.counters?.violations));
  if (violations > 0) reasons.push(`${plural(violations, "message")} applied out of a sender's order: a defect, or a sender that reuses numbers`);
  const up = picture.nodes.filter((node) => !node.left && node.problem === null).length;
  if (reasons.length > 0) {
    const failed = picture.shards.length > 0 && without.length === picture.shards.length;
    return { state: failed ? "failed" : "degraded", title: failed ? "No shard is served" : "Degraded", reasons };
  }
  if (picture.shards.length === 0) return { state: "degraded", title: "This node knows no shards yet", reasons: ["It has not joined; its log says why if this lasts."] };
  return { state: "healthy", title: `All ${plural(picture.shards.length, "shard")} served by ${plural(up, "node")}`, reasons: [] };
}

/** Looks again and again; keeps what the difference of two looks needs. */
export class Cluster {
  #before = new Map(); // member → its counters at the last look
  #owners = null; // shard → owner at the last look
  #known = new Map(); // node → how it was when it last was a member
  #last = null;
  samples = []; // of the whole cluster, oldest first
  moves = []; // {at, shard, from, to}, oldest first

  /** One look. Never throws: what does not answer is part of the picture. */
  async look() {
    let own;
    try {
      own = await ask("/v1/cluster");
      if (!Array.isArray(own.members)) throw new Error("its answer is of another form");
    } catch (error) {
      const last = this.#last ?? this.#nothing();
      const nodes = last.nodes.map((node) => ({ ...node, rates: ratesOf(null, null), ...(node.self ? { problem: error.message } : { asOf: last.at }) }));
      const picture = { ...last, nodes, problem: error.message };
      this.#sample(picture, false);
      return { ...picture, verdict: judge(picture) };
    }
    // A node that has not joined is in nobody's view, and shown all the same.
    const members = own.members.some((member) => member.node === own.node)
      ? own.members
      : [...own.members, { node: own.node, incarnation: own.incarnation, state: own.state, http_address: location.host }];
    const nodes = await Promise.all(members.map((member) => this.#lookAt(member, own)));
    nodes.sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
    this.#remember(nodes);
    const shards = shardsOf(nodes, nodes.find((node) => node.self));
    this.#follow(shards);
    const picture = {
      at: Date.now(),
      problem: null,
      name: own.cluster,
      node: own.node,
      view: own.view,
      shardCount: own.shards,
      nodes: [...nodes, ...this.#left(nodes)],
      shards,
      types: [...new Set(nodes.flatMap((node) => node.counters?.types ?? []))].sort(),
    };
    picture.events = picture.nodes
      .flatMap((node) => (node.events ?? []).map((event) => ({ ...event, node: node.name })))
      .sort((a, b) => b.until - a.until);
    this.#last = picture;
    this.#sample(picture, true);
    return { ...picture, verdict: judge(picture) };
  }

  #nothing() {
    return { at: null, problem: null, name: "", node: "", view: null, shardCount: null, nodes: [], shards: [], types: [], events: [] };
  }

  async #lookAt(member, own) {
    const self = member.node === own.node;
    const at = (what, direct) => (self ? direct : `/v1/nodes/${encodeURIComponent(member.node)}/${what}`);
    const node = {
      name: member.node, incarnation: member.incarnation, address: member.http_address, peerAddress: member.peer_address ?? "",
      self, left: null, problem: null, state: member.state, storeUp: null, view: null, version: null, shardsOwned: null,
      shards: null, events: null, eventsAt: null, counters: null, rates: ratesOf(null, null), lease: null, leaseLeft: null,
    };
    try {
      const status = self ? own : await ask(at("cluster", "/v1/cluster"));
      // An address may have passed to another process since the view was made.
      if (status.node !== member.node) throw new Error(`at its address answers ${status.node}`);
      const [{ shards }, text, { events }] = await Promise.all([
        ask(at("shards", "/v1/shards")), ask(at("metrics", "/metrics"), { text: true }), ask(at("events", "/v1/events")),
      ]);
      const counters = readCounters(parseExposition(text));
      const key = `${member.node}/${status.incarnation}`;
      Object.assign(node, {
        state: status.state, storeUp: status.store_up, view: status.view, version: status.version, shardsOwned: status.shards_owned,
        lease: status.lease_ms ?? null, leaseLeft: status.lease_remaining_ms ?? null,
        shards, events, eventsAt: Date.now(), counters, rates: ratesOf(counters, this.#before.get(key) ?? null),
      });
      this.#before.set(key, counters);
    } catch (error) {
      // The relay's sentence begins with the node's name, and so does the one that this becomes part of.
      node.problem = error.message.replace(`${member.node} does not answer: `, "");
      // What has happened stays true; what is the case now is not known any more.
      const { events = null, eventsAt = null } = this.#known.get(member.node) ?? {};
      Object.assign(node, { events, eventsAt });
    }
    return node;
  }

  #remember(nodes) {
    for (const node of nodes) this.#known.set(node.name, { ...node, seen: Date.now() });
    for (const [name, node] of this.#known) if (Date.now() - node.seen > forgetAfter) this.#known.delete(name);
    const current = new Set(nodes.map((node) => `${node.name}/${node.incarnation}`));
    for (const key of this.#before.keys()) if (!current.has(key)) this.#before.delete(key);
  }

  #left(nodes) {
    const present = new Set(nodes.map((node) => node.name));
    return [...this.#known.values()]
      .filter((node) => !present.has(node.name))
      .map((node) => ({ ...node, left: node.seen, self: false, state: "left", shards: null, counters: null, rates: ratesOf(null, null), view: null, shardsOwned: null, storeUp: null }));
  }

  #follow(shards) {
    const owners = new Map(shards.map((row) => [row.shard, row.owner]));
    if (this.#owners !== null) {
      for (const [shard, to] of owners) {
        const from = this.#owners.get(shard);
        if (from !== undefined && from !== to) this.moves.push({ at: Date.now(), shard, from, to });
      }
    }
    if (owners.size > 0) this.#owners = owners;
    while (this.moves.length > 0 && Date.now() - this.moves[0].at > forgetAfter) this.moves.shift();
  }

  #sample(picture, answered) {
    const rates = answered ? picture.nodes.map((node) => node.rates) : [];
    const latency = new Map();
    for (const { latency: part } of rates) for (const [bound, n] of part) latency.set(bound, (latency.get(bound) ?? 0) + n);
    this.samples.push({
      at: Date.now(),
      applied: total(rates.map((each) => each.applied)),
      duplicate: total(rates.map((each) => each.duplicate)),
      outOfOrder: total(rates.map((each) => each.outOfOrder)),
      p99: quantile(0.99, latency),
    });
    if (this.samples.length > samplesMax) this.samples.shift();
  }
}
