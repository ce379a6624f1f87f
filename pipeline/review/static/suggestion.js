/* Wants a suggested part, looks from time to time whether it is there, and moves the handles to it; typed fields stay. */
const place = document.getElementById("suggestion");
const LOOK = 5000; // ms between two looks at how far it is

/** Take over what the page says of the suggestion now. */
async function refresh() {
  const answer = await fetch(location.pathname);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const now = page.getElementById("suggestion");
  if (!answer.ok || !now) return;
  place.dataset.state = now.dataset.state;
  for (const id of ["suggestion-text", "suggestion-act"]) document.getElementById(id).replaceChildren(...page.getElementById(id).childNodes);
  wait();
}

function wait() {
  if (["waiting", "working"].includes(place.dataset.state)) setTimeout(look, LOOK);
}

async function look() {
  try {
    const answer = await fetch(place.dataset.address);
    if (answer.status === 401 || answer.status === 404) return; // signed out, or the part was chosen in another tab
    const { state } = answer.ok ? await answer.json() : place.dataset;
    if (state !== place.dataset.state) return await refresh();
  } catch {
    // no connection: look again later
  }
  wait();
}

place.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  for (const button of form.querySelectorAll("button")) button.disabled = true;
  try {
    await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    await refresh();
  } catch {
    form.submit();
  }
});

place.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-start]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const { start, end } = link.dataset;
  for (const [id, time] of Object.entries({ start, end })) {
    const field = document.getElementById(id);
    field.value = time;
    field.dispatchEvent(new Event("input"));
  }
  (document.querySelector(".wave-handle") ?? document.getElementById("start")).focus();
});

wait();
