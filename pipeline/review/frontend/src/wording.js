import { clock } from "./player.js";

/**
 * A change in words, for whoever took it back or has to choose between two.
 *
 * @typedef {import("./changes.js").Change} Change
 */

const KINDS = /** @type {Record<string, string>} */ ({
  text: "a correction of the text", speaker: "a swap of the speakers", merge: "joining two utterances",
  split: "splitting an utterance", mask: "a mask",
});

/** @param {Change} change @param {Map<string, {label: string}>} codes */
export function words({ kind, action, codes: given = [], payload }, codes) {
  if (kind === "text" && payload?.with) return `the words “${payload.with.join(" ")}”`;
  if (kind !== "code") return KINDS[kind] ?? "a change";
  const labels = given.map((name) => codes.get(name)?.label ?? name).join(", ");
  if (action === "clear") return "no code yet";
  return `${labels || "no code"}${action === "unsure" ? " (unsure)" : ""}`;
}

/** Where an utterance stands: its time, or its number where there is no sound. @param {{id: string, start: number}[]} utterances @param {string} id @param {boolean} silent */
export function whereabouts(utterances, id, silent) {
  const at = utterances.findIndex((one) => one.id === id);
  if (at < 0) return "";
  return silent ? ` at #${at + 1}` : ` at ${clock(utterances[at].start)}`;
}

/**
 * Where the words of a change are now: it may name an utterance that was joined to another, or split.
 * @template {{id: string, words: {id: string}[]}} T
 * @param {Change} change @param {T[]} utterances @returns {T | undefined}
 */
export function affected({ kind, utterance_id: id, payload, base }, utterances) {
  const word = kind === "split" ? payload.word_id : typeof base === "object" ? base.words.at(-1)?.[0] : undefined;
  return utterances.find(({ words: all }) => all.some((each) => each.id === word))
    ?? utterances.find((each) => each.id === id) ?? utterances.find((each) => each.id === id.split("~")[0]);
}
