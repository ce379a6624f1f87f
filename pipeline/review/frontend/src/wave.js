import WaveSurfer from "wavesurfer.js";

import { dot, letter } from "./marks.js";

/**
 * The waveform: a close view in the speakers' colors that moves with the sound, and below it a strip of the whole tape.
 * The peaks come from the server, so that the browser never decodes the whole sound.
 *
 * @typedef {import("./layout.js").Utterance} Utterance
 * @typedef {{utterance: Utterance, codes: import("./chips.js").Code[], standing: import("./marks.js").Standing, check: boolean}} Mark
 */

const PIXELS_PER_SECOND = 40;
const HEIGHT = 64;

export class Wave {
  /**
   * @param {HTMLElement} place @param {HTMLCanvasElement} marks @param {HTMLCanvasElement} strip @param {HTMLElement} head
   * @param {import("./player.js").Player} player @param {Float32Array} peaks
   */
  constructor(place, marks, strip, head, player, peaks) {
    this.place = place;
    this.marks = marks;
    this.strip = strip;
    this.head = head;
    this.player = player;
    this.peaks = peaks;
    this.style = getComputedStyle(document.documentElement);
    /** @type {Mark[]} */
    this.shown = [];
    this.surfer = WaveSurfer.create({
      container: place, media: player.audio, peaks: [peaks], duration: player.duration / 1000, height: HEIGHT,
      minPxPerSec: PIXELS_PER_SECOND, autoCenter: true, hideScrollbar: true, cursorColor: this.color("ink"), cursorWidth: 2,
      dragToSeek: true,
      progressColor: "rgba(127, 140, 140, .35)",
      renderFunction: (_, context) => this.paint(context),
    });
    adopt(this.surfer.getWrapper().getRootNode());
    this.surfer.on("scroll", () => this.mark());
    this.surfer.on("redrawcomplete", () => this.mark());
    strip.addEventListener("click", (event) => {
      this.player.seek((event.offsetX / this.strip.clientWidth) * this.player.duration);
    });
    new ResizeObserver(() => this.show(this.shown)).observe(strip);
  }

  /** @param {string} name of a color in the style sheet */
  color(name) {
    return this.style.getPropertyValue(`--${name}`).trim() || "#59616b";
  }

  /** @param {Mark[]} shown the utterances with their codes */
  show(shown) {
    const roles = shown.map(({ utterance: { role, start } }) => `${start}${role}`).join();
    this.shown = shown;
    if (roles !== this.roles) this.surfer.setOptions({});
    this.roles = roles;
    this.overview();
    this.mark();
  }

  /** One chunk of the close view. @param {CanvasRenderingContext2D} context */
  paint(context) {
    const { canvas } = context;
    const ratio = canvas.width / (parseFloat(canvas.style.width) || canvas.width);
    const left = parseFloat(canvas.style.left) || 0;
    const whole = this.surfer?.getWrapper().clientWidth || canvas.width;
    const per = this.player.duration / whole;
    const middle = canvas.height / 2;
    let at = this.at(left * per);
    for (let x = 0; x < canvas.width / ratio; x += 3) {
      const time = (left + x) * per;
      while (at < this.shown.length - 1 && this.shown[at + 1].utterance.start <= time) at += 1;
      const said = this.shown[at]?.utterance;
      const role = said && time >= said.start && time < said.end ? said.role : "silence";
      const [from, to] = [time, time + 3 * per].map((ms) => Math.floor((ms / this.player.duration) * this.peaks.length));
      let peak = 0;
      for (let place = from; place <= to; place += 1) peak = Math.max(peak, this.peaks[place] ?? 0);
      const high = Math.max(1, Math.sqrt(peak) * middle * 0.94);
      context.fillStyle = this.color(role);
      context.fillRect(x * ratio, middle - high, 2 * ratio, 2 * high);
    }
  }

  /** The last utterance that starts by then. @param {number} time */
  at(time) {
    return lastBegun(this.shown, time);
  }

  /** The marks of the codes under the close view. */
  mark() {
    const [context, width] = this.fit(this.marks);
    const left = this.surfer?.getScroll() ?? 0;
    const per = this.player.duration / (this.surfer?.getWrapper().clientWidth || width);
    let last = -Infinity;
    for (const { utterance, codes, standing } of this.shown) {
      const [x, end] = [utterance.start / per - left, utterance.end / per - left];
      if (end < -20 || x > width + 20) continue;
      context.fillStyle = this.color(utterance.role);
      context.fillRect(x, 0, Math.max(2, end - x - 1), 4);
      for (const code of codes) {
        last = Math.max(x, last + 19);
        letter(context, last, 8, code, standing, this.color(code.color), this.color("card"));
      }
    }
  }

  /** The strip of the whole tape: who speaks, what is coded, what to check. */
  overview() {
    const [context, width] = this.fit(this.strip);
    const per = this.player.duration / width;
    for (const { utterance, codes, standing, check } of this.shown) {
      const [x, wide] = [utterance.start / per, Math.max(1, (utterance.end - utterance.start) / per)];
      context.fillStyle = this.color(utterance.role);
      context.fillRect(x, utterance.role === "client" ? 13 : 5, wide, 6);
      for (const code of codes.slice(0, 1)) {
        const across = Math.max(2, Math.min(wide, 4));
        dot(context, x, utterance.role === "client" ? 20 : 0, across, standing, this.color(code.color));
      }
      if (check) {
        context.fillStyle = this.color("check");
        context.fillRect(x, 26, 2, 3);
      }
    }
    this.here();
  }

  /** Move the line that shows where we are: all that changes while the sound plays. */
  here() {
    const share = this.player.time / this.player.duration;
    this.head.style.transform = `translateX(${share * this.strip.clientWidth - 1}px)`;
  }

  /** @param {HTMLCanvasElement} canvas @returns {[CanvasRenderingContext2D, number, number]} */
  fit(canvas) {
    const { clientWidth: width, clientHeight: height } = canvas;
    const ratio = window.devicePixelRatio || 1;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    context.scale(ratio, ratio);
    return [context, width, height];
  }
}

/** What stands for the waveform where a tape has no sound: it knows which utterance is where, and draws nothing. */
export class NoWave {
  constructor() {
    /** @type {Mark[]} */
    this.shown = [];
  }

  /** @param {Mark[]} shown the utterances with their codes */
  show(shown) {
    this.shown = shown;
  }

  /** The last utterance that starts by then. @param {number} time */
  at(time) {
    return lastBegun(this.shown, time);
  }

  here() {}
}

/** @param {Mark[]} shown @param {number} time */
function lastBegun(shown, time) {
  let [low, high] = [0, shown.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (shown[middle].utterance.start <= time) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}

/** The page's policy forbids inline styles; the bundle has put the waveform's into a template. @param {any} shadow */
function adopt(shadow) {
  const sheet = new CSSStyleSheet();
  // What was played keeps its colors, under a veil.
  sheet.replaceSync(`${shadow.querySelector("template.style").content.textContent} .canvases { clip-path: none !important; }`);
  shadow.adoptedStyleSheets = [sheet];
}
