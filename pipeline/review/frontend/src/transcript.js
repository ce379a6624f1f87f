import { chip } from "./chips.js";
import { make } from "./elements.js";
import { heard, ROLES } from "./layout.js";
import { clock } from "./player.js";

/**
 * The transcript, in step with the sound: utterance by utterance, word by word.
 *
 * @typedef {import("./layout.js").Utterance} Utterance
 * @typedef {import("./chips.js").Code} Code
 * @typedef {import("./changes.js").State} State
 */

/** How often a row is scrolled to before it stays where it is: each look brings it nearer, and a page never wanders for ever. */
const MOST_LOOKS = 20;

/** In which other language an utterance is, and whether anybody coded it. @param {Utterance} one @param {boolean} coded */
export function languageMark(one, coded) {
  const title = "The machine suggests codes for English alone. Code it by hand if you know the language: then it counts.";
  return make("span", { class: "soft small language", title }, coded ? one.language ?? "" : `${one.language}, not coded`);
}

/** @param {string} role of who made the sound */
function unclearMark(role) {
  const who = role === "interviewer" || role === "client" ? ROLES[role] : "Someone";
  return make("span", { class: `unclear ${role}`, title: "Check by ear whether something was said" }, `${who}: unclear sound`);
}

export class Transcript {
  /**
   * @param {HTMLElement} list @param {Map<string, Code>} codes @param {import("./layout.js").Unclear[]} unclear
   * @param {{select: (id: string, word?: string) => void, follow: (on: boolean) => void}} on
   * @param {boolean} [silent] there is no sound: utterances have numbers instead of times
   */
  constructor(list, codes, unclear, on, silent = false) {
    this.list = list;
    this.codes = codes;
    this.unclear = unclear;
    this.silent = silent;
    this.following = true;
    /** @type {Map<string, HTMLElement>} */
    this.rows = new Map();
    /** @type {Map<string, string>} */
    this.drawn = new Map();
    this.on = on;
    list.addEventListener("click", (event) => this.click(event));
    this.wanted = "";
    this.looks = 0;
    for (const kind of ["wheel", "touchmove"]) window.addEventListener(kind, () => this.pause(), { passive: true });
    for (const kind of ["wheel", "touchmove", "pointerdown", "keydown"]) {
      window.addEventListener(kind, () => { this.wanted = ""; }, { capture: true, passive: true });
    }
    window.addEventListener("scrollend", () => this.look());
    new ResizeObserver(() => this.look()).observe(document.body);
  }

  /** @param {Event} event */
  click(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    const row = /** @type {HTMLElement | null} */ (target.closest(".utterance"));
    if (row && !target.closest("textarea,button.plain")) {
      const word = /** @type {HTMLElement | null} */ (target.closest(".word"));
      this.on.select(row.dataset.id ?? "", word?.dataset.word);
    }
  }

  /** The reader scrolls: leave the page where it is. */
  pause() {
    if (this.following) this.on.follow(false);
  }

  /** Show all utterances; only what changed is drawn anew. @param {Utterance[]} utterances @param {Map<string, State>} states */
  show(utterances, states) {
    const seen = new Set();
    const sounds = heard(this.unclear, utterances);
    let before = null;
    utterances.forEach((one, at) => {
      seen.add(one.id);
      const first = at === 0 || utterances[at - 1].turn !== one.turn || utterances[at - 1].role !== one.role;
      const unclear = sounds.get(one.id) ?? [];
      const where = this.silent ? `#${at + 1}` : clock(one.start);
      const key = JSON.stringify([one, states.get(one.id), first, unclear, where]);
      let row = this.rows.get(one.id);
      if (!row || this.drawn.get(one.id) !== key) {
        const fresh = this.row(one, states.get(one.id), first, unclear, where);
        if (row) {
          for (const name of ["current", "cursor", "match"]) fresh.classList.toggle(name, row.classList.contains(name));
          for (const name of ["aria-selected", "tabindex"]) fresh.setAttribute(name, row.getAttribute(name) ?? "");
          const focused = row === document.activeElement;
          row.replaceWith(fresh);
          // A screen reader stays at the row, and reads it with its new code.
          if (focused) fresh.focus({ preventScroll: true });
        }
        row = fresh;
        this.rows.set(one.id, row);
        this.drawn.set(one.id, key);
        this.spoken = null;
      }
      const next = before ? before.nextSibling : this.list.firstChild;
      if (next !== row) this.list.insertBefore(row, next);
      before = row;
    });
    for (const [id, row] of this.rows) {
      if (!seen.has(id)) {
        row.remove();
        this.rows.delete(id);
        this.drawn.delete(id);
      }
    }
  }

  /**
   * @param {Utterance} one @param {State | undefined} state @param {boolean} first of its turn
   * @param {{after: number, role: string}[]} unclear @param {string} where its time, or its number
   */
  row(one, state, first, unclear, where) {
    /** @param {number} after */
    const sounds = (after) => unclear.filter((sound) => sound.after === after).flatMap(({ role }) => [unclearMark(role), " "]);
    const words = one.words.flatMap((word, at) => [
      ...(at ? [] : sounds(0)),
      make(
        "span",
        { class: word.masked ? "word masked" : "word", "data-word": word.id, title: word.masked ? "A masked name" : null },
        word.text,
      ),
      " ",
      ...sounds(at + 1),
    ]);
    return make(
      "div",
      {
        class: `utterance ${one.role}${first ? " first" : ""}`, "data-id": one.id, id: `row-${one.id}`,
        role: "row", "aria-selected": "false", tabindex: "-1",
      },
      make("span", { class: "time", role: "gridcell" }, where),
      make("span", { class: "who", role: "gridcell" }, first ? ROLES[one.role] ?? one.role : make("span", { class: "unseen" }, ROLES[one.role] ?? one.role)),
      make("p", { class: "said", role: "gridcell" }, ...words, one.edited ? make("span", { class: "edited", title: "Corrected by hand" }, "✎", make("span", { class: "unseen" }, " corrected")) : null),
      make("span", { class: "codes", role: "gridcell" }, ...this.chips(one, state)),
    );
  }

  /** One's own codes; before there are any, the machine's suggestion. @param {Utterance} one @param {State | undefined} state */
  chips(one, state) {
    const language = one.language ? [languageMark(one, Boolean(state?.codes.length))] : [];
    if (state) {
      const own = state.codes.map((name) => this.codes.get(name)).filter((code) => code !== undefined);
      const chips = own.map((code) => chip(code, { unsure: state.unsure }));
      if (chips.length || (language.length && !state.unsure)) return [...language, ...chips];
      return [...language, make("span", { class: "chip hand empty" }, state.unsure ? "unsure" : "no code")];
    }
    if (!one.pretag) return language;
    const { codes, probability } = one.pretag;
    const known = codes.map((name) => this.codes.get(name)).filter((code) => code !== undefined);
    return known.map((code, at) => chip(code, { machine: true, probability: at ? null : probability }));
  }

  /** One row alone can be reached by Tab: the current one. @param {string} id @param {string | null} [word] the cursor within it */
  select(id, word = null) {
    for (const old of this.list.querySelectorAll(".current, .cursor")) {
      old.classList.remove("current", "cursor");
      if (!old.matches(".utterance")) continue;
      old.setAttribute("aria-selected", "false");
      old.setAttribute("tabindex", "-1");
    }
    const row = this.rows.get(id);
    row?.classList.add("current");
    row?.setAttribute("aria-selected", "true");
    row?.setAttribute("tabindex", "0");
    if (word) row?.querySelector(`[data-word="${CSS.escape(word)}"]`)?.classList.add("cursor");
    if (this.following) this.center(row);
  }

  /** Bring a row into sight, and hold it there until the reader acts. @param {HTMLElement | undefined} row */
  center(row) {
    if (!row) return;
    this.wanted = row.dataset.id ?? "";
    this.looks = 0;
    this.look();
  }

  /**
   * Scroll to the row that is wanted, if it is out of sight. Rows get their real heights only when they are drawn, and a smooth
   * scroll can be cut short: so this runs again whenever a scroll ends or the page changes its size.
   */
  look() {
    const row = this.rows.get(this.wanted);
    if (!row || this.looks > MOST_LOOKS) return;
    const { top, bottom } = row.getBoundingClientRect();
    const head = document.querySelector(".toolbar")?.getBoundingClientRect().bottom ?? 0;
    const low = [...document.querySelectorAll(".panel-codes")].find((panel) => getComputedStyle(panel).position === "fixed");
    const foot = low?.getBoundingClientRect().top ?? window.innerHeight;
    const by = top - head - (foot - head) * 0.3;
    if ((top >= head + 24 && bottom <= foot - 48) || Math.abs(by) < 1) return;
    const near = Math.abs(by) <= 2 * window.innerHeight;
    const smooth = this.looks === 0 && near && !window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.looks += 1;
    window.scrollBy({ top: by, behavior: smooth ? "smooth" : "instant" });
  }

  /** Put the focus on the current row: a screen reader reads what the keys have reached. @param {string} id */
  focus(id) {
    this.rows.get(id)?.focus({ preventScroll: true });
  }

  /** The word that is heard now. @param {string | null} id @param {string | null} word */
  speak(id, word) {
    const element = id && word ? this.rows.get(id)?.querySelector(`[data-word="${CSS.escape(word)}"]`) ?? null : null;
    if (element === this.spoken) return;
    this.spoken?.classList.remove("heard");
    element?.classList.add("heard");
    this.spoken = element;
  }
}
