// Figures and times as people read them.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const oneDigit = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const tenth = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });

export const none = "–";

export const count = (n) => (n === null || n === undefined ? none : whole.format(n));

/** Per second. Below ten with one decimal: 0.4 is not 0. */
export const rate = (n) => (n === null || n === undefined ? none : n > 0 && n < 9.95 ? oneDigit.format(n) : whole.format(n));

/** A duration in seconds. */
export function duration(seconds) {
  if (seconds === null || seconds === undefined || Number.isNaN(seconds)) return none;
  if (seconds === Infinity) return "over 2.5 s";
  if (seconds < 0.01) return `${tenth.format(seconds * 1e3)} ms`;
  if (seconds < 1) return `${whole.format(seconds * 1e3)} ms`;
  if (seconds < 100) return `${tenth.format(seconds)} s`;
  return seconds < 7200 ? `${whole.format(seconds / 60)} min` : `${whole.format(seconds / 3600)} h`;
}

/** Milliseconds as seconds, without the unit: tenths where there are any. */
export const seconds = (milliseconds) => tenth.format(milliseconds / 1e3);

const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

/** A time of day, with the day unless it is today. */
export function moment(milliseconds) {
  const at = new Date(milliseconds);
  return at.toDateString() === new Date().toDateString() ? clock.format(at) : `${day.format(at)}, ${clock.format(at)}`;
}

export const time = (milliseconds) => clock.format(new Date(milliseconds));

export const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;

/** The first few of many, with how many more there are. */
export function some(list, most = 4) {
  const shown = list.slice(0, most).join(", ");
  return list.length > most ? `${shown} and ${list.length - most} more` : shown;
}
