// Connection keeps a seat in touch with the server over one line after the other. A line that is lost is followed by
// another, with jittered backoff, as long as the seat waits. A line that falls silent gets a second one beside it:
// whichever delivers first is kept, and the other closed without a word.

import { Backoff } from './backoff.js';
import { Line } from './line.js';
import { Type, closing } from './codes.js';
import { serverType } from './messages.js';

/** Nothing at all for this long: a second line is tried. */
const SILENT_MS = 1000;
/** A line that says nothing for this long is given up; it often takes the system minutes to notice. */
const GIVE_UP_MS = 8000;
const CONNECT_MS = 8000;
const LOOK_EVERY_MS = 250;
/** Looks further apart than this: it was this page that slept, and what came meanwhile is not read yet. */
const SLEPT_MS = 2000;
/** Go on trying this long at least, even if the server holds seats for less. */
const RESUME_AT_LEAST_MS = 15000;
/** Attempts before the first welcome, as long as no handshake was done. */
const FIRST_ATTEMPTS = 3;
/** A welcome that is not there so long behind the handshake: the hello in it was lost, and is sent as a message. */
const WELCOME_MS = 1000;

/**
 * idle → connecting → playing ⇄ silent, playing or silent → reconnecting → playing …, → closed.
 * silent: nothing came for a second; the line is still open, and a second one is on its way.
 * @typedef {'idle' | 'connecting' | 'playing' | 'silent' | 'reconnecting' | 'closed'} Status
 */

/**
 * Who is connected.
 * @typedef {object} Party
 * @property {() => Uint8Array} hello the first message of a line; valid until the next call
 * @property {() => boolean} seated there is a resume token
 * @property {(data: unknown) => void} received
 * @property {(status: Status) => void} became
 * @property {() => void} lost the line is gone, with what was asked over it
 * @property {(code: number, reason: string) => void} ended for good
 */

export class Connection {
  #WebSocket;
  #party;
  #backoff;
  #spareBackoff;
  /** @type {Line | null} */
  #line = null;
  /** @type {Line | null} the second one, while the first is silent */
  #spare = null;
  #spareAt = 0;
  #lookedAt = 0;
  /** A second line was lost after its hello: the server may have given it the seat all the same. */
  #rival = false;
  #attempts = 0;
  #introduced = false;
  /** The hello travels with the next handshake. Where that never worked, each attempt does what the one before did not. */
  #early = true;
  #earlyWorks = false;
  #welcomed = false;
  #lostAt = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retryTimer;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #lookTimer;
  #holder = {
    opened: (/** @type {Line} */ l) => this.#opened(l),
    received: (/** @type {Line} */ l, /** @type {unknown} */ data) => this.#received(l, data),
    lost: (/** @type {Line} */ l, /** @type {number} */ code, /** @type {string} */ reason) => this.#gone(l, code, reason),
  };

  /**
   * @param {any} WebSocket constructor
   * @param {() => number} random in [0, 1)
   * @param {Party} party
   */
  constructor(WebSocket, random, party) {
    this.#WebSocket = WebSocket;
    this.#party = party;
    this.#backoff = new Backoff(random);
    this.#spareBackoff = new Backoff(random);
    /** @type {Status} */
    this.status = 'idle';
    this.url = '';
    /** How long the server holds a lost seat. */
    this.reconnectMs = 0;
    /** How long the server asks to stay away, once. */
    this.retryAfterMs = 0;
    /** What the server's last error said. */
    this.error = '';
    /** The seat is being given up: the end of the line is the end. */
    this.leaving = false;
    /** Times a second line was opened because the first was silent. */
    this.silences = 0;
    /** A line without a word for this long is silent, ms. */
    this.silentMs = SILENT_MS;
  }

  /** @param {string} url */
  open(url) {
    this.url = url;
    this.#lookedAt = performance.now();
    this.#lookTimer = setInterval(() => this.#look(), LOOK_EVERY_MS);
    this.#attempt();
  }

  /** The welcome was read: the seat is ours. */
  welcomed() {
    this.#welcomed = true;
    this.#rival = false;
    this.#lostAt = 0;
    this.#attempts = 0;
    this.#backoff.reset();
    this.#spareBackoff.reset();
    this.#become('playing');
  }

  /** Whether something that is sent has a chance to arrive. */
  get up() {
    return this.#line !== null && this.#line.open;
  }

  /** @param {Uint8Array} bytes */
  send(bytes) {
    if (this.#line?.open) this.#line.send(bytes);
  }

  /**
   * Ends it for good.
   * @param {number} code
   * @param {string} reason
   * @param {number} [told] to the server
   */
  end(code, reason, told) {
    if (this.status === 'closed') return;
    this.#line?.drop(told);
    this.#dropSpare();
    this.#line = null;
    clearTimeout(this.#retryTimer);
    clearInterval(this.#lookTimer);
    this.#become('closed');
    this.#party.ended(code, reason);
  }

  #attempt() {
    this.#become(this.#welcomed ? 'reconnecting' : 'connecting');
    this.#attempts++;
    try {
      this.#line = this.#draw();
    } catch (e) {
      this.end(1006, e instanceof Error ? e.message : '');
    }
  }

  #draw() {
    return new Line(this.#WebSocket, this.url, this.#holder, this.#early ? this.#party.hello() : null);
  }

  /** @param {Line} line */
  #opened(line) {
    if (line.early) this.#introduced = true;
    else if (line === this.#spare && this.#line !== null && this.#line.heard > line.began) this.#recovered();
    else this.#introduce(line);
  }

  /** @param {Line} line */
  #introduce(line) {
    this.#introduced = line.introduced = true;
    line.send(this.#party.hello());
  }

  /** The first line speaks again before the second has taken the seat. */
  #recovered() {
    this.#dropSpare();
    if (this.status === 'silent') this.#become('playing');
  }

  #dropSpare() {
    this.#spare?.drop();
    this.#spare = null;
  }

  /**
   * @param {Line} line
   * @param {unknown} data
   */
  #received(line, data) {
    line.heard = performance.now();
    if (line.early) this.#early = this.#earlyWorks = true;
    if (line === this.#spare) {
      if (!isWelcome(data)) return; // A refusal: the end of the line follows.
      this.#line?.drop();
      this.#line = line;
      this.#spare = null;
      this.#party.lost();
    } else if (this.#spare?.introduced) {
      this.#become('playing'); // The seat moves over when the second line is welcomed.
    } else if (this.status === 'silent') this.#recovered();
    this.#party.received(data);
  }

  /**
   * A line has ended by itself.
   * @param {Line} line
   * @param {number} code
   * @param {string} reason
   */
  #gone(line, code, reason) {
    line.drop();
    if (line.opened === 0) this.#early = this.#earlyWorks || !line.early;
    if (line === this.#spare) {
      this.#spare = null;
      this.#rival ||= line.introduced;
      this.#spareAt = performance.now() + Math.max(SILENT_MS, this.#spareBackoff.next());
      return;
    }
    if (line !== this.#line) return;
    this.#line = null;
    if (reason === '') reason = this.error;
    this.error = '';
    this.#party.lost();
    if (this.leaving) return this.end(code === 1006 ? 4001 : code, reason);
    const spare = this.#spare;
    if (spare !== null && (closing(code).retry || (code === 4409 && spare.introduced))) {
      this.#line = spare;
      this.#spare = null;
      this.#become('reconnecting');
      return;
    }
    this.#comeBack(code === 4409 && this.#rival ? 1006 : code, reason);
  }

  /**
   * The last line is gone: open another one, or stay away.
   * @param {number} code
   * @param {string} reason
   */
  #comeBack(code, reason) {
    const now = performance.now();
    const seated = this.#party.seated();
    if (!closing(code).retry) return this.end(code, reason);
    if (!seated && (this.#introduced || this.#attempts >= FIRST_ATTEMPTS)) return this.end(code, reason);
    if (this.#lostAt === 0) this.#lostAt = now;
    if (seated && now - this.#lostAt > Math.max(this.reconnectMs, RESUME_AT_LEAST_MS)) return this.end(code, reason);
    this.#become(this.#welcomed ? 'reconnecting' : 'connecting');
    const wait = Math.max(this.#backoff.next(code === 1006 || code === 1012), this.retryAfterMs);
    this.retryAfterMs = 0;
    clearTimeout(this.#retryTimer);
    if (wait > 0) this.#retryTimer = setTimeout(() => this.#attempt(), wait);
    else this.#attempt(); // a timer of a hidden page may take a minute
  }

  /** A few times a second: does the server still talk? */
  #look() {
    const line = this.#line;
    const now = performance.now();
    const slept = now - this.#lookedAt > SLEPT_MS;
    this.#lookedAt = now;
    if (line === null || slept) return;
    const quiet = now - line.heard;
    this.#doubt(line, now);
    if (this.#spare !== null) this.#doubt(this.#spare, now);
    if (this.#spare !== null && now - this.#spare.began > CONNECT_MS) this.#gone(this.#spare, 1006, '');
    if (this.status === 'connecting' || this.status === 'reconnecting') {
      if (now - line.began > CONNECT_MS) this.#gone(line, 1006, 'no answer');
    } else if (quiet > GIVE_UP_MS) this.#gone(line, 1006, 'the server went silent');
    else if (quiet > this.silentMs && this.#party.seated() && !this.leaving) this.#second(now);
  }

  /**
   * Something on the way may take the hello out of the handshake. The server passes over one that it has already.
   * @param {Line} line
   * @param {number} now
   */
  #doubt(line, now) {
    if (!line.early || line.opened === 0 || line.heard > line.opened || now - line.opened < WELCOME_MS) return;
    line.early = false;
    this.#early = this.#earlyWorks;
    this.#introduce(line);
  }

  /** @param {number} now */
  #second(now) {
    this.#become('silent');
    if (this.#spare !== null || now < this.#spareAt) return;
    this.silences++;
    this.#spareAt = now + SILENT_MS;
    try {
      this.#spare = this.#draw();
    } catch {
      this.#spare = null; // The URL was good for the first line; whatever this is, the first one goes on.
    }
  }

  /** @param {Status} status */
  #become(status) {
    if (this.status === status) return;
    this.status = status;
    this.#party.became(status);
  }
}

/** @param {unknown} data */
function isWelcome(data) {
  try {
    return data instanceof ArrayBuffer && serverType(new Uint8Array(data)) === Type.welcome;
  } catch {
    return false;
  }
}
