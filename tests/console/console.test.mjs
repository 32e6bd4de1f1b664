// The console in a real browser, before a real cluster under load: every view, then a node killed while it is looked
// at, then the very node that serves the page. One cluster for all tests, in this order.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, before, test } from "node:test";
import { launch, leaseSeconds, looks, openPage, startCluster } from "./browser.mjs";
import { contrast, excessWidth, structure, tabThrough } from "./page_checks.mjs";

const pictures = process.env.PAWL_CONSOLE_PICTURES;
const views = ["overview", "shards", "timeline", "entity", "letters"];

let cluster;
let browser;
let first; // the page of the first node, kept open all the time

const address = (node, view = "overview", query = "") => `${node.url}/console/#/${view}${query}`;
const verdict = (page) => page.locator("#verdict");
const entityQuery = () => `?${new URLSearchParams({ type: "order", key: cluster.order })}`;
const whatIs = async (path, node = cluster.nodes[0]) => (await fetch(node.url + path)).json();

/** Goes to another view as a reader does. */
async function go(page, view) {
  await page.locator("#views").getByRole("link", { name: view }).click();
  await page.waitForFunction((name) => document.querySelector(`main > .${name}`) !== null, view.toLowerCase().split(" ").at(-1));
}

/** Sends one message, and insists on its result. */
async function send(type, key, message, payload, { id = `${message}-1`, result = "applied", node = cluster.nodes[0], headers = {} } = {}) {
  const answer = await fetch(`${node.url}/v1/messages`, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: JSON.stringify({ type, key, message, id, payload }) });
  const said = await answer.json();
  assert.equal(said.result, result, JSON.stringify(said));
  return said;
}

/** Looks an entity up as a reader does. */
async function lookUp(page, type, key) {
  await go(page, "Entity");
  await page.getByLabel("Type").fill(type);
  await page.getByLabel("Key").fill(key);
  await page.getByRole("button", { name: "Look up" }).click();
}

const rowsOf = (page, table) => page.getByRole("region", { name: table, exact: true }).locator("tbody tr");

/** A key of a shard that this node serves. */
async function keyAt(node, prefix) {
  const { shardOf } = await import("../../metrics/console/shard_of.js");
  const { shards } = await whatIs("/v1/shards", node);
  const held = new Set(shards.filter((row) => row.claim === "held").map((row) => row.shard));
  for (let n = 0; ; ++n) if (held.has(shardOf(`${prefix}${n}`, cluster.shards))) return `${prefix}${n}`;
}

before(async () => {
  cluster = await startCluster();
  browser = await launch();
  first = await openPage(browser);
});

after(async () => {
  await browser?.close();
  await cluster?.stop();
});

test("the root of a node leads to the page", async () => {
  await first.page.goto(cluster.nodes[0].url);
  assert.equal(new URL(first.page.url()).pathname, "/console/");
  await first.page.getByText(`All ${cluster.shards} shards served by 3 nodes`).waitFor();
  assert.equal(await first.page.title(), "orders – Pawl console");
});

test("the overview shows every node with live figures", async () => {
  const { page } = first;
  await looks(page, 2);
  const rows = page.locator(".nodes tbody tr");
  assert.equal(await rows.count(), 3);
  let shards = 0;
  for (const node of cluster.nodes) {
    const cells = await rows.filter({ hasText: node.url.slice("http://".length) }).locator("th, td").allTextContents();
    assert.ok(cells[0].startsWith(node.name), cells[0]);
    assert.equal(cells[1], "up");
    // It beats five times a second: more than half of a lease is left, unless the machine stood still.
    const [, left, lease] = /^([\d.]+) of (\d+) s$/.exec(cells[3]) ?? assert.fail(cells[3]);
    assert.equal(Number(lease), leaseSeconds);
    assert.ok(Number(left) > leaseSeconds / 2 && Number(left) <= leaseSeconds, cells[3]);
    assert.ok(Number(cells[4].replace(",", "")) > 0, `${node.name} applies nothing: ${cells}`);
    shards += Number(cells[2]);
  }
  assert.equal(shards, cluster.shards);
  // As many arcs as there are shards, all of them held.
  const arcs = await page.locator(".ring .held").evaluateAll((paths) => paths.reduce((n, path) => n + (path.getAttribute("d").match(/A/g) ?? []).length, 0));
  assert.equal(arcs, cluster.shards);
  assert.equal(await page.locator(".ring .unheld").getAttribute("d"), "");
});

test("the charts follow what the nodes' counters say", async () => {
  const { page } = first;
  await looks(page, 3);
  const labels = await page.locator(".charts svg").evaluateAll((all) => all.map((svg) => svg.getAttribute("aria-label")));
  assert.match(labels[0], /^Applied: now [1-9]/);
  assert.match(labels[1], /^Duplicates: now [0-9.]+; in the last five minutes between .* and [0-9.]*[1-9]/);
  assert.match(labels[2], /^Out of order: now [0-9.]+;/);
  assert.match(labels[3], /^Latency p99: now [0-9.]+ m?s;/);
});

test("a shard is found with the keyboard, and shown as each node sees it", async () => {
  const { page } = first;
  await go(page, "Shards");
  const cells = page.locator(".heat .cell");
  assert.equal(await cells.count(), cluster.shards);
  await cells.first().focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Shard 2", exact: true }).waitFor();
  const seen = page.getByRole("region", { name: "The shard as each node sees it" }).locator("tbody tr");
  assert.equal(await seen.count(), 3);
  const claims = await seen.locator("td:nth-child(2)").allTextContents();
  assert.equal(claims.filter((claim) => claim === "held").length, 1, claims.join());
  // The focus stays where it is while the picture is renewed.
  await looks(page, 1);
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "2");
  await page.getByLabel("Number").fill(`${cluster.shards}`);
  await page.keyboard.press("Enter");
  await page.getByLabel("Number").fill("17");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Shard 17", exact: true }).waitFor();
  assert.deepEqual(await page.locator(".cell[aria-pressed=true]").allTextContents(), ["17"]);
  await page.locator(".cell[aria-pressed=true]").focus();
  await page.keyboard.press("End");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), `${cluster.shards - 1}`);
});

test("the heat map is coloured by what is chosen", async () => {
  const { page } = first;
  await page.getByLabel("Entities in memory").check();
  const [label] = await page.locator(".heat .cell.l6").evaluateAll((cells) => cells.map((cell) => cell.getAttribute("aria-label")));
  assert.match(label, /^Shard \d+, n\d, entities in memory [\d,]+$/);
  await page.getByRole("heading", { name: "Most entities", exact: true }).waitFor();
  const ranked = await page.getByRole("region", { name: "Busiest shards" }).locator("tbody td:last-child").allTextContents();
  const figures = ranked.map((text) => Number(text.replace(",", "")));
  assert.deepEqual(figures, [...figures].sort((a, b) => b - a));
  await page.getByLabel("Messages a second").check();
});

test("the timeline has the events of all nodes, under the names of the log", async () => {
  const { page } = first;
  await go(page, "Timeline");
  const rows = page.locator(".timeline tbody tr");
  await rows.first().waitFor();
  const names = await rows.locator("th").allTextContents();
  for (const name of ["view", "shard claimed", "node started"]) assert.ok(names.some((each) => each.startsWith(name)), `${name} is not among ${names}`);
  const nodes = new Set(await rows.locator("td:nth-child(2)").allTextContents());
  assert.deepEqual([...nodes].sort(), ["n1", "n2", "n3"]);
  const before = await rows.count();
  await page.getByLabel(/Also links/).check();
  assert.ok((await rows.count()) > before);
  await page.getByLabel(/Also links/).uncheck();
});

test("an order is looked up with the keyboard", async () => {
  const { page } = first;
  await go(page, "Entity");
  const offered = await page.locator("datalist option").evaluateAll((options) => options.map((option) => option.value));
  assert.deepEqual(offered.sort(), ["account", "checkout", "order", "ticket"], "the types of the program are offered");
  await page.getByLabel("Type").focus();
  await page.keyboard.type("order");
  await page.getByLabel("Key").focus();
  await page.keyboard.type(cluster.order);
  await page.keyboard.press("Enter");
  await page.getByText(/read at \d\d:\d\d:\d\d/).waitFor();
  const entity = await whatIs(`/v1/entities/order/${encodeURIComponent(cluster.order)}`);
  const shown = JSON.parse(await page.locator("pre").textContent());
  assert.equal(shown.customer, entity.state.customer);
  assert.ok(shown.events >= 1);
  const facts = await page.locator(".facts").textContent();
  assert.ok(facts.includes(`Shard${entity.shard}`) && facts.includes(`Owner${entity.owner}`), facts);
  await page.getByText(`Nothing is in the way: ${entity.owner} serves shard ${entity.shard}.`).waitFor();
});

test("an order that does not exist has a shard all the same, the one that the nodes would choose", async () => {
  const { page, expected } = first;
  expected.add("404");
  // Braces choose the part of the key that decides, and what is no ASCII counts by its bytes.
  for (const key of ["nobody-{x}-1", "naïve ключ", "{}empty", "<img src=x onerror=alert(1)>"]) {
    await page.getByLabel("Type").fill("order");
    await page.getByLabel("Key").fill(key);
    await page.getByRole("button", { name: "Look up" }).click();
    await page.getByText(`order ${key}: no message has taken effect`).waitFor();
  }
  assert.equal(await page.locator("main img").count(), 0);
  const shard = async (key) => {
    const posted = await fetch(`${cluster.nodes[0].url}/v1/messages`, { method: "POST", headers: { "content-type": "application/json" },
      body: JSON.stringify({ type: "order", key, message: "OrderPurchased", id: "1", payload: { customer: "c", at: "2024-01-01T00:00" } }) });
    assert.equal(posted.status, 200, await posted.text());
    return (await whatIs(`/v1/entities/order/${encodeURIComponent(key)}`)).shard;
  };
  const { shardOf } = await import("../../metrics/console/shard_of.js");
  for (const key of ["nobody-{x}-1", "naïve ключ", "{}empty", "a{b}{c}", "}{", "plain"]) assert.equal(shardOf(key, cluster.shards), await shard(key), key);
});

test("a cluster without dead letters says so", async () => {
  const { page } = first;
  await go(page, "Dead letters");
  await page.getByText("There are none: no message was given up.").waitFor();
  assert.equal(await page.locator("#letters-count").textContent(), "");
  assert.equal(await page.getByRole("region", { name: "Dead letters, latest first" }).isVisible(), false);
});

// A checkout asks its customer's account to hold money, and gets no answer, since that message was given up.
test("an order that is stuck says why: its timer, and the letter of the message that was given up", async () => {
  const { page } = first;
  await send("account", "alice", "Deposit", { amount: 5_000 });
  await send("account", "alice", "HoldFunds", { order: "stuck-1", amount: 100 });
  await send("checkout", "stuck-1", "PlaceOrder", { customer: "alice", amount: 100, expires_ms: 3_600_000 });
  await lookUp(page, "checkout", "stuck-1");
  const timer = rowsOf(page, "Its pending timers");
  await timer.first().waitFor();
  assert.deepEqual((await timer.first().locator("th, td").allTextContents()).slice(0, 2), ["expiry", "OrderExpired"]);
  assert.equal(JSON.parse(await page.locator("pre").textContent()).status, "pending");
  const placed = rowsOf(page, "Took effect last").filter({ hasText: "PlaceOrder" }); // beside what other entities answered
  assert.match(await placed.textContent(), /^PlaceOrderPlaceOrder-1\d\d:\d\d:\d\d$/);
  await lookUp(page, "account", "alice");
  const letter = page.locator(".why .bad");
  await letter.filter({ hasText: /^Given up [\d:]+, since it could not take effect: HoldFunds: money is held for order 'stuck-1' already\.$/ }).waitFor();
  await page.getByText(/^n\d serves shard \d+, but:$/).waitFor();
  if (pictures) await page.screenshot({ path: `${pictures}/entity-stuck-1440.png`, fullPage: true });
  await letter.getByRole("link", { name: "HoldFunds" }).click();
  await page.getByRole("heading", { name: "HoldFunds for account alice" }).waitFor();
});

test("a source that numbers its messages is shown with the position that its shard expects", async () => {
  const { page } = first;
  const { shardOf } = await import("../../metrics/console/shard_of.js");
  const [key, shard] = ["sourced-1", shardOf("sourced-1", cluster.shards)];
  const line = { type: "order", key, message: "OrderPurchased", id: "s1", payload: { customer: "c", at: "2024-01-01T00:00" }, position: 44, seq: 3 };
  const answer = await fetch(`${cluster.nodes[1].url}/v1/sources/warehouse?shard=${shard}&history=b&after=0`,
    { method: "POST", headers: { "content-type": "application/x-ndjson" }, body: JSON.stringify(line) });
  assert.equal((await answer.json()).taken, 44);
  await lookUp(page, "order", key);
  await rowsOf(page, "Producers that number their messages").first().waitFor();
  const [name, taken, after] = await rowsOf(page, "Producers that number their messages").first().locator("th, td").allTextContents();
  assert.deepEqual([name, taken, after], ["warehouse/b", "44", "after=44"]);
  assert.match(await page.locator(".facts").textContent(), /Last applied number3; 4 is expected next/);
});

test("a dead letter is found, shown, and kept unless a reader is sure, all by keyboard", async () => {
  const { page } = first;
  const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  await send("order", "broken-1", "OrderPurchased", { customer: 5 }, { result: "refused", headers: { traceparent: `00-${trace}-00f067aa0ba902b7-01` } });
  await go(page, "Dead letters");
  const rows = rowsOf(page, "Dead letters, latest first");
  await page.getByText(/^2 dead letters, read at/).waitFor();
  await page.waitForFunction(() => document.getElementById("letters-count").textContent === " 2");
  const { letters } = await whatIs("/v1/dead-letters");
  assert.deepEqual(await rows.locator("th").allTextContents(), letters.map((letter) => letter.message));
  await rows.filter({ hasText: "broken-1" }).getByRole("link").focus();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "OrderPurchased for order broken-1" }).waitFor();
  const broken = letters.find((letter) => letter.key === "broken-1");
  assert.deepEqual(JSON.parse(await page.getByLabel("Payload").textContent()), broken.payload);
  const facts = await page.locator(".letters .facts").textContent();
  for (const text of [broken.reason, "undecodable", "from outside", `Trace${trace}`, `shard ${broken.shard}, number ${broken.number}`]) assert.ok(facts.includes(text), `${text} is not in ${facts}`);
  // Whoever looks for the trace finds it in the log of the owner, wherever that is, and so in the timeline.
  const events = (await Promise.all(cluster.nodes.map((node) => whatIs("/v1/events", node)))).flatMap((each) => each.events);
  const noted = events.filter((event) => event.name === "dead letters added" && event.fields.trace_id === trace);
  assert.deepEqual(noted.map(({ fields }) => [fields.shard, fields.first, fields.code]), [[`${broken.shard}`, "OrderPurchased of order", "undecodable"]]);
  // The focus is at the letter, its buttons come next; the first thing in the question is the way out.
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Replay…");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  const question = page.getByRole("dialog", { name: "Discard OrderPurchased for order broken-1?" });
  await question.waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Cancel");
  assert.deepEqual((await contrast(page)).faults, []);
  if (pictures) await page.screenshot({ path: `${pictures}/letters-question-1440.png` });
  await page.keyboard.press("Escape");
  await question.waitFor({ state: "hidden" });
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Discard…");
  await looks(page, 1);
  assert.equal((await whatIs("/v1/dead-letters")).total, 2);
});

test("a letter that is refused again stays, and one that is discarded is gone", async () => {
  const { page, expected } = first;
  expected.add("422");
  await page.getByRole("button", { name: "Replay…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Replay", exact: true }).click();
  await page.getByRole("status").filter({ hasText: /^OrderPurchased for order broken-1: refused again, and kept: / }).waitFor();
  assert.equal((await whatIs("/v1/dead-letters")).total, 2);
  await page.getByRole("button", { name: "Discard…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Discard", exact: true }).click();
  await page.getByRole("status").filter({ hasText: "OrderPurchased for order broken-1 was dropped." }).waitFor();
  await page.getByText(/^1 dead letter, read at/).waitFor();
  await page.getByText(/^The letter that the address names is not there/).waitFor();
  const { letters } = await whatIs("/v1/dead-letters");
  assert.deepEqual(letters.map((letter) => letter.key), ["alice"]);
});

test("a letter that takes effect when it is replayed is gone, and the order gets on", async () => {
  const { page } = first;
  await send("account", "alice", "CaptureFunds", { order: "stuck-1" });
  await rowsOf(page, "Dead letters, latest first").getByRole("link").click();
  await page.getByRole("button", { name: "Replay…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Replay", exact: true }).click();
  await page.getByRole("status").filter({ hasText: "HoldFunds for account alice has taken effect, and its letter is gone." }).waitFor();
  await page.getByText("There are none: no message was given up.").waitFor();
  await lookUp(page, "checkout", "stuck-1");
  await page.waitForFunction(() => document.querySelector("pre").textContent.includes('"status": "approved"'));
  await page.getByText(/^Nothing is in the way: /).waitFor();
  assert.deepEqual(first.complaints, []);
});

test("somebody else was quicker, a shard is silent, a node fails: the page of dead letters says each", async () => {
  const { page, complaints, expected, close } = await openPage(browser);
  const hostile = `<img src=x onerror="document.title='owned'">`;
  const letter = { shard: 3, number: 7, type: "order", key: hostile, message: "OrderPurchased", id: hostile, sent_at: 0, at: 1_700_000_000_000, code: "handler_error", reason: hostile, payload: null, payload_problem: hostile };
  let answer = { json: { total: 1, letters: [letter], shards_missing: [] } };
  await page.route("**/v1/dead-letters", (route) => route.fulfill(answer));
  await page.goto(address(cluster.nodes[0], "letters", "?shard=3&number=7&at=1700000000000"));
  await page.getByRole("heading", { name: `OrderPurchased for order ${hostile}` }).waitFor();
  assert.equal(await page.locator("main img").count(), 0);
  assert.match(await rowsOf(page, "Dead letters, latest first").locator("td").last().textContent(), /^1[45] Nov, /);
  for (const status of ["404", "503", "500"]) expected.add(status);
  // The node knows no such letter.
  await page.getByRole("button", { name: "Discard…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Discard", exact: true }).click();
  await page.getByRole("status").filter({ hasText: "there is no such dead letter" }).waitFor();
  await page.route("**/v1/dead-letters/3/7/replay", (route) => route.fulfill({ status: 503, contentType: "application/problem+json", body: `{"detail":"the shard has moved"}` }));
  await page.getByRole("button", { name: "Replay…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Replay", exact: true }).click();
  await page.getByRole("status").filter({ hasText: /^It is not known whether OrderPurchased for order .* was handled: the shard has moved\./ }).waitFor();
  answer = { json: { total: 12_345, letters: [letter], shards_missing: [3, 5], reason: "no owner of the shard could be reached in time" } };
  await page.getByRole("button", { name: "Look again" }).click();
  await page.getByText("Not known: the letters of shards 3, 5: no owner of the shard could be reached in time.").waitFor();
  await page.getByText(/^The latest 1 of 12,345 dead letters, read at/).waitFor();
  answer = { status: 500, contentType: "application/problem+json", body: `{"detail":"out of memory"}` };
  await page.getByRole("button", { name: "Look again" }).click();
  await page.getByText("They cannot be read: out of memory.").waitFor();
  answer = { json: { total: 1 } };
  await page.getByRole("button", { name: "Look again" }).click();
  await page.getByText("They cannot be read: its answer is of another form.").waitFor();
  assert.deepEqual(await structure(page), []);
  assert.deepEqual(complaints, []);
  await close();
});

test("a link to an entity can be passed on", async () => {
  const other = await openPage(browser);
  await other.page.goto(address(cluster.nodes[1], "entity", entityQuery()));
  await other.page.getByText(`order ${cluster.order}, read at`).waitFor();
  await other.page.getByText(/^Nothing is in the way: n\d serves shard/).waitFor();
  assert.deepEqual(other.complaints, []);
  await other.close();
});

test("there are letters to look at", async () => {
  for (const key of ["unreadable-1", "unreadable-2", "a rather long key, with words in it, that somebody has made up to see whether it fits"])
    await send("order", key, "OrderPurchased", { customer: 5, at: "2024-01-01T00:00", note: "what else there was" }, { result: "refused" });
});

for (const colorScheme of ["light", "dark"]) {
  for (const width of [1440, 400]) {
    test(`every view is sound at ${width} px, ${colorScheme}`, async () => {
      const { page, complaints, close } = await openPage(browser, { colorScheme, viewport: { width, height: width === 400 ? 800 : 1000 } });
      for (const view of views) {
        await page.goto(address(cluster.nodes[0], view, view === "entity" ? entityQuery() : ""));
        await page.getByText(/All \d+ shards served/).waitFor();
        await looks(page, 2);
        if (view === "shards") await page.locator(".cell").nth(5).click();
        if (view === "entity") await page.locator("pre").waitFor();
        if (view === "letters") await page.locator(".letters tbody a").first().click();
        assert.deepEqual(await structure(page), [], view);
        assert.equal(await excessWidth(page), 0, `${view} scrolls sideways`);
        const { looked, faults } = await contrast(page);
        assert.ok(looked > 20, `${view}: only ${looked} texts were found`);
        assert.deepEqual(faults, [], view);
        if (pictures) {
          mkdirSync(pictures, { recursive: true });
          await page.screenshot({ path: `${pictures}/${view}-${width}-${colorScheme}.png`, fullPage: true });
        }
      }
      assert.deepEqual(complaints, []);
      await close();
    });
  }
}

test("all is reached by Tab, begins with the skip link, and shows its focus", async () => {
  const { page, close } = await openPage(browser);
  for (const view of views) {
    await page.goto(address(cluster.nodes[0], view));
    await page.getByText(/All \d+ shards served/).waitFor();
    await page.reload();
    await page.getByText(/All \d+ shards served/).waitFor();
    const { stops, unseen } = await tabThrough(page);
    assert.equal(stops[0], "Skip to the content");
    for (const name of ["Pause", "Overview", "Shards", "Timeline", "Entity", "Dead letters 3"]) assert.ok(stops.includes(name), `${view}: ${name} is not among ${stops}`);
    assert.deepEqual(unseen, [], `${view}: no visible focus`);
  }
  await close();
});

test("nothing moves for those who asked for that", async () => {
  const { page, close } = await openPage(browser, { reducedMotion: "reduce" });
  await page.goto(address(cluster.nodes[0], "shards"));
  await page.locator(".cell").first().waitFor();
  const moving = await page.evaluate(() => [...document.querySelectorAll("*")].filter((element) => {
    const style = getComputedStyle(element);
    return style.animationName !== "none" || style.transitionDuration.split(",").some((span) => parseFloat(span) > 0);
  }).length);
  assert.equal(moving, 0);
  await close();
});

test("a paused page asks nothing", async () => {
  const { page, close } = await openPage(browser);
  await page.goto(address(cluster.nodes[0]));
  await page.getByText(/All \d+ shards served/).waitFor();
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText(/paused$/).waitFor();
  let asked = 0;
  page.on("request", () => ++asked);
  // Nothing can be awaited that must not happen; this is longer than the pace of looking.
  await page.waitForTimeout(3_000);
  assert.equal(asked, 0);
  await page.getByRole("button", { name: "Go on" }).click();
  await looks(page, 1);
  assert.ok(asked > 0);
  await close();
});

test("a node that has not joined, and one that says hostile things, do no harm", async () => {
  const { page, complaints, expected, close } = await openPage(browser);
  const hostile = `"><script>document.title="owned"</script>`;
  const status = { cluster: hostile, dataset: "", node: "n1", incarnation: 0, state: "joining", version: hostile, store_up: false, shards: 0, shards_owned: 0, view: 0, time_ms: 0, members: [] };
  const answers = { cluster: status, shards: { shards: [] }, events: { events: [] } };
  for (const [what, body] of Object.entries(answers)) await page.route(`**/v1/${what}`, (route) => route.fulfill({ json: body }));
  await page.route("**/metrics", (route) => route.fulfill({ contentType: "text/plain", body: `# nothing yet\n${hostile}\npawl_x{a="\\"} 1\n` }));
  await page.goto(address(cluster.nodes[0]));
  await page.getByText("n1 cannot reach the store").waitFor();
  assert.equal(await page.title(), `${hostile} – Pawl console`);
  for (const [view, text] of [["Shards", "This node knows no shards yet."], ["Timeline", "Nothing has happened that the nodes remember."]]) {
    await go(page, view);
    await page.getByText(text).first().waitFor();
  }
  // Then it answers with something else altogether.
  expected.add("500");
  await page.unroute("**/v1/shards");
  await page.route("**/v1/shards", (route) => route.fulfill({ status: 500, contentType: "application/problem+json", body: `{"detail":"out of \\u003cb\\u003ememory"}` }));
  await page.getByText("n1 does not answer: out of <b>memory").waitFor();
  await page.unroute("**/v1/cluster");
  await page.route("**/v1/cluster", (route) => route.fulfill({ body: "not json" }));
  await page.getByText("This page's node does not answer: its answer was cut off, or is no JSON").waitFor();
  assert.deepEqual(complaints, []);
  await close();
});

test("messages that wait for a node that stands still are seen from both ends", async () => {
  const { page, expected } = first;
  for (const status of ["502", "404", "503"]) expected.add(status);
  const [order, customer] = [await keyAt(cluster.nodes[1], "waiting-"), await keyAt(cluster.nodes[2], "customer-")];
  const { shardOf } = await import("../../metrics/console/shard_of.js");
  const shard = shardOf(customer, cluster.shards);
  await go(page, "Entity");
  process.kill(cluster.nodes[2].pid, "SIGSTOP");
  try {
    await send("checkout", order, "PlaceOrder", { customer, amount: 100, expires_ms: 3_600_000 });
    await lookUp(page, "checkout", order);
    const rows = rowsOf(page, "Sent by its shard, not taken yet").filter({ hasText: customer });
    await rows.first().waitFor();
    assert.deepEqual((await rows.first().locator("th, td").allTextContents()).slice(0, 3), [`${shard}`, "1", `HoldFunds for account ${customer}`]);
    await page.locator(".why .bad").filter({ hasText: new RegExp(`^1 message of shard \\d+ waits for shard ${shard}, .*The first is HoldFunds for account ${customer}, sent`) }).waitFor();
    if (pictures) await page.screenshot({ path: `${pictures}/entity-waiting-1440.png`, fullPage: true });
    // The account itself cannot be read meanwhile; what waits for it can be named all the same.
    await lookUp(page, "account", customer);
    await page.locator(".why .bad").filter({ hasText: new RegExp(`^1 message for shard ${shard} waits in shard ${shardOf(order, cluster.shards)}\\.`) }).waitFor();
    assert.match(await page.locator(".entity [aria-live]").textContent(), /^Asking the owner of account|cannot be read: /);
  } finally {
    process.kill(cluster.nodes[2].pid, "SIGCONT");
  }
  await page.getByText(`All ${cluster.shards} shards served by 3 nodes`).waitFor({ timeout: 30_000 });
  await lookUp(page, "checkout", order);
  // Nobody has paid anything in, so the account says no; but it says something.
  await page.waitForFunction(() => document.querySelector("pre").textContent.includes('"status": "rejected"'));
  await page.getByText("Nothing: all that its entities have sent has been taken.").waitFor();
  assert.deepEqual(first.complaints, []);
});

test("a node that stands still is named, with the shards that nobody serves, and is seen to come back", async () => {
  const { page, expected } = first;
  for (const status of ["502", "404", "503"]) expected.add(status);
  await go(page, "Shards");
  await looks(page, 1);
  const stopped = cluster.nodes[2];
  process.kill(stopped.pid, "SIGSTOP");
  try {
    await verdict(page).getByText(`${stopped.name} does not answer: no answer within 2000 ms`).waitFor();
    await verdict(page).getByText(/^\d+ shards held by no node that answers: /).waitFor();
    const troubled = page.locator(".heat .cell.troubled");
    assert.match(await troubled.first().getAttribute("aria-label"), /, held by no node that answers$/);
    assert.deepEqual(await structure(page), []);
    assert.deepEqual((await contrast(page)).faults, []);
    if (pictures) await page.screenshot({ path: `${pictures}/shards-with-a-node-paused.png`, fullPage: true });
    await page.getByText(`All ${cluster.shards} shards served by 2 nodes`).waitFor({ timeout: 30_000 });
  } finally {
    process.kill(stopped.pid, "SIGCONT");
  }
  await page.getByText(`All ${cluster.shards} shards served by 3 nodes`).waitFor({ timeout: 30_000 });
  await go(page, "Timeline");
  await page.locator(".timeline tbody tr").filter({ hasText: "reason join" }).first().waitFor();
  await page.locator(".timeline tbody tr").filter({ hasText: "this member was evicted or has left" }).first().waitFor();
  if (pictures) await page.screenshot({ path: `${pictures}/timeline-after-a-pause.png`, fullPage: true });
  assert.deepEqual(first.complaints, []);
});

test("a node that is killed is missed, and its shards are seen to move", async () => {
  const { page } = first;
  await go(page, "Overview");
  await looks(page, 1);
  const killed = cluster.nodes[2];
  process.kill(killed.pid, "SIGKILL");
  await page.locator(".nodes tbody tr").filter({ hasText: killed.name }).getByText(/no answer|left \d\d:/).waitFor();
  await page.getByText(`All ${cluster.shards} shards served by 2 nodes`).waitFor({ timeout: 30_000 });
  await page.getByText(new RegExp(`Last movement at .*: \\d+ shards? changed owner \\(${killed.name} → n[12] \\d+`)).waitFor();
  await page.locator(".nodes tbody tr.gone").filter({ hasText: killed.name }).waitFor();
  if (pictures) await page.screenshot({ path: `${pictures}/overview-after-a-kill.png`, fullPage: true });
  await go(page, "Timeline");
  const claimed = page.locator(".timeline tbody tr").filter({ hasText: "reason takeover" });
  await claimed.first().waitFor();
  assert.match(await claimed.first().locator("td").last().textContent(), /^[\d.]+ m?s$/);
  await page.locator(".lanes .sign").first().waitFor();
  await page.getByText(/^\d+ claims; longest pause [\d.]+ m?s, on n\d at /).waitFor();
  if (pictures) await page.screenshot({ path: `${pictures}/timeline-after-a-kill.png`, fullPage: true });
  await go(page, "Entity");
  await page.getByLabel("Type").fill("order");
  await page.getByLabel("Key").fill(cluster.order);
  await page.getByRole("button", { name: "Look up" }).click();
  await page.getByText(/^Nothing is in the way: n[12] serves shard/).waitFor();
  assert.deepEqual(first.complaints, []);
});

test("when the page's own node is killed, it says so and leads to the others", async () => {
  const { page, expected } = first;
  for (const error of ["net::ERR_CONNECTION_REFUSED", "net::ERR_CONNECTION_RESET", "net::ERR_EMPTY_RESPONSE", "net::ERR_SOCKET_NOT_CONNECTED"]) expected.add(error);
  await go(page, "Overview");
  process.kill(cluster.nodes[0].pid, "SIGKILL");
  await verdict(page).getByText("This page's node does not answer").waitFor();
  assert.ok((await page.locator(".nodes tbody tr").count()) >= 2, "what was known is still shown");
  assert.deepEqual(await page.locator(".nodes .state.good").allTextContents(), [], "nothing that is only remembered looks well");
  if (pictures) await page.screenshot({ path: `${pictures}/overview-without-its-node.png`, fullPage: true });
  await verdict(page).getByRole("link", { name: "n2" }).click();
  await page.getByText(`All ${cluster.shards} shards served by 1 node`).waitFor({ timeout: 30_000 });
  assert.deepEqual(first.complaints, []);
});
