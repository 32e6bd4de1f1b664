// What makes a page usable by all, as far as a program can tell: names, headings, contrast, width, focus.

/** Things without a name, and structure that a screen reader would stumble over. Runs in the page. */
function structureFaults() {
  const faults = [];
  const shown = (element) => element.getClientRects().length > 0;
  const nameOf = (element) =>
    (element.getAttribute("aria-label") ?? "").trim() ||
    (element.getAttribute("aria-labelledby") ?? "").split(/\s+/).map((id) => document.getElementById(id)?.textContent ?? "").join(" ").trim() ||
    [...(element.labels ?? [])].map((label) => label.textContent).join(" ").trim() ||
    (["A", "BUTTON"].includes(element.tagName) ? element.textContent.trim() : "");
  for (const element of document.querySelectorAll("a[href], button, input, select, section, nav, svg[role=img], [role=region], [role=group]"))
    if (shown(element) && nameOf(element) === "") faults.push(`no name: ${element.outerHTML.slice(0, 120)}`);
  if (!document.documentElement.lang) faults.push("the page has no language");
  if (document.title === "") faults.push("the page has no title");
  if (document.querySelectorAll("main").length !== 1) faults.push("not one main");
  let last = 0;
  for (const heading of document.querySelectorAll("h1, h2, h3, h4")) {
    const level = Number(heading.tagName[1]);
    if (level > last + 1) faults.push(`heading level jumps: ${heading.textContent}`);
    last = level;
  }
  for (const table of document.querySelectorAll("table")) {
    if (!table.caption?.textContent) faults.push("a table has no caption");
    for (const cell of table.querySelectorAll("thead th")) if (cell.scope !== "col") faults.push(`no scope: ${cell.textContent}`);
    for (const row of table.tBodies[0].rows) {
      if (!row.querySelector("th[scope=row]")) faults.push(`a row has no header: ${row.textContent}`);
      if (row.cells.length !== table.tHead.rows[0].cells.length) faults.push(`a row has ${row.cells.length} cells: ${row.textContent}`);
    }
  }
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  for (const id of new Set(ids)) if (ids.filter((other) => other === id).length > 1) faults.push(`id twice: ${id}`);
  if (document.querySelectorAll("[style]").length > 0) faults.push("style attributes, which the policy forbids");
  return faults;
}

/** Text whose contrast with what lies behind it is too low. Runs in the page. */
function contrastFaults() {
  const rgba = (text) => {
    const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number);
    return [r, g, b, a];
  };
  const over = ([r, g, b, a], [x, y, z]) => [r * a + x * (1 - a), g * a + y * (1 - a), b * a + z * (1 - a)];
  const luminance = (colour) => {
    const [r, g, b] = colour.map((part) => (part / 255 <= 0.03928 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    const layers = [];
    for (let at = element; at !== null; at = at.parentElement) layers.push(rgba(getComputedStyle(at).backgroundColor));
    const canvas = matchMedia("(prefers-color-scheme: dark)").matches ? [0, 0, 0] : [255, 255, 255];
    return layers.reverse().reduce((below, layer) => over(layer, below), canvas);
  };
  const faults = [];
  let looked = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (walker.currentNode.data.trim() === "" || element.closest("[aria-hidden=true], .unseen, .skip, noscript, script") || element.getClientRects().length === 0) continue;
    const style = getComputedStyle(element);
    const behind = ground(element);
    const colour = over(rgba(element.closest("svg") ? style.fill : style.color), behind);
    const [light, dark] = [luminance(colour), luminance(behind)].sort((a, b) => b - a);
    const ratio = (light + 0.05) / (dark + 0.05);
    const large = parseFloat(style.fontSize) >= 24;
    ++looked;
    if (ratio < (large ? 3 : 4.5)) faults.push(`${ratio.toFixed(2)}: “${walker.currentNode.data.trim().slice(0, 40)}” ${element.className.baseVal ?? element.className}`);
  }
  return { looked, faults: [...new Set(faults)] };
}

export const structure = (page) => page.evaluate(structureFaults);
export const contrast = (page) => page.evaluate(contrastFaults);

/** How much wider than the window the page is, in pixels. */
export const excessWidth = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** Goes through the page by Tab; returns the names of what had the focus, and of what did not show it. */
export async function tabThrough(page, most = 60) {
  await page.evaluate(() => document.activeElement?.blur?.());
  const stops = [];
  const unseen = [];
  for (let i = 0; i < most; ++i) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(() => {
      const element = document.activeElement;
      if (element === null || element === document.body) return null;
      const style = getComputedStyle(element);
      return {
        name: element.getAttribute("aria-label") ?? element.labels?.[0]?.textContent ?? element.textContent.trim().slice(0, 40),
        visible: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
      };
    });
    if (stop === null || (stops.length > 0 && stop.name === stops[0])) break;
    stops.push(stop.name);
    if (!stop.visible) unseen.push(stop.name);
  }
  return { stops, unseen };
}
