/* Draws the recording, lets one drag the part, and plays its ends; the fields for times stay the truth. */
const place = document.getElementById("part");
const from = document.getElementById("start");
const to = document.getElementById("end");
const limit = Number(place.dataset.limit);

const clock = (ms) => `${Math.floor(ms / 60000)}:${String(Math.floor(ms / 1000) % 60).padStart(2, "0")}`;
const parse = (text) => {
  const parts = text.trim().split(":").map(Number);
  return parts.some(Number.isNaN) ? null : parts.reduce((sum, part) => sum * 60 + part, 0) * 1000;
};

const { duration, peaks } = await (await fetch(place.dataset.peaks)).json();
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
place.append(svg);
place.hidden = false;

function draw() {
  const [start, end] = [parse(from.value), parse(to.value)];
  if (start === null || end === null || end <= start) return;
  chosen.setAttribute("x", (start / duration) * peaks.length);
  chosen.setAttribute("width", ((end - start) / duration) * peaks.length);
  place.classList.toggle("too-long", end - start > limit + 1000);
}

let anchor = null;
const at = (event) => {
  const box = svg.getBoundingClientRect();
  return Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)) * duration;
};
svg.addEventListener("pointerdown", (event) => {
  svg.setPointerCapture(event.pointerId);
  anchor = at(event);
  from.value = clock(anchor);
  to.value = clock(Math.min(duration, anchor + limit));
  draw();
});
svg.addEventListener("pointermove", (event) => {
  if (anchor === null) return;
  const here = at(event);
  if (Math.abs(here - anchor) < duration / 100) return;
  const [start, end] = [Math.min(anchor, here), Math.max(anchor, here)];
  from.value = clock(start);
  to.value = clock(Math.min(end, start + limit));
  draw();
});
svg.addEventListener("pointerup", () => { anchor = null; });

/* Hear the part from its beginning, or its last seconds; a line shows where the sound is. */
const sound = document.getElementById("part-sound");
const head = shape("path", { class: "wave-head" });
let stop = Infinity;
function hear(start, end) {
  stop = end;
  sound.currentTime = start / 1000;
  sound.play().catch(() => {});
}
sound.addEventListener("timeupdate", () => {
  const now = sound.currentTime * 1000;
  head.setAttribute("d", `M${(now / duration) * peaks.length} 0v256`);
  if (now >= stop) {
    sound.pause();
    stop = Infinity;
  }
});
document.getElementById("hear-start").addEventListener("click", () => hear(parse(from.value) ?? 0, parse(to.value) ?? Infinity));
document.getElementById("hear-end").addEventListener("click", () => {
  const end = parse(to.value) ?? duration;
  hear(Math.max(parse(from.value) ?? 0, end - 8000), end);
});
/* Once the part is handed in, this sound is no more: the page must not ask for another piece of it. */
for (const form of document.forms) {
  form.addEventListener("submit", () => {
    sound.removeAttribute("src");
    sound.load();
  });
}
for (const id of ["part-drag", "part-hear"]) document.getElementById(id).hidden = false;

from.addEventListener("input", draw);
to.addEventListener("input", draw);
draw();
