/** What the page asks of our own server; every change carries the session's token. */

export const token = () => document.querySelector('meta[name="csrf"]')?.getAttribute("content") ?? "";

/** @param {string} url @returns {Promise<any>} */
export async function get(url) {
  const answer = await fetch(url, { headers: { Accept: "application/json" }, cache: "no-store" });
  if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
  return answer.json();
}

/** @param {string} url @param {any} body @returns {Promise<Response>} */
export async function post(url, body) {
  const answer = await sent(url, body);
  if (answer.status !== 403) return answer;
  const found = await renewed();
  if (found === "signed out") return new Response(null, { status: 401 });
  return found === "renewed" ? sent(url, body) : answer;
}

/**
 * Who signed in again in another tab has a new token there; this page learns it.
 * @returns {Promise<"renewed" | "signed out" | "">}
 */
async function renewed() {
  const answer = await fetch(window.location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
  // Signed out, the way leads to the login page; signed in as somebody else, the page may not be there.
  if (answer.redirected) return "signed out";
  if (!answer.ok) return "";
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const found = page.querySelector('meta[name="csrf"]')?.getAttribute("content");
  if (!found || found === token()) return "";
  document.querySelector('meta[name="csrf"]')?.setAttribute("content", found);
  return "renewed";
}

/** @param {string} url @param {any} body @returns {Promise<Response>} */
function sent(url, body) {
  return fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRF-Token": token() },
    body: JSON.stringify(body),
  });
}

/** The largest magnitudes of short stretches, 0 to 1, for drawing. @param {string} url */
export async function peaks(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
  return Float32Array.from(new Uint8Array(await answer.arrayBuffer()), (value) => value / 255);
}
