// Client plays one seat of one match: it says hello, keeps the state, sends inputs at the tick rate, predicts its own
// body if the game can, and comes back by itself when a line is lost.

import { MessageError, Writer } from './msgpack.js';
import { BaselineError, State } from './state.js';
import { Clock } from './clock.js';
import { Connection } from './connection.js';
import { Emitter } from './emitter.js';
import { Inputs } from './inputs.js';
import { Requests } from './requests.js';
import { Stats, Traffic } from './stats.js';
import { View } from './view.js';
import { KeyframeReason, Notice, Role, Type, closing } from './codes.js';
import * as message from './messages.js';
import * as outgoing from './outgoing.js';
import * as limits from './limits.js';

const SDK = 'skirmish-js/0.2.0';
const PING_EVERY_MS = 500;
/** Spectators aim at nothing: once the clock is known they ask seldom, and hundreds of them cost the match little. It spares the server's own ping every 10 s. */
const WATCHER_PING_EVERY_MS = 8000;
const WATCHER_PINGS = 4;
/** Nothing ran for this long: the page slept, and how long an answer took to a ping from before tells nothing of the way. */
const SLEPT_MS = 2000;
const LEAVE_MS = 1000;
const KEYFRAME_EVERY_MS = 1000;
/** A line is not silent before this many states are missing. */
const STATES_MISSING = 4;

/** @typedef {import('./connection.js').Status} Status */

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
 * @property {any} [WebSocket] constructor; the global one by default (Node has one from 22 on: pass that of ws). That of
 *   a Link shapes the network
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
  #connection;
  #token = '';
  #resumeToken = '';
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #pingTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #leaveTimer;
  #pingId = 0;
  #pingedAt = 0;
  /** When anything last ran here, and when it did again after a sleep. */
  #ran = 0;
  #woke = 0;
  #writer = new Writer();
  #inputs;
  #traffic;
  #requests = new Requests();
  #keyframeAt = -Infinity;
  #saidEvent = 0; // the last event of the newest hello
  /** @type {{resolve: (w: message.Welcome) => void, reject: (e: Error) => void} | null} */
  #first = null;

  /** @param {Options} [options] */
  constructor(options = {}) {
    super();
    const WebSocket = options.WebSocket ?? globalThis.WebSocket;
    if (!WebSocket) throw new TypeError('this platform has no WebSocket: pass one in the options');
    this.#connection = new Connection(WebSocket, options.random ?? Math.random, {
      hello: () => this.#hello(),
      seated: () => this.#resumeToken !== '',
      received: (data) => this.#receive(data),
      became: (status) => this.emit('status', status),
      lost: () => this.#lost(),
      ended: (code, reason) => this.#ended(code, reason),
    });
    this.#inputs = new Inputs((first, values, n, fields) => this.#sendInputs(first, values, n, fields));
    this.#inputs.given = (seq, values) => this.predictor?.give(seq, values);
    /** @type {message.Welcome | null} */
    this.welcome = null;
    /** @type {State | null} the newest state */
    this.state = null;
    /** @type {View | null} the delayed, blended one */
    this.view = null;
    /** Of the own body, if the game can step it. @type {import('./predictor.js').Predictor | null} */
    this.predictor = null;
    /** @type {Map<number, message.Seat>} by seat; an entry is never changed, only replaced */
    this.roster = new Map();
    this.clock = new Clock();
    this.stats = new Stats();
    this.#traffic = new Traffic(this.stats);
    /** Number of the newest event. */
    this.lastEvent = 0;
  }

  get status() {
    return this.#connection.status;
  }

  /**
   * Called for each input that is due, with its wire values to fill in.
   * @param {import('./inputs.js').Sample | null} fn
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
   * The tick that the server is at, with a fraction; 0 before the first state.
   * @param {number} now performance.now()
   */
  serverTick(now) {
    if (this.welcome === null || this.state === null || this.state.empty) return 0;
    return this.#traffic.serverTick(now, this.clock.leastRttMs, this.welcome.tickRate);
  }

  /**
   * Brings everything to the moment of a frame: sends the inputs that are due, fills view.table, and predictor.drawn.
   * Returns false before the first state.
   * @param {number} now performance.now()
   */
  frame(now) {
    this.#inputs.give(now);
    const { predictor, view } = this;
    if (view === null || !view.sample(now)) return false;
    if (predictor?.active) predictor.sample(now, this.#inputs.pacer?.phase(now) ?? 0, this.#inputs.glance());
    return true;
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
    if (this.status !== 'playing' && this.status !== 'silent') return Promise.reject(new Error('not connected'));
    return this.#requests.ask((id) => {
      outgoing.writeRequest(this.#writer.reset(), id, op, payload);
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
    this.#connection.leaving = true;
    this.#inputs.stop();
    return new Promise((resolve) => {
      this.on('closed', () => resolve());
      if (this.status !== 'playing') return this.#connection.end(4001, '');
      outgoing.writeBye(this.#writer.reset(), code);
      this.#send();
      this.#leaveTimer = setTimeout(() => this.#connection.end(4001, ''), LEAVE_MS);
    });
  }

  /** Brings the numbers of stats that change with time up to date and returns them. */
  measure() {
    const s = this.#traffic.measure(performance.now(), this.clock.rttMs);
    const { predictor, view } = this;
    const { pacer } = this.#inputs;
    if (pacer) {
      s.targetLeadMs = pacer.targetMs;
      s.inputJitterMs = pacer.jitterMs;
      s.inputsLapsed = pacer.lapsed;
    }
    if (predictor) {
      s.corrections = predictor.corrections;
      s.mispredicted = predictor.mispredicted;
      s.inputsMissed = predictor.missed;
      s.lastError = predictor.lastError;
    }
    s.delayMs = view?.playback.delayMs ?? 0;
    s.silences = this.#connection.silences;
    return s;
  }

  /**
   * @param {string} url
   * @returns {Promise<message.Welcome>}
   */
  #begin(url) {
    if (this.status !== 'idle') return Promise.reject(new Error('a Client connects once'));
    return new Promise((resolve, reject) => {
      this.#first = { resolve, reject };
      this.#ran = performance.now();
      this.#pingTimer = setInterval(() => {
        const now = this.#now();
        if (this.status === 'playing' && now - this.#pingedAt >= this.#pingEvery) this.#ping(now);
      }, PING_EVERY_MS);
      this.#connection.open(url);
    });
  }

  #hello() {
    this.#saidEvent = this.lastEvent;
    const credential = this.#resumeToken
      ? { resume: this.#resumeToken, lastEvent: this.lastEvent }
      : { token: this.#token };
    outgoing.writeHello(this.#writer.reset(), credential, SDK);
    const bytes = this.#writer.done();
    this.#traffic.out(bytes.length, performance.now());
    return bytes;
  }

  #now() {
    const now = performance.now();
    if (now - this.#ran > SLEPT_MS) this.#woke = now;
    this.#ran = now;
    return now;
  }

  get #pingEvery() {
    const settled = this.welcome?.role === Role.spectator && this.#pingId >= WATCHER_PINGS;
    return settled ? WATCHER_PING_EVERY_MS : 0;
  }

  /** @param {number} now */
  #ping(now) {
    this.#pingedAt = now;
    this.#pingId = (this.#pingId + 1) >>> 0;
    outgoing.writePing(this.#writer.reset(), this.#pingId, Math.round(now * 1000));
    this.#send();
  }

  /** Sends what the writer holds. */
  #send() {
    if (!this.#connection.up) return;
    const bytes = this.#writer.done();
    this.#traffic.out(bytes.length, performance.now());
    this.#connection.send(bytes);
  }

  /** @param {unknown} data */
  #receive(data) {
    const now = this.#now();
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
      this.#connection.retryAfterMs = e.retryAfterMs;
      this.#connection.error = e.message;
      return;
    }
    if (type === Type.notice) return this.#noticed(message.readNotice(bytes));
    if (type === Type.pong) {
      const p = message.readPong(bytes);
      if (p.t0 >= this.#woke * 1000) this.clock.add(p.t0, p.t1, p.t2, Math.round(now * 1000));
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
    } else if (type === Type.reply) this.#requests.answer(message.readReply(bytes));
    else if (type === Type.result) {
      const { reason, payload } = message.readResult(bytes);
      this.emit('result', { reason, data: parse(payload) });
    }
  }

  /**
   * @param {message.Welcome} w
   * @param {number} now
   */
  #welcomed(w, now) {
    if (this.welcome !== null) this.stats.resumes++;
    this.welcome = w;
    this.#resumeToken = w.resumeToken;
    if (w.eventSeq < this.#saidEvent) this.lastEvent = w.eventSeq; // a server that was killed has undone the newer ones
    this.clock.reset();
    const interpolate = this.view?.interpolate ?? true;
    this.state = new State(w.plan);
    this.view = new View(w.plan, w.tickRate, w.snapshotRate);
    this.view.interpolate = interpolate;
    this.predictor?.begin();
    this.#traffic.begin();
    this.#connection.reconnectMs = w.reconnectMs;
    this.#connection.silentMs = Math.max(1000, (1000 * STATES_MISSING) / w.snapshotRate);
    this.#connection.welcomed();
    this.#ping(now);
    if (w.role !== Role.spectator) this.#inputs.begin(w);
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
    const { state, view, welcome } = this;
    if (state === null || welcome === null || view === null) throw new MessageError('before the welcome');
    state.apply(bytes);
    if (state.hasCrc) {
      const crc = state.check();
      if (crc !== state.crc) {
        this.stats.crcErrors++;
        this.#keyframe(KeyframeReason.crc, crc, now);
      }
    }
    this.#traffic.state(state, now, welcome.tickRate);
    this.#inputs.heard(state, now);
    this.predictor?.heard(state);
    view.push(state, now);
    this.emit('state', state);
    this.#inputs.give(now); // the timers of a hidden page run once a second or seldomer, states come all the same
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
    outgoing.writeKeyframe(this.#writer.reset(), reason, crc);
    this.#send();
  }

  /** @param {{kind: number, deadlineMs: number, url: string, token: string}} n */
  #noticed(n) {
    if (n.kind === Notice.moved && n.url !== '') {
      this.#connection.url = n.url;
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
    outgoing.writeInput(this.#writer.reset(), this.view?.baseTick ?? 0, this.view?.fraction ?? 0, first, values, n, fields);
    this.#send();
  }

  #lost() {
    this.#inputs.stop();
    this.#requests.fail();
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  #ended(code, reason) {
    this.#lost();
    clearInterval(this.#pingTimer);
    clearTimeout(this.#leaveTimer);
    const { name, text } = closing(code);
    const waits = code === 4408 && this.#resumeToken !== '';
    const resume = waits ? { url: this.#connection.url, resumeToken: this.#resumeToken, lastEvent: this.lastEvent } : null;
    const closed = { code, name, text, reason, resume };
    this.#resumeToken = '';
    this.#token = '';
    this.emit('closed', closed);
    this.#first?.reject(new ClosedError(closed));
    this.#first = null;
  }

  /**
   * A message that must be refused is a bug of either side. A state heals by a keyframe, the rest does not.
   * @param {MessageError} e
   */
  #fault(e) {
    this.stats.malformed++;
    this.emit('fault', e);
    this.#connection.end(4400, e.message, 4400);
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
