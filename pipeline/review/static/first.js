/* "You first": the questions one screen at a time, and the transcript in step with the sound. Without scripts the page
   is one long form. Nothing is stored here: what is typed goes to the server by `keep.js`. */
const screens = [...document.querySelectorAll("[data-screen]")];
const turn = document.querySelector("[data-turn]");
const actions = document.querySelector(".actions");
const HASH = /^#screen-(\d+)$/;

/** The screen that the address names, from 0; the first where it names none, or the server says what is lacking. */
function wanted() {
  const number = Number(HASH.exec(window.location.hash)?.[1] ?? 1);
  return Math.min(Math.max(number, 1), screens.length) - 1;
}

/** @param {boolean} moves whether somebody turned to another screen, which the page then leads to */
function show(moves) {
  const current = wanted();
  screens.forEach((screen, number) => {
    screen.hidden = number !== current;
  });
  for (const each of document.querySelectorAll("[data-intro]")) each.hidden = current > 0;
  const [back, next] = turn.querySelectorAll("button");
  const isLast = current === screens.length - 1;
  [back.hidden, next.hidden] = [current === 0, isLast];
  turn.querySelector("[data-count]").textContent = `${current + 1} of ${screens.length}`;
  // Who begins may be done soon, or skip it all; between, there is only one way on. What is typed is saved by itself.
  actions.hidden = current > 0 && !isLast;
  actions.querySelector('[value="save"]').hidden = !isLast;
  actions.querySelector('[value="done"]').className = isLast ? "" : "second";
  if (!moves) return;
  const heading = screens[current].querySelector("h2");
  heading.focus({ preventScroll: true });
  const isCut = screens[current].closest("form").getBoundingClientRect().bottom > window.innerHeight;
  if (isCut || heading.getBoundingClientRect().top < 0) heading.scrollIntoView();
}

for (const button of turn.querySelectorAll("button")) {
  button.addEventListener("click", () => {
    window.location.hash = `#screen-${wanted() + 1 + Number(button.dataset.by)}`;
  });
}
window.addEventListener("hashchange", () => show(true));
if (document.querySelector(".problem")) window.history.replaceState(null, "", window.location.pathname);
turn.hidden = false;
show(false);

const player = document.querySelector("audio.player");
const list = document.querySelector(".lines");
const lines = list ? [...list.children] : [];
let heard = null;

/** Mark the line that is heard, and keep it in sight within the list. */
function follow() {
  const now = player.currentTime * 1000;
  const line = lines.findLast(({ dataset }) => Number(dataset.at) <= now) ?? null;
  if (line === heard) return;
  heard?.removeAttribute("aria-current");
  heard = line;
  if (!line) return;
  line.setAttribute("aria-current", "true");
  const [above, below] = [line.offsetTop - list.scrollTop, line.offsetTop + line.offsetHeight - list.scrollTop];
  if (above < 0 || below > list.clientHeight) list.scrollTop = line.offsetTop - list.clientHeight / 3;
}

if (player) {
  player.addEventListener("timeupdate", follow);
  player.addEventListener("seeked", follow);
  list.addEventListener("click", (event) => {
    const link = event.target.closest("a.moment");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    player.currentTime = Number(link.closest("li").dataset.at) / 1000;
    player.play().catch(() => {}); // another place was chosen before it began
  });
}
