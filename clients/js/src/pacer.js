// Pacer is a client's input clock: it says when the next input is due, one per tick of the server, so that each
// waits there for its tick about as long as targetMs says. Input n is used at tick n + c, where each tick that had
// to do without an input makes c larger by one. A state that tells how early an input came tells with it when an
// input for tick 0 would have had to go out to come just in time:
//
//   y = lead + sent − tick × period
//
// That follows from the network alone and not from what this clock has done, so nothing swings. The next input n
// is due at mean(y) + (n + c) × period − target; the clock gets there by running up to 5 % faster or slower. What
// is further off than 250 ms is set at once: inputs are left out, or doubled up. Numbers never move. How much later
// than they are due inputs really go out, on a page that is slow to come round to it, is watched apart from the network
// and made good by a larger target.

const MOST_BEND = 0.05;
/** Part of what is left that is made up with one input. */
const SHARE = 0.1;
/** Beyond this the clock is set instead of bent, ms. */
const SNAP_MS = 250;
/** How long an observation counts, ms. */
const MEMORY_MS = 2000;
const OBSERVATIONS = 512;
/** Twice the jitter counts up to this, ms. */
const MOST_SPREAD_MS = 250;
/** Inputs that the lateness of this page is taken from, as the time constant of an average; it counts up to so many ms. */
const TARDY_MEMORY = 64;
const MOST_TARDY_MS = 150;
/** Observations far from all others are left out, until so many come in a row. */
const ODD = 4;
/** Inputs whose time of sending is known. */
const SENT = 1024;

export class Pacer {
  #period;
  #least;
  #most;
  #due = 0;
  #next = 1;
  #acked = 0;
  #begun = false;
  /** When due was last set back: what is due since then is not late. */
  #free = 0;
  /** c, as the newest state has it. */
  #behind = 0;
  /** c, as it will be when the server has met with ticks that were given up here. */
  #owed = 0;
  #owedFrom = 0;
  /** Until this input is acknowledged the clock is set freely. */
  #settled = Infinity;
  #sentSeq = new Float64Array(SENT);
  #sentAt = new Float64Array(SENT);

  // How late inputs go out: mean and mean square.
  #late = 0;
  #lateSquare = 0;

  // Observations of the last two seconds, in a ring.
  #tick = new Float64Array(OBSERVATIONS);
  #y = new Float64Array(OBSERVATIONS);
  #from = 0;
  #count = 0;
  #mean = 0;
  #odd = 0;
  // The newest one waits for its successor: it may turn out to have been held up on its way.
  #heldSeq = 0;
  #heldTick = 0;
  #heldY = 0;

  /**
   * @param {number} tickRate Hz
   * @param {number} targetLeadMs least time that inputs shall wait
   */
  constructor(tickRate, targetLeadMs) {
    this.#period = 1000 / tickRate;
    this.#least = targetLeadMs;
    this.#most = tickRate;
    /** How long inputs that go out when they are due ought to wait at the server: one tick and twice the jitter, or as much as recent ones needed, and what this page is late. */
    this.targetMs = Math.max(targetLeadMs, this.#period);
    /** How long the next input will wait there, as far as is known. */
    this.leadMs = 0;
    /** Deviation of what the way to the server takes, over the last two seconds. */
    this.jitterMs = 0;
    /** Times the clock was set at once since it had settled. */
    this.snaps = 0;
    /** Inputs that were given up because their tick was over before they could be sent. */
    this.lapsed = 0;
  }

  /** Of the input clock, 1 = the server's pace. */
  get speed() {
    return this.#period / (this.#period + this.#bend());
  }

  /** Time between two ticks, ms. */
  get periodMs() {
    return this.#period;
  }

  /**
   * @param {number} nowMs
   * @param {number} next number of the next input
   */
  start(nowMs, next) {
    this.#due = this.#free = nowMs;
    this.#next = next;
    this.#acked = next - 1;
  }

  /**
   * Whether an input is to be sent now. Ask until it says no, calling sent() in between.
   * @param {number} nowMs
   */
  ready(nowMs) {
    if (nowMs < this.#due || this.#next - this.#acked > this.#most) return false;
    const late = nowMs - Math.max(this.#due, this.#free) - Math.max(this.leadMs, this.#period);
    if (late > 0) {
      const n = Math.ceil(late / this.#period);
      this.#due += n * this.#period;
      this.lapsed += n;
      this.#owed = Math.max(this.#behind, this.#owedFrom > 0 ? this.#owed : -Infinity) + n;
      this.#owedFrom = this.#next;
    }
    return nowMs >= this.#due;
  }

  /**
   * The input that was due has gone out.
   * @param {number} nowMs
   */
  sent(nowMs) {
    const i = this.#next % SENT;
    this.#sentSeq[i] = this.#next++;
    this.#sentAt[i] = nowMs;
    const late = Math.max(0, nowMs - Math.max(this.#due, this.#free));
    this.#late += (late - this.#late) / TARDY_MEMORY;
    this.#lateSquare += (late * late - this.#lateSquare) / TARDY_MEMORY;
    this.#due += this.#period + this.#bend();
    this.#foresee();
  }

  /**
   * How long until the next input is due, ms.
   * @param {number} nowMs
   */
  wait(nowMs) {
    if (this.#next - this.#acked > this.#most) return this.#period;
    return Math.max(0, this.#due - nowMs);
  }

  /**
   * How far the time between the last input and the next one has passed, 0 to 1; below 0 when the caller's now lies
   * before the last one, as the time of a frame may.
   * @param {number} nowMs
   */
  phase(nowMs) {
    return Math.max(-1, Math.min(1, 1 - (this.#due - nowMs) / this.#period));
  }

  /**
   * Learns from a state.
   * @param {number} tick
   * @param {number} ack number of the newest input used
   * @param {number} leadMs how early that one came
   * @param {boolean} fresh this very tick has used it
   * @param {number} nowMs
   */
  heard(tick, ack, leadMs, fresh, nowMs) {
    if (ack === 0 || ack < this.#acked || ack >= this.#next) return;
    const i = ack % SENT;
    if (fresh && ack > this.#acked && this.#sentSeq[i] === ack) this.#observe(ack, tick, leadMs + this.#sentAt[i] - tick * this.#period);
    this.#acked = ack;
    this.#behind = tick - ack;
    if (ack >= this.#owedFrom) this.#owedFrom = 0;
    if (this.#count === 0 && this.#heldSeq === 0) return;
    if (!this.#begun) {
      this.#begun = true;
      this.#settled = this.#next;
    }
    this.#judge();
    const off = this.#off();
    const settled = ack >= this.#settled;
    if (Math.abs(off) > (settled ? SNAP_MS : this.#period * 0.75)) {
      if (settled) this.snaps++;
      this.#due += off;
      if (off < 0) this.#free = nowMs;
      this.#settled = this.#next;
    }
    this.#foresee();
  }

  /**
   * Of several inputs that arrive together, all but the last were held up: by a lost packet, or a stall. They tell
   * nothing about the way. Nor does what is far from all others, unless it stays.
   * @param {number} seq
   * @param {number} tick
   * @param {number} y
   */
  #observe(seq, tick, y) {
    const wasSeq = this.#heldSeq;
    const wasTick = this.#heldTick;
    const was = this.#heldY;
    this.#heldSeq = seq;
    this.#heldTick = tick;
    this.#heldY = y;
    if (wasSeq === 0) {
      this.#mean = y;
      return;
    }
    if (y - was >= (seq - wasSeq) * this.#period * 0.75) return;
    if (this.#count > 0 && Math.abs(was - this.#mean) > this.#period + 4 * this.jitterMs) {
      if (++this.#odd < ODD) return;
      this.#count = 0;
    }
    this.#odd = 0;
    const oldest = tick - MEMORY_MS / this.#period;
    while (this.#count > 0 && (this.#count === OBSERVATIONS || this.#tick[this.#from] < oldest)) {
      this.#from = (this.#from + 1) % OBSERVATIONS;
      this.#count--;
    }
    const at = (this.#from + this.#count++) % OBSERVATIONS;
    this.#tick[at] = wasTick;
    this.#y[at] = was;
  }

  /** Sums the observations up. Twice the jitter never asks for more than half a tick above what was needed. */
  #judge() {
    const n = this.#count;
    if (n === 0) return;
    let sum = 0;
    let least = Infinity;
    for (let i = 0; i < n; i++) {
      const y = this.#y[(this.#from + i) % OBSERVATIONS];
      sum += y;
      if (y < least) least = y;
    }
    const mean = sum / n;
    let squares = 0;
    for (let i = 0; i < n; i++) {
      const d = this.#y[(this.#from + i) % OBSERVATIONS] - mean;
      squares += d * d;
    }
    this.#mean = mean;
    this.jitterMs = Math.sqrt(squares / n);
    const wanted = this.#period + Math.min(2 * this.jitterMs, MOST_SPREAD_MS);
    const needed = mean - least + this.#period / 2;
    this.targetMs = Math.max(this.#least, Math.min(wanted, needed)) + this.#tardy();
  }

  /** What to allow for this page being late. */
  #tardy() {
    const deviation = Math.sqrt(Math.max(0, this.#lateSquare - this.#late * this.#late));
    return Math.min(MOST_TARDY_MS, this.#late + 2 * deviation);
  }

  #foresee() {
    const c = this.#owedFrom > 0 ? Math.max(this.#behind, this.#owed) : this.#behind;
    if (this.#begun) this.leadMs = this.#mean + (this.#next + c) * this.#period - this.#due;
  }

  /** How much too early the next input is due, ms. */
  #off() {
    this.#foresee();
    return this.leadMs - this.targetMs;
  }

  /** How much later than a period the next input goes. */
  #bend() {
    if (!this.#begun) return 0;
    const most = this.#period * MOST_BEND;
    return Math.max(-most, Math.min(most, (this.leadMs - this.targetMs) * SHARE));
  }
}
