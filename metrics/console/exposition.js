// The Prometheus text format, as far as a node writes it.

const sampleLine = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? ([^ ]+)$/;
const labelPair = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g;

/** Name → samples, each with its labels and value. Lines that are no samples are left out. */
export function parseExposition(text) {
  const families = new Map();
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const found = sampleLine.exec(line);
    if (found === null) continue;
    const [, name, labelText, valueText] = found;
    const value = valueText === "+Inf" ? Infinity : valueText === "-Inf" ? -Infinity : Number(valueText);
    const labels = {};
    for (const [, label, escaped] of (labelText ?? "").matchAll(labelPair))
      labels[label] = escaped.replace(/\\(.)/g, (_, c) => (c === "n" ? "\n" : c));
    if (!families.has(name)) families.set(name, []);
    families.get(name).push({ labels, value });
  }
  return families;
}

/** Sum of the samples that a condition on their labels selects; null if the node does not export the name. */
export function sum(families, name, selects = () => true) {
  const samples = families.get(name);
  if (samples === undefined) return null;
  return samples.reduce((total, { labels, value }) => (selects(labels) ? total + value : total), 0);
}

/** Cumulative counts of a histogram, over all its labels: upper bound → count. */
export function buckets(families, name) {
  const out = new Map();
  for (const { labels, value } of families.get(`${name}_bucket`) ?? []) {
    const bound = labels.le === "+Inf" ? Infinity : Number(labels.le);
    out.set(bound, (out.get(bound) ?? 0) + value);
  }
  return out;
}

/** Quantile of cumulative counts, interpolated within its bucket; null without observations. */
export function quantile(share, cumulative) {
  const bounds = [...cumulative.keys()].sort((a, b) => a - b);
  const total = cumulative.get(Infinity) ?? 0;
  if (!(total > 0)) return null;
  const rank = share * total;
  let below = 0;
  let lower = 0;
  for (const bound of bounds) {
    const here = cumulative.get(bound);
    if (here >= rank) {
      if (bound === Infinity) return Infinity;
      return here === below ? bound : lower + ((bound - lower) * (rank - below)) / (here - below);
    }
    below = here;
    lower = bound;
  }
  return null;
}
