// Backoff spaces out attempts to come back: doubling, with full jitter, so that the clients of a node that
// went away do not return as one herd.

const FIRST_MS = 250;
const MOST_MS = 5000;

export class Backoff {
  #attempt = 0;
  #random;

  /** @param {() => number} random in [0, 1) */
  constructor(random) {
    this.#random = random;
  }

  reset() {
    this.#attempt = 0;
  }

  /**
   * How long to wait before the next attempt, ms.
   * @param {boolean} [atOnce] the first attempt does not wait
   */
  next(atOnce = false) {
    const n = this.#attempt++;
    if (atOnce && n === 0) return 0;
    return this.#random() * Math.min(MOST_MS, FIRST_MS * 2 ** n);
  }
}
