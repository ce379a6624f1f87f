/* Sends a recording in pieces, and goes on where it was cut. Without this script the form sends it at once. */
const form = document.getElementById("upload");
const state = document.getElementById("upload-state");
const bar = document.getElementById("upload-progress");
const button = form.querySelector("button");
const url = `/uploads/${form.dataset.tape}?file=${form.dataset.file}`;
const checked = document.getElementById("upload-check");
const headers = { "X-CSRF-Token": document.querySelector('meta[name="csrf"]').content };
const PIECE = 4 * 1024 * 1024;
const EARLY = 4 * PIECE; // then its sound is looked at, while the rest is still on its way

const wait = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));
const say = (text) => { state.textContent = text; };

/* Which file was begun lies in the browser's storage, for the page may be closed before all is sent. Its name does not:
   it may be the client's. */
const BEGUN = `tape-review/upload/${form.dataset.tape}/${form.dataset.file}`;
const mark = (file) => `${file.size} ${file.lastModified}`;
let begun = "";
function remember(file) {
  begun = mark(file);
  try { localStorage.setItem(BEGUN, begun); } catch { /* without storage, a file goes on only while this page is open */ }
}
function recall() {
  try { return localStorage.getItem(BEGUN) ?? begun; } catch { return begun; }
}
function forget() {
  try { localStorage.removeItem(BEGUN); } catch { /* nothing lies there */ }
}

/* The answer to a request; its status is 0 where the connection is cut. */
async function ask(options, where = url) {
  try {
    const answer = await fetch(where, options);
    const found = answer.headers.get("content-type")?.includes("json") ? await answer.json() : {};
    return { status: answer.status, ...found };
  } catch {
    return { status: 0 };
  }
}

/* Where to go on with a file. What is here of another one is taken back first: the two would become one recording. */
async function place(file) {
  let here = await ask({ headers });
  if (here.status !== 200 || here.done) return here;
  if (here.offset > 0 && (recall() !== mark(file) || here.offset > file.size)) {
    const gone = await ask({ method: "POST", headers }, form.dataset.discard);
    if (gone.status !== 200) return gone;
    here = await ask({ headers });
  }
  if (here.status === 200) remember(file);
  return here;
}

function put(file, offset) {
  bar.value = offset / file.size;
  say(offset < file.size ? `${Math.round((100 * offset) / file.size)} % sent` : "Checking the file …");
  const length = { "Upload-Offset": offset, "Upload-Length": file.size, "Content-Type": "application/octet-stream" };
  if (offset + PIECE >= file.size) say("Sending the last piece, then checking the file …");
  return ask({ method: "PUT", headers: { ...headers, ...length }, body: file.slice(offset, offset + PIECE) });
}

/* Level and speech of what is here: who recorded an empty room hears of it before an hour is sent. */
async function check() {
  const answer = await ask({ headers }, `/uploads/${form.dataset.tape}/check?file=${form.dataset.file}`);
  if (answer.status === 200) checked.textContent = answer.notes.map((note) => note[0].toUpperCase() + note.slice(1)).join(". ");
}

async function send(file) {
  if (file.size > Number(form.dataset.limit) * 1e6) {
    throw new Error(`This is larger than ${form.dataset.limit} MB. Export it as Opus, M4A or MP3.`);
  }
  if (file.size === 0) throw new Error("This file is empty. Choose another one.");
  let offset = null; // unknown: the server is asked first, and again after each cut
  let pause = 1;
  let early = false;
  for (;;) {
    const asked = offset === null;
    const answer = asked ? await place(file) : await put(file, offset);
    if (answer.status === 0) {
      say(`The connection broke. Trying again in ${pause} s …`);
      await wait(pause);
      pause = Math.min(30, pause * 2);
      offset = null;
      continue;
    }
    if (answer.status === 401) throw new Error("You were signed out. Sign in again. What was sent is saved.");
    if (answer.status === 409 && !answer.code) { offset = null; continue; }
    if (answer.status !== 200) throw new Error(`${answer.detail ?? "This did not work."} ${answer.code ?? ""}`);
    if (answer.done) { forget(); location.assign(answer.next); return; }
    offset = answer.offset;
    if (!early && offset >= EARLY) {
      early = true;
      check();
    }
    if (!asked) pause = 1;
  }
}

form.addEventListener("submit", async (event) => {
  const file = form.elements.recording.files[0];
  if (!file) return;
  event.preventDefault();
  button.disabled = true;
  bar.hidden = false;
  state.classList.remove("error");
  try {
    await send(file);
  } catch (error) {
    say(error.message);
    state.classList.add("error");
    button.disabled = false;
  }
});
