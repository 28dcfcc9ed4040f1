// View draws the past: it keeps the recent states and blends the two around a moment that lies two snapshot
// intervals back, so that movement is smooth whatever the snapshots' spacing. Values are in the game's unit.

import { Interp } from './plan.js';
import { Rows } from './rows.js';

const STATES = 32;
/** Delay in snapshot intervals. */
const DELAY = 2;
/** A stream that moved by more than this is followed at once instead of smoothly, ms. */
const SNAP_MS = 250;

/** Table holds blended rows: like Rows, but with values in the game's unit. Re-used by each sample. */
export class Table {
  constructor() {
    this.length = 0;
    this.ids = new Uint32Array(64);
    this.kinds = new Uint8Array(64);
    /** Where a row's values begin. */
    this.at = new Int32Array(64);
    this.values = new Float64Array(512);
  }
}

export class View {
  /** @type {Rows[]} */
  #rows = [];
  #ticks = new Float64Array(STATES);
  #newest = -1;
  #count = 0;
  #plan;
  #tickMs;
  #delayTicks;
  /** Arrival time − tick time, smoothed, ms. */
  #base = 0;
  #last = 0;

  /**
   * @param {import('./plan.js').Plan} plan
   * @param {number} tickRate Hz
   * @param {number} snapshotRate Hz
   */
  constructor(plan, tickRate, snapshotRate) {
    this.#plan = plan;
    this.#tickMs = 1000 / tickRate;
    this.#delayTicks = (DELAY * tickRate) / snapshotRate;
    for (let i = 0; i < STATES; i++) this.#rows.push(new Rows());
    /** What the last sample showed. */
    this.table = new Table();
    /** The moment of the last sample, in ticks with a fraction. */
    this.tick = 0;
    /** The older of the two states around it: the input message's base_tick. */
    this.baseTick = 0;
    /** How far the sample lies behind baseTick, in 1/256 of the way to the next state. */
    this.fraction = 0;
  }

  /** Forgets all states: after a resume the old ones are too far away. */
  reset() {
    this.#count = 0;
    this.#newest = -1;
    this.#last = 0;
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
      this.reset();
    }
    const base = nowMs - state.tick * this.#tickMs;
    if (this.#count === 0 || Math.abs(base - this.#base) > SNAP_MS) this.#base = base;
    else this.#base += (base - this.#base) * 0.05;
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
    let tick = (nowMs - this.#base) / this.#tickMs - this.#delayTicks;
    if (tick < this.#last && this.#last - tick < SNAP_MS / this.#tickMs) tick = this.#last;
    this.#last = tick;
    this.tick = tick;
    let b = this.#newest;
    let a = b;
    for (let i = 1; i < this.#count && this.#ticks[a] > tick; i++) {
      b = a;
      a = (this.#newest - i + STATES) % STATES;
    }
    const from = this.#ticks[a];
    const to = this.#ticks[b];
    const f = to > from ? Math.min(1, Math.max(0, (tick - from) / (to - from))) : 0;
    this.baseTick = from;
    this.fraction = Math.min(255, Math.floor(f * 256));
    this.#blend(this.#rows[a], this.#rows[b], f);
    return true;
  }

  /**
   * @param {Rows} a
   * @param {Rows} b
   * @param {number} f
   */
  #blend(a, b, f) {
    const out = this.table;
    if (out.ids.length < a.ids.length) {
      out.ids = new Uint32Array(a.ids.length);
      out.kinds = new Uint8Array(a.ids.length);
      out.at = new Int32Array(a.ids.length);
    }
    if (out.values.length < a.values.length) out.values = new Float64Array(a.values.length);
    out.length = a.length;
    let j = 0;
    for (let i = 0; i < a.length; i++) {
      const id = a.ids[i];
      const kind = a.kinds[i];
      const at = a.at[i];
      out.ids[i] = id;
      out.kinds[i] = kind;
      out.at[i] = at;
      while (j < b.length && b.ids[j] < id) j++;
      const moving = j < b.length && b.ids[j] === id && b.kinds[j] === kind;
      const to = moving ? b.at[j] : at;
      const next = moving ? b.values : a.values;
      const k = this.#plan.kinds[kind];
      const n = k.min.length;
      for (let c = 0; c < n; c++) {
        let v = a.values[at + c];
        const hint = k.interp[c];
        if (hint !== Interp.step) {
          let d = next[to + c] - v;
          const span = k.span[c];
          if (hint === Interp.angle && span > 0) {
            if (2 * d > span) d -= span;
            else if (2 * d < -span) d += span;
            v += d * f;
            if (v < k.min[c]) v += span;
            else if (v >= k.min[c] + span) v -= span;
          } else v += d * f;
        }
        out.values[at + c] = v / k.scale[c];
      }
    }
  }
}
