// Chromium and a live cluster, for the tests.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const need = (name) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; scripts/console-tests sets it`);
  return value;
};

// Longer than by default: a node that stands still keeps its shards for so long, and what waits for them can be looked at.
export const leaseSeconds = 12;

/** Starts a cluster; `stop` ends it and waits for that. */
export async function startCluster() {
  const child = spawn("python3", [new URL("live_cluster.py", import.meta.url).pathname, "--program", need("PAWL_ORDER_WORKFLOW")],
    { stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, PAWL_CLUSTER_LEASE: `${leaseSeconds}s` } });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const first = await Promise.race([
    new Promise((resolve) => createInterface({ input: child.stdout }).once("line", resolve)),
    ended.then((status) => Promise.reject(new Error(`the cluster ended with status ${status} before it was ready`))),
  ]);
  return { ...JSON.parse(first), stop: async () => (child.stdin.end(), ended) };
}

export const launch = () => chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  // Root has no use of the sandbox, and containers often forbid it. The pages are our own.
  args: ["--no-sandbox", "--disable-dev-shm-usage"],
});

/**
 * A page whose every error fails the test that looks, at `complaints`. Answers that a test provokes, such as 404 for an
 * order that does not exist, are errors to the browser as well: those with a status in `expected` are left out.
 */
export async function openPage(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 1000 }, colorScheme: "light", ...options });
  const page = await context.newPage();
  const complaints = [];
  const expected = new Set();
  page.on("pageerror", (error) => complaints.push(`exception: ${error.message}`));
  page.on("console", (message) => {
    if (!["error", "warning"].includes(message.type())) return;
    const status = /^Failed to load resource: .*(?:status of (\d+)|(net::\w+))/.exec(message.text());
    if (status !== null && expected.has(status[1] ?? status[2])) return;
    complaints.push(`${message.type()}: ${message.text()} (${message.location().url})`);
  });
  return { page, complaints, expected, close: () => context.close() };
}

/** Waits for so many further looks at the cluster. */
export async function looks(page, more = 1) {
  const before = await page.evaluate(() => Number(document.documentElement.dataset.looks ?? 0));
  await page.waitForFunction((least) => Number(document.documentElement.dataset.looks ?? 0) >= least, before + more, { timeout: 30_000 });
}
