import { byId, make } from "./elements.js";

/** Skill practice: tasks dealt, a timer, tallies by tap. All of it stays on the page, and works without a connection. */

const WHOLE = 600_000;

/** @param {number} ms */
function clock(ms) {
  const seconds = Math.ceil(Math.max(0, ms) / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** Deal tasks: each once before any a second time. @param {string[]} names @param {number} count @param {() => number} [draw] */
export function deal(names, count, draw = Math.random) {
  /** @type {string[]} */
  const dealt = [];
  while (dealt.length < count) {
    const deck = [...names];
    while (deck.length && dealt.length < count) dealt.push(...deck.splice(Math.floor(draw() * deck.length), 1));
  }
  return dealt;
}

function tasks() {
  const names = (byId("practice").dataset.tasks ?? "").split(" ");
  byId("deal").addEventListener("click", () => {
    const wanted = Number(/** @type {HTMLInputElement} */ (byId("observers")).value);
    const count = Math.min(13, Math.max(1, Math.round(wanted) || 1));
    const texts = deal(names, count).map((name) => document.querySelector(`[data-task="${name}"]`)?.cloneNode(true).childNodes ?? []);
    byId("dealt").replaceChildren(...texts.map((nodes, number) => make("li", {}, `Observer ${number + 1}: `, ...nodes)));
  });
}

function timer() {
  let left = WHOLE;
  /** When the time is up; null while it stands still. @type {number | null} */
  let until = null;
  const start = byId("start");
  const say = (/** @type {string} */ text) => {
    byId("spoken").textContent = text;
    byId("spoken").hidden = !text;
  };
  const draw = () => {
    if (until !== null) left = Math.max(0, until - Date.now());
    byId("left").textContent = clock(left);
    if (until !== null && !left) {
      until = null;
      say("Time. The listener speaks first.");
    } else if (until !== null && left <= 60_000 && byId("spoken").hidden) say("One minute left.");
    start.textContent = until === null ? "Start" : "Pause";
  };
  start.addEventListener("click", () => {
    if (until === null && !left) left = WHOLE;
    if (until === null && left > 60_000) say("");
    until = until === null ? Date.now() + left : null;
    draw();
  });
  byId("again").addEventListener("click", () => {
    [left, until] = [WHOLE, null];
    say("");
    draw();
  });
  setInterval(draw, 250);
  draw();
}

function tallies() {
  const buttons = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(".tally")]);
  /** @type {Map<string, number>} */
  const counts = new Map(buttons.map((button) => [button.dataset.tally ?? "", 0]));
  const of = (/** @type {string} */ name) => counts.get(name) ?? 0;
  const draw = () => {
    for (const button of buttons) {
      const number = button.querySelector("strong");
      if (number) number.textContent = String(of(button.dataset.tally ?? ""));
    }
    const [questions, reflections] = [of("open") + of("closed"), of("simple") + of("complex")];
    byId("sums").textContent = questions || reflections ? `Reflections: ${reflections}. Questions: ${questions}.` : "";
  };
  const change = (/** @type {string} */ name, /** @type {number} */ by) => {
    counts.set(name, Math.max(0, of(name) + by));
    draw();
  };
  for (const button of buttons) button.addEventListener("click", () => change(button.dataset.tally ?? "", 1));
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-less]"))) {
    button.addEventListener("click", () => change(button.dataset.less ?? "", -1));
  }
  byId("clear").addEventListener("click", () => {
    for (const name of counts.keys()) counts.set(name, 0);
    draw();
  });
  byId("keep").addEventListener("click", () => {
    const rows = buttons.map((button) => `${button.firstChild?.textContent?.trim()},${of(button.dataset.tally ?? "")}`);
    const url = URL.createObjectURL(new Blob([`what,count\n${rows.join("\n")}\n`], { type: "text/csv" }));
    Object.assign(document.createElement("a"), { href: url, download: "tallies.csv" }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  });
}

tasks();
timer();
tallies();
