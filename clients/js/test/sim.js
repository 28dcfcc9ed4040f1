// Virtual time for tests: a seeded generator, a lane that keeps its order as TCP does, and a server that uses one
// input per tick.

/**
 * Numbers in [0, 1) that follow from a seed (mulberry32).
 * @param {number} seed
 */
export function generator(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** @template T */
export class Wire {
  /** @type {{at: number, what: T}[]} */
  #queue = [];
  #last = 0;
  #way;

  /** @param {(now: number) => number} way how long a message takes, ms */
  constructor(way) {
    this.#way = way;
  }

  /**
   * @param {number} now
   * @param {T} what
   */
  put(now, what) {
    this.#last = Math.max(this.#last, now + this.#way(now));
    this.#queue.push({ at: this.#last, what });
  }

  /**
   * What has arrived, in order.
   * @param {number} now
   * @param {(what: T, at: number) => void} take
   */
  take(now, take) {
    while (this.#queue.length > 0 && this.#queue[0].at <= now) {
      const { at, what } = /** @type {{at: number, what: T}} */ (this.#queue.shift());
      take(what, at);
    }
  }
}

/**
 * Round trips of rtt ± spread, half of it each way.
 * @param {() => number} random
 * @param {number} rtt ms
 * @param {number} spread ms
 */
export const uniform = (random, rtt, spread) => () => rtt / 2 + (random() - 0.5) * spread;

/**
 * The same, where now and then a packet is lost: its lane stalls until it has come again.
 * @param {() => number} random
 * @param {number} rtt ms
 * @param {number} spread ms
 * @param {number} loss part of the packets
 * @param {number} stall ms
 */
export const lossy = (random, rtt, spread, loss, stall) => () => rtt / 2 + (random() - 0.5) * spread + (random() < loss ? stall : 0);
