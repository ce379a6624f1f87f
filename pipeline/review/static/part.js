/* Draws the recording, lets one drag the part, and plays its ends; the fields for times stay the truth. */
const place = document.getElementById("part");
const from = document.getElementById("start");
const to = document.getElementById("end");
const limit = Number(place.dataset.limit);

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const SNAP = 3 * SECOND; // farther than this from a pause, a handle stays where it was put

/** Minutes and seconds, after hours where there are any, with a tenth where there is one: a pause may lie between two seconds. */
const clock = (ms) => {
  const tenths = Math.floor(ms / 100);
  const [hours, minutes, seconds] = [Math.floor(tenths / 36000), Math.floor(tenths / 600) % 60, Math.floor(tenths / 10) % 60];
  const two = (number) => String(number).padStart(2, "0");
  return `${hours ? `${hours}:${two(minutes)}` : minutes}:${two(seconds)}${tenths % 10 ? `.${tenths % 10}` : ""}`;
};
const parse = (text) => {
  const parts = text.trim().split(":").map(Number);
  return parts.some(Number.isNaN) ? null : Math.round(parts.reduce((sum, part) => sum * 60 + part, 0) * 1000);
};

const { duration, peaks, pauses } = await (await fetch(place.dataset.peaks)).json();
const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
svg.setAttribute("viewBox", `0 0 ${peaks.length} 256`);
svg.setAttribute("preserveAspectRatio", "none");
svg.setAttribute("aria-hidden", "true");
const shape = (name, attributes) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  svg.append(made);
  return made;
};
const chosen = shape("rect", { y: 0, height: 256, class: "wave-part" });
shape("path", {
  d: peaks.map((peak, at) => `M${at + 0.5} ${128 - peak / 2 - 0.5}v${peak + 1}`).join(""),
  class: "wave-line",
});
const track = place.querySelector(".wave-track");
track.append(svg);
place.hidden = false;

const within = (value, least, most) => Math.max(least, Math.min(most, value));
const snapped = (time) => {
  const near = pauses.reduce((best, pause) => (Math.abs(pause - time) < Math.abs(best - time) ? pause : best), Infinity);
  return Math.abs(near - time) <= SNAP ? near : time;
};
const times = () => [parse(from.value) ?? 0, parse(to.value) ?? duration];

/** Write the part into the fields; where it would be too long, the other end follows the one that `moves`. */
function choose(start, end, moves) {
  if (moves === "start") {
    start = within(start, 0, duration - SECOND);
    end = within(end, start + SECOND, start + limit);
  } else {
    end = within(end, SECOND, duration);
    start = within(start, end - limit, end - SECOND);
  }
  from.value = clock(Math.max(0, start));
  to.value = clock(Math.min(duration, end));
  draw();
}

function handle(name, label) {
  const knob = document.createElement("div");
  knob.className = "wave-handle";
  knob.tabIndex = 0;
  for (const [key, value] of Object.entries({ role: "slider", "aria-label": label, "aria-valuemin": 0 })) knob.setAttribute(key, value);
  knob.setAttribute("aria-valuemax", Math.round(duration / SECOND));
  const move = (time) => {
    const [start, end] = times();
    choose(name === "start" ? time : start, name === "start" ? end : time, name);
    here = times()[name === "start" ? 0 : 1];
  };
  const now = () => times()[name === "start" ? 0 : 1];
  const steps = { ArrowLeft: -SECOND, ArrowDown: -SECOND, ArrowRight: SECOND, ArrowUp: SECOND, PageDown: -MINUTE, PageUp: MINUTE, Home: -duration, End: duration };
  knob.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key in steps) move(within(now() + steps[event.key], 0, duration));
    else if (event.key === "Enter" || event.key === " ") hear(now(), Infinity);
    else return;
    event.preventDefault();
  });
  let held = false;
  knob.addEventListener("pointerdown", (event) => { held = true; knob.setPointerCapture(event.pointerId); });
  knob.addEventListener("pointermove", (event) => { if (held) move(at(event)); });
  knob.addEventListener("pointerup", (event) => { if (held) move(snapped(at(event))); held = false; });
  knob.addEventListener("pointercancel", () => { held = false; });
  track.append(knob);
  return knob;
}

function draw() {
  const [start, end] = [parse(from.value), parse(to.value)];
  const length = document.getElementById("part-length");
  if (start === null || end === null || end <= start) {
    length.textContent = "";
    return;
  }
  chosen.setAttribute("x", (start / duration) * peaks.length);
  chosen.setAttribute("width", ((end - start) / duration) * peaks.length);
  place.classList.toggle("too-long", end - start > limit + 1000);
  length.textContent = `Chosen: ${clock(end - start)} of at most ${clock(limit)}`;
  for (const [knob, time] of [[first, start], [last, end]]) {
    knob.style.left = `${within(time / duration, 0, 1) * 100}%`;
    knob.setAttribute("aria-valuenow", Math.round(time / SECOND));
    knob.setAttribute("aria-valuetext", `${clock(time)}, chosen ${clock(end - start)}`);
  }
}

/* The time axis: at most six steps, so that the labels fit a phone. */
const steps = [5, 10, 30, 60, 120, 300, 600, 900, 1800, 3600].map((seconds) => seconds * SECOND);
const step = steps.find((size) => duration / size <= 6) ?? duration;
for (let time = 0; time <= duration * 0.97; time += step) {
  const label = document.createElement("span");
  label.textContent = clock(time);
  label.style.left = `${(time / duration) * 100}%`;
  place.querySelector(".wave-axis").append(label);
}

let here = times()[0];
const first = handle("start", "Beginning of the part");
const last = handle("end", "End of the part");

let anchor = null;
let dragged = false;
const at = (event) => {
  const box = svg.getBoundingClientRect();
  return within((event.clientX - box.left) / box.width, 0, 1) * duration;
};
svg.addEventListener("pointerdown", (event) => {
  svg.setPointerCapture(event.pointerId);
  [anchor, dragged] = [at(event), false];
});
svg.addEventListener("pointermove", (event) => {
  if (anchor === null || (!dragged && Math.abs(at(event) - anchor) < duration / 100)) return;
  dragged = true;
  choose(Math.min(anchor, at(event)), Math.max(anchor, at(event)), at(event) < anchor ? "end" : "start");
});
svg.addEventListener("pointerup", () => {
  if (dragged) choose(...times().map(snapped), "start");
  here = dragged ? times()[0] : (anchor ?? here);
  if (anchor !== null) show(here);
  anchor = null;
});
svg.addEventListener("pointercancel", () => { anchor = null; });

/* Hear the part from its beginning, or its last seconds; a line shows where the sound is. */
const sound = document.getElementById("part-sound");
const head = shape("path", { class: "wave-head" });
let stop = Infinity;
function hear(start, end) {
  stop = end;
  sound.currentTime = start / 1000;
  sound.play().catch(() => {});
}
const show = (time) => head.setAttribute("d", `M${(time / duration) * peaks.length} 0v256`);
sound.addEventListener("timeupdate", () => {
  const now = sound.currentTime * 1000;
  show(now);
  if (now >= stop) {
    sound.pause();
    stop = Infinity;
  }
});
document.getElementById("hear-start").addEventListener("click", () => hear(parse(from.value) ?? 0, parse(to.value) ?? Infinity));
document.getElementById("hear-here").addEventListener("click", () => hear(here, Infinity));
document.getElementById("hear-end").addEventListener("click", () => {
  const end = parse(to.value) ?? duration;
  hear(Math.max(parse(from.value) ?? 0, end - 8000), end);
});
/* Once the part is handed in, this sound is no more: the page must not ask for another piece of it. */
for (const form of document.querySelectorAll("form:not(#suggestion form)")) {
  form.addEventListener("submit", () => {
    sound.removeAttribute("src");
    sound.load();
  });
}
for (const id of ["part-drag", "part-hear", "part-length"]) document.getElementById(id).hidden = false;

from.addEventListener("input", draw);
to.addEventListener("input", draw);
draw();
