import { byId, make } from "./elements.js";
import { difference } from "./layout.js";

/**
 * The list of keys, and the field that corrects an utterance's text.
 *
 * @typedef {import("./keyboard.js").Binding} Binding
 */

/** @param {Binding[]} bindings @param {(action: string, key: string) => Promise<string>} remap returns what is wrong with it */
export function keysDialog(bindings, remap) {
  const dialog = /** @type {HTMLDialogElement} */ (byId("keys"));
  const rows = bindings.map(({ action, label, shown }) => {
    const change = make("input", {
      class: "remap", maxlength: 1, autocomplete: "off", "aria-label": `Another key for: ${label}`, placeholder: "–",
    });
    change.addEventListener("change", async () => {
      const input = /** @type {HTMLInputElement} */ (change);
      byId("keys-wrong").textContent = await remap(action, input.value);
    });
    const can = action.startsWith("code:") || /^(Shift\+|Alt\+)?.$/u.test(shown);
    return make("tr", {}, make("th", { scope: "row" }, label), make("td", {}, make("kbd", {}, shown)), make("td", {}, can ? change : ""));
  });
  byId("keys-list").replaceChildren(...rows);
  return {
    open: () => dialog.open || dialog.showModal(),
  };
}

/**
 * Correct an utterance where it stands: Enter stores, Escape leaves it as it was. The caret stands at a word, or at the end.
 * @param {HTMLElement} row @param {import("./layout.js").Utterance} one @param {string | null} word
 * @param {(payload: any) => void} store
 */
export function editText(row, one, word, store) {
  const said = /** @type {HTMLElement} */ (row.querySelector(".said"));
  if (row.querySelector("textarea")) return;
  const field = /** @type {HTMLTextAreaElement} */ (
    make("textarea", { class: "edit", rows: Math.max(1, Math.ceil(one.words.length / 12)), "aria-label": "The text of this utterance. Enter saves it, Escape cancels" })
  );
  field.value = one.words.map((word) => word.text).join(" ");
  let done = false;
  const cell = make("div", { role: "gridcell", class: "edit-cell" }, field);
  const close = (/** @type {boolean} */ keep, /** @type {boolean} */ byKey = true) => {
    if (done) return;
    done = true;
    const payload = keep ? difference(one.words, field.value) : null;
    cell.remove();
    said.hidden = false;
    if (byKey) row.focus({ preventScroll: true });
    if (payload) store(payload);
  };
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      close(true);
    } else if (event.key === "Escape") close(false);
  });
  field.addEventListener("blur", () => close(true, false));
  said.hidden = true;
  said.after(cell);
  const at = one.words.findIndex((each) => each.id === word);
  const caret = at < 0 ? field.value.length : one.words.slice(0, at).reduce((sum, each) => sum + each.text.length + 1, 0);
  field.focus();
  field.setSelectionRange(caret, caret);
}
