// Numbers about a connection, for a net graph or a report.

const BUCKETS = 10;
const BUCKET_MS = 100;

/** Meter sums up what came within the last second. */
export class Meter {
  #sums = new Float64Array(BUCKETS);
  #at = 0;

  /** Since the beginning. */
  total = 0;

  /**
   * @param {number} n
   * @param {number} nowMs
   */
  add(n, nowMs) {
    this.#turn(nowMs);
    this.#sums[this.#at % BUCKETS] += n;
    this.total += n;
  }

  /**
   * Per second, over the last second.
   * @param {number} nowMs
   */
  rate(nowMs) {
    this.#turn(nowMs);
    let sum = 0;
    for (let i = 0; i < BUCKETS; i++) sum += this.#sums[i];
    return (sum * 1000) / (BUCKETS * BUCKET_MS);
  }

  /** @param {number} nowMs */
  #turn(nowMs) {
    const at = Math.floor(nowMs / BUCKET_MS);
    if (at - this.#at >= BUCKETS) this.#sums.fill(0);
    else for (let i = this.#at + 1; i <= at; i++) this.#sums[i % BUCKETS] = 0;
    this.#at = Math.max(at, this.#at);
  }
}

const WINDOW_MS = 5000;

/**
 * Lateness tells how much later a state came than the quickest of the last seconds: what it waited in queues.
 * It compares arrivals with ticks, so a server that drops ticks is followed within the window.
 */
export class Lateness {
  #begun = -Infinity;
  #before = Infinity;
  #least = Infinity;

  /**
   * @param {number} arrival ms
   * @param {number} tickAt when its tick was, ms on any clock of steady ticks
   * @returns {number} ms
   */
  add(arrival, tickAt) {
    if (arrival - this.#begun > WINDOW_MS) {
      this.#begun = arrival;
      this.#before = this.#least;
      this.#least = Infinity;
    }
    const v = arrival - tickAt;
    this.#least = Math.min(this.#least, v);
    return v - this.least;
  }

  /** Arrival − tick of the quickest, ms; Infinity before the first. */
  get least() {
    return Math.min(this.#least, this.#before);
  }
}

export class Stats {
  constructor() {
    /** Smoothed round trip, ms. */
    this.rttMs = 0;
    /** Smoothed difference between the spacing of two states and their spacing in ticks, ms. */
    this.jitterMs = 0;
    /** How old the newest state is: half a round trip, what it waited on its way, and the time since it came, ms. */
    this.ageMs = 0;
    /** Smoothed time between two states, ms. */
    this.intervalMs = 0;
    /** From an input's arrival to the tick that used it, by the server, ms. */
    this.leadMs = 0;
    /** What the input clock aims at for leadMs, and how much the way to the server wavers. */
    this.targetLeadMs = 0;
    this.inputJitterMs = 0;
    /** Inputs given up because their tick was over before they could be sent. */
    this.inputsLapsed = 0;
    /** How far behind the stream the picture of the others lies, ms. */
    this.delayMs = 0;
    /** Times the server's word about the own body was another than the prediction. */
    this.corrections = 0;
    /** Those among them where the server had used each input at its tick. */
    this.mispredicted = 0;
    /** Ticks for which the server had no input of this player. */
    this.inputsMissed = 0;
    /** How far off the last correction was, in the body's unit. */
    this.lastError = 0;
    this.bytesInPerSecond = 0;
    this.bytesOutPerSecond = 0;
    this.snapshotsPerSecond = 0;
    /** Full snapshots among them, since the beginning. */
    this.full = 0;
    /** Deltas since the beginning. */
    this.delta = 0;
    this.bytesIn = 0;
    this.bytesOut = 0;
    this.inputsSent = 0;
    /** Messages that could not be decoded. */
    this.malformed = 0;
    /** States whose checksum was another than the server's. */
    this.crcErrors = 0;
    /** Keyframes asked for. */
    this.keyframes = 0;
    /** Times the connection was resumed. */
    this.resumes = 0;
    /** Times a second line was opened because nothing came for a second. */
    this.silences = 0;
  }
}

/** Traffic keeps the stats of a client. Times are in ms. */
export class Traffic {
  #stats;
  #in = new Meter();
  #out = new Meter();
  #states = new Meter();
  #lateness = new Lateness();
  #last = 0;
  #lastTick = 0;
  #late = 0;

  /** @param {Stats} stats */
  constructor(stats) {
    this.#stats = stats;
  }

  /**
   * The tick that the server is at, by the quickest states of late and the quickest of the recent pings.
   * @param {number} now
   * @param {number} rttMs
   * @param {number} tickRate Hz
   */
  serverTick(now, rttMs, tickRate) {
    return ((now - this.#lateness.least + rttMs / 2) * tickRate) / 1000;
  }

  /** A connection begins. */
  begin() {
    this.#last = 0;
    this.#lateness = new Lateness();
  }

  /**
   * @param {number} bytes
   * @param {number} now
   */
  in(bytes, now) {
    this.#in.add(bytes, now);
  }

  /**
   * @param {number} bytes
   * @param {number} now
   */
  out(bytes, now) {
    this.#out.add(bytes, now);
  }

  /**
   * A state has come.
   * @param {import('./state.js').State} state
   * @param {number} now
   * @param {number} tickRate Hz
   */
  state(state, now, tickRate) {
    const s = this.#stats;
    this.#states.add(1, now);
    if (state.full) s.full++;
    else s.delta++;
    if (this.#last > 0) {
      const took = now - this.#last;
      const expected = ((state.tick - this.#lastTick) * 1000) / tickRate;
      s.intervalMs += (took - s.intervalMs) / 8;
      s.jitterMs += (Math.abs(took - expected) - s.jitterMs) / 16;
    }
    this.#last = now;
    this.#lastTick = state.tick;
    this.#late = this.#lateness.add(now, (state.tick * 1000) / tickRate);
    s.leadMs = state.leadMs;
  }

  /**
   * Brings up to date what changes with time.
   * @param {number} now
   * @param {number} rttMs
   */
  measure(now, rttMs) {
    const s = this.#stats;
    s.bytesInPerSecond = this.#in.rate(now);
    s.bytesOutPerSecond = this.#out.rate(now);
    s.bytesIn = this.#in.total;
    s.bytesOut = this.#out.total;
    s.snapshotsPerSecond = this.#states.rate(now);
    s.rttMs = rttMs;
    if (this.#last > 0) s.ageMs = rttMs / 2 + this.#late + now - this.#last;
    return s;
  }
}
