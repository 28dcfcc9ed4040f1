// Inputs are given one per tick, numbered without a gap over the whole life of a seat.

import { FLAG_INPUT_MISSING } from './codes.js';
import { Pacer } from './pacer.js';
import * as limits from './limits.js';

/**
 * Sends count inputs that lie one behind the other in values; the first has number first.
 * @typedef {(first: number, values: Int32Array, count: number, fields: number) => void} Send
 */

/**
 * Fills in the wire values of the next input; they hold what they held before. With taken = false it is only asked
 * what the input would be, for a picture of the moment: nothing may count as used up then. Seq is the input's number.
 * @typedef {(values: Int32Array, taken: boolean, seq: number) => void} Sample
 */

export class Inputs {
  #send;
  #current = new Int32Array(0);
  #glance = new Int32Array(0);
  #batch = new Int32Array(0);
  #most = 1;
  /** @type {import('./plan.js').Kind | null} */
  #kind = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #running = false;

  /** @param {Send} send */
  constructor(send) {
    this.#send = send;
    /** Number of the last input that was sent. */
    this.seq = 0;
    /** The first state has arrived: inputs count. */
    this.open = false;
    /** @type {Sample | null} */
    this.sample = null;
    /** @type {Pacer | null} */
    this.pacer = null;
    /** @type {((seq: number, values: Int32Array) => void) | null} called for each input that is given */
    this.given = null;
  }

  /**
   * A connection begins. What the input held stays if the game is the same.
   * @param {import('./messages.js').Welcome} w
   */
  begin(w) {
    const kind = w.plan.input;
    if (this.#current.length !== kind.length) {
      this.#current = new Int32Array(kind.length);
      this.#glance = new Int32Array(kind.length);
    }
    this.#kind = kind;
    this.#most = Math.max(1, Math.min(limits.MAX_INPUTS_PER_MESSAGE, w.limits.inputsPerMessage));
    this.#batch = new Int32Array(this.#most * kind.length);
    this.pacer = new Pacer(w.tickRate, w.targetLeadMs);
    this.open = false;
    this.stop();
    this.#running = kind.length > 0;
  }

  stop() {
    this.#running = false;
    clearTimeout(this.#timer);
  }

  /** @param {Record<string, number | boolean>} fields */
  set(fields) {
    const kind = this.#kind;
    if (kind === null) return;
    for (const name in fields) {
      const i = kind.index(name);
      if (i < 0) throw new TypeError(`the input has no field ${name}`);
      this.#current[i] = toWire(kind, i, Number(fields[name]));
    }
  }

  /**
   * What a state tells about the inputs before it. The first one opens.
   * @param {import('./state.js').State} state
   * @param {number} nowMs
   */
  heard(state, nowMs) {
    if (state.ack > this.seq) this.seq = state.ack;
    if (!this.open) {
      this.open = true;
      this.pacer?.start(nowMs, this.seq + 1);
      this.#wake();
    }
    this.pacer?.heard(state.tick, state.ack, state.leadMs, (state.flags & FLAG_INPUT_MISSING) === 0, nowMs);
  }

  /**
   * Gives the inputs that are due. A timer does that, too; a page that calls it with each frame is never late.
   * @param {number} nowMs
   */
  give(nowMs) {
    const pacer = this.pacer;
    if (!this.#running || !this.open || pacer === null) return;
    const fields = this.#current.length;
    let n = 0;
    while (n < this.#most && pacer.ready(nowMs)) {
      if (this.sample !== null) this.sample(this.#current, true, this.seq + n + 1);
      this.#batch.set(this.#current, n * fields);
      n++;
      pacer.sent(performance.now());
      this.given?.(this.seq + n, this.#current);
    }
    if (n === 0) return;
    this.seq += n;
    this.#send(this.seq + 1 - n, this.#batch, n, fields);
  }

  /** What the next input would be if it were given now. Valid until the next call. */
  glance() {
    this.#glance.set(this.#current);
    if (this.sample !== null) this.sample(this.#glance, false, this.seq + 1);
    return this.#glance;
  }

  #wake() {
    if (!this.#running || this.pacer === null) return;
    this.give(performance.now());
    this.#timer = setTimeout(() => this.#wake(), this.pacer.wait(performance.now()));
  }
}

/**
 * The wire value of an input field: in the field's range, wrapping fields brought around the circle.
 * @param {import('./plan.js').Kind} kind
 * @param {number} i
 * @param {number} value in the game's unit
 */
export function toWire(kind, i, value) {
  const v = Math.round(value * kind.scale[i]) || 0;
  const min = kind.min[i];
  const span = kind.span[i];
  if (span > 0) return min + ((((v - min) % span) + span) % span);
  return Math.max(min, Math.min(kind.max[i], v));
}
