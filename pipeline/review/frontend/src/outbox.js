import { forget } from "./memory.js";
import { Sealed } from "./sealed.js";

/**
 * Changes on their way to the server. Each waits from the key press until the server has stored it, so that neither a
 * lost connection nor a closed tab loses one; the server takes each once, however often it is sent. What waits lies in
 * the browser's storage, encrypted with a key that the server gives to this person for this pass: without a session the
 * disk tells nothing. Where the browser cannot encrypt, it waits in this page alone.
 *
 * @typedef {import("./changes.js").Change} Change
 * @typedef {{person: string, tape: string, pass: string, key: string}} Place whose changes, of what; the key in base64
 * @typedef {{waiting: number, trouble: string}} State
 */

const TROUBLES = /** @type {Record<string, string>} */ ({
  offline: "No connection. Your changes wait here and are sent later.",
  "signed out": "You are signed out. Sign in again. Your changes wait here.",
  failing: "The server is not working. Your changes wait here and are sent later.",
});
/** What is said of a change that the server never takes, however often it is sent. */
const LOSSES = /** @type {Record<number, string>} */ ({
  404: "Not saved: you do not have access to this tape.",
  409: "Not saved: this pass is locked. The page shows what is saved.",
  413: "Not saved: one of your changes is too long. The page shows what is saved.",
  422: "Not saved: the server refused one of your changes. The page shows what is saved.",
});
const IN_PAGE = "This browser cannot encrypt here, so your changes wait in this page only. Do not close it yet.";
const LONGEST_WAIT = 8000;
const BATCH = 100;
const CLEAR = "tape-review/";
const ROOT = `${CLEAR}outbox/`;
/** Older versions kept what waits in the clear, under the pass alone. */
const OF_OLD = /^tape-review\/[0-9a-f]{16}\//;

/** @param {Storage} storage @param {string} prefix */
function keys(storage, prefix) {
  const all = Array.from({ length: storage.length }, (_, at) => storage.key(at) ?? "");
  return all.filter((key) => key.startsWith(prefix)).sort();
}

/** How many changes of a person wait in this browser. @param {string} person @param {Storage} [storage] */
export function left(person, storage = localStorage) {
  return keys(storage, `${ROOT}${person}/`).length;
}

/** Of which tapes and passes changes of a person wait. @param {string} person @param {Storage} [storage] */
export function places(person, storage = localStorage) {
  const found = keys(storage, `${ROOT}${person}/`).map((key) => key.slice(ROOT.length).split("/").slice(1, 3).join("/"));
  return [...new Set(found)].map((place) => place.split("/"));
}

/** Let go of what waits of a person, or of one tape alone. @param {string} person @param {string} [tape] @param {Storage} [storage] */
export function drop(person, tape = "", storage = localStorage) {
  for (const key of keys(storage, `${ROOT}${person}/${tape ? `${tape}/` : ""}`)) storage.removeItem(key);
  forget(person, tape);
  if (!tape) for (const key of keys(storage, CLEAR).filter((each) => OF_OLD.test(each))) storage.removeItem(key);
}

export class Outbox {
  /**
   * @param {Place} place entries of other people and passes are left alone
   * @param {(changes: Change[]) => Promise<Response>} send
   * @param {(state: State) => void} tell
   * @param {{refused?: () => void, stored?: () => void, gone?: (status: number) => void}} [on] refused: something was not stored that the
   *   page shows; gone: the page may no longer be seen
   * @param {Storage} [storage]
   */
  constructor(place, send, tell, on = {}, storage = localStorage) {
    this.place = place;
    this.prefix = `${ROOT}${place.person}/${place.tape}/${place.pass}/`;
    this.send = send;
    this.tell = tell;
    this.on = on;
    this.storage = storage;
    /** @type {Map<string, Change>} */
    this.items = new Map();
    /** @type {Sealed | null} */
    this.sealed = null;
    this.writing = Promise.resolve();
    this.trouble = "";
    this.lost = "";
    this.wait = 500;
    /** @type {Promise<void> | null} */
    this.attempt = null;
    this.timer = 0;
    this.count = 0;
  }

  /** Take up what waits from before; what cannot be read is of another key, and goes. */
  async open() {
    this.sealed = await Sealed.open(this.place.key);
    for (const key of keys(this.storage, this.prefix)) {
      const change = await this.sealed?.read(this.storage.getItem(key) ?? "");
      if (change) this.items.set(key, change);
      else this.storage.removeItem(key);
    }
    for (const key of keys(this.storage, `${CLEAR}${this.place.pass}/`).filter((each) => OF_OLD.test(each))) {
      this.add(JSON.parse(this.storage.getItem(key) ?? "null"));
      this.storage.removeItem(key);
    }
    return this;
  }

  /** Whether what waits outlives this page. */
  get kept() {
    return this.sealed !== null;
  }

  /** @param {Change} change */
  add(change) {
    this.count += 1;
    // A sortable key: time, then the order within this page.
    const key = `${this.prefix}${String(Date.now()).padStart(15, "0")}-${String(this.count).padStart(6, "0")}`;
    this.items.set(key, change);
    this.writing = this.writing.then(() => this.write(key, change));
    this.flush();
  }

  /** @param {string} key @param {Change} change */
  async write(key, change) {
    try {
      const text = await this.sealed?.write(change);
      if (text && this.items.has(key)) this.storage.setItem(key, text);
    } catch {
      this.sealed = null; // the storage is full, or closed: from here on they wait in this page
      this.told();
    }
  }

  /** @returns {[string, Change][]} */
  entries() {
    return [...this.items].filter(([, { held }]) => !held).sort(([one], [other]) => (one < other ? -1 : 1));
  }

  /** What the server did not take, because another tab had changed the same utterance: its coder decides. */
  undecided() {
    return [...this.items].filter(([, { held }]) => held).map(([, change]) => change);
  }

  /** The coder has decided about a change that was held. @param {string} id */
  decide(id) {
    for (const [key, change] of [...this.items]) if (change.held && change.id === id) this.remove(key);
    this.told();
  }

  /** @param {string} key @param {Change} change */
  hold(key, change) {
    this.items.set(key, { ...change, held: true });
    this.writing = this.writing.then(() => this.write(key, { ...change, held: true }));
  }

  /** @param {string} key */
  remove(key) {
    this.items.delete(key);
    this.storage.removeItem(key);
  }

  waiting() {
    return this.entries().map(([, change]) => change);
  }

  /** Send what waits, oldest first; go on trying until all is stored. Resolves when this attempt is over. */
  flush() {
    this.told();
    this.attempt ??= this.empty().finally(() => {
      this.attempt = null;
      this.told();
    });
    return this.attempt;
  }

  async empty() {
    clearTimeout(this.timer);
    this.refused = false;
    try {
      for (let batch = this.entries().slice(0, BATCH); batch.length; batch = this.entries().slice(0, BATCH)) {
        await this.deliver(batch);
      }
      this.wait = 500;
    } catch {
      this.timer = window.setTimeout(() => this.flush(), this.wait);
      this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
    }
    if (this.refused) queueMicrotask(() => this.on.refused?.());
  }

  /** @param {[string, Change][]} batch */
  async deliver(batch) {
    let answer;
    try {
      answer = await this.send(batch.map(([, change]) => change));
    } catch (error) {
      this.trouble = "offline";
      throw error;
    }
    const { status } = answer;
    if (status === 200) {
      const { refused } = await answer.json();
      this.trouble = "";
      const stale = new Set(refused.filter((/** @type {any} */ one) => one.stale).map((/** @type {any} */ one) => one.id));
      const lost = refused.filter((/** @type {any} */ one) => !one.stale);
      if (lost.length) this.lose(`Not saved: ${lost[0].reason}.`);
      else if (stale.size) this.refused = true;
      for (const [key, change] of batch) {
        if (stale.has(change.id)) this.hold(key, change);
        else this.remove(key);
      }
      this.on.stored?.();
    } else if (status === 404 || status === 409) {
      this.lose(LOSSES[status]);
      for (const [key] of this.entries()) this.remove(key);
      if (status === 404) {
        drop(this.place.person, this.place.tape, this.storage);
        this.on.gone?.(status);
      }
    } else if (status in LOSSES) {
      // One change must not keep the others from being stored: it is looked for, and it alone goes.
      const half = Math.floor(batch.length / 2);
      if (half) {
        await this.deliver(batch.slice(0, half));
        await this.deliver(batch.slice(half));
      } else {
        this.lose(LOSSES[status]);
        this.remove(batch[0][0]);
      }
    } else {
      const out = status === 401 || status === 403;
      this.trouble = out ? "signed out" : "failing";
      if (status === 401) this.on.gone?.(status);
      throw new Error(this.trouble);
    }
  }

  /** @param {string} words */
  lose(words) {
    this.trouble = "";
    this.lost = words;
    this.refused = true;
  }

  /** What is wrong, in words; empty while all is well. That a change was lost holds until the page is loaded anew. */
  get words() {
    const trouble = TROUBLES[this.trouble] ?? this.lost;
    return trouble && this.entries().length && !this.kept ? `${trouble} ${IN_PAGE}` : trouble;
  }

  told() {
    this.tell({ waiting: this.entries().length, trouble: this.words });
  }
}
