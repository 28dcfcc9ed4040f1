// Link makes a good network bad, for a developer to feel it: it wraps the WebSocket constructor, and what its sockets
// send and receive goes through two lanes each that delay, waver, stall and throttle. Order is kept and nothing is
// lost, as TCP keeps it: a lost packet shows as a stall, after which everything comes at once.

/** What a retransmission takes at least, ms. */
const RETRANSMIT_MS = 200;
/** TCP, IP and Ethernet around a small message, for the bandwidth. */
const OVERHEAD_BYTES = 58;

/** Link is what a page turns the knobs of. They hold for what is sent from then on. */
export class Link {
  #random;
  /** @type {Set<Shaped>} */
  #sockets = new Set();

  /** @param {() => number} [random] in [0, 1) */
  constructor(random = Math.random) {
    this.#random = random;
    /** Added to the round trip, half of it each way, ms. */
    this.delayMs = 0;
    /** How far the round trip wavers to either side, half of it each way, ms. */
    this.jitterMs = 0;
    /** How many of 100 messages stall their lane for a retransmission: loss, as a stream shows it. */
    this.lossPercent = 0;
    /** Each way, kbit/s; 0 = unlimited. */
    this.kbps = 0;
  }

  /** Nothing is shaped. */
  get clear() {
    return this.delayMs === 0 && this.jitterMs === 0 && this.lossPercent === 0 && this.kbps === 0;
  }

  reset() {
    this.delayMs = this.jitterMs = this.lossPercent = this.kbps = 0;
  }

  /** From now on nothing passes through the sockets that are open: a path that broke without a word. New ones work. */
  cut() {
    for (const s of this.#sockets) s.freeze();
  }

  /** Milliseconds that the fullest lane holds back. */
  backlogMs(now = performance.now()) {
    let most = 0;
    for (const s of this.#sockets) most = Math.max(most, s.down.backlog(now), s.up.backlog(now));
    return most;
  }

  /**
   * When a message that is put on a lane now comes out of it.
   * @param {Lane} lane
   * @param {number} bytes
   * @param {number} now ms
   */
  pass(lane, bytes, now) {
    let at = now;
    if (this.kbps > 0) {
      lane.busy = Math.max(lane.busy, now) + ((bytes + OVERHEAD_BYTES) * 8) / this.kbps;
      at = lane.busy;
    }
    at += this.delayMs / 2 + (this.jitterMs / 2) * (this.#random() * 2 - 1);
    if (this.lossPercent > 0 && this.#random() * 100 < this.lossPercent) at += RETRANSMIT_MS + this.delayMs;
    lane.last = Math.max(lane.last, at, now);
    return lane.last;
  }

  /**
   * A constructor like the given one whose sockets go over this link.
   * @param {any} WebSocket
   */
  wrap(WebSocket) {
    const link = this;
    return class extends Shaped {
      /**
       * @param {string} url
       * @param {string[]} [protocols]
       */
      constructor(url, protocols) {
        super(link, new WebSocket(url, protocols));
        link.#sockets.add(this);
      }

      /** @protected @override */
      ended() {
        link.#sockets.delete(this);
      }
    };
  }
}

/** One direction of one socket: what is in it comes out in order. */
export class Lane {
  /** @type {{at: number, out: () => void}[]} */
  #queue = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  constructor() {
    /** When the last message comes out, ms. */
    this.last = 0;
    /** Until when the bandwidth is taken, ms. */
    this.busy = 0;
    this.frozen = false;
  }

  /** @param {number} now */
  backlog(now) {
    return this.frozen ? 0 : Math.max(0, this.last - now);
  }

  /**
   * @param {number} at ms
   * @param {() => void} out
   */
  put(at, out) {
    if (this.frozen) return;
    if (this.#queue.length === 0 && at <= performance.now()) return out();
    this.#queue.push({ at, out });
    if (this.#queue.length === 1) this.#arm();
  }

  #arm() {
    this.#timer = setTimeout(() => this.#release(), Math.max(0, this.#queue[0].at - performance.now()));
  }

  #release() {
    // A timer may come a fraction of a millisecond early.
    while (this.#queue.length > 0 && this.#queue[0].at <= performance.now() + 0.5) this.#queue.shift()?.out();
    if (this.#queue.length > 0) this.#arm();
  }

  freeze() {
    this.frozen = true;
    this.#queue.length = 0;
    clearTimeout(this.#timer);
  }
}

/** A WebSocket over a link: as much of the interface as the SDK uses. */
class Shaped {
  #link;
  #real;

  /**
   * @param {Link} link
   * @param {any} real
   */
  constructor(link, real) {
    this.#link = link;
    this.#real = real;
    this.up = new Lane();
    this.down = new Lane();
    this.readyState = 0;
    /** @type {(() => void) | null} */
    this.onopen = null;
    /** @type {((e: {data: unknown}) => void) | null} */
    this.onmessage = null;
    /** @type {(() => void) | null} */
    this.onerror = null;
    /** @type {((e: {code: number, reason: string}) => void) | null} */
    this.onclose = null;
    real.onopen = () => this.#opened();
    real.onmessage = (/** @type {{data: any}} */ e) => this.#in(size(e.data), () => this.onmessage?.(e));
    real.onerror = () => this.#in(0, () => this.onerror?.());
    real.onclose = (/** @type {{code: number, reason: string}} */ e) => this.#in(0, () => this.#closed(e));
  }

  set binaryType(/** @type {string} */ t) {
    this.#real.binaryType = t;
  }

  get binaryType() {
    return this.#real.binaryType;
  }

  get bufferedAmount() {
    return this.#real.bufferedAmount;
  }

  /** @param {Uint8Array} data copied */
  send(data) {
    const link = this.#link;
    if (link.clear && this.up.last <= performance.now() && !this.up.frozen) return this.#real.send(data);
    const copy = data.slice();
    this.up.put(link.pass(this.up, copy.length, performance.now()), () => this.#real.readyState === 1 && this.#real.send(copy));
  }

  /**
   * @param {number} [code]
   * @param {string} [reason]
   */
  close(code, reason) {
    if (this.readyState >= 2) return;
    this.readyState = 2;
    const close = () => this.#real.close(code, reason);
    if (this.up.frozen || this.#real.readyState !== 1) close();
    else this.up.put(Math.max(this.up.last, performance.now()), close);
  }

  freeze() {
    this.up.freeze();
    this.down.freeze();
  }

  /** A round trip of the handshake has the delay of both ways. */
  #opened() {
    const at = this.#link.pass(this.up, 0, performance.now());
    this.down.put(this.#link.pass(this.down, 0, at), () => {
      if (this.readyState !== 0) return;
      this.readyState = 1;
      this.onopen?.();
    });
  }

  /**
   * @param {number} bytes
   * @param {() => void} out
   */
  #in(bytes, out) {
    this.down.put(this.#link.pass(this.down, bytes, performance.now()), out);
  }

  /** @param {{code: number, reason: string}} e */
  #closed(e) {
    this.readyState = 3;
    this.ended();
    this.onclose?.(e);
  }

  /** @protected The socket is gone. */
  ended() {}
}

/** @param {any} data */
function size(data) {
  return typeof data === 'string' ? data.length : (data.byteLength ?? 0);
}
