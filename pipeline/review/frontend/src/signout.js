import { drop, left, places } from "./outbox.js";

/** Who is signed in: a name that tells nothing. */
export const person = () => document.querySelector('meta[name="person"]')?.getAttribute("content") ?? "";

/** Whoever signs out leaves nothing in this browser, and is asked first where something still waits. */
export function guard() {
  const form = /** @type {HTMLFormElement | null} */ (document.querySelector('form[action="/logout"]'));
  form?.addEventListener("submit", async (event) => {
    event.preventDefault();
    // A page that holds changes itself tries once more to send them.
    const asked = new CustomEvent("tape-review:leaving", { detail: { waiting: 0, sent: Promise.resolve() } });
    document.dispatchEvent(asked);
    await asked.detail.sent;
    const waiting = Math.max(left(person()), asked.detail.waiting);
    const changes = waiting === 1 ? "1 change is" : `${waiting} changes are`;
    if (waiting && !window.confirm(`${changes} not saved yet. Sign out and lose ${waiting === 1 ? "it" : "them"}?`)) return;
    drop(person());
    document.dispatchEvent(new CustomEvent("tape-review:left"));
    form.submit();
  });
}

/** Let go of what waits for tapes that are no longer there for this person. */
export async function sweep() {
  for (const [tape, pass] of places(person())) {
    const address = `/tapes/${tape}/passes/${pass}/mark`;
    if (window.location.pathname === `/tapes/${tape}/passes/${pass}`) continue; // the page itself sees to it
    try {
      const answer = await fetch(address, { headers: { Accept: "application/json", "X-Unattended": "1" } });
      if (answer.status === 404) drop(person(), tape);
    } catch {
      return; // No connection: the next page may have one.
    }
  }
}
