import { fresh } from "./changes.js";
import { byId, make } from "./elements.js";
import { clock } from "./player.js";

/**
 * Notes on a moment: a key, a line, Enter. They wait and are sent like codes, and are their author's alone until shared.
 *
 * @typedef {{id: string, moment: number, text: string}} Note
 */
export class Notes {
  /**
   * @param {Note[]} stored @param {import("./outbox.js").Outbox} outbox @param {boolean} silent moments are numbers of utterances
   * @param {{play: (moment: number) => void, back: () => void}} on
   */
  constructor(stored, outbox, silent, on) {
    this.outbox = outbox;
    this.silent = silent;
    this.on = on;
    this.moment = 0;
    this.utterance = "";
    this.field = /** @type {HTMLInputElement} */ (byId("note"));
    byId("note-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.keep();
    });
    this.field.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
    });
    this.load(stored);
  }

  /** @param {Note[]} stored what the server has; what waits is shown with it */
  load(stored) {
    const waiting = this.outbox.waiting().filter((one) => one.kind === "note");
    this.list = [...stored, ...waiting.map(({ id, audio_ms: moment, payload }) => ({ id, moment: moment ?? 0, text: payload.text }))];
    this.draw();
  }

  /** @param {string} utterance @param {number} moment */
  open(utterance, moment) {
    this.utterance = utterance;
    this.moment = moment;
    byId("note-form").hidden = false;
    byId("note-label").textContent = `Note at ${this.words(moment)}`;
    this.field.focus();
  }

  keep() {
    const text = this.field.value.trim();
    if (text) {
      const change = { id: fresh(), kind: "note", utterance_id: this.utterance, payload: { text }, audio_ms: this.moment };
      this.outbox.add(change);
      this.list = [...(this.list ?? []), { id: change.id, moment: this.moment, text }];
      this.draw();
    }
    this.close();
  }

  close() {
    this.field.value = "";
    byId("note-form").hidden = true;
    this.on.back();
  }

  /** @param {number} moment */
  words(moment) {
    return this.silent ? `#${moment}` : clock(moment);
  }

  draw() {
    const rows = [...(this.list ?? [])].sort((one, other) => one.moment - other.moment).map(({ moment, text }) =>
      make("li", {}, make("button", { type: "button", class: "plain moment", onclick: () => this.on.play(moment) }, this.words(moment)), " ", text));
    byId("notes").replaceChildren(...rows);
    byId("notes-none").hidden = rows.length > 0;
  }
}
