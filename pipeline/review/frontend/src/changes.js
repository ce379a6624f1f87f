import { baseOf } from "./base.js";
import { corrected, live, MASK } from "./layout.js";

/**
 * One coder's changes on one tape: what the server has, what waits, and what follows from both.
 *
 * @typedef {{codes: string[], unsure: boolean}} State
 * @typedef {{id: string, utterance_id: string, action: "set" | "clear" | "unsure", codes: string[],
 *   undoes?: string | null}} CodeEvent
 * @typedef {{id: string, kind: string, utterance_id: string, undoes?: string | null, action?: string, codes?: string[],
 *   payload?: any, audio_ms?: number | null, base?: string | import("./base.js").TranscriptBase, held?: boolean}} Change
 */

/**
 * The codes that hold: each utterance's last event that was not taken back.
 * @param {CodeEvent[]} events
 * @returns {Map<string, State>}
 */
export function fold(events) {
  const now = new Map();
  for (const { utterance_id: id, action, codes } of live(events)) {
    if (action === "clear") now.delete(id);
    else now.set(id, { codes, unsure: action === "unsure" });
  }
  return now;
}

/** A random name for a change: storing it twice is storing it once. */
export function fresh() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Changes {
  /**
   * @param {{utterances: import("./layout.js").Utterance[], events: CodeEvent[],
   *   corrections: Change[], order: string[], masked: string[], sees_names: boolean}} stored what the server sent
   * @param {{add: (change: Change) => void, waiting: () => Change[]}} outbox
   */
  constructor(stored, outbox) {
    this.outbox = outbox;
    /** @type {Change[]} */
    this.undone = [];
    this.listeners = /** @type {(() => void)[]} */ ([]);
    this.load(stored);
  }

  /** @param {any} stored */
  load(stored) {
    this.base = stored.utterances;
    /** @type {string[]} */
    this.masked = stored.masked;
    /** @type {boolean} */
    this.seesNames = stored.sees_names;
    this.events = [...stored.events];
    /** @type {Change[]} */
    this.known = stored.corrections;
    this.rank = new Map(stored.order.map((/** @type {string} */ id, /** @type {number} */ at) => [id, at]));
    /** @type {Change[]} */
    this.local = [];
    const have = new Set([...this.events, ...this.known].map((one) => one.id));
    for (const change of this.outbox.waiting()) if (!have.has(change.id) && change.kind !== "note") this.keep(change);
    this.work();
  }

  /** @param {(() => void)} listener */
  listen(listener) {
    this.listeners.push(listener);
  }

  /** @param {string} id @param {string[]} codes @param {boolean} unsure @param {number | null} at what is heard, in ms */
  code(id, codes, unsure, at) {
    const action = unsure ? "unsure" : codes.length ? "set" : "clear";
    // The server stores it only where this page knows the newest change of the utterance: another tab may have made one.
    const base = this.events.findLast((one) => one.utterance_id === id)?.id ?? "";
    this.put({ id: fresh(), kind: "code", utterance_id: id, action, codes, undoes: null, base, audio_ms: at });
  }

  /** @param {string} kind @param {string} id @param {any} payload */
  correct(kind, id, payload) {
    // Stored only where the server shows the same: a text names the words that it replaces, a mask words of the recording.
    const base = ["split", "merge", "speaker"].includes(kind) ? { base: baseOf(this.utterances, kind, id, payload) } : {};
    this.put({ id: fresh(), kind, utterance_id: id, payload, undoes: null, ...base });
  }

  /**
   * Take back one's last change.
   * @returns {{change: Change, elsewhere: boolean} | null} what was taken back; elsewhere: only the server can show the result
   */
  undo() {
    // A mask stays for whoever does not see what is behind it.
    const last = live(this.order).filter((one) => this.seesNames || one.kind !== "mask").at(-1);
    if (!last) return null;
    const elsewhere = this.known.includes(last);
    const { payload, base, ...rest } = last;
    const back = { ...rest, id: fresh(), undoes: last.id };
    this.undone.push(back);
    this.put(back, true);
    return { change: last, elsewhere };
  }

  /** Do again what was taken back last. @returns {Change | null} what was taken back and is done again */
  redo() {
    const back = this.undone.pop();
    if (!back) return null;
    this.put({ ...back, id: fresh(), undoes: back.id }, true);
    return back;
  }

  /** @param {Change} change @param {boolean} [history] */
  put(change, history = false) {
    if (!history) this.undone = [];
    this.outbox.add(change);
    this.keep(change);
    this.work();
    for (const listener of this.listeners) listener();
  }

  /** @param {Change} change */
  keep(change) {
    if (change.kind === "code") this.events.push(/** @type {CodeEvent} */ (change));
    this.local.push(change);
  }

  /** All of one's own changes, in the order in which they were made. */
  get order() {
    const visit = new Set(this.local.map((one) => one.id));
    const before = [...this.known, ...this.events.map((one) => ({ ...one, kind: "code" }))];
    const place = (/** @type {Change} */ one) => this.rank.get(one.id) ?? Infinity;
    return [...before.filter((one) => !visit.has(one.id)).sort((a, b) => place(a) - place(b)), ...this.local];
  }

  work() {
    this.codes = fold(this.events);
    this.utterances = corrected(this.base, this.local.filter((one) => one.kind !== "code"), this.masked);
    if (this.seesNames) return;
    for (const word of this.utterances.flatMap((one) => one.words)) if (word.masked) word.text = MASK;
  }
}
