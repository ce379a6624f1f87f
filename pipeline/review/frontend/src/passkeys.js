/** Passkeys: the device answers the server's challenge, and the form carries the answer. */
import { post } from "./server.js";

/** @param {string} text @returns {Uint8Array<ArrayBuffer>} */
const bytes = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));

/** @param {ArrayBuffer} buffer */
const base64url = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

/** @param {{ id: string }[]} descriptors @returns {any[]} */
const known = (descriptors) => descriptors.map((descriptor) => ({ ...descriptor, id: bytes(descriptor.id) }));

/** Ask the device for what the options want. @param {any} options @returns {Promise<any>} */
function ask(options) {
  const challenge = bytes(options.challenge);
  if (!options.user) {
    const allowCredentials = known(options.allowCredentials);
    return navigator.credentials.get({ publicKey: { ...options, challenge, allowCredentials } });
  }
  const user = { ...options.user, id: bytes(options.user.id) };
  const excludeCredentials = known(options.excludeCredentials ?? []);
  return navigator.credentials.create({ publicKey: { ...options, challenge, user, excludeCredentials } });
}

/** What the form carries of a device's answer. @param {any} credential */
function written(credential) {
  const response = Object.fromEntries(
    ["clientDataJSON", "attestationObject", "authenticatorData", "signature"]
      .filter((part) => credential.response[part])
      .map((part) => [part, base64url(credential.response[part])]),
  );
  return JSON.stringify({ id: credential.id, rawId: base64url(credential.rawId), type: credential.type, response });
}

/** @param {any} error */
const reason = (error) =>
  error?.name === "InvalidStateError"
    ? "This device has a passkey for your account already."
    : "No passkey was used. Try again, or use another way.";

/** @param {HTMLFormElement} form */
function takeOver(form) {
  const problem = /** @type {HTMLElement} */ (form.querySelector("[role=alert]"));
  const answer = /** @type {HTMLInputElement} */ (form.elements.namedItem("answer"));
  const button = /** @type {HTMLButtonElement} */ (form.querySelector("button"));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    problem.hidden = button.disabled = true;
    try {
      const asked = await post(form.dataset.passkey ?? "", {});
      if (asked.status === 401) return window.location.reload();
      if (!asked.ok) throw new Error(`the server answers ${asked.status}`);
      answer.value = written(await ask(await asked.json()));
      form.submit();
    } catch (error) {
      problem.textContent = reason(error);
      problem.hidden = button.disabled = false;
    }
  });
  form.hidden = false;
}

if (window.PublicKeyCredential) {
  for (const note of document.querySelectorAll("[data-without-passkey]")) /** @type {HTMLElement} */ (note).hidden = true;
  for (const form of document.querySelectorAll("form[data-passkey]")) takeOver(/** @type {HTMLFormElement} */ (form));
}
