import { icon } from "./chips.js";
import { byId, make } from "./elements.js";
import { clock } from "./player.js";

/**
 * Beside the transcript: the codes to give, and what to check first.
 *
 * @typedef {import("./layout.js").Utterance} Utterance
 * @typedef {import("./chips.js").Code} Code
 */

const LISTED = 40;

export class Panel {
  /**
   * @param {Code[]} codes @param {{code: (name: string) => void, select: (id: string) => void}} on
   * @param {(one: Utterance) => string} where an utterance stands: its time, or its number
   */
  constructor(codes, on, where = (one) => clock(one.start)) {
    this.where = where;
    this.on = on;
    this.codes = codes;
    /** @type {Map<string, HTMLElement>} */
    this.buttons = new Map();
    for (const [role, title] of [["interviewer", "Interviewer"], ["client", "Client"]]) {
      const own = codes.filter((code) => code.role === role);
      if (!own.length) continue;
      const group = make("div", { class: `keys ${role}`, role: "group", "aria-label": `Codes for the ${role}` });
      group.hidden = !own.some((code) => code.task);
      group.append(make("h3", {}, title), ...own.map((code) => this.button(code)));
      byId("code-buttons").append(group);
    }
    this.checked = "";
  }

  /** @param {Code} code */
  button(code) {
    const button = make(
      "button",
      { type: "button", class: `code c-${code.color}${code.task ? "" : " aside"}`, "aria-pressed": "false", onclick: () => this.on.code(code.name) },
      icon(code),
      make("span", { class: "label" }, code.label),
      make("kbd", {}, code.shown),
    );
    this.buttons.set(code.name, button);
    return button;
  }

  /** The buttons for the utterance that is coded now. @param {Utterance | undefined} one @param {string[]} given */
  show(one, given) {
    for (const code of this.codes) {
      const button = this.buttons.get(code.name);
      button?.setAttribute("aria-pressed", String(given.includes(code.name)));
      button?.classList.toggle("other-role", Boolean(one && one.role !== "unknown" && one.role !== code.role));
    }
  }

  /** What the machine is least sure of and nobody has coded yet, least sure first. @param {Utterance[]} queue */
  check(queue) {
    const key = queue.map((one) => `${one.id} ${this.where(one)}`).join();
    byId("check-count").textContent = String(queue.length);
    if (key === this.checked) return;
    this.checked = key;
    const rows = queue.slice(0, LISTED).map((one) =>
      make(
        "li",
        {},
        make(
          "button",
          { type: "button", class: "check plain", onclick: () => this.on.select(one.id) },
          make("span", { class: "time" }, this.where(one)),
          make("span", { class: "said" }, one.words.map((word) => word.text).join(" ")),
          make("span", { class: "probability" }, `${Math.round((one.pretag?.probability ?? 0) * 100)} %`),
        ),
      ),
    );
    byId("check-first").replaceChildren(...rows);
    byId("check-none").hidden = queue.length > 0;
  }
}

/** How sure the machine is, from least. @param {Utterance[]} utterances @param {Map<string, any>} states @returns {Utterance[]} */
export function unchecked(utterances, states) {
  return utterances
    .filter((one) => one.pretag?.check && !states.has(one.id))
    .sort((one, other) => (one.pretag?.probability ?? 1) - (other.pretag?.probability ?? 1) || one.start - other.start);
}
