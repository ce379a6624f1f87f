/**
 * Changes on their way to the server. Each lies in the browser's storage from the key press until the server has stored
 * it, so that neither a lost connection nor a closed tab loses one; the server takes each once, however often it is sent.
 *
 * @typedef {import("./changes.js").Change} Change
 */

const TROUBLES = /** @type {Record<string, string>} */ ({
  offline: "No connection: your changes are kept here and sent later.",
  "signed out": "You are signed out: sign in in another tab; your changes are kept here.",
  locked: "This pass is locked: later changes are not taken.",
  "not found": "This tape is no longer there for you.",
  failing: "The server has trouble: your changes are kept here and sent later.",
});
const STATUSES = /** @type {Record<number, string>} */ ({
  401: "signed out", 403: "signed out", 404: "not found", 409: "locked",
});
/** What is said of a change that the server never takes, however often it is sent. */
const LOSSES = /** @type {Record<number, string>} */ ({
  413: "Not stored: one of your changes is too long. Load this page again to see what is stored.",
  422: "Not stored: the server does not understand one of your changes. Load this page again to see what is stored.",
});
const LONGEST_WAIT = 8000;
const BATCH = 100;

export class Outbox {
  /**
   * @param {string} name of the pass: entries of other passes are left alone
   * @param {(changes: Change[]) => Promise<Response>} send
   * @param {(state: {waiting: number, trouble: string}) => void} tell
   * @param {Storage} [storage]
   */
  constructor(name, send, tell, storage = localStorage) {
    this.prefix = `tape-review/${name}/`;
    this.send = send;
    this.tell = tell;
    this.storage = storage;
    this.trouble = "";
    this.lost = "";
    this.wait = 500;
    /** @type {Promise<void> | null} */
    this.attempt = null;
    this.timer = 0;
    this.count = 0;
  }

  /** @param {Change} change */
  add(change) {
    this.count += 1;
    // A sortable key: time, then the order within this page.
    const place = `${String(Date.now()).padStart(15, "0")}-${String(this.count).padStart(6, "0")}`;
    this.storage.setItem(this.prefix + place, JSON.stringify(change));
    this.flush();
  }

  /** @returns {[string, Change][]} */
  entries() {
    const keys = Array.from({ length: this.storage.length }, (_, at) => this.storage.key(at) ?? "");
    return keys
      .filter((key) => key.startsWith(this.prefix))
      .sort()
      .map((key) => [key, JSON.parse(this.storage.getItem(key) ?? "null")]);
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
    try {
      for (let batch = this.entries().slice(0, BATCH); batch.length; batch = this.entries().slice(0, BATCH)) {
        await this.deliver(batch);
      }
      this.wait = 500;
    } catch {
      this.timer = window.setTimeout(() => this.flush(), this.wait);
      this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
    }
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
    if (answer.status === 200) {
      const { refused } = await answer.json();
      this.trouble = refused.length ? `Not stored: ${refused[0].reason}.` : "";
      for (const [key] of batch) this.storage.removeItem(key);
    } else if (answer.status in LOSSES) {
      // One change must not keep the others from being stored: it is looked for, and it alone goes.
      const half = Math.floor(batch.length / 2);
      if (half) {
        await this.deliver(batch.slice(0, half));
        await this.deliver(batch.slice(half));
      } else {
        this.trouble = "";
        this.lost = LOSSES[answer.status];
        this.storage.removeItem(batch[0][0]);
      }
    } else {
      this.trouble = STATUSES[answer.status] ?? "failing";
      throw new Error(this.trouble);
    }
  }

  /** What is wrong, in words; empty while all is well. That a change was lost holds until the page is loaded anew. */
  get words() {
    return TROUBLES[this.trouble] ?? (this.trouble || this.lost);
  }

  told() {
    this.tell({ waiting: this.entries().length, trouble: this.words });
  }
}
