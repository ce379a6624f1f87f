/**
 * What a browser remembers between two loads of a page. Where its coder was in a pass, under the names of tape and pass:
 * in this tab alone, and who signs out leaves no place behind. How large the text is, once somebody has chosen it: that
 * tells of no tape, and holds in every tab.
 */

const PLACES = "tape-review/place/";
const SIZE = "tape-review/text-size";
export const SIZES = [1, 1.25, 1.5, 2];

/** @param {{person: string, tape: string, pass: string}} whose */
const key = ({ person, tape, pass }) => `${PLACES}${person}/${tape}/${pass}`;

/** @param {{person: string, tape: string, pass: string}} whose @param {{utterance: string, time: number}} place */
export function remember(whose, place) {
  try {
    sessionStorage.setItem(key(whose), JSON.stringify(place));
  } catch {
    // The storage is full, or closed: the page then begins at the start.
  }
}

/** @param {{person: string, tape: string, pass: string}} whose @returns {{utterance: string, time: number} | null} */
export function recall(whose) {
  try {
    return JSON.parse(sessionStorage.getItem(key(whose)) ?? "null");
  } catch {
    return null;
  }
}

/** Forget where a person was, on all tapes or on one. @param {string} person @param {string} [tape] */
export function forget(person, tape = "") {
  const prefix = `${PLACES}${person}/${tape ? `${tape}/` : ""}`;
  try {
    for (const name of Object.keys(sessionStorage).filter((each) => each.startsWith(prefix))) sessionStorage.removeItem(name);
  } catch {
    // The storage is closed: nothing was remembered.
  }
}

/** The size of the text, one of `SIZES`; it is changed by the two buttons of a page. @param {HTMLElement} smaller @param {HTMLElement} larger */
export function textSize(smaller, larger) {
  let size = Math.max(0, SIZES.indexOf(Number(localStorage.getItem(SIZE) ?? 1)));
  const show = () => {
    document.documentElement.style.setProperty("--text-size", String(SIZES[size]));
    smaller.toggleAttribute("disabled", size === 0);
    larger.toggleAttribute("disabled", size === SIZES.length - 1);
  };
  const choose = (/** @type {number} */ to) => {
    size = Math.min(Math.max(0, to), SIZES.length - 1);
    localStorage.setItem(SIZE, String(SIZES[size]));
    show();
  };
  smaller.addEventListener("click", () => choose(size - 1));
  larger.addEventListener("click", () => choose(size + 1));
  show();
}
