// Guns tell when the own guns go off, before the server has said so: for the flash at the muzzle and its sound alone.
// What flies, and what it hits, is the server's.

import { ticks } from './movement.js';

const BOLT = 1;
const RAIL = 2;
const BOLT_INTERVAL = 167;
const BOLT_INTERVAL_DRIVEN = 100;
const RAIL_INTERVAL = 1400;

export class Guns {
  #bolt = 0;
  #rail = 0;
  #boltAt = 0;
  #railAt = 0;
  #seq = 0;
  #boltTicks;
  #boltDriven;
  #railTicks;

  /** @param {number} tickRate Hz */
  constructor(tickRate) {
    this.#boltTicks = ticks(BOLT_INTERVAL, tickRate);
    this.#boltDriven = ticks(BOLT_INTERVAL_DRIVEN, tickRate);
    this.#railTicks = ticks(RAIL_INTERVAL, tickRate);
  }

  /**
   * An input goes out: what it fires, as bits of BOLT and RAIL.
   * @param {number} seq its number
   * @param {number} buttons
   * @param {boolean} driven in overdrive
   */
  input(seq, buttons, driven) {
    this.#seq = seq;
    if (this.#bolt > 0) this.#bolt--;
    if (this.#rail > 0) this.#rail--;
    let fired = 0;
    if ((buttons & RAIL) !== 0 && this.#rail === 0) {
      this.#rail = this.#railTicks;
      this.#railAt = seq;
      fired |= RAIL;
    }
    if ((buttons & BOLT) !== 0 && this.#bolt === 0) {
      this.#bolt = driven ? this.#boltDriven : this.#boltTicks;
      this.#boltAt = seq;
      fired |= BOLT;
    }
    return fired;
  }

  /**
   * The server's word, which counts unless it does not know of the last shot yet.
   * @param {number} ack
   * @param {number} bolt ticks until ready
   * @param {number} rail ticks until ready
   */
  heard(ack, bolt, rail) {
    const since = Math.max(0, this.#seq - ack);
    if (ack >= this.#boltAt) this.#bolt = Math.max(0, bolt - since);
    if (ack >= this.#railAt) this.#rail = Math.max(0, rail - since);
  }
}
