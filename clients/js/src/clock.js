// Clock estimates the server's clock and the round trip from pings with four stamps.

const SAMPLES = 16;

/** All stamps are in µs. The client's own run on performance.now(), the server's since the Unix epoch. */
export class Clock {
  #rtt = new Float64Array(SAMPLES);
  #offset = new Float64Array(SAMPLES);
  #count = 0;

  constructor() {
    /** Smoothed round trip without the server's own time, ms; 0 = not measured yet. */
    this.rttMs = 0;
    /** Smoothed deviation of the round trip, ms. */
    this.rttVarMs = 0;
    /** The last round trip, ms. */
    this.lastRttMs = 0;
    /** The quickest of the recent round trips, ms. */
    this.leastRttMs = 0;
    /** Server clock − client clock, µs: of the quickest of the recent pings, whose halves are the most even. */
    this.offset = 0;
  }

  get synced() {
    return this.#count > 0;
  }

  /** Forgets everything: the next server has another clock. */
  reset() {
    this.#count = 0;
    this.rttMs = this.rttVarMs = this.lastRttMs = this.leastRttMs = this.offset = 0;
  }

  /**
   * @param {number} t0 ping's departure, client
   * @param {number} t1 ping's arrival, server
   * @param {number} t2 pong's departure, server
   * @param {number} t3 pong's arrival, client
   */
  add(t0, t1, t2, t3) {
    const rtt = t3 - t0 - (t2 - t1);
    if (!(rtt >= 0) || t2 < t1) return;
    const i = this.#count % SAMPLES;
    this.#rtt[i] = rtt;
    this.#offset[i] = (t1 - t0 + (t2 - t3)) / 2;
    this.#count++;
    const ms = rtt / 1000;
    this.lastRttMs = ms;
    if (this.#count === 1) {
      this.rttMs = ms;
      this.rttVarMs = ms / 2;
    } else {
      this.rttVarMs += (Math.abs(ms - this.rttMs) - this.rttVarMs) / 4;
      this.rttMs += (ms - this.rttMs) / 4;
    }
    let best = 0;
    const n = Math.min(this.#count, SAMPLES);
    for (let k = 1; k < n; k++) if (this.#rtt[k] < this.#rtt[best]) best = k;
    this.offset = this.#offset[best];
    this.leastRttMs = this.#rtt[best] / 1000;
  }

  /**
   * The server's clock in µs since the Unix epoch.
   * @param {number} nowMs client, performance.now()
   */
  serverTime(nowMs) {
    return nowMs * 1000 + this.offset;
  }
}
