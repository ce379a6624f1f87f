import { post } from "./server.js";

/**
 * Together, apart: a stream of what whoever leads does. It is read with fetch, not EventSource, so that it says of itself
 * that perhaps nobody sits before it; lost, it is opened again, and whoever led sends the place anew.
 *
 * @typedef {{utterance: string, time: number, playing: boolean, number: number, leader: string, leads: boolean, here: number,
 *   voted: number, mine: string[] | null, votes: {coder: string, codes: string[]}[] | null}} Table
 */

const FIRST_WAIT = 250;
const LONGEST_WAIT = 2000;

export class Live {
  /**
   * @param {string} address @param {string} codebook
   * @param {{changed: (table: Table) => void, lost: (lost: boolean) => void, gone: (status: number) => void,
   *   place: () => {utterance_id: string, time: number, playing: boolean}, refused: (words: string) => void}} on
   */
  constructor(address, codebook, on) {
    this.address = address;
    this.codebook = codebook;
    this.on = on;
    this.running = false;
    /** @type {Table | null} */
    this.table = null;
  }

  start() {
    if (this.running) return;
    this.running = true;
    this.follow();
  }

  stop() {
    this.running = false;
    this.reading?.abort();
    this.table = null;
  }

  async follow() {
    let wait = FIRST_WAIT;
    while (this.running) {
      this.reading = new AbortController();
      try {
        const answer = await fetch(`${this.address}?codebook=${encodeURIComponent(this.codebook)}`, {
          headers: { Accept: "text/event-stream", "X-Unattended": "1" }, signal: this.reading.signal, cache: "no-store",
        });
        if ([401, 403, 404].includes(answer.status)) {
          this.running = false;
          return this.on.gone(answer.status);
        }
        if (!answer.ok || !answer.body) throw new Error(String(answer.status));
        this.on.lost(false);
        wait = FIRST_WAIT;
        // A server that began anew knows no place: whoever led sends it.
        if (this.table?.leads) this.send("place", this.on.place());
        await this.read(answer.body.getReader());
      } catch {
        // No connection: the next try may have one.
      }
      if (!this.running) return;
      this.on.lost(true);
      await new Promise((done) => setTimeout(done, wait));
      wait = Math.min(2 * wait, LONGEST_WAIT);
    }
  }

  /** @param {ReadableStreamDefaultReader<Uint8Array>} reader */
  async read(reader) {
    const decoder = new TextDecoder();
    let text = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done || !this.running) return;
      text += decoder.decode(value, { stream: true });
      const parts = text.split("\n\n");
      text = parts.pop() ?? "";
      for (const part of parts) if (part.startsWith("data: ")) this.take(JSON.parse(part.slice(6)));
    }
  }

  /** @param {Table} table */
  take(table) {
    // A server that began anew has no place yet: stay where we are until somebody who led has sent it.
    const blank = !table.leader && this.table?.leader;
    this.table = blank ? { ...table, leads: this.table?.leads ?? false, leader: this.table?.leader ?? "" } : table;
    if (!blank) this.on.changed(table);
  }

  /** @param {"place" | "lead" | "vote" | "show"} action @param {{utterance_id: string, time?: number, playing?: boolean, codes?: string[]}} fields */
  async send(action, fields) {
    try {
      const answer = await post(this.address, { codebook: this.codebook, action, ...fields });
      if (answer.ok) this.take(await answer.json());
      else this.on.refused((await answer.json()).detail);
    } catch {
      this.on.lost(true);
    }
  }
}

