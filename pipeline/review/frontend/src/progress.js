import { misfits } from "./chips.js";

/**
 * How far a pass is: of the utterances that its task has codes for, those that are coded.
 *
 * Who is unsure and gave no code has not coded yet; who looked and found none has. A code that the task does not ask for
 * is no answer to it. An utterance in another language than English is asked of nobody: it counts once it is coded.
 *
 * @param {import("./layout.js").Utterance[]} utterances
 * @param {Map<string, import("./changes.js").State>} states
 * @param {import("./chips.js").Code[]} codes of the codebook
 */
export function progress(utterances, states, codes) {
  const asked = codes.filter((code) => code.task);
  const names = new Set(asked.map((code) => code.name));
  const codable = utterances.filter(
    (one) => asked.some((code) => !misfits(code, one.role)) && (!one.language || states.get(one.id)?.codes.some((name) => names.has(name))),
  );
  const coded = codable.filter(({ id }) => {
    const state = states.get(id);
    return state && (state.codes.some((name) => names.has(name)) || (!state.codes.length && !state.unsure));
  });
  return { coded: coded.length, codable: codable.length };
}
