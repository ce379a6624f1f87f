import { leave } from "./leaving.js";

const EVERY = 2_000;
const BOX = "#progress[data-follow]";

/** Renew the box that follows the machine's work; where the answer has none, the work has ended: load the page anew. */
export function follow() {
  if (document.querySelector(BOX)) setTimeout(look, EVERY);
}

async function look() {
  const box = /** @type {HTMLElement} */ (document.querySelector(BOX));
  if (!box) return; // the page was taken away: its viewer may no longer see it
  try {
    const headers = { Accept: "application/json", "X-Unattended": "1" };
    const answer = await fetch(box.dataset.follow ?? "", { headers });
    if (answer.status === 401 || answer.status === 404) return leave();
    if (answer.ok) {
      const renewed = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector(BOX);
      if (!renewed) return window.location.reload();
      const focused = box.contains(document.activeElement) ? document.activeElement?.id : "";
      box.replaceWith(renewed);
      if (focused) document.getElementById(focused)?.focus();
    }
  } catch {
    // No connection: the next look may have one.
  }
  setTimeout(look, EVERY);
}
