import { chip, icon, misfit, misfits } from "./chips.js";
import { fresh } from "./changes.js";
import { definitionsDialog } from "./definitions.js";
import { byId, make } from "./elements.js";
import { listen } from "./keyboard.js";
import { ROLES } from "./layout.js";
import { standingOf } from "./marks.js";
import { clock, Cursor, Player } from "./player.js";
import { leave } from "./leaving.js";
import { Live } from "./live.js";
import { get, peaks, post } from "./server.js";
import { languageMark } from "./transcript.js";
import { watch } from "./watch.js";
import { NoWave, Wave } from "./wave.js";

/**
 * The group's page: what the coders said of each utterance, side by side, and what the group settles on.
 *
 * @typedef {{coder: string, codes: string[], unsure: boolean, task: string}} Opinion a task where it was less than all codes
 * @typedef {import("./layout.js").Utterance & {opinions: Opinion[], settled: string[] | null, machine: string[], talk: string[],
 *   probability: number | null, source: string, codes: string[], disputed: boolean}} Place
 */

const USED = new Set(["play", "back", "forward", "back_far", "forward_far", "next_play", "again", "next", "previous", "clear", "undo", "slower", "faster", "define", "help"]);
/** How long a settled code stays before the room goes on, in ms: time for a second code, or an undo. */
const SETTLED = 2500;
/** How far apart two players may be, in ms, before one jumps to the other. */
const TOGETHER = 400;
const MOVES = new Set(["next", "previous", "next_play"]);
/** What moves the cursor within an utterance, which this page has only where there is sound. */
const CURSOR = new Set(["back", "forward"]);

class Table {
  /** @param {any} state @param {Float32Array | null} loud null without sound @param {string} place @param {string} codebook */
  constructor(state, loud, place, codebook) {
    this.address = place;
    this.codebook = codebook;
    /** @type {Map<string, import("./chips.js").Code>} */
    this.codes = new Map(state.codes.map((/** @type {any} */ code) => [code.name, code]));
    /** What the machine says of the client, where the codebook has no codes for it. @type {Map<string, any>} */
    this.talk = new Map(state.talk.map((/** @type {any} */ code) => [code.name, code]));
    /** @type {Map<string, Place>} */
    this.places = new Map(state.places.map((/** @type {Place} */ one) => [one.id, one]));
    /** Whether the tape is coded from text: it has no sound. */
    this.silent = !loud;
    this.player = loud ? new Player(/** @type {HTMLAudioElement} */ (byId("sound")), state.tape.duration) : new Cursor();
    this.only = true;
    /** Whether the page is for a wall that all see: one disagreement at a time, in large text, with names masked. */
    this.room = byId("together").dataset.room === "true";
    this.advance = 0;
    /** @type {string | null} */
    this.heard = null;
    /** @type {number | null} */
    this.until = null;
    this.wave = loud && this.player instanceof Player
      ? new Wave(byId("wave"), /** @type {any} */ (byId("marks")), /** @type {any} */ (byId("strip")), byId("head"), this.player, loud)
      : new NoWave();
    this.take(state);
    this.current = this.queue[0] ?? state.places[0]?.id ?? "";
    /** @type {Map<string, HTMLElement>} */
    this.buttons = new Map();
    for (const code of this.codes.values()) {
      const button = make(
        "button",
        { type: "button", class: `code c-${code.color}`, "aria-pressed": "false", onclick: () => this.act(`code:${code.name}`) },
        icon(code), make("span", { class: "label" }, code.label), make("kbd", {}, code.shown),
      );
      this.buttons.set(code.name, button);
      byId("code-buttons").append(button);
    }
    const bindings = state.bindings.filter((/** @type {any} */ each) => each.action.startsWith("code:") || (USED.has(each.action) && !(this.silent && CURSOR.has(each.action))));
    byId("keys-list").replaceChildren(...bindings.map((/** @type {any} */ each) =>
      make("tr", {}, make("th", { scope: "row" }, each.action === "next_play" ? `Go to the next disagreement${this.silent ? "" : " and play it"}` : each.label), make("td", {}, make("kbd", {}, each.shown))),
    ));
    this.definitions = definitionsDialog(state.codes, state.sheet, () => this.act("define"), bindings.find((/** @type {any} */ each) => each.action === "define").shown);
    listen(bindings, (action) => {
      this.act(action);
      if (MOVES.has(action)) this.focus();
    });
    if (!this.silent) byId("play").addEventListener("click", () => this.act("play"));
    for (const [id, action] of [["next", "next_play"], ["undo", "undo"], ["help", "help"]]) {
      byId(id).addEventListener("click", () => this.act(action));
    }
    document.getElementById("full")?.addEventListener("click", () => {
      if (document.fullscreenElement) document.exitFullscreen();
      else document.documentElement.requestFullscreen();
    });
    document.addEventListener("fullscreenchange", () => {
      document.getElementById("full")?.setAttribute("aria-pressed", String(Boolean(document.fullscreenElement)));
    });
    byId("only").addEventListener("click", () => {
      this.only = !this.only;
      byId("only").setAttribute("aria-pressed", String(this.only));
      this.draw();
    });
    byId("places").addEventListener("click", (event) => {
      const row = /** @type {HTMLElement} */ (event.target).closest(".place");
      if (row instanceof HTMLElement) this.go(row.dataset.id ?? "");
    });
    const { audio } = this.player;
    for (const kind of ["play", "pause"]) {
      audio.addEventListener(kind, () => {
        if (!audio.isConnected) return;
        byId("play").setAttribute("aria-pressed", String(this.player.playing));
        if (kind === "play") this.tick();
        if (this.live?.table?.leads) this.live.send("place", this.place);
      });
    }
    audio.addEventListener("seeked", () => this.tick(true));
    audio.addEventListener("error", () => {
      byId("trouble").textContent = "The sound cannot be played. Reload the page, or sign in again.";
    });
    this.live = new Live(`${place}/live`, codebook, {
      changed: (table) => this.follow(table),
      lost: (lost) => {
        byId("apart-lost").hidden = !lost;
      },
      gone: leave,
      place: () => this.place,
      refused: (words) => {
        byId("trouble").textContent = words;
      },
    });
    byId("apart").addEventListener("click", () => this.apart(!this.live.running));
    byId("lead").addEventListener("click", () => this.live.send("lead", this.place));
    byId("show-votes").addEventListener("click", () => this.live.send("show", this.place));
    this.draw();
    this.tick(true);
    watch(`${place}/mark?codebook=${encodeURIComponent(codebook)}`, () => this.mark, () => this.refresh(), leave);
  }

  /** @param {{queue: string[], basis: string, mark: string, measures: any[], places: Place[]}} answer */
  take({ queue, basis, mark, measures, places }) {
    this.queue = queue;
    this.mark = mark;
    for (const one of places) this.places.set(one.id, one);
    this.all = [...this.places.values()].sort((one, other) => one.start - other.start);
    byId("open-count").textContent = `${queue.length === 1 ? "1 disagreement" : `${queue.length} disagreements`}${this.room ? " left" : ""}`;
    byId("basis").textContent = basis;
    byId("measures").replaceChildren(...measures.flatMap((one) => [
      make("dt", {}, one.label), make("dd", { class: one.text === "undefined" ? "undefined" : "" }, make("strong", {}, one.text), " ", make("span", { class: "soft small" }, one.spread)),
    ]));
  }

  /** What somebody else settled or corrected meanwhile, or what another pass adds. */
  async refresh() {
    const state = await get(stateOf(this.address, this.codebook));
    this.places.clear();
    this.take(state);
    if (!this.places.has(this.current)) this.current = this.queue[0] ?? state.places[0]?.id ?? "";
    this.draw();
  }

  /** In step with the sound, while it plays. @param {boolean} [once] */
  tick(once = false) {
    if (this.silent) return;
    const { time } = this.player;
    byId("clock").textContent = `${clock(time)} / ${clock(this.player.duration)}`;
    if (this.until !== null && this.player.playing && time >= this.until) {
      this.player.pause();
      this.until = null;
    }
    const one = this.all[this.wave.at(time + 60)];
    const id = one && time + 60 >= one.start && time < one.end ? one.id : null;
    if (id !== this.heard) {
      this.heard = id;
      this.sound();
    }
    this.wave.here();
    if (!once && this.player.playing) requestAnimationFrame(() => this.tick());
  }

  /** Show which utterance is heard. */
  sound() {
    for (const row of document.querySelectorAll(".place")) row.classList.toggle("sounding", /** @type {HTMLElement} */ (row).dataset.id === this.heard);
  }

  /** A screen reader reads the row that the keys have reached. */
  focus() {
    /** @type {HTMLElement | null} */ (document.querySelector(".place.current"))?.focus({ preventScroll: true });
  }

  /** Where this page is, for those who follow it. */
  get place() {
    return { utterance_id: this.current, time: this.silent ? 0 : this.player.time, playing: this.player.playing };
  }

  /** @param {boolean} on follow whoever leads, or go one's own way */
  apart(on) {
    byId("apart").setAttribute("aria-pressed", String(on));
    byId("apart-box").hidden = !on;
    if (on) this.live.start();
    else this.live.stop();
    this.draw();
  }

  /** Whoever leads has moved, or somebody voted. @param {import("./live.js").Table} table */
  follow(table) {
    byId("leader").textContent = table.leads ? "You lead." : table.leader ? `${table.leader} leads.` : "Nobody leads yet.";
    byId("lead").hidden = table.leads;
    byId("show-votes").hidden = !table.leads || Boolean(table.votes) || !table.voted;
    byId("voted").textContent = `${table.here} here, ${table.voted} voted.${table.mine ? " You have voted." : " Vote with a code's key."}`;
    byId("votes").replaceChildren(...(table.votes ?? []).map(({ coder, codes }) =>
      make("div", {}, make("dt", {}, coder), make("dd", {}, codes.map((name) => this.codes.get(name)?.label ?? name).join(", ") || "no code"))));
    if (!table.leads && this.places.has(table.utterance)) {
      if (table.utterance !== this.current) {
        this.current = table.utterance;
        this.draw();
        document.querySelector(".place.current")?.scrollIntoView({ block: "center" });
      }
      this.hearWith(table);
    }
    this.draw();
  }

  /** The same moment in every ear. @param {{time: number, playing: boolean, number: number}} table */
  hearWith({ time, playing, number }) {
    if (this.silent || number === this.followed) return;
    this.followed = number;
    if (Math.abs(this.player.time - time) > TOGETHER) this.player.seek(time);
    this.until = null;
    if (playing && !this.player.playing) this.player.play();
    else if (!playing && this.player.playing) this.player.pause();
  }

  /** Whether the codes of the current utterance wait until all have voted. */
  get voting() {
    return this.live?.running && this.live.table !== null && !this.live.table.votes;
  }

  /** What the other said before: in the room, a disagreement never stands alone. @param {Place} one */
  before(one) {
    return this.all.slice(0, this.all.indexOf(one)).findLast((each) => each.role !== one.role);
  }

  get shown() {
    const one = this.places.get(this.current);
    if (this.room && this.only) return one ? [one] : [];
    return this.only ? this.all.filter((one) => one.disputed || one.id === this.current) : this.all;
  }

  draw() {
    const focused = document.activeElement?.matches(".place");
    byId("places").replaceChildren(...this.shown.flatMap((one) => {
      const before = this.room && this.only ? this.before(one) : undefined;
      return before ? [this.lead(before), this.row(one)] : [this.row(one)];
    }));
    byId("none").hidden = this.queue.length > 0 || !this.only;
    this.wave.show(this.all.map((one) => {
      const { names, standing } = standingOf(one);
      const codes = names.map((name) => this.codes.get(name)).filter((code) => code !== undefined);
      return { utterance: one, codes, standing, check: one.disputed };
    }));
    if (focused) this.focus();
    this.sound();
    this.press();
  }

  press() {
    const one = this.places.get(this.current);
    for (const [name, button] of this.buttons) {
      button.setAttribute("aria-pressed", String(Boolean(one?.settled?.includes(name))));
      const code = this.codes.get(name);
      button.classList.toggle("other-role", Boolean(one && code && misfits(code, one.role)));
    }
  }

  /** The line before, without any codes: it is not what is settled. @param {Place} one */
  lead(one) {
    return make(
      "div", { class: `utterance lead-in ${one.role} first`, role: "row" },
      make("span", { class: "time", role: "gridcell" }, this.silent ? `#${this.all.indexOf(one) + 1}` : clock(one.start)),
      make("span", { class: "who", role: "gridcell" }, one.role === "client" ? "Client" : "Interviewer"),
      make("p", { class: "said", role: "gridcell" }, one.words.map((word) => word.text).join(" ")),
    );
  }

  /** @param {Place} one */
  row(one) {
    const chips = (/** @type {string[]} */ names, how = {}) =>
      names.map((name) => this.codes.get(name) ?? this.talk.get(name)).filter((code) => code !== undefined).map((code) => chip(code, how));
    const said = (/** @type {string} */ who, /** @type {HTMLElement[]} */ marks, kind = "", none = "no code") =>
      make("div", { class: `opinion ${kind}` }, make("dt", {}, who), make("dd", {}, ...(marks.length ? marks : [make("span", { class: "chip hand empty" }, none)])));
    return make(
      "div",
      {
        class: `utterance place ${one.role} first${one.id === this.current ? " current" : ""}`, "data-id": one.id,
        role: "row", "aria-selected": String(one.id === this.current), tabindex: one.id === this.current ? "0" : "-1",
      },
      make("span", { class: "time", role: "gridcell" }, this.silent ? `#${this.all.indexOf(one) + 1}` : clock(one.start)),
      make("span", { class: "who", role: "gridcell" }, ROLES[one.role] ?? one.role),
      make("p", { class: "said", role: "gridcell" }, one.words.map((word) => word.text).join(" ")),
      make("div", { class: "cell", role: "gridcell" }, make(
        "dl", { class: "opinions" },
        one.language ? make("div", { class: "opinion" }, make("dt", {}, "Language"), make("dd", {}, languageMark(one, one.codes.length > 0))) : null,
        ...(this.voting && one.id === this.current ? [] : one.opinions).map((each) => said(each.task ? `${each.coder} (${each.task})` : each.coder, chips(each.codes, { unsure: each.unsure }), "", each.unsure ? "unsure" : "no code")),
        !(this.voting && one.id === this.current) && (one.machine.length || one.talk.length) ? said("Machine", chips([...one.machine, ...one.talk], { machine: true, probability: one.probability })) : null,
        one.settled ? said("Together", chips(one.settled), "together", one.language ? "left out" : "no code") : null,
      )),
    );
  }

  /** @param {string} id @param {boolean} [play] */
  go(id, play = false) {
    const one = this.places.get(id);
    if (!one) return;
    this.current = id;
    this.player.seek(one.start);
    this.draw();
    document.querySelector(".place.current")?.scrollIntoView({ block: "center" });
    if (play) {
      this.until = one.end;
      this.player.play();
    }
    if (this.live.table?.leads) this.live.send("place", this.place);
  }

  /** @param {string} action */
  act(action) {
    clearTimeout(this.advance);
    const at = this.shown.findIndex((one) => one.id === this.current);
    const moves = /** @type {Record<string, () => void>} */ ({
      play: () => { this.until = null; this.player.toggle(); },
      back: () => this.player.step(-0.5), forward: () => this.player.step(0.5),
      back_far: () => this.player.step(-5), forward_far: () => this.player.step(5),
      slower: () => this.player.shift(-1), faster: () => this.player.shift(1),
      next_play: () => this.go(this.queue.find((id) => id !== this.current) ?? "", true),
      again: () => this.go(this.current, true),
      next: () => this.go(this.neighbor(at, 1)), previous: () => this.go(this.neighbor(at, -1)),
      help: () => /** @type {HTMLDialogElement} */ (byId("keys")).showModal(),
      define: () => this.definitions.open(this.places.get(this.current)?.codes ?? [], this.places.get(this.current)?.role),
      clear: () => this.settle("clear", []), undo: () => this.settle("undo", []),
    });
    if (moves[action]) moves[action]();
    else if (action.startsWith("code:")) this.give(action.slice(5));
  }

  /** The next row or the one before; in the room, of the disagreements. @param {number} at @param {1 | -1} by */
  neighbor(at, by) {
    if (!(this.room && this.only)) return this.shown[at + by]?.id ?? "";
    const rows = this.all.filter((one) => one.disputed || one.id === this.current);
    return rows[rows.findIndex((one) => one.id === this.current) + by]?.id ?? "";
  }

  /** @param {string} name */
  give(name) {
    const [one, code] = [this.places.get(this.current), this.codes.get(name)];
    if (!one || !code) return;
    if (misfits(code, one.role)) {
      byId("trouble").textContent = misfit(code, one.role);
      return;
    }
    if (this.voting) {
      const mine = this.live.table?.mine ?? [];
      const kept = mine.filter((each) => each !== name && this.codes.get(each)?.family !== code.family);
      this.live.send("vote", { utterance_id: this.current, codes: mine.includes(name) ? kept : [...kept, name] });
      return;
    }
    const [given, { family }] = [one.settled ?? [], code];
    const others = given.filter((each) => each !== name && this.codes.get(each)?.family !== family);
    this.settle("set", given.includes(name) ? given.filter((each) => each !== name) : [...others, name]);
  }

  /** @param {string} action @param {string[]} codes */
  async settle(action, codes) {
    try {
      const answer = await post(this.address, { id: fresh(), codebook: this.codebook, utterance_id: this.current, action, codes, room: this.room });
      if (answer.status === 401 || answer.status === 404) leave();
      if (!answer.ok) throw new Error((await answer.json()).detail);
      this.take(await answer.json());
      byId("trouble").textContent = "";
      this.draw();
      if (this.room && action === "set") this.advance = window.setTimeout(() => this.act("next_play"), SETTLED);
    } catch (error) {
      byId("trouble").textContent = `Not saved: ${/** @type {Error} */ (error).message}`;
    }
  }
}

/** @param {string} place @param {string} codebook */
function stateOf(place, codebook) {
  const room = byId("together").dataset.room ? "&room=true" : "";
  return `${place}/state?codebook=${encodeURIComponent(codebook)}${room}`;
}

async function open() {
  const page = byId("together");
  const { place = "", codebook = "", peaks: drawing } = page.dataset;
  const [state, loud] = await Promise.all([get(stateOf(place, codebook)), drawing ? peaks(drawing) : null]);
  const table = new Table(state, loud, place, codebook);
  page.dataset.ready = "true";
  return table;
}

open().catch((error) => {
  byId("trouble").textContent = `The page could not be loaded: ${error.message}. Reload it.`;
});
