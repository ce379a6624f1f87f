/** The sound: an audio element, with the moves that a coder's foot and hand make. */

const BACK_STEP = 1.5;
export const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];

export class Player {
  /** @param {HTMLAudioElement} audio @param {number} duration in ms */
  constructor(audio, duration) {
    this.audio = audio;
    this.duration = duration;
    audio.preservesPitch = true;
  }

  /** Milliseconds from the start of the tape. */
  get time() {
    return Math.round(this.audio.currentTime * 1000);
  }

  get playing() {
    return !this.audio.paused;
  }

  /** On the way to a place, or not loaded yet: where it is now says nothing. */
  get seeking() {
    return this.audio.seeking || !this.audio.readyState;
  }

  /** Play, from a little before where it stopped; or pause. */
  toggle() {
    if (this.playing) this.audio.pause();
    else {
      if (this.audio.currentTime > 0) this.step(-BACK_STEP);
      this.play();
    }
  }

  play() {
    this.audio.play().catch(() => {});
  }

  pause() {
    this.audio.pause();
  }

  /** @param {number} seconds */
  step(seconds) {
    this.seek(this.time + seconds * 1000);
  }

  /** @param {number} ms */
  seek(ms) {
    this.audio.currentTime = Math.min(Math.max(0, ms), Math.max(0, this.duration - 1)) / 1000;
  }

  get speed() {
    return this.audio.playbackRate;
  }

  /** @param {number} speed */
  set speed(speed) {
    this.audio.defaultPlaybackRate = speed;
    this.audio.playbackRate = speed;
    this.audio.preservesPitch = true;
  }

  /** @param {1 | -1} direction */
  shift(direction) {
    const at = SPEEDS.findIndex((speed) => speed >= this.speed);
    this.speed = SPEEDS[Math.min(Math.max(0, at + direction), SPEEDS.length - 1)];
  }
}

/** What stands for the player where a tape has no sound: a cursor in the text, whose times are the places of words. */
export class Cursor {
  constructor() {
    this.audio = new EventTarget();
    this.time = 0;
    this.duration = 0;
    this.playing = false;
    this.seeking = false;
    this.speed = 1;
  }

  /** @param {number} place */
  seek(place) {
    this.time = place;
  }

  toggle() {}

  play() {}

  pause() {}

  step() {}

  shift() {}
}

/** A time as people write it: 4:05. @param {number} ms */
export function clock(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
