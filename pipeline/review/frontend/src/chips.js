import { draw, make } from "./elements.js";

/**
 * Codes as a letter in a shape: nobody needs to tell colors apart.
 *
 * @typedef {{name: string, label: string, letter: string, shape: string, color: string, key: string, shown: string,
 *   role: string, family: string, task: boolean}} Code
 */

/** @type {Record<string, (() => SVGElement)>} */
const SHAPES = {
  circle: () => draw("circle", { cx: 10, cy: 10, r: 8.5 }),
  square: () => draw("rect", { x: 1.5, y: 1.5, width: 17, height: 17, rx: 3 }),
  hexagon: () => draw("path", { d: "M5.5 2h9L19 10l-4.5 8h-9L1 10z" }),
  diamond: () => draw("path", { d: "M10 .5 19.5 10 10 19.5.5 10z" }),
  up: () => draw("path", { d: "M10 .5 20 18.5H0z" }),
  down: () => draw("path", { d: "M10 19.5 20 1.5H0z" }),
  dot: () => draw("circle", { cx: 10, cy: 10, r: 7 }),
};
const BASELINE = /** @type {Record<string, number>} */ ({ up: 16.5, down: 12.5 });

/** The letter in its shape. @param {Code} code */
export function icon(code) {
  const shape = code.shape.replace("-full", "");
  const full = code.shape.endsWith("-full") || shape === "up" || shape === "down";
  const letter = draw("text", { x: 10, y: BASELINE[shape] ?? 14 }, code.letter);
  const mark = draw("g", { class: `mark m-${shape}${full ? " full" : ""}` }, (SHAPES[shape] ?? SHAPES.dot)(), letter);
  return draw("svg", { class: "icon", viewBox: "0 0 20 20", "aria-hidden": "true", focusable: "false" }, mark);
}

/**
 * A chip: a hand code is solid, the machine's suggestion dashed and with its probability.
 * @param {Code} code
 * @param {{machine?: boolean, unsure?: boolean, probability?: number | null}} [how]
 */
export function chip(code, { machine = false, unsure = false, probability = null } = {}) {
  const kind = machine ? "machine" : "hand";
  const said = machine ? "suggested: " : "";
  return make(
    "span",
    { class: `chip ${kind} c-${code.color}${unsure ? " unsure" : ""}` },
    icon(code),
    make("span", {}, make("span", { class: "unseen" }, said), code.label),
    unsure && make("span", { class: "doubt" }, make("span", { "aria-hidden": "true" }, "?"), make("span", { class: "unseen" }, " (unsure)")),
    probability !== null && make("span", { class: "probability" }, `${Math.round(probability * 100)} %`),
  );
}

/** Whether a code is for the other speaker. @param {Code} code @param {string} role */
export function misfits(code, role) {
  return role !== "unknown" && role !== code.role;
}

/** Why a code does not fit an utterance. @param {Code} code @param {string} role whose utterance it is */
export function misfit(code, role) {
  if (role === "other") return `“${code.label}” is for what the ${code.role} says, and this is someone else. “Who is who” can change that.`;
  return `“${code.label}” is for what the ${code.role} says. If the speakers are mixed up here, swap them first.`;
}
