/**
 * What a browser remembers between two loads of a page: where its coder was in a pass, and how large the text is. Nothing
 * of what is said on a tape; who signs out leaves no place behind.
 */

const PLACES = "tape-review/place/";
const SIZE = "tape-review/text-size";
export const SIZES = [1, 1.25, 1.5, 2];

/** @param {{person: string, tape: string, pass: string}} whose */
const key = ({ person, tape, pass }) => `${PLACES}${person}/${tape}/${pass}`;

/** @param {{person: string, tape: string, pass: string}} whose @param {{utterance: string, time: number}} place */
export function remember(whose, place) {
  try {
    localStorage.setItem(key(whose), JSON.stringify(place));
  } catch {
    // The storage is full, or closed: the page then begins at the start.
  }
}

/** @param {{person: string, tape: string, pass: string}} whose @returns {{utterance: string, time: number} | null} */
export function recall(whose) {
  try {
    return JSON.parse(localStorage.getItem(key(whose)) ?? "null");
  } catch {
    return null;
  }
}

/** Forget where a person was, on all tapes or on one. @param {string} person @param {string} [tape] @param {Storage} [storage] */
export function forget(person, tape = "", storage = localStorage) {
  const prefix = `${PLACES}${person}/${tape ? `${tape}/` : ""}`;
  const names = Array.from({ length: storage.length }, (_, at) => storage.key(at) ?? "");
  for (const name of names.filter((each) => each.startsWith(prefix))) storage.removeItem(name);
}

/** The size of the text, one of `SIZES`; it is changed by the two buttons of a page. @param {HTMLElement} smaller @param {HTMLElement} larger */
export function textSize(smaller, larger) {
  let size = Math.max(0, SIZES.indexOf(Number(localStorage.getItem(SIZE) ?? 1)));
  const set = (/** @type {number} */ to) => {
    size = Math.min(Math.max(0, to), SIZES.length - 1);
    document.documentElement.style.setProperty("--text-size", String(SIZES[size]));
    localStorage.setItem(SIZE, String(SIZES[size]));
    smaller.toggleAttribute("disabled", size === 0);
    larger.toggleAttribute("disabled", size === SIZES.length - 1);
  };
  smaller.addEventListener("click", () => set(size - 1));
  larger.addEventListener("click", () => set(size + 1));
  set(size);
}
