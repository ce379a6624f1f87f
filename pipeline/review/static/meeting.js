/* The quiet timer of a meeting: which step it is, and how long it still takes. It makes no sound, and moves once a
   minute. Clock times come from the server, so that a wrong clock of this computer does not matter. */
const MINUTE = 60_000;
const timer = document.getElementById("timer");
const rows = [...document.querySelectorAll("tr[data-begins]")];
const ahead = Number(timer.dataset.now) - Date.now();

const minutes = (ms) => {
  const whole = Math.ceil(ms / MINUTE);
  return `${whole} minute${whole === 1 ? "" : "s"}`;
};

/** What the timer says at a moment; "" where there is nothing to say. */
function words(now) {
  const row = rows.find(({ dataset }) => now >= dataset.begins && now < dataset.ends);
  for (const each of rows) {
    if (each === row) each.setAttribute("aria-current", "step");
    else each.removeAttribute("aria-current");
  }
  const { begins } = rows[0].dataset;
  const { ends } = rows.at(-1).dataset;
  if (row) return `Now: ${row.querySelector("strong").textContent}. ${minutes(row.dataset.ends - now)} left.`;
  if (now < begins && begins - now <= 60 * MINUTE) return `The meeting begins in ${minutes(begins - now)}.`;
  if (now >= ends && now - ends <= 60 * MINUTE) return "The time of the meeting is over.";
  return "";
}

function draw() {
  const text = words(Date.now() + ahead);
  if (timer.textContent !== text) timer.textContent = text;
  timer.hidden = !text;
}

setInterval(draw, 1000);
draw();
