// Client plays one seat of one match over one WebSocket after the other: it says hello, keeps the state, sends
// inputs at the tick rate, and comes back by itself when a socket is lost.

import { MessageError, Writer } from './msgpack.js';
import { BaselineError, State } from './state.js';
import { Backoff } from './backoff.js';
import { Clock } from './clock.js';
import { Stats, Traffic } from './stats.js';
import { Emitter } from './emitter.js';
import { Inputs } from './inputs.js';
import { View } from './view.js';
import { KeyframeReason, Notice, Role, Type, closing } from './codes.js';
import * as message from './messages.js';
import * as limits from './limits.js';

const SDK = 'skirmish-js/0.1.0';
const PING_EVERY_MS = 1000;
/** A socket that says nothing for this long is given up; it often takes the system minutes to notice. */
const SILENCE_MS = 8000;
const CONNECT_MS = 8000;
const LEAVE_MS = 1000;
const KEYFRAME_EVERY_MS = 1000;
/** Go on trying this long at least, even if the server holds seats for less. */
const RESUME_AT_LEAST_MS = 15000;
/** Attempts before the first welcome, as long as the ticket has not been sent. */
const FIRST_ATTEMPTS = 3;

/**
 * idle → connecting → playing → (waiting → connecting → playing …) → closed
 * @typedef {'idle' | 'connecting' | 'playing' | 'waiting' | 'closed'} Status
 */

/**
 * @typedef {object} Closed
 * @property {number} code WebSocket close code
 * @property {string} name of the code
 * @property {string} text for a player
 * @property {string} reason the server's own words, may be empty
 * @property {{url: string, resumeToken: string, lastEvent: number} | null} resume for resume() of another Client, while
 *   the seat still waits (4408); else null
 */

/**
 * @typedef {object} Events
 * @property {Status} status
 * @property {message.Welcome} welcome after each hello, resumes included
 * @property {State} state after each snapshot or delta
 * @property {message.GameEvent} event in order, none twice
 * @property {Map<number, message.Seat>} roster
 * @property {{kind: number, deadlineMs: number, url: string, token: string}} notice
 * @property {{reason: string, data: any}} result the match's, parsed
 * @property {Error} fault a message that could not be decoded
 * @property {Closed} closed for good
 */

/**
 * @typedef {object} Options
 * @property {any} [WebSocket] constructor; the global one by default (Node has one from 22 on: pass that of ws)
 * @property {() => number} [random] in [0, 1), for the backoff
 */

/** The connection ended for good. */
export class ClosedError extends Error {
  /** @param {Closed} closed */
  constructor(closed) {
    super(closed.text + (closed.reason ? ` (${closed.reason})` : ''));
    this.name = 'ClosedError';
    this.closed = closed;
  }
}

/** @extends {Emitter<Events>} */
export class Client extends Emitter {
  #WebSocket;
  /** @type {any} */
  #socket = null;
  #url = '';
  #token = '';
  #resumeToken = '';
  #ticketSent = false;
  #attempts = 0;
  #lostAt = 0;
  #reconnectMs = 0;
  #retryAfterMs = 0;
  #error = '';
  #opened = 0;
  #heard = 0;
  #leaving = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retryTimer;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #pingTimer;
  #pingId = 0;
  #backoff;
  #writer = new Writer();
  #inputs;
  #traffic;
  #keyframeAt = -Infinity;
  #requestId = 0;
  /** @type {Map<number, {resolve: (payload: Uint8Array) => void, reject: (e: Error) => void}>} */
  #requests = new Map();
  /** @type {{resolve: (w: message.Welcome) => void, reject: (e: Error) => void} | null} */
  #first = null;

  /** @param {Options} [options] */
  constructor(options = {}) {
    super();
    this.#WebSocket = options.WebSocket ?? globalThis.WebSocket;
    this.#inputs = new Inputs((first, values, n, fields) => this.#sendInputs(first, values, n, fields));
    this.#backoff = new Backoff(options.random ?? Math.random);
    if (!this.#WebSocket) throw new TypeError('this platform has no WebSocket: pass one in the options');
    /** @type {Status} */
    this.status = 'idle';
    /** @type {message.Welcome | null} */
    this.welcome = null;
    /** @type {State | null} the newest state */
    this.state = null;
    /** @type {View | null} the delayed, blended one */
    this.view = null;
    /** @type {Map<number, message.Seat>} by seat; an entry is never changed, only replaced */
    this.roster = new Map();
    this.clock = new Clock();
    this.stats = new Stats();
    this.#traffic = new Traffic(this.stats);
    /** Number of the newest event. */
    this.lastEvent = 0;
  }

  /**
   * Called for each input that is due, with its wire values to fill in; they keep what they held before.
   * @param {((values: Int32Array) => void) | null} fn
   */
  set sampleInput(fn) {
    this.#inputs.sample = fn;
  }

  /**
   * Takes a seat with a join ticket. Resolves with the first welcome, rejects with a ClosedError.
   * @param {{url: string, token: string}} where
   * @returns {Promise<message.Welcome>}
   */
  connect({ url, token }) {
    this.#token = token;
    return this.#begin(url);
  }

  /**
   * Takes back a seat that another Client held: with its resumeToken and the last event it saw.
   * @param {{url: string, resumeToken: string, lastEvent: number}} where
   * @returns {Promise<message.Welcome>}
   */
  resume({ url, resumeToken, lastEvent }) {
    this.#resumeToken = resumeToken;
    this.lastEvent = lastEvent;
    return this.#begin(url);
  }

  /** For a later resume(); it changes with each welcome. */
  get resumeToken() {
    return this.#resumeToken;
  }

  /** Number of the last input that was sent. */
  get inputSeq() {
    return this.#inputs.seq;
  }

  /** The row of this player's own seat is known to the server as this id in games that number rows by seat. */
  get seat() {
    return this.welcome?.seat ?? 0;
  }

  /**
   * Sets fields of the input that is sent from now on, by name, in the game's unit. Values are rounded and kept
   * in the field's range.
   * @param {Record<string, number | boolean>} fields
   */
  setInput(fields) {
    this.#inputs.set(fields);
  }

  /**
   * A game's own call.
   * @param {number} op
   * @param {Uint8Array} payload
   * @returns {Promise<Uint8Array>} rejects if the game refuses or the connection ends
   */
  request(op, payload) {
    if (payload.length > limits.MAX_REQUEST_BYTES) return Promise.reject(new RangeError('request too long'));
    if (this.status !== 'playing') return Promise.reject(new Error('not connected'));
    const id = ++this.#requestId;
    return new Promise((resolve, reject) => {
      this.#requests.set(id, { resolve, reject });
      message.writeRequest(this.#writer.reset(), id, op, payload);
      this.#send();
    });
  }

  /**
   * Gives the seat up. Resolves when the connection has ended.
   * @param {number} [code] a game's own reason
   * @returns {Promise<void>}
   */
  leave(code = 0) {
    if (this.status === 'closed' || this.status === 'idle') return Promise.resolve();
    const wasPlaying = this.status === 'playing';
    this.#leaving = true;
    this.#inputs.stop();
    return new Promise((resolve) => {
      this.on('closed', () => resolve());
      if (!wasPlaying) return this.#end(4001, '');
      message.writeBye(this.#writer.reset(), code);
      this.#send();
      this.#retryTimer = setTimeout(() => this.#end(4001, ''), LEAVE_MS);
    });
  }

  /** Brings the numbers of stats that change with time up to date and returns them. */
  measure() {
    return this.#traffic.measure(performance.now(), this.clock.rttMs);
  }

  /**
   * @param {string} url
   * @returns {Promise<message.Welcome>}
   */
  #begin(url) {
    if (this.status !== 'idle') return Promise.reject(new Error('a Client connects once'));
    this.#url = url;
    return new Promise((resolve, reject) => {
      this.#first = { resolve, reject };
      this.#open();
    });
  }

  #open() {
    this.#become('connecting');
    this.#attempts++;
    const now = performance.now();
    this.#opened = this.#heard = now;
    let socket;
    try {
      socket = new this.#WebSocket(this.#url, [limits.SUBPROTOCOL]);
    } catch (e) {
      this.#end(1006, e instanceof Error ? e.message : '');
      return;
    }
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => this.#socket === socket && this.#hello();
    socket.onmessage = (/** @type {{data: unknown}} */ e) => this.#socket === socket && this.#receive(e.data);
    socket.onerror = () => {};
    socket.onclose = (/** @type {{code: number, reason: string}} */ e) => this.#socket === socket && this.#lost(e.code, String(e.reason ?? ''));
    clearInterval(this.#pingTimer);
    this.#pingTimer = setInterval(() => this.#beat(), PING_EVERY_MS);
  }

  #hello() {
    const credential = this.#resumeToken
      ? { resume: this.#resumeToken, lastEvent: this.lastEvent }
      : { token: this.#token };
    this.#ticketSent = true;
    message.writeHello(this.#writer.reset(), credential, SDK);
    this.#send();
  }

  /** Once a second: a ping, and a look whether the server still talks. */
  #beat() {
    const now = performance.now();
    const quiet = now - this.#heard;
    if (this.status === 'connecting') {
      if (now - this.#opened > CONNECT_MS) this.#lost(1006, 'no answer');
    } else if (quiet > SILENCE_MS) this.#lost(1006, 'the server went silent');
    else if (this.status === 'playing') this.#ping(now);
  }

  /** @param {number} now */
  #ping(now) {
    this.#pingId = (this.#pingId + 1) >>> 0;
    message.writePing(this.#writer.reset(), this.#pingId, Math.round(now * 1000));
    this.#send();
  }

  /** Sends what the writer holds. The socket copies it. */
  #send() {
    const socket = this.#socket;
    if (socket === null || socket.readyState !== 1) return;
    const bytes = this.#writer.done();
    this.#traffic.out(bytes.length, performance.now());
    socket.send(bytes);
  }

  /** @param {unknown} data */
  #receive(data) {
    const now = performance.now();
    this.#heard = now;
    if (!(data instanceof ArrayBuffer)) return this.#fault(new MessageError('not binary'));
    const bytes = new Uint8Array(data);
    this.#traffic.in(bytes.length, now);
    try {
      const type = message.serverType(bytes);
      if (type === Type.delta || type === Type.snapshot) this.#receiveState(bytes, now);
      else this.#dispatch(type, bytes, now);
    } catch (e) {
      if (!(e instanceof MessageError)) throw e;
      this.#fault(e);
    }
  }

  /**
   * @param {number} type
   * @param {Uint8Array} bytes
   * @param {number} now
   */
  #dispatch(type, bytes, now) {
    if (type === Type.welcome) return this.#welcomed(message.readWelcome(bytes), now);
    if (type === Type.error) {
      const e = message.readError(bytes);
      this.#retryAfterMs = e.retryAfterMs;
      this.#error = e.message;
      return;
    }
    if (type === Type.notice) return this.#noticed(message.readNotice(bytes));
    if (type === Type.pong) {
      const p = message.readPong(bytes);
      this.clock.add(p.t0, p.t1, p.t2, Math.round(now * 1000));
      return;
    }
    if (this.welcome === null) throw new MessageError('before the welcome');
    if (type === Type.event) {
      const e = message.readEvent(bytes, this.welcome.plan);
      if (e.seq <= this.lastEvent) return;
      this.lastEvent = e.seq;
      this.emit('event', e);
    } else if (type === Type.roster) {
      for (const s of message.readRoster(bytes).entries) this.roster.set(s.seat, s);
      this.emit('roster', this.roster);
    } else if (type === Type.reply) {
      const { id, status, payload } = message.readReply(bytes);
      const waiting = this.#requests.get(id);
      this.#requests.delete(id);
      if (status === 0) waiting?.resolve(payload);
      else waiting?.reject(new Error(new TextDecoder().decode(payload) || `the game refused (status ${status})`));
    } else if (type === Type.result) {
      const { reason, payload } = message.readResult(bytes);
      this.emit('result', { reason, data: parse(payload) });
    }
  }

  /**
   * @param {message.Welcome} w
   * @param {number} now
   */
  #welcomed(w, now) {
    const again = this.welcome !== null;
    this.welcome = w;
    this.#resumeToken = w.resumeToken;
    this.#reconnectMs = w.reconnectMs;
    this.#lostAt = 0;
    this.#attempts = 0;
    this.#backoff.reset();
    this.clock.reset();
    if (again) this.stats.resumes++;
    this.state = new State(w.plan);
    this.view = new View(w.plan, w.tickRate, w.snapshotRate);
    this.#traffic.begin();
    this.#become('playing');
    this.#ping(now);
    if (w.role !== Role.spectator) this.#inputs.begin(w, now);
    this.emit('welcome', w);
    this.#first?.resolve(w);
    this.#first = null;
  }

  /**
   * A state that cannot be taken in is asked for as a whole.
   * @param {Uint8Array} bytes
   * @param {number} now
   */
  #receiveState(bytes, now) {
    try {
      this.#applyState(bytes, now);
    } catch (e) {
      if (!(e instanceof MessageError) || this.state === null) throw e;
      if (e instanceof BaselineError) return this.#keyframe(KeyframeReason.base, 0, now);
      this.stats.malformed++;
      this.#keyframe(KeyframeReason.decode, 0, now);
      this.emit('fault', e);
    }
  }

  /**
   * @param {Uint8Array} bytes
   * @param {number} now
   */
  #applyState(bytes, now) {
    const state = this.state;
    const welcome = this.welcome;
    if (state === null || welcome === null || this.view === null) throw new MessageError('before the welcome');
    state.apply(bytes);
    if (state.hasCrc) {
      const crc = state.check();
      if (crc !== state.crc) this.#keyframe(KeyframeReason.crc, crc, now);
    }
    this.#traffic.state(state, now, welcome.tickRate);
    this.#inputs.heard(state.ack, state.leadMs, now);
    this.view.push(state, now);
    this.emit('state', state);
  }

  /**
   * @param {number} reason
   * @param {number} crc
   * @param {number} now
   */
  #keyframe(reason, crc, now) {
    if (now - this.#keyframeAt < KEYFRAME_EVERY_MS) return;
    this.#keyframeAt = now;
    this.stats.keyframes++;
    message.writeKeyframe(this.#writer.reset(), reason, crc);
    this.#send();
  }

  /** @param {{kind: number, deadlineMs: number, url: string, token: string}} n */
  #noticed(n) {
    if (n.kind === Notice.moved && n.url !== '') {
      this.#url = n.url;
      if (n.token !== '') this.#resumeToken = n.token;
    }
    this.emit('notice', n);
  }

  /**
   * @param {number} first
   * @param {Int32Array} values
   * @param {number} n
   * @param {number} fields
   */
  #sendInputs(first, values, n, fields) {
    this.stats.inputsSent += n;
    message.writeInput(this.#writer.reset(), this.view?.baseTick ?? 0, this.view?.fraction ?? 0, first, values, n, fields);
    this.#send();
  }

  /**
   * The socket has ended: come back, or stay away.
   * @param {number} code
   * @param {string} reason
   */
  #lost(code, reason) {
    this.#drop();
    const now = performance.now();
    if (reason === '') reason = this.#error;
    this.#error = '';
    for (const r of this.#requests.values()) r.reject(new Error('the connection was lost'));
    this.#requests.clear();
    if (this.#leaving) return this.#end(code === 1006 ? 4001 : code, reason);
    const seated = this.#resumeToken !== '';
    if (!closing(code).retry) return this.#end(code, reason);
    if (!seated && (this.#ticketSent || this.#attempts >= FIRST_ATTEMPTS)) return this.#end(code, reason);
    if (this.#lostAt === 0) this.#lostAt = now;
    if (seated && now - this.#lostAt > Math.max(this.#reconnectMs, RESUME_AT_LEAST_MS)) return this.#end(code, reason);
    this.#become('waiting');
    const wait = Math.max(this.#backoff.next(code === 1012), this.#retryAfterMs);
    this.#retryAfterMs = 0;
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(() => this.#open(), wait);
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  #end(code, reason) {
    if (this.status === 'closed') return;
    this.#drop();
    clearTimeout(this.#retryTimer);
    const { name, text } = closing(code);
    const waits = code === 4408 && this.#resumeToken !== '';
    const resume = waits ? { url: this.#url, resumeToken: this.#resumeToken, lastEvent: this.lastEvent } : null;
    const closed = { code, name, text, reason, resume };
    this.#resumeToken = '';
    this.#token = '';
    this.#become('closed');
    this.emit('closed', closed);
    this.#first?.reject(new ClosedError(closed));
    this.#first = null;
  }

  /**
   * Lets go of the socket and of the timers that belong to it.
   * @param {number} [code] why, for the server
   */
  #drop(code) {
    this.#inputs.stop();
    clearInterval(this.#pingTimer);
    const socket = this.#socket;
    this.#socket = null;
    if (socket === null) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    try {
      if (socket.readyState <= 1) socket.close(code);
    } catch {
      // A socket that never opened may refuse to close: it is gone already.
    }
  }

  /**
   * A message that must be refused is a bug of either side. A state heals by a keyframe, the rest does not.
   * @param {MessageError} e
   */
  #fault(e) {
    this.stats.malformed++;
    this.emit('fault', e);
    this.#drop(4400);
    this.#end(4400, e.message);
  }

  /** @param {Status} status */
  #become(status) {
    if (this.status === status) return;
    this.status = status;
    this.emit('status', status);
  }
}

/** @param {Uint8Array} payload */
function parse(payload) {
  try {
    return payload.length === 0 ? null : JSON.parse(new TextDecoder().decode(payload));
  } catch {
    throw new MessageError('the result is not JSON');
  }
}
