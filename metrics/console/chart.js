// A small chart of one figure over the last minutes: its value now, in large; the course; the scale.

import { h, s, setAttribute, setText } from "./dom.js";
import { time } from "./format.js";

const width = 320;
const height = 72;
const span = 5 * 60_000;

/** The next of 1, 2, 5, 10, … at or above, so that the scale does not change with every sample. */
function roundUp(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value * 0.999999);
}

export class Chart {
  #pick;
  #format;
  #title;
  #value = h("span", { class: "figure" });
  #top = h("span", { class: "scale" });
  #area = s("path", { class: "area" });
  #line = s("path", { class: "line" });
  #cursor = s("line", { class: "cursor", y1: 0, y2: height, visibility: "hidden" });
  #picture = s("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img" }, this.#area, this.#line, this.#cursor);
  #points = [];
  #pointed = false;

  constructor(title, note, pick, format) {
    this.#title = title;
    this.#pick = pick;
    this.#format = format;
    this.element = h("figure", { class: "chart" },
      h("figcaption", null, h("span", { class: "name" }, title), this.#value, h("span", { class: "note" }, note)),
      h("div", { class: "plot" }, this.#picture, this.#top),
      h("div", { class: "axis", "aria-hidden": "true" }, h("span", null, "5 min ago"), h("span", null, "now")));
    this.#picture.addEventListener("pointermove", (event) => this.#point(event));
    this.#picture.addEventListener("pointerleave", () => this.#unpoint());
  }

  update(samples) {
    const now = samples.length > 0 ? samples[samples.length - 1].at : Date.now();
    const recent = samples.filter((sample) => now - sample.at <= span).map((sample) => ({ at: sample.at, value: this.#pick(sample) }));
    const finite = recent.map(({ value }) => value).filter(Number.isFinite);
    const top = roundUp(Math.max(...finite, 0));
    this.#points = recent.map(({ at, value }) => ({
      at, value, x: width * (1 - (now - at) / span),
      y: value === null ? null : height - 2 - (height - 4) * Math.min(1, value / top),
    }));
    let line = "";
    let area = "";
    let run = [];
    const close = () => {
      if (run.length > 0) {
        const path = run.map(({ x, y }) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L");
        // A round cap makes a dot of a run of one.
        line += `M${path}${run.length === 1 ? "h0" : ""}`;
        area += `M${run[0].x.toFixed(1)} ${height}L${path}L${run[run.length - 1].x.toFixed(1)} ${height}Z`;
      }
      run = [];
    };
    for (const point of this.#points) point.y === null ? close() : run.push(point);
    close();
    setAttribute(this.#line, "d", line);
    setAttribute(this.#area, "d", area);
    setText(this.#top, finite.length > 0 ? this.#format(top) : "");
    const last = recent.length > 0 ? recent[recent.length - 1].value : null;
    if (!this.#pointed) setText(this.#value, this.#format(last));
    setAttribute(this.#picture, "aria-label", finite.length === 0 ? `${this.#title}: no figures yet`
      : `${this.#title}: now ${this.#format(last)}; in the last five minutes between ${this.#format(Math.min(...finite))} and ${this.#format(Math.max(...finite))}`);
  }

  #point(event) {
    const box = this.#picture.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * width;
    const nearest = this.#points.reduce((best, point) => (best === null || Math.abs(point.x - x) < Math.abs(best.x - x) ? point : best), null);
    if (nearest === null) return;
    this.#pointed = true;
    setAttribute(this.#cursor, "x1", nearest.x);
    setAttribute(this.#cursor, "x2", nearest.x);
    setAttribute(this.#cursor, "visibility", "visible");
    setText(this.#value, `${this.#format(nearest.value)} at ${time(nearest.at)}`);
  }

  #unpoint() {
    this.#pointed = false;
    setAttribute(this.#cursor, "visibility", "hidden");
    if (this.#points.length > 0) setText(this.#value, this.#format(this.#points[this.#points.length - 1].value));
  }
}
