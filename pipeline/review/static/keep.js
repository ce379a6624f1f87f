/* Keeps on the server what is typed into a form, seconds after it is typed, so that nobody loses it to the end of a
   session. Only typing sends anything: a page that is left alone still signs out. Nothing is kept in the browser. */
const SOON = 5000;
const LARGEST = 60000; // what a browser still sends while a page closes, in bytes
const meta = document.querySelector('meta[name="csrf"]');

/** Who signed in again in another tab has a new token there. Whether this page learned it just now. */
async function renewed() {
  const answer = await fetch(window.location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
  // Signed out, the way leads to the login page; signed in as somebody else, the page may not be there.
  if (answer.redirected || !answer.ok) return false;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const found = page.querySelector('meta[name="csrf"]')?.content;
  if (!found || found === meta.content) return false;
  meta.content = found;
  for (const field of document.querySelectorAll('input[name="csrf"]')) field.value = found;
  return true;
}

function send(form) {
  const fields = new URLSearchParams(new FormData(form));
  fields.set("step", "keep");
  const headers = { Accept: "application/json", "X-CSRF-Token": meta.content };
  const keepalive = fields.toString().length < LARGEST;
  return fetch(form.dataset.keep, { method: "POST", headers, body: fields, keepalive });
}

function keep(form) {
  const place = form.querySelector("[data-kept]");
  let typed = 0; // how often something was typed, and how much of that the server has
  let stored = 0;
  let timer = 0;
  let way = null;
  let leaving = false;

  function say(words, link = "") {
    if (place.textContent === words + link) return; // a screen reader says it once
    place.textContent = words;
    if (!link) return;
    const made = Object.assign(document.createElement("a"), { href: "/login", target: "_blank", textContent: link });
    place.append(made);
  }

  /** Whether the form may go its usual way: the server has what was typed, or is to say itself what is wrong. */
  async function deliver(count) {
    let answer;
    try {
      answer = await send(form);
      if (answer.status === 403 && (await renewed())) answer = await send(form);
    } catch {
      say("No connection. What you typed is not saved yet. Leave this page open.");
      return false;
    }
    if (answer.status === 401 || answer.status === 403) {
      say("You are signed out, and what you typed is not saved yet. Leave this page open, and ", "sign in in another tab.");
      return false;
    }
    if (answer.status === 404) {
      document.querySelector("main").replaceChildren();
      window.location.reload(); // the server says what there is instead
      return false;
    }
    const told = await answer.json().catch(() => ({}));
    if (!answer.ok) {
      say(`What you typed is not saved. ${told.detail ?? ""}`);
      return answer.status >= 500;
    }
    stored = count;
    if (stored === typed) delete form.dataset.unsaved;
    for (const [name, value] of Object.entries(told)) form.elements[name].value = value;
    say(`Saved at ${new Date().toLocaleTimeString("en-US", { hour: "2-digit", minute: "2-digit", hour12: false })}.`);
    return true;
  }

  async function flush() {
    clearTimeout(timer);
    timer = 0;
    while (way) await way;
    if (leaving || stored === typed) return true;
    way = deliver(typed).finally(() => {
      way = null;
    });
    return way;
  }

  form.addEventListener("input", () => {
    typed += 1;
    form.dataset.unsaved = "";
    timer ||= setTimeout(flush, SOON);
  });
  // Who leaves has perhaps just typed; who comes back has perhaps signed in elsewhere.
  document.addEventListener("visibilitychange", () => flush());
  window.addEventListener("pagehide", () => flush());
  window.addEventListener("focus", () => flush());
  window.addEventListener("pageshow", () => {
    leaving = false;
  });
  form.addEventListener("submit", async (event) => {
    if (leaving || stored === typed) return;
    event.preventDefault();
    if (!(await flush()) || leaving) return;
    leaving = true; // before the form goes, so that nothing is kept after it
    form.requestSubmit(event.submitter);
  });
}

for (const form of document.querySelectorAll("form[data-keep]")) keep(form);
