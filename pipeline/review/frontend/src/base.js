/**
 * What a split, a merge or a swap of the speakers rests on: the part of the transcript that it changes, as this page shows
 * it. The server stores the change only where it shows the same. `pipeline/review/coding/transcript_base.py` derives it in
 * the same way; a test holds the two together.
 *
 * @typedef {import("./layout.js").Utterance} Utterance
 * @typedef {{words: string[][], roles: [string, string][]}} TranscriptBase words: of each utterance that is split, merged or
 *   swapped alone; roles: the first utterance and the role of each run that is swapped
 */

/** @param {Utterance[]} utterances @param {string} kind @param {string} id @param {any} payload @returns {TranscriptBase} */
export function baseOf(utterances, kind, id, payload) {
  const index = utterances.findIndex((each) => each.id === id);
  if (index < 0) return { words: [], roles: [] };
  const alone = kind !== "speaker" || payload.only;
  const swapped = kind !== "speaker" ? [] : utterances.slice(index, alone ? index + 1 : undefined);
  const whole = alone ? utterances.slice(kind === "merge" ? Math.max(0, index - 1) : index, index + 1) : [];
  return {
    words: whole.map(({ words }) => words.map((word) => word.id)),
    roles: swapped.filter(({ role }, at) => role !== swapped[at - 1]?.role).map(({ id: first, role }) => [first, role]),
  };
}
