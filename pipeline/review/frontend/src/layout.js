/**
 * Corrections are overlays: the words and utterances that the server sent stay as they are, and what is shown is worked
 * out from them and from the corrections that still hold. `pipeline/review/coding/corrections.py` works it out in the same
 * way; a test holds the two together.
 *
 * @typedef {{id: string, text: string, start: number, end: number, masked?: boolean, roots?: string[]}} Word
 * @typedef {{codes: string[], probability: number | null, check: boolean}} Pretag
 * @typedef {{id: string, turn: string, role: string, speaker: string, start: number, end: number, words: Word[],
 *   pretag?: Pretag | null, edited?: boolean, language?: string}} Utterance
 * @typedef {{id: string, kind: string, utterance_id: string, payload: any, undoes?: string | null}} Correction
 * @typedef {{start: number, speaker: string}} Unclear a voice of which no words could be written down
 */

/** Who speaks, in the words of "Who is who". */
export const ROLES = /** @type {Record<string, string>} */ ({ interviewer: "Interviewer", client: "Client", other: "Someone else", unknown: "No role" });

/** What stands for a masked name. */
export const MASK = "▇▇▇";

/**
 * Where unclear sounds were heard: after how many words of which utterance, and in which role.
 * @param {Unclear[]} sounds
 * @param {Utterance[]} utterances in order of time
 * @returns {Map<string, {after: number, role: string}[]>} by utterance
 */
export function heard(sounds, utterances) {
  const roles = new Map(utterances.map((one) => [one.speaker, one.role]));
  const found = new Map();
  for (const { start, speaker } of sounds) {
    const one = utterances.findLast((each) => each.start <= start) ?? utterances[0];
    if (!one) continue;
    const after = one.words.findLastIndex((word) => word.start <= start) + 1;
    found.set(one.id, [...(found.get(one.id) ?? []), { after, role: roles.get(speaker) ?? "unknown" }]);
  }
  return found;
}

/**
 * The changes that hold: those that no change that holds itself takes back.
 * @template {{id: string, undoes?: string | null}} T
 * @param {T[]} changes in order of time
 * @returns {T[]}
 */
export function live(changes) {
  const dead = new Set();
  for (const change of [...changes].reverse()) {
    if (change.undoes && !dead.has(change.id)) dead.add(change.undoes);
  }
  return changes.filter((change) => !change.undoes && !dead.has(change.id));
}

/**
 * A mask is on words of the recording: whatever is shown in their place is masked, whoever corrects it or takes a
 * correction back.
 * @param {Utterance[]} utterances
 * @param {Correction[]} corrections in order of time
 * @param {string[]} [masks] the words of the recording that are masked before these corrections
 * @returns {Utterance[]}
 */
export function corrected(utterances, corrections, masks = []) {
  let shown = utterances.map((one) => ({ ...one, words: one.words.map((word) => ({ ...word })) }));
  const masked = new Set(masks);
  for (const { id: name, kind, utterance_id: id, payload } of live(corrections)) {
    const at = shown.findIndex((one) => one.id === id);
    if (kind === "role") assign(shown, payload.roles);
    else if (kind === "mask") for (const word of payload.words) masked[payload.on ? "add" : "delete"](word);
    else if (at < 0) continue;
    else if (kind === "speaker") swap(shown, at, payload?.only ? at + 1 : shown.length);
    else if (kind === "text") retype(shown[at], payload, name);
    else if (kind === "merge") shown = merged(shown, at);
    else if (kind === "split") shown = split(shown, at, payload.word_id);
  }
  for (const word of shown.flatMap((one) => one.words)) word.masked = standsFor(word).some((each) => masked.has(each));
  return shown;
}

/** @param {Utterance[]} shown @param {Record<string, string>} roles */
function assign(shown, roles) {
  for (const one of shown) one.role = roles[one.speaker] ?? one.role;
}

/** The recording's words, or the gap between two of them, that a word is about. @param {Word} word */
export function standsFor({ id, roots }) {
  return roots?.length ? roots : [id];
}

/** The word of the recording that a corrected word's name begins with. @param {string} id */
export function root(id) {
  return id.split("+")[0];
}

/** Interviewer and client change places from here to before another utterance. @param {Utterance[]} shown @param {number} from @param {number} to */
function swap(shown, from, to) {
  /** @type {Record<string, string>} */
  const voice = {};
  for (const one of shown) voice[one.role] ??= one.speaker;
  const other = { interviewer: "client", client: "interviewer" };
  for (const one of shown.slice(from, to)) {
    const role = other[/** @type {"client"} */ (one.role)];
    if (role) Object.assign(one, { role, speaker: voice[role] ?? one.speaker });
  }
}

/**
 * Other words in the place of some; a masked one that the editor does not see is kept where its bar stands.
 * @param {Utterance} one
 * @param {{replace: string[], after: string | null, with: string[], kept?: string[]}} payload
 * @param {string} name of the correction
 */
function retype(one, { replace, after, with: texts, kept = [] }, name) {
  const { words } = one;
  const anchor = words.findIndex((word) => word.id === (replace.length ? replace[0] : after));
  if (anchor < 0 && (replace.length || after !== null)) return;
  const first = replace.length ? anchor : anchor + 1;
  const last = first + replace.length;
  const gone = words.slice(first, last);
  if (gone.length !== replace.length || gone.some((word, at) => word.id !== replace[at])) return;
  if (words.length === gone.length && !texts.length) return;
  const places = gone.flatMap((word, at) => (kept.includes(word.id) ? [first + at] : []));
  const bars = texts.flatMap((text, at) => (kept.length && text === MASK ? [at] : []));
  if (places.length !== kept.length || bars.length !== kept.length || places.some((at, nth) => words[at].id !== kept[nth])) return;
  /** @type {Word[]} */
  const made = [];
  let [at, done] = [first, 0];
  for (const [nth, place] of [...places, last].entries()) {
    const bar = bars[nth] ?? texts.length;
    made.push(...typed(one, at, place, texts.slice(done, bar), `${name.slice(0, 8)}.`, done));
    if (place < last) made.push(words[place]);
    [at, done] = [place + 1, bar + 1];
  }
  words.splice(first, gone.length, ...made);
  one.edited = true;
}

/**
 * What is typed in the place of a stretch of words. As many keep each its time; more or fewer share the time evenly,
 * and each stands for the whole stretch.
 * @param {Utterance} one @param {number} first @param {number} last @param {string[]} texts
 * @param {string} name @param {number} number of the first text @returns {Word[]}
 */
function typed(one, first, last, texts, name, number) {
  const gone = one.words.slice(first, last);
  if (texts.length === gone.length) return texts.map((text, at) => ({ ...gone[at], text }));
  if (!gone.length) {
    const before = first ? one.words[first - 1] : undefined;
    const time = before ? before.end : one.start;
    const stem = before ? root(before.id) : "start";
    const roots = gap(before, one.words[first]);
    return texts.map((text, at) => ({ id: `${stem}+${name}${number + at}`, text, start: time, end: time, masked: false, roots }));
  }
  const from = gone[0].start;
  const time = Math.max(...gone.map((word) => word.end)) - from;
  const roots = [...new Set(gone.flatMap(standsFor))];
  return texts.map((text, at) => ({
    id: `${root(gone[Math.floor((at * gone.length) / texts.length)].id)}+${name}${number + at}`,
    text,
    start: from + Math.floor((time * at) / texts.length),
    end: from + Math.floor((time * (at + 1)) / texts.length),
    masked: false,
    roots,
  }));
}

/** What a word stands for that is added between two others. @param {Word | undefined} before @param {Word | undefined} after */
function gap(before, after) {
  const bare = (/** @type {string | undefined} */ each) => (each ?? "").replace(/[<>]/g, "");
  if (!before) return after ? [`<${bare(standsFor(after)[0])}`] : [];
  const both = standsFor(before).filter((each) => after && standsFor(after).includes(each));
  return both.length ? both : [`${bare(standsFor(before).at(-1))}>`];
}

/** One utterance with the one before it, where both are the same speaker's. @param {Utterance[]} shown @param {number} at */
function merged(shown, at) {
  const [before, one] = [shown[at - 1], shown[at]];
  if (!before || before.speaker !== one.speaker) return shown;
  const whole = {
    ...before, words: [...before.words, ...one.words], start: Math.min(before.start, one.start),
    end: Math.max(before.end, one.end), edited: true,
  };
  return [...shown.slice(0, at - 1), whole, ...shown.slice(at + 1)];
}

/** A new utterance from this word on. @param {Utterance[]} shown @param {number} at @param {string} word */
function split(shown, at, word) {
  const one = shown[at];
  const cut = one.words.findIndex((each) => each.id === word);
  if (cut < 1) return shown;
  const [left, right] = [one.words.slice(0, cut), one.words.slice(cut)];
  const middle = right[0].start;
  const first = { ...one, words: left, end: Math.max(...left.map((each) => each.end)), edited: true };
  const second = { ...one, id: `${one.id.split("~")[0]}~${word}`, words: right, start: middle, pretag: null, edited: true };
  return [...shown.slice(0, at), first, second, ...shown.slice(at + 1)];
}

/**
 * The smallest replacement that turns the words into the text. Masked names that the editor does not see are kept.
 * @param {Word[]} words @param {string} text
 * @returns {{replace: string[], after: string | null, with: string[], kept?: string[]} | null} null where nothing changes
 */
export function difference(words, text) {
  const tokens = text.trim().split(/\s+/).filter(Boolean);
  let [head, tail] = [0, 0];
  const most = Math.min(words.length, tokens.length);
  while (head < most && words[head].text === tokens[head]) head += 1;
  while (tail < most - head && words[words.length - 1 - tail].text === tokens[tokens.length - 1 - tail]) tail += 1;
  const gone = words.slice(head, words.length - tail);
  const typedWords = tokens.slice(head, tokens.length - tail);
  if (!tokens.length || (!gone.length && !typedWords.length)) return null;
  const kept = gone.filter((word) => word.masked && word.text === MASK).map((word) => word.id);
  const replace = gone.map((word) => word.id);
  return { replace, after: head ? words[head - 1].id : null, with: typedWords, ...(kept.length ? { kept } : {}) };
}

/** Whether a correction leaves every bar of a masked name as it is. @param {{with: string[], kept?: string[]}} payload */
export function keepsBars({ with: texts, kept = [] }) {
  const bars = texts.filter((text) => text.includes(MASK[0]));
  return bars.length === kept.length && bars.every((text) => text === MASK);
}
