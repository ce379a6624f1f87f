import { byId, make } from "./elements.js";

/**
 * What the codes mean, one key away: each code's definition, an example and a near miss, as the codebook gives them.
 *
 * @typedef {import("./chips.js").Code & {definition: string, example: string, near_miss: string, source: string}} DefinedCode
 */

/**
 * @param {DefinedCode[]} codes @param {string} sheet address of the same on paper
 * @param {() => void} ask what the button under the codes does
 * @param {string} shown the key that does the same
 */
export function definitionsDialog(codes, sheet, ask, shown) {
  const sections = new Map(codes.map((code) => [code.name, section(code)]));
  const known = codes.some((code) => code.definition);
  const dialog = /** @type {HTMLDialogElement} */ (make(
    "dialog", { id: "definitions", "aria-labelledby": "definitions-title" },
    make("form", { method: "dialog" },
      make("h2", { id: "definitions-title" }, "What the codes mean"),
      !known && make("p", { class: "soft" }, "This codebook comes without definitions."),
      make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "All codes" }, ...sections.values()),
      make("p", { class: "small" }, make("a", { href: sheet, target: "_blank" }, "A sheet to print")),
      make("button", {}, "Close")),
  ));
  byId("code-buttons").after(
    make("button", { type: "button", id: "define", class: "second small-button", onclick: ask }, "What they mean ", make("kbd", {}, shown)),
  );
  byId("code-buttons").closest("main")?.append(dialog);
  return {
    /** Open at the first of these codes, else at the first for this role. @param {string[]} names @param {string} [role] */
    open(names, role) {
      if (!dialog.open) dialog.showModal();
      const first = codes.find((code) => names.includes(code.name)) ?? codes.find((code) => code.role === role) ?? codes[0];
      sections.get(first?.name ?? "")?.scrollIntoView({ block: "start" });
    },
  };
}

/** @param {DefinedCode} code */
function section(code) {
  const texts = [["For example", code.example], ["Close, but not", code.near_miss]].filter(([, text]) => text);
  return make("section", { class: "definition" },
    make("h3", {}, code.label, " ", make("kbd", {}, code.shown)),
    code.definition && make("p", {}, code.definition),
    texts.length > 0 && make("dl", {}, ...texts.flatMap(([term, text]) => [make("dt", {}, term), make("dd", {}, text)])),
    code.source && make("p", { class: "soft small" }, code.source));
}
