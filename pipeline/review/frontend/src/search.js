import { byId } from "./elements.js";

/**
 * Search in the transcript, as far as its reader sees it: Enter goes to the next utterance that holds the text, Shift and
 * Enter to the one before, Escape back to coding. Letter case and marks between words do not matter.
 *
 * @typedef {import("./layout.js").Utterance} Utterance
 */

/** @param {string} text */
const plain = (text) => text.toLocaleLowerCase().normalize("NFD").replace(/[^\p{L}\p{N}▇]+/gu, " ").trim();

/** The utterances that hold a text. @param {Utterance[]} utterances @param {string} text @returns {string[]} */
export function matches(utterances, text) {
  const wanted = plain(text);
  if (!wanted) return [];
  return utterances.filter((one) => plain(one.words.map((word) => word.text).join(" ")).includes(wanted)).map((one) => one.id);
}

export class Search {
  /** @param {() => Utterance[]} utterances @param {() => string} current @param {(id: string) => void} go @param {() => void} leave */
  constructor(utterances, current, go, leave) {
    this.utterances = utterances;
    this.current = current;
    this.go = go;
    this.field = /** @type {HTMLInputElement} */ (byId("search"));
    this.field.addEventListener("input", () => this.show());
    this.field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") {
        event.preventDefault();
        this.step(event.shiftKey ? -1 : 1);
      } else if (event.key === "Escape") {
        this.field.value = "";
        this.show();
        leave();
      }
    });
  }

  open() {
    this.field.focus();
    this.field.select();
  }

  /** Mark the rows that hold the text. @returns {string[]} their utterances */
  show() {
    const ids = matches(this.utterances(), this.field.value);
    for (const row of document.querySelectorAll(".utterance")) {
      row.classList.toggle("match", ids.includes(/** @type {HTMLElement} */ (row).dataset.id ?? ""));
    }
    byId("search-count").textContent = this.field.value.trim() ? `${ids.length} found` : "";
    return ids;
  }

  /** @param {1 | -1} by */
  step(by) {
    const ids = this.show();
    if (!ids.length) return;
    const order = this.utterances().map((one) => one.id);
    const at = order.indexOf(this.current());
    const next = by > 0
      ? ids.find((id) => order.indexOf(id) > at) ?? ids[0]
      : ids.findLast((id) => order.indexOf(id) < at) ?? ids[ids.length - 1];
    this.go(next);
    byId("search-count").textContent = `${ids.indexOf(next) + 1} of ${ids.length}`;
  }
}
