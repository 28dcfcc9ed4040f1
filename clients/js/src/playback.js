// Playback decides which moment of the past is on the screen: two state intervals behind the stream and as much
// more as the arrivals of late have wavered, so that the states around it are mostly there. The moment never jumps
// while the stream is sound; when the delay has to change, time runs up to a tenth faster or slower for a while.

import { Lateness } from './stats.js';

/** Delay in intervals between states, before the jitter. */
const INTERVALS = 2;
/** The jitter counts up to this, ms. */
const MOST_JITTER_MS = 150;
/** Arrivals that the jitter is taken from, as the time constant of an average. */
const MEMORY = 64;
const MOST_BEND = 0.1;
/** How fast what is left is made up, ms. */
const BEND_MS = 250;
/** What is further off than this is set at once, ms. */
const SNAP_MS = 600;

export class Playback {
  #tickMs;
  #lateness = new Lateness();
  #gap;
  #least;
  #newest = -1;
  #mean = 0;
  #square = 0;
  #last = 0;
  #begun = false;

  /**
   * @param {number} tickRate Hz
   * @param {number} snapshotRate Hz
   */
  constructor(tickRate, snapshotRate) {
    this.#tickMs = 1000 / tickRate;
    this.#least = this.#gap = tickRate / snapshotRate;
    /** The moment shown, in ticks with a fraction. */
    this.tick = 0;
    /** How much the arrivals waver, ms. */
    this.jitterMs = 0;
    /** Times the moment was set at once. */
    this.jumps = 0;
  }

  /** How far behind the quickest arrivals the moment is to lie, ms. */
  get delayMs() {
    return INTERVALS * this.#gap * this.#tickMs + this.jitterMs;
  }

  /**
   * A state has come.
   * @param {number} tick
   * @param {number} nowMs
   */
  add(tick, nowMs) {
    if (this.#newest >= 0 && tick > this.#newest) {
      this.#gap += (Math.min(tick - this.#newest, 4 * this.#least) - this.#gap) / 16;
      if (this.#gap < this.#least) this.#gap = this.#least;
    }
    this.#newest = tick;
    const late = this.#lateness.add(nowMs, tick * this.#tickMs);
    this.#mean += (late - this.#mean) / MEMORY;
    this.#square += (late * late - this.#square) / MEMORY;
    const deviation = Math.sqrt(Math.max(0, this.#square - this.#mean * this.#mean));
    this.jitterMs = Math.min(MOST_JITTER_MS, this.#mean + 2 * deviation);
  }

  /**
   * The stream's tick if it arrived as quickly as the quickest state of late.
   * @param {number} nowMs
   */
  live(nowMs) {
    return (nowMs - this.#lateness.least) / this.#tickMs;
  }

  /**
   * Goes on to this moment of the screen.
   * @param {number} nowMs
   * @param {number} most tick that can be shown at the utmost
   */
  advance(nowMs, most) {
    const wanted = this.live(nowMs) - this.delayMs / this.#tickMs;
    const passed = this.#begun ? Math.max(0, nowMs - this.#last) / this.#tickMs : 0;
    const off = (wanted - this.tick - passed) * this.#tickMs;
    this.#last = nowMs;
    if (!this.#begun || Math.abs(off) > SNAP_MS) {
      if (this.#begun) this.jumps++;
      this.#begun = true;
      this.tick = wanted;
    } else this.tick += passed * (1 + Math.max(-MOST_BEND, Math.min(MOST_BEND, off / BEND_MS)));
    if (this.tick > most) this.tick = most;
    return this.tick;
  }
}
