// View draws the past: it keeps the recent states and shows the moment that its Playback chooses. Between two states
// it blends; when the stream stalls it goes on in the way of late for a tenth of a second and then holds; and when the
// stream is back, what had been drawn wrongly fades instead of jumping. Values are in the game's unit.

import { Interp } from './plan.js';
import { Playback } from './playback.js';
import { Rows } from './rows.js';
import { Table, between, beyond, shorter, wrapped } from './blend.js';

const STATES = 64;
/** How far a picture goes on without a newer state, ms. */
const MOST_AHEAD_MS = 100;
/** A mistake fades in this time, gently at both ends. */
const FADE_MS = 250;

export class View {
  /** @type {Rows[]} */
  #rows = [];
  #ticks = new Float64Array(STATES);
  #newest = -1;
  #count = 0;
  #plan;
  #mostAhead;
  /** The last picture lay behind the newest state. */
  #wasAhead = false;
  #wasNewest = 0;
  #wasTick = 0;
  #probe = new Table();
  /** What the picture was wrong by when the stream came back: the same rows as the picture's at that time. */
  #wrong = new Table();
  #wrongAt = -Infinity;

  /**
   * @param {import('./plan.js').Plan} plan
   * @param {number} tickRate Hz
   * @param {number} snapshotRate Hz
   */
  constructor(plan, tickRate, snapshotRate) {
    this.#plan = plan;
    this.#mostAhead = (MOST_AHEAD_MS * tickRate) / 1000;
    for (let i = 0; i < STATES; i++) this.#rows.push(new Rows());
    this.playback = new Playback(tickRate, snapshotRate);
    /** False: each sample is the newest state as it came. */
    this.interpolate = true;
    /** What the last sample showed. */
    this.table = new Table();
    /** The moment of the last sample, in ticks with a fraction. */
    this.tick = 0;
    /** The older of the two states around it: the input message's base_tick. */
    this.baseTick = 0;
    /** How far the sample lies behind baseTick, in 1/256 of the way to the next state. */
    this.fraction = 0;
    /** Samples that lay behind the newest state, and those among them that had to hold still. */
    this.ahead = 0;
    this.held = 0;
  }

  /**
   * Takes a copy of a state that has just arrived.
   * @param {import('./state.js').State} state
   * @param {number} nowMs
   */
  push(state, nowMs) {
    if (this.#count > 0 && state.tick <= this.#ticks[this.#newest]) {
      if (state.tick === this.#ticks[this.#newest]) {
        this.#rows[this.#newest].copyFrom(state.rows);
        return;
      }
      this.#count = 0;
    }
    this.playback.add(state.tick, nowMs);
    this.#newest = (this.#newest + 1) % STATES;
    this.#count = Math.min(this.#count + 1, STATES);
    this.#ticks[this.#newest] = state.tick;
    this.#rows[this.#newest].copyFrom(state.rows);
  }

  /**
   * Fills the table with the rows as they were at the delayed moment. Returns false before the first state.
   * @param {number} nowMs
   */
  sample(nowMs) {
    if (this.#count === 0) return false;
    const newest = this.#ticks[this.#newest];
    const tick = this.playback.advance(nowMs, newest + this.#mostAhead);
    if (!this.interpolate) {
      this.tick = this.baseTick = newest;
      this.fraction = 0;
      this.#wasAhead = false;
      between(this.table, this.#plan, this.#rows[this.#newest], this.#rows[this.#newest], 0);
      return true;
    }
    if (this.#wasAhead && newest !== this.#wasNewest) this.#judge(nowMs);
    this.#fill(this.table, tick);
    this.tick = tick;
    this.#wasAhead = tick > newest;
    this.#wasNewest = newest;
    this.#wasTick = tick;
    if (this.#wasAhead) {
      this.ahead++;
      if (tick >= newest + this.#mostAhead) this.held++;
    }
    const faded = (nowMs - this.#wrongAt) / FADE_MS;
    if (faded < 1) this.#fade(1 - faded * faded * (3 - 2 * faded));
    return true;
  }

  /**
   * Fills the table with the rows as they were at a moment, whatever the time is: for films. Returns false before the first
   * state.
   * @param {number} tick
   */
  show(tick) {
    if (this.#count === 0) return false;
    this.tick = Math.min(tick, this.#ticks[this.#newest]);
    this.#fill(this.table, this.tick);
    return true;
  }

  /** @param {number} back 0 = the newest state */
  #at(back) {
    return (this.#newest - back + STATES) % STATES;
  }

  /**
   * @param {Table} out
   * @param {number} tick
   */
  #fill(out, tick) {
    let back = 0;
    while (back + 1 < this.#count && this.#ticks[this.#at(back)] > tick) back++;
    const a = this.#at(back);
    const from = this.#ticks[a];
    this.baseTick = from;
    if (back === 0 && tick > from && this.#count > 2) {
      const b = this.#at(1);
      const c = this.#at(2);
      const ab = from - this.#ticks[b];
      this.fraction = Math.min(255, Math.floor(((tick - from) / ab) * 256));
      beyond(out, this.#plan, this.#rows[a], this.#rows[b], this.#rows[c], ab, this.#ticks[b] - this.#ticks[c], tick - from);
      return;
    }
    const b = back > 0 ? this.#at(back - 1) : a;
    const to = this.#ticks[b];
    const f = to > from ? Math.min(1, Math.max(0, (tick - from) / (to - from))) : 0;
    this.fraction = Math.min(255, Math.floor(f * 256));
    between(out, this.#plan, this.#rows[a], this.#rows[b], f);
  }

  /**
   * The stream is back: how far the last picture was from what is now known of that moment.
   * @param {number} nowMs
   */
  #judge(nowMs) {
    const { table } = this;
    const wrong = this.#wrong;
    const probe = this.#probe;
    this.#fill(probe, this.#wasTick);
    wrong.copyFrom(table);
    this.#wrongAt = nowMs;
    for (let i = 0; i < wrong.length; i++) {
      const k = this.#plan.kinds[wrong.kinds[i]];
      const n = k.min.length;
      const at = wrong.at[i];
      const j = probe.find(wrong.ids[i]);
      const same = j >= 0 && probe.kinds[j] === wrong.kinds[i];
      for (let c = 0; c < n; c++) {
        if (!same || k.interp[c] === Interp.step) wrong.values[at + c] = 0;
        else wrong.values[at + c] = shorter(wrong.values[at + c] - probe.values[probe.at[j] + c], span(k, c));
      }
    }
  }

  /** @param {number} part of the mistakes that is still drawn */
  #fade(part) {
    const { table } = this;
    const wrong = this.#wrong;
    let j = 0;
    for (let i = 0; i < table.length; i++) {
      while (j < wrong.length && wrong.ids[j] < table.ids[i]) j++;
      if (j === wrong.length) return;
      if (wrong.ids[j] !== table.ids[i] || wrong.kinds[j] !== table.kinds[i]) continue;
      const k = this.#plan.kinds[table.kinds[i]];
      const n = k.min.length;
      for (let c = 0; c < n; c++) {
        const d = wrong.values[wrong.at[j] + c];
        if (d === 0) continue;
        const at = table.at[i] + c;
        table.values[at] = wrapped(table.values[at] + d * part, k.min[c] / k.scale[c], span(k, c));
      }
    }
  }
}

/**
 * The length of an angle's circle in the game's unit, 0 for other fields.
 * @param {import('./plan.js').Kind} k
 * @param {number} c
 */
function span(k, c) {
  return k.interp[c] === Interp.angle ? k.span[c] / k.scale[c] : 0;
}
