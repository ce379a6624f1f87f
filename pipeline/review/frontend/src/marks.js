/**
 * A code's mark under the wave: full where it stands, dashed and hollow where only the machine says so, and hollow with
 * a cut corner where it is still open: coders differ, or are unsure.
 *
 * @typedef {"stands" | "machine" | "open"} Standing
 */

/**
 * What the group's page marks on an utterance: where it is disputed, all that anybody says, and nothing as if it stood.
 * @param {{disputed: boolean, source: string, codes: string[], opinions: {codes: string[]}[]}} place
 * @returns {{names: string[], standing: Standing}}
 */
export function standingOf({ disputed, source, codes, opinions }) {
  if (disputed) return { names: [...new Set(opinions.flatMap((one) => one.codes))], standing: "open" };
  return { names: codes, standing: source === "machine" ? "machine" : "stands" };
}

/**
 * @param {CanvasRenderingContext2D} context @param {number} x @param {number} y
 * @param {import("./chips.js").Code} code @param {Standing} standing @param {string} color @param {string} paper
 */
export function letter(context, x, y, code, standing, color, paper) {
  const full = standing === "stands";
  context.setLineDash(standing === "machine" ? [2, 2] : []);
  context.strokeStyle = color;
  context.lineWidth = 1.5;
  context.beginPath();
  context.roundRect(x + 1, y, 16, 16, 4);
  context.fillStyle = full ? color : paper;
  context.fill();
  context.stroke();
  context.fillStyle = color;
  if (standing === "open") {
    context.beginPath();
    context.moveTo(x + 17, y + 7);
    context.lineTo(x + 17, y + 16);
    context.lineTo(x + 8, y + 16);
    context.fill();
  }
  if (full) context.fillStyle = paper;
  context.font = '700 11px "Segoe UI", "Noto Sans", Arial, sans-serif';
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(code.letter, x + (standing === "open" ? 7 : 9), y + (standing === "open" ? 7 : 8.5));
}

/**
 * The same in the strip of the whole tape, where there is no room for letters.
 * @param {CanvasRenderingContext2D} context @param {number} x @param {number} y @param {number} wide
 * @param {Standing} standing @param {string} color
 */
export function dot(context, x, y, wide, standing, color) {
  context.fillStyle = color;
  context.globalAlpha = standing === "machine" ? 0.45 : 1;
  if (standing === "open") {
    context.fillRect(x, y, wide, 1);
    context.fillRect(x, y + 3, wide, 1);
  } else context.fillRect(x, y, wide, 4);
  context.globalAlpha = 1;
}
