// Inputs are given one per tick, numbered without a gap over the whole life of a seat.

import { Pacer } from './pacer.js';
import * as limits from './limits.js';

/**
 * Sends count inputs that lie one behind the other in values; the first has number first.
 * @typedef {(first: number, values: Int32Array, count: number, fields: number) => void} Send
 */

export class Inputs {
  #send;
  #current = new Int32Array(0);
  #batch = new Int32Array(0);
  #most = 1;
  /** @type {import('./plan.js').Kind | null} */
  #kind = null;
  /** @type {Pacer | null} */
  #pacer = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {Send} send */
  constructor(send) {
    this.#send = send;
    /** Number of the last input that was sent. */
    this.seq = 0;
    /** The first state has arrived: inputs count. */
    this.open = false;
    /** @type {((values: Int32Array) => void) | null} */
    this.sample = null;
  }

  /**
   * A connection begins. What the input held stays if the game is the same.
   * @param {import('./messages.js').Welcome} w
   * @param {number} nowMs
   */
  begin(w, nowMs) {
    const kind = w.plan.input;
    if (this.#current.length !== kind.length) this.#current = new Int32Array(kind.length);
    this.#kind = kind;
    this.#most = Math.max(1, Math.min(limits.MAX_INPUTS_PER_MESSAGE, w.limits.inputsPerMessage));
    this.#batch = new Int32Array(this.#most * kind.length);
    this.#pacer = new Pacer(w.tickRate, w.targetLeadMs);
    this.#pacer.start(nowMs);
    this.open = false;
    this.stop();
    this.#pump();
  }

  stop() {
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
   * What a state tells about the inputs before it.
   * @param {number} ack
   * @param {number} leadMs
   * @param {number} nowMs
   */
  heard(ack, leadMs, nowMs) {
    this.open = true;
    if (ack > 0) this.#pacer?.lead(leadMs, nowMs);
    if (ack > this.seq) this.seq = ack;
  }

  /** Sends the inputs that are due and comes again when the next one is. */
  #pump() {
    const pacer = this.#pacer;
    if (pacer === null || this.#current.length === 0) return;
    const n = Math.min(this.#most, pacer.take(performance.now()));
    if (n > 0 && this.open) this.#give(n);
    this.#timer = setTimeout(() => this.#pump(), pacer.wait(performance.now()));
  }

  /** @param {number} n */
  #give(n) {
    const fields = this.#current.length;
    for (let i = 0; i < n; i++) {
      if (this.sample !== null) this.sample(this.#current);
      this.#batch.set(this.#current, i * fields);
    }
    const first = this.seq + 1;
    this.seq += n;
    this.#send(first, this.#batch, n, fields);
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
