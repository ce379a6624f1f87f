import { conceal, leave } from "./leaving.js";

const EVERY = 15_000;
const TAPE = /^\/tapes\/([0-9a-f]{16})(?!.*\/(?:withdraw|destroy)$)/;

/**
 * See to it that a page goes once its viewer is signed out or may no longer see its tape. To ask so keeps nobody signed
 * in. A page on which somebody typed what is stored nowhere stays while that person is only signed out.
 */
export function attend() {
  let typed = false;
  document.addEventListener("input", (event) => {
    const form = event.target instanceof Element ? event.target.closest("form") : null;
    typed ||= Boolean(form) && !form?.hasAttribute("data-keep");
  });
  const tape = TAPE.exec(window.location.pathname)?.[1] ?? "";
  const look = async () => {
    try {
      const answer = await fetch(`/here?tape=${tape}`, { headers: { Accept: "application/json", "X-Unattended": "1" } });
      const unsaved = typed || document.querySelector("form[data-unsaved]");
      if (answer.status === 404 || (answer.status === 401 && !unsaved)) leave();
    } catch {
      // No connection: the next look may have one.
    }
  };
  // The pages on which a tape is coded ask by themselves, more often, and keep what waits.
  if (!document.querySelector("#coding, #together")) {
    setInterval(look, EVERY);
    document.addEventListener("visibilitychange", () => document.hidden || look());
  }
  // A browser that goes back shows a page as it was left, without asking: nothing is left in it, and it is loaded anew.
  window.addEventListener("pagehide", ({ persisted }) => persisted && conceal(""));
  window.addEventListener("pageshow", ({ persisted }) => persisted && window.location.reload());
}
