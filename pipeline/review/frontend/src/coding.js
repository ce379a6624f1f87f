import { Changes } from "./changes.js";
import { misfit, misfits } from "./chips.js";
import { definitionsDialog } from "./definitions.js";
import { editText, keysDialog } from "./dialogs.js";
import { byId } from "./elements.js";
import { listen } from "./keyboard.js";
import { keepsBars, standsFor } from "./layout.js";
import { forget, recall, remember, textSize } from "./memory.js";
import { conceal, leave } from "./leaving.js";
import { Notes } from "./notes.js";
import { Outbox } from "./outbox.js";
import { Panel, unchecked } from "./panel.js";
import { clock, Cursor, Player } from "./player.js";
import { progress } from "./progress.js";
import { Search } from "./search.js";
import { get, peaks, post, token } from "./server.js";
import { person } from "./signout.js";
import { Tabs } from "./tabs.js";
import { Transcript } from "./transcript.js";
import { watch } from "./watch.js";
import { NoWave, Wave } from "./wave.js";
import { affected, whereabouts, words } from "./wording.js";

/** A note is taken a little after what it is about, in ms. */
const BEFORE_NOTE = 3000;
/** The keys that take the reader to another row. */
const MOVES = new Set(["next", "previous", "next_play", "check"]);
/** The roles that change places. */
const SWAPPED = new Set(["interviewer", "client"]);

/** The coding page: listen, give each thought its code by one key, and go on. */
class CodingPage {
  /** @param {any} state @param {Float32Array | null} loud null without sound @param {string} address of the state @param {Outbox} outbox */
  constructor(state, loud, address, outbox) {
    this.state = state;
    this.concealed = false;
    this.address = address;
    this.locked = state.pass.locked;
    /** Whether the tape is coded from text: it has no sound. */
    this.silent = !loud;
    this.player = loud ? new Player(/** @type {HTMLAudioElement} */ (byId("sound")), state.tape.duration) : new Cursor();
    this.outbox = outbox;
    outbox.tell = (how) => this.tell(how);
    this.tabs = new Tabs(outbox.place, () => this.elsewhere());
    outbox.on = { refused: () => this.reload(), stored: () => this.tabs.tell(), gone: (status) => this.gone(status) };
    this.changes = new Changes(state, this.outbox);
    /** @type {Map<string, import("./chips.js").Code>} */
    this.codes = new Map(state.codes.map((/** @type {any} */ code) => [code.name, code]));
    this.current = this.changes.utterances[0]?.id ?? "";
    /** @type {string | null} */
    this.word = null;
    /** @type {number | null} */
    this.until = null;
    this.panel = new Panel(
      state.codes, { code: (name) => this.act(`code:${name}`), select: (id) => this.go(id, true) },
      this.silent ? (one) => `#${this.changes.utterances.indexOf(one) + 1}` : undefined,
    );
    this.transcript = new Transcript(byId("transcript"), this.codes, state.unclear, {
      select: (id, word) => this.pick(id, word),
      follow: (on) => this.follow(on),
    }, this.silent);
    this.wave = loud && this.player instanceof Player
      ? new Wave(byId("wave"), /** @type {any} */ (byId("marks")), /** @type {any} */ (byId("strip")), byId("head"), this.player, loud)
      : new NoWave();
    this.help = keysDialog(state.bindings, (action, key) => this.remap(action, key));
    this.definitions = definitionsDialog(state.codes, state.sheet, () => this.act("define"), state.bindings.find((/** @type {any} */ each) => each.action === "define").shown);
    listen(state.bindings, (action) => {
      this.act(action);
      if (MOVES.has(action)) this.transcript.focus(this.current);
    });
    this.notes = new Notes(state.notes, outbox, this.silent, {
      play: (moment) => this.listenTo(moment), back: () => this.transcript.focus(this.current),
    });
    this.search = new Search(
      () => this.changes.utterances, () => this.current, (id) => this.go(id, true), () => this.transcript.focus(this.current),
    );
    this.changes.listen(() => this.draw());
    this.controls();
    this.draw();
    this.back();
    this.choose();
    this.outbox.flush();
    window.addEventListener("online", () => this.outbox.flush());
    watch(state.urls.mark, () => this.state.mark, () => this.refresh(), (status) => this.gone(status));
    this.leaving();
  }

  controls() {
    const { audio } = this.player;
    const lock = /** @type {HTMLFormElement | null} */ (document.querySelector("form.lock"));
    const sure = /** @type {HTMLDialogElement} */ (byId("sure"));
    lock?.addEventListener("submit", (event) => {
      event.preventDefault();
      sure.showModal();
    });
    sure.addEventListener("close", () => {
      if (lock && sure.returnValue === "lock") this.lock(lock);
      sure.returnValue = "";
    });
    textSize(byId("smaller"), byId("larger"));
    byId("undo").addEventListener("click", () => this.act("undo"));
    byId("help").addEventListener("click", () => this.act("help"));
    byId("take-note").addEventListener("click", () => this.act("note"));
    byId("unsure").addEventListener("click", () => this.act("unsure"));
    byId("next").addEventListener("click", () => this.act("next_play"));
    byId("check").addEventListener("click", () => this.act("check"));
    if (this.silent) return;
    byId("play").addEventListener("click", () => this.act("play"));
    byId("follow").addEventListener("click", () => this.act("follow"));
    const speed = /** @type {HTMLSelectElement} */ (byId("speed"));
    speed.addEventListener("change", () => {
      this.player.speed = Number(speed.value);
    });
    audio.addEventListener("ratechange", () => {
      speed.value = String(this.player.speed);
    });
    for (const kind of ["play", "pause"]) {
      audio.addEventListener(kind, () => {
        if (this.concealed) return;
        byId("play").setAttribute("aria-pressed", String(this.player.playing));
        if (kind === "play") this.tick();
      });
    }
    audio.addEventListener("seeked", () => this.tick(true));
    audio.addEventListener("error", () => {
      if (!this.concealed) byId("trouble").textContent = "The sound cannot be played. Reload the page, or sign in again.";
    });
  }

  /** In step with the sound, while it plays. @param {boolean} [once] */
  tick(once = false) {
    if (this.concealed || this.silent) return;
    const { time } = this.player;
    if (this.until !== null && this.player.playing && time >= this.until) {
      this.player.pause();
      this.until = null;
    }
    byId("clock").textContent = `${clock(time)} / ${clock(this.player.duration)}`;
    const one = this.changes.utterances[this.wave.at(time + 60)];
    const inside = one && !this.player.seeking && time + 60 >= one.start;
    if (inside && (this.player.playing || !once) && one.id !== this.current && (!this.each || time < one.end)) this.select(one.id);
    const word = inside ? one.words.findLast((each) => each.start <= time + 30) : null;
    this.transcript.speak(inside ? one.id : null, word && time < word.end + 400 ? word.id : null);
    this.wave.here();
    if (!once && this.player.playing) requestAnimationFrame(() => this.tick());
  }

  /** Say why a key did nothing, or what it did. @param {string} text @param {boolean} [done] */
  hint(text, done = false) {
    if (this.concealed) return;
    byId("hint").textContent = text;
    byId("hint").classList.toggle("done", done);
  }

  /** Where its coder was when the page was left. */
  back() {
    history.scrollRestoration = "manual";
    const place = recall(this.outbox.place);
    const one = place && this.changes.utterances.find((each) => each.id === place.utterance);
    if (!one) return this.select(this.current);
    this.transcript.following = true;
    this.player.seek(place.time);
    this.select(one.id);
  }

  get one() {
    return this.changes.utterances.find((each) => each.id === this.current);
  }

  get given() {
    return this.changes.codes.get(this.current)?.codes ?? [];
  }

  draw() {
    if (this.concealed) return;
    const { utterances, codes: states } = this.changes;
    if (!this.one) this.current = utterances[this.wave.at(this.player.time)]?.id ?? "";
    this.transcript.show(utterances, states);
    this.wave.show(utterances.map((utterance) => {
      const state = states.get(utterance.id);
      const names = state ? state.codes : utterance.pretag?.codes ?? [];
      const codes = names.map((name) => this.codes.get(name)).filter((code) => code !== undefined);
      const standing = !state ? "machine" : state.unsure ? "open" : "stands";
      return { utterance, codes, standing, check: Boolean(utterance.pretag?.check && !state) };
    }));
    this.panel.check(unchecked(utterances, states));
    this.panel.show(this.one, this.given);
    const { coded, codable } = progress(utterances, states, [...this.codes.values()]);
    byId("coded").textContent = `${coded} of ${codable} coded`;
    const left = document.getElementById("left");
    if (left) left.textContent = codable > coded ? `${codable - coded} without a code. Once locked, they count as “no code”.` : "";
  }

  /** @param {string} id @param {string | null} [word] */
  select(id, word = null) {
    this.current = id;
    this.word = word;
    this.transcript.select(id, word);
    this.panel.show(this.one, this.given);
    remember(this.outbox.place, { utterance: id, time: this.player.time });
  }

  /** A click in the transcript: the cursor goes there, and the sound with it. @param {string} id @param {string} [word] */
  pick(id, word) {
    const one = this.changes.utterances.find((each) => each.id === id);
    const start = one?.words.find((each) => each.id === word)?.start ?? one?.start ?? 0;
    this.player.seek(start);
    this.select(id, word ?? null);
  }

  /** @param {string} id @param {boolean} [follow] */
  go(id, follow = false) {
    const one = this.changes.utterances.find((each) => each.id === id);
    if (!one) return;
    if (follow) this.follow(true);
    this.player.seek(one.start);
    this.select(id);
  }

  /** @param {1 | -1} by */
  neighbor(by) {
    const { utterances } = this.changes;
    return utterances[utterances.findIndex((one) => one.id === this.current) + by];
  }

  /** @param {boolean} on */
  follow(on) {
    this.transcript.following = on;
    document.getElementById("follow")?.setAttribute("aria-pressed", String(on));
    if (on) this.transcript.select(this.current, this.word);
  }

  /** Everything that a key, a pedal or a button can do. @param {string} action */
  act(action) {
    if (this.concealed) return;
    const [kind, name] = action.split(":");
    this.hint("");
    const moves = /** @type {Record<string, () => void>} */ ({
      play: () => this.player.toggle(),
      back: () => (this.silent ? this.step(-1) : this.player.step(-0.5)),
      forward: () => (this.silent ? this.step(1) : this.player.step(0.5)),
      back_far: () => this.player.step(-5),
      forward_far: () => this.player.step(5),
      slower: () => this.player.shift(-1),
      faster: () => this.player.shift(1),
      next_play: () => this.nextAndPlay(),
      next: () => this.go(this.neighbor(1)?.id ?? "", true),
      previous: () => this.go(this.neighbor(-1)?.id ?? "", true),
      again: () => this.again(),
      check: () => this.go(unchecked(this.changes.utterances, this.changes.codes).find((one) => one.id !== this.current)?.id ?? "", true),
      follow: () => this.follow(!this.transcript.following),
      define: () => this.definitions.open(this.given, this.one?.role),
      help: () => this.help.open(),
      search: () => this.search.open(),
      note: () => this.note(),
    });
    if (moves[kind]) moves[kind]();
    else if (this.locked) this.hint("This pass is locked. Its codes cannot change.");
    else if (kind === "code") this.give(name);
    else this.change(kind);
  }

  /** Without sound, the arrows move the cursor word by word. @param {1 | -1} by */
  step(by) {
    const words = this.one?.words ?? [];
    const at = words.findIndex((each) => each.id === this.cursor);
    const word = words[Math.min(Math.max(0, this.word ? at + by : at), words.length - 1)];
    if (word) this.pick(this.current, word.id);
  }

  nextAndPlay() {
    const next = this.neighbor(1);
    if (next) this.go(next.id, true);
    this.player.play();
  }

  /** Hear the utterance again, and stop at its end. */
  again() {
    const one = this.one;
    if (!one) return;
    this.player.seek(one.start);
    this.until = one.end;
    this.player.play();
  }

  /** What is heard when a code is given, in ms; null without sound. */
  get moment() {
    return this.silent ? null : this.player.time;
  }

  /** @param {string} kind */
  change(kind) {
    const { one, changes, moment } = this;
    if (kind === "undo") this.undo();
    else if (kind === "redo") this.say("Done again", changes.redo());
    else if (!one) return;
    else if (kind === "unsure") changes.code(one.id, this.given, !changes.codes.get(one.id)?.unsure, moment);
    else if (kind === "clear") changes.code(one.id, [], false, moment);
    else if (kind === "accept" && one.pretag && !changes.codes.has(one.id)) changes.code(one.id, one.pretag.codes, false, moment);
    else if (kind === "speaker") this.swap(one, {});
    else if (kind === "speaker_once") this.swap(one, { only: true });
    else if (kind === "merge") this.merge();
    else if (kind === "split") this.split();
    else if (kind === "text") this.edit();
    else if (kind === "mask") this.mask();
  }

  undo() {
    const undone = this.changes.undo();
    if (!undone) return this.hint("There is nothing to undo.");
    this.say("Undone", undone.change);
    if (undone.elsewhere) this.reload();
  }

  /** Say what was undone or done again, and show where. @param {string} deed @param {import("./changes.js").Change | null} change */
  say(deed, change) {
    if (!change) return;
    const { utterances } = this.changes;
    const one = utterances.find((each) => each.id === change.utterance_id)
      ?? utterances.find((each) => each.id === change.utterance_id.split("~")[0]);
    if (one) {
      this.select(one.id);
      this.transcript.center(this.transcript.rows.get(one.id));
      this.hint(`${deed}: ${words(change, this.codes)}${whereabouts(utterances, one.id, this.silent)}.`, true);
    } else {
      this.hint(`${deed}: ${words(change, this.codes)}.`, true);
    }
  }

  /** A note on what is heard now; without sound, on the current utterance. */
  note() {
    const at = this.changes.utterances.findIndex((one) => one.id === this.current);
    this.notes.open(this.current, this.silent ? at + 1 : this.player.time);
  }

  /** @param {number} moment of a note */
  listenTo(moment) {
    const { utterances } = this.changes;
    const one = this.silent ? utterances[moment - 1] : utterances[this.wave.at(moment)];
    if (one) this.go(one.id, true);
    if (this.silent) return;
    this.player.seek(moment - BEFORE_NOTE);
    this.player.play();
  }

  /** Another tab of this coder has stored something. */
  elsewhere() {
    if (this.concealed || document.querySelector("textarea.edit")) return;
    this.reload();
  }

  /** What another tab had changed before: its coder takes one or the other. */
  choose() {
    const [change] = this.outbox.undecided();
    byId("clash").hidden = !change;
    if (!change) return;
    const { utterances, codes } = this.changes;
    const there = codes.get(change.utterance_id);
    const text = change.kind === "code"
      ? `It now has ${there ? words({ ...change, ...there, action: there.unsure ? "unsure" : "set" }, this.codes) : "no code yet"}. Yours was ${words(change, this.codes)}.`
      : `Yours was ${words(change, this.codes)}.`;
    const one = affected(change, utterances);
    byId("clash-text").textContent = `The utterance${one ? whereabouts(utterances, one.id, this.silent) : ""} was changed elsewhere. ${text}`;
    byId("mine").textContent = change.kind === "code" ? "Use mine" : change.kind === "text" ? "Correct it again" : "Go there";
    byId("mine").onclick = () => {
      this.outbox.decide(change.id);
      if (one) this.go(one.id, true);
      if (change.kind === "code") this.changes.code(change.utterance_id, change.codes ?? [], change.action === "unsure", change.audio_ms ?? null);
      else if (one && change.kind === "text") this.edit();
      else if (one) this.offer(change, one);
      this.choose();
    };
    byId("theirs").onclick = () => {
      this.outbox.decide(change.id);
      this.choose();
    };
  }

  /** A split, a merge or a swap is made anew by its key, once its coder has seen what is there now. @param {import("./changes.js").Change} change @param {import("./layout.js").Utterance} one */
  offer({ kind, payload }, one) {
    if (kind === "split") this.select(one.id, payload.word_id);
    const action = kind === "speaker" && payload.only ? "speaker_once" : kind;
    const { shown, label } = this.state.bindings.find((/** @type {any} */ each) => each.action === action);
    this.hint(`Look at the utterance. If you still want it: ${shown}, “${label}”.`, true);
  }

  /** One key a code: it comes, goes, or takes the place of another of its family. @param {string} name */
  give(name) {
    const code = this.codes.get(name);
    if (!code || !this.one) return;
    if (misfits(code, this.one.role)) {
      this.hint(misfit(code, this.one.role));
      return;
    }
    const given = this.given;
    const others = given.filter((each) => each !== name && this.codes.get(each)?.family !== code.family);
    const codes = given.includes(name) ? given.filter((each) => each !== name) : [...others, name];
    const order = [...this.codes.keys()];
    this.changes.code(this.current, codes.sort((a, b) => order.indexOf(a) - order.indexOf(b)), false, this.moment);
  }

  /** @param {import("./layout.js").Utterance} one @param {{only?: boolean}} payload */
  swap(one, payload) {
    const { utterances } = this.changes;
    const swapped = payload.only ? [one] : utterances.slice(utterances.indexOf(one));
    if (swapped.some(({ role }) => SWAPPED.has(role))) this.changes.correct("speaker", one.id, payload);
    else this.hint("Only the interviewer and the client can be swapped.");
  }

  merge() {
    const before = this.neighbor(-1);
    if (before && before.speaker === this.one?.speaker) {
      this.changes.correct("merge", this.current, {});
      this.select(before.id);
    } else this.hint("Only utterances of the same speaker can be joined. Swap the speaker first.");
  }

  /** The word at the cursor, or where the sound is: so all goes by keyboard. */
  get cursor() {
    if (this.silent) return this.word ?? this.one?.words[0]?.id;
    return this.word ?? this.one?.words.findLast((each) => each.start <= this.player.time + 30)?.id;
  }

  split() {
    const [one, word] = [this.one, this.cursor];
    if (one && word && one.words.findIndex((each) => each.id === word) > 0) {
      this.changes.correct("split", one.id, { word_id: word });
      this.select(`${one.id.split("~")[0]}~${word}`);
    } else this.hint(`Put the cursor on the first word of the new utterance: click it, or ${this.silent ? "move it with the arrow keys" : "pause there"}.`);
  }

  edit() {
    const row = this.transcript.rows.get(this.current);
    this.player.pause();
    if (row && this.one) editText(row, this.one, this.word, (payload) => {
      if (keepsBars(payload)) this.changes.correct("text", this.current, payload);
      else this.hint("Leave the bar of a masked name in place. Only the interviewer can change it.");
    });
  }

  /** A name is hidden from everyone but the interviewer. */
  mask() {
    const word = this.one?.words.find((each) => each.id === this.cursor);
    if (word?.masked && !this.changes.seesNames) this.hint("Only the interviewer can show a masked name.");
    else if (word) this.changes.correct("mask", this.current, { words: standsFor(word), on: !word.masked });
    else this.hint(`Put the cursor on the name: click it, or ${this.silent ? "move it with the arrow keys" : "pause there"}.`);
  }

  /** Lock the pass once the server has every change: later ones it does not take. @param {HTMLFormElement} form */
  async lock(form) {
    const { words } = this.outbox;
    await this.outbox.flush();
    if (this.outbox.waiting().length) {
      this.hint("Not locked: some of your codes are not saved yet. Try again in a moment.");
      return;
    }
    if (this.outbox.undecided().length) {
      this.hint("Not locked: decide first about the change above.");
      return;
    }
    // Who locked would leave the page before reading what was refused just now.
    if (this.outbox.words && this.outbox.words !== words) {
      this.hint("Not locked: one of your changes could not be saved. Check it, and lock again.");
      return;
    }
    /** @type {HTMLInputElement} */ (form.elements.namedItem("csrf")).value = token();
    form.submit();
  }

  /** @param {string} action @param {string} key */
  async remap(action, key) {
    const answer = await post(this.state.urls.keys, { action, key });
    if (!answer.ok) return (await answer.json()).detail;
    window.location.reload();
    return "";
  }

  /** What only the server can work out anew: once it has all changes, and again where some were made meanwhile. */
  async reload() {
    const { count } = this.outbox;
    await this.outbox.flush();
    if (this.outbox.waiting().length) return;
    const stored = await get(this.address);
    if (count !== this.outbox.count || this.concealed) return;
    if (stored.pass.locked !== this.locked) return window.location.reload();
    this.state.mark = stored.mark;
    this.changes.load(stored);
    this.notes.load(stored.notes);
    this.choose();
    this.draw();
    this.select(this.current, this.word);
  }

  /** Others corrected the transcript meanwhile. A text that is being corrected here is not taken away. */
  async refresh() {
    const { mark } = this.state;
    if (!document.querySelector("textarea.edit")) await this.reload();
    if (mark !== this.state.mark) this.hint("Someone else corrected the transcript.");
  }

  /** The page may no longer be seen. What waits in it alone is kept while its coder is only signed out. @param {number} status */
  gone(status) {
    if (this.concealed) return;
    this.concealed = true;
    if (status === 404) forget(this.outbox.place.person, this.outbox.place.tape);
    if (status === 404 || this.outbox.kept || !this.outbox.waiting().length) {
      this.going = true;
      this.outbox.writing.then(leave);
      return;
    }
    const way = Object.assign(document.createElement("a"), { href: "/login", target: "_blank", textContent: "sign in in another tab" });
    conceal("You are signed out, and some of your changes wait in this page only. Leave it open, and ", way, ". Then they are sent.");
  }

  /** Whoever leaves is asked where something waits in this page alone; whoever signs out has it sent once more. */
  leaving() {
    window.addEventListener("beforeunload", (event) => {
      if (this.outbox.waiting().length && !this.outbox.kept && !this.left) event.preventDefault();
    });
    document.addEventListener("tape-review:leaving", (event) => {
      const { detail } = /** @type {CustomEvent} */ (event);
      detail.sent = this.outbox.flush().then(() => {
        detail.waiting = this.outbox.waiting().length;
      });
    });
    document.addEventListener("tape-review:left", () => {
      this.left = true;
    });
    window.addEventListener("pagehide", () => {
      if (!this.left && !this.concealed) remember(this.outbox.place, { utterance: this.current, time: this.player.time });
    });
  }

  /** @param {{waiting: number, trouble: string}} how */
  tell({ waiting, trouble }) {
    if (this.concealed) {
      if (!waiting && !this.going) leave();
      return;
    }
    byId("saved").textContent = waiting ? `${waiting} not saved yet` : "All saved";
    byId("saved").dataset.waiting = String(waiting);
    // The same words are not read aloud again with every key.
    if (byId("trouble").textContent !== trouble) byId("trouble").textContent = trouble;
  }
}

async function open() {
  const page = byId("coding");
  const address = page.dataset.state ?? "";
  const [state, loud] = await Promise.all([get(address), page.dataset.peaks ? peaks(page.dataset.peaks) : null]);
  const { id: pass, tape, key } = state.pass;
  const place = { person: person(), tape, pass, key };
  const outbox = await new Outbox(place, (changes) => post(state.urls.changes, { changes }), () => {}).open();
  const codingPage = new CodingPage(state, loud, address, outbox);
  page.dataset.ready = "true";
  return codingPage;
}

open().catch((error) => {
  byId("trouble").textContent = `The page could not be loaded: ${error.message}. Reload it.`;
});
