/** What the page asks of our own server; every change carries the session's token. */

const token = () => document.querySelector('meta[name="csrf"]')?.getAttribute("content") ?? "";

/** @param {string} url @returns {Promise<any>} */
export async function get(url) {
  const answer = await fetch(url, { headers: { Accept: "application/json" }, cache: "no-store" });
  if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
  return answer.json();
}

/** @param {string} url @param {any} body @returns {Promise<Response>} */
export function post(url, body) {
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
