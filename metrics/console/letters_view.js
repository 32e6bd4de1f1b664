// Dead letters of the whole cluster: messages that could not take effect. One of them; handled again, or dropped.

import { ask } from "./cluster.js";
import { h, keyed, setAttribute, setText, table } from "./dom.js";
import { count, moment, none, plural, some, time } from "./format.js";

// Each answer asks every shard, and a shard without owner answers with the end of the node's own patience.
const patience = 15_000;
const lookAgainAfter = 15_000;

const actions = {
  replay: {
    name: "Replay",
    warns: "Its handler runs once more, now, on the entity as it is. If it takes effect, the letter is gone; else it stays, with the reason.",
    done: "has taken effect, and its letter is gone",
  },
  discard: {
    name: "Discard",
    warns: "It is dropped for good, and its sender is not told: what it was to do stays undone.",
    done: "was dropped",
  },
};

const idOf = (letter) => `${letter.shard}/${letter.number}/${letter.at}`;
const titleOf = (letter) => `${letter.message} for ${letter.type} ${letter.key}`;
const senders = new Map([[undefined, "from outside"], ["timer", "a timer of the entity"], ["inbox", "the inbox of its shard"]]);
const senderOf = ({ source }) => senders.get(source) ?? (source.startsWith("shard/") ? `an entity of ${source.replace("/", " ")}` : source);

/** Address of one letter, or of all. A number is used again, so its time belongs to it. */
export const addressOf = (letter = null) =>
  letter === null ? "#/letters" : `#/letters?${new URLSearchParams({ shard: letter.shard, number: letter.number, at: letter.at })}`;

/** How many letters each shard has, as the nodes that hold them count; changes when there is something to ask for. */
const countsOf = (picture) => picture.shards.filter((row) => row.letters > 0).map((row) => `${row.shard}:${row.letters}`).join(" ");

/** Asks before something is done that cannot be undone. Escape and Cancel do nothing. */
class Confirmation {
  #title = h("h2", { id: "confirm-title" });
  #text = h("p");
  #yes = h("button", { type: "button", class: "strong", onclick: () => this.#close(true) });
  #no = h("button", { type: "button", onclick: () => this.#close(false) }, "Cancel");
  #answer = null;
  element = h("dialog", { "aria-labelledby": "confirm-title", onclose: () => this.#settle(false) },
    this.#title, this.#text, h("p", { class: "buttons" }, this.#no, this.#yes));

  /** @returns a promise of whether to go on */
  ask(title, text, yes) {
    setText(this.#title, title);
    setText(this.#text, text);
    setText(this.#yes, yes);
    this.element.showModal();
    this.#no.focus();
    return new Promise((resolve) => (this.#answer = resolve));
  }

  #close(agreed) {
    this.#settle(agreed);
    this.element.close();
  }

  #settle(agreed) {
    this.#answer?.(agreed);
    this.#answer = null;
  }
}

export class LettersView {
  #letters = []; // as last read
  #total = null; // null: not read yet
  #readAt = null;
  #problem = null;
  #asked = null; // counts at the last question
  #asking = 0; // number of the question under way, 0: none
  #questions = 0;
  #wanted = null; // id of the letter that the address names
  #acting = false;
  #picture = null;

  #summary = h("p", { "aria-live": "polite" }, "Asking every shard…");
  #missing = h("p", { class: "notice" });
  #said = h("p", { class: "said", role: "status", tabindex: "-1", hidden: true });
  #again = h("button", { type: "button", onclick: () => this.#ask() }, "Look again");
  #list = table("Dead letters, latest first", [
    { name: "Message" }, { name: "Entity" }, { name: "Why", wide: true }, { name: "Given up", number: true },
  ]);
  #title = h("h2", { id: "letter-title", tabindex: "-1" }, "One letter");
  #hint = h("p", { class: "notice" }, "Choose a message to see all of it, and to replay or discard it.");
  #facts = h("dl", { class: "facts" });
  #payload = h("pre", { tabindex: "0", "aria-label": "Payload" });
  #buttons = Object.entries(actions).map(([what, { name }]) => h("button", { type: "button", onclick: () => this.#act(what) }, `${name}…`));
  #letter = h("div", { hidden: true }, this.#facts, h("h3", null, "Payload"), this.#payload, h("p", { class: "buttons" }, this.#buttons));
  #confirmation = new Confirmation();

  constructor() {
    const { element, body } = this.#list;
    element.classList.add("stacking");
    setAttribute(element.firstElementChild, "role", "table");
    setAttribute(body, "role", "rowgroup");
    this.element = h("div", { class: "letters" },
      h("section", { class: "panel", "aria-labelledby": "letters-title" },
        h("div", { class: "line" }, h("h2", { id: "letters-title" }, "Messages that could not take effect"), this.#again),
        this.#said, this.#summary, this.#missing, element),
      h("section", { class: "panel", "aria-labelledby": "letter-title" }, this.#title, this.#hint, this.#letter),
      this.#confirmation.element);
  }

  route(parameters) {
    const named = ["shard", "number", "at"].map((name) => parameters.get(name));
    this.#wanted = named.includes(null) ? null : named.join("/");
    this.#show();
    if (this.#chosen() !== null) this.#title.focus();
  }

  update(picture) {
    this.#picture = picture;
    const old = this.#readAt === null || (this.#total > 0 && Date.now() - this.#readAt > lookAgainAfter);
    if (!this.#acting && this.#asking === 0 && picture.problem === null && (old || countsOf(picture) !== this.#asked)) this.#ask();
    this.#show();
  }

  /** The latest question counts: what an earlier one answers may be from before something was done. */
  async #ask() {
    const question = (this.#asking = ++this.#questions);
    this.#asked = this.#picture === null ? null : countsOf(this.#picture);
    try {
      const read = await ask("/v1/dead-letters", { patience });
      if (question !== this.#asking) return;
      if (!Array.isArray(read.letters)) throw new Error("its answer is of another form");
      const missing = read.shards_missing ?? [];
      this.#problem = missing.length === 0 ? null : `Not known: the letters of ${missing.length === 1 ? "shard" : "shards"} ${some(missing)}: ${read.reason}.`;
      this.#letters = read.letters;
      this.#total = read.total;
    } catch (error) {
      if (question !== this.#asking) return;
      this.#problem = `They cannot be read: ${error.message}.`;
    }
    this.#readAt = Date.now();
    this.#asking = 0;
    this.#show();
  }

  #chosen() {
    return this.#letters.find((letter) => idOf(letter) === this.#wanted) ?? null;
  }

  #show() {
    const shown = this.#letters.length;
    if (this.#total === null) setText(this.#summary, this.#problem === null ? "Asking every shard…" : "");
    else if (this.#total === 0) setText(this.#summary, this.#problem === null ? "There are none: no message was given up." : "None in the shards that answered.");
    else setText(this.#summary, `${shown < this.#total ? `The latest ${count(shown)} of ` : ""}${plural(this.#total, "dead letter")}, read at ${time(this.#readAt)}.`);
    setText(this.#missing, this.#problem ?? "");
    setAttribute(this.#list.element, "hidden", shown === 0 ? "" : null);
    const chosen = this.#chosen();
    keyed(this.#list.body, this.#letters, idOf, (letter) => this.#row(letter),
      (row, letter) => {
        setAttribute(row, "class", letter === chosen ? "chosen" : null);
        setAttribute(row.firstChild.firstChild, "aria-current", letter === chosen ? "true" : null);
        setText(row.children[2], letter.reason || letter.code);
      });
    this.#describe(chosen);
  }

  #row(letter) {
    return h("tr", { role: "row" },
      h("th", { role: "rowheader", scope: "row" }, h("a", { href: addressOf(letter), "aria-label": `${titleOf(letter)}, shard ${letter.shard}, number ${letter.number}` }, letter.message)),
      h("td", { role: "cell", class: "entity-name" }, `${letter.type} ${letter.key}`),
      h("td", { role: "cell", class: "details" }),
      h("td", { role: "cell", class: "number" }, moment(letter.at)));
  }

  #describe(letter) {
    this.#letter.hidden = letter === null;
    this.#hint.hidden = letter !== null;
    for (const button of this.#buttons) button.disabled = this.#acting;
    if (letter === null) {
      setText(this.#title, "One letter");
      return setText(this.#hint, this.#wanted === null || this.#total === null ? "Choose a message to see all of it, and to replay or discard it."
        : "The letter that the address names is not there (any more): it was replayed or discarded, or its shard does not answer.");
    }
    setText(this.#title, titleOf(letter));
    // Drawn once for each letter: what is selected in it stays so through the next look.
    if (this.#letter.dataset.shows === idOf(letter)) return;
    this.#letter.dataset.shows = idOf(letter);
    const entity = h("a", { href: `#/entity?${new URLSearchParams({ type: letter.type, key: letter.key })}` }, `${letter.type} ${letter.key}`);
    const facts = [["Why", `${letter.reason || none} (${letter.code.replaceAll("_", " ")})`], ["Entity", entity], ["Message id", letter.id], ["Sent by", senderOf(letter)],
      ["Sent", letter.sent_at > 0 ? moment(letter.sent_at) : none], ["Given up", moment(letter.at)], ["Kept in", `shard ${letter.shard}, number ${letter.number}`]];
    // Of a traceparent, the second part is what traces are looked up by.
    if (letter.traceparent) facts.push(["Trace", h("span", { class: "code" }, letter.traceparent.split("-")[1])]);
    this.#facts.replaceChildren(...facts.flatMap(([name, value]) => [h("dt", null, name), h("dd", null, value)]));
    setText(this.#payload, letter.payload_problem ? `It cannot be shown: ${letter.payload_problem}` : JSON.stringify(letter.payload, null, 2));
  }

  async #act(what) {
    const letter = this.#chosen();
    if (letter === null || this.#acting) return;
    const { name, warns, done } = actions[what];
    if (!(await this.#confirmation.ask(`${name} ${titleOf(letter)}?`, warns, name))) return;
    this.#acting = true;
    this.#show();
    let said;
    try {
      await ask(`/v1/dead-letters/${letter.shard}/${letter.number}/${what}`, { post: { at: letter.at }, patience });
      said = { text: `${titleOf(letter)} ${done}.`, good: true };
    } catch (error) {
      const certain = error.status === 422 || error.status === 404;
      said = { text: certain ? `${titleOf(letter)}: ${error.message}.` : `It is not known whether ${titleOf(letter)} was ${what === "replay" ? "handled" : "dropped"}: ${error.message}. The list below tells.`, good: false };
    }
    this.#acting = false;
    this.#said.hidden = false;
    setAttribute(this.#said, "class", `said ${said.good ? "good" : "bad"}`);
    setText(this.#said, said.text);
    this.#said.focus();
    await this.#ask();
  }
}
