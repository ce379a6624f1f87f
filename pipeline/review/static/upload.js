/* Sends a recording in pieces, and goes on where it was cut. Without this script the form sends it at once. */
const form = document.getElementById("upload");
const state = document.getElementById("upload-state");
const bar = document.getElementById("upload-progress");
const button = form.querySelector("button");
const url = `/uploads/${form.dataset.tape}`;
const headers = { "X-CSRF-Token": document.querySelector('meta[name="csrf"]').content };
const PIECE = 4 * 1024 * 1024;

const wait = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));
const say = (text) => { state.textContent = text; };

async function ask(options) {
  const answer = await fetch(url, options);
  const found = answer.headers.get("content-type")?.includes("json") ? await answer.json() : {};
  return { status: answer.status, ...found };
}

async function send(file) {
  if (file.size > Number(form.dataset.limit) * 1e6) {
    throw new Error(`This is larger than ${form.dataset.limit} MB. Export it as Opus, M4A or MP3.`);
  }
  let { offset } = await ask({ headers });
  let pause = 1;
  for (;;) {
    bar.value = offset / file.size;
    say(offset < file.size ? `${Math.round((100 * offset) / file.size)} % sent` : "Looking it over …");
    const length = { "Upload-Offset": offset, "Upload-Length": file.size, "Content-Type": "application/octet-stream" };
    if (offset + PIECE >= file.size) say("Sending the last piece, then looking it over …");
    let answer;
    try {
      answer = await ask({ method: "PUT", headers: { ...headers, ...length }, body: file.slice(offset, offset + PIECE) });
    } catch {
      say(`The connection is cut. Trying again in ${pause} s …`);
      await wait(pause);
      pause = Math.min(30, pause * 2);
      try { offset = (await ask({ headers })).offset ?? offset; } catch { /* still cut: the next round tries again */ }
      continue;
    }
    if (answer.status === 401) throw new Error("You were signed out. Sign in again; what was sent is kept.");
    if (answer.status === 409) { offset = (await ask({ headers })).offset; continue; }
    if (answer.status !== 200) throw new Error(`${answer.detail ?? "That did not work."} ${answer.code ?? ""}`);
    pause = 1;
    if (answer.done) { location.assign(answer.next); return; }
    offset = answer.offset;
  }
}

form.addEventListener("submit", async (event) => {
  const file = form.elements.recording.files[0];
  if (!file) return;
  event.preventDefault();
  button.disabled = true;
  bar.hidden = false;
  try {
    await send(file);
  } catch (error) {
    say(error.message);
    state.classList.add("error");
    button.disabled = false;
  }
});
