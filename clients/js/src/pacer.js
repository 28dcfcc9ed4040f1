// Pacer says when inputs are due: one per tick of the server, by a clock of its own that runs up to 5 % faster
// or slower, so that inputs reach the server shortly before the tick that uses them.

const MOST_SPEED = 0.05;
/** Beyond this the clock is set instead of bent, ms. */
const SNAP_MS = 250;
/** Never more inputs than this at once, however long a timer slept. */
const MOST_AT_ONCE = 4;

export class Pacer {
  #tickMs;
  #targetMs;
  #due = 0;
  #speed = 1;

  /**
   * @param {number} tickRate Hz
   * @param {number} targetLeadMs
   */
  constructor(tickRate, targetLeadMs) {
    this.#tickMs = 1000 / tickRate;
    this.#targetMs = targetLeadMs;
  }

  /** @param {number} nowMs */
  start(nowMs) {
    this.#due = nowMs;
  }

  /**
   * How many inputs are due now.
   * @param {number} nowMs
   */
  take(nowMs) {
    const period = this.#tickMs / this.#speed;
    let n = 0;
    while (this.#due <= nowMs) {
      this.#due += period;
      n++;
    }
    return Math.min(n, MOST_AT_ONCE);
  }

  /**
   * How long until the next input is due, ms.
   * @param {number} nowMs
   */
  wait(nowMs) {
    return Math.max(0, this.#due - nowMs);
  }

  /**
   * Learns from a state how early the newest input came.
   * @param {number} leadMs
   * @param {number} nowMs
   */
  lead(leadMs, nowMs) {
    const error = this.#targetMs - leadMs;
    if (Math.abs(error) > SNAP_MS) {
      this.#speed = 1;
      this.#due = Math.max(nowMs, this.#due - error);
      return;
    }
    this.#speed = 1 + Math.max(-MOST_SPEED, Math.min(MOST_SPEED, error / 400));
  }
}
