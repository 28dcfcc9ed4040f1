// Film plays a recorded match from a file (game/replay/film.go): what a spectator of it was sent. It stands in for a
// Client where a match is only looked at, and can be at any moment of it, at any speed.

import { Emitter } from './emitter.js';
import { MessageError, Reader } from './msgpack.js';
import { State } from './state.js';
import { Stats } from './stats.js';
import { View } from './view.js';
import { Type } from './codes.js';
import * as message from './messages.js';
import * as limits from './limits.js';

const MAGIC = 'SKRFILM1';
const MAX_TICK = 2 ** 32 - 1;

/** @typedef {{at: number, end: number, type: number, tick: number}} Entry */

/** @extends {Emitter<import('./client.js').Events>} */
export class Film extends Emitter {
  /** @type {Uint8Array} */
  #bytes;
  /** @type {Entry[]} */
  #entries = [];
  #next = 0;
  #last = -1;
  /** Where it was begun or jumped to: what had happened by then is not told. */
  #from = 0;
  #reader = new Reader();

  /**
   * Throws a MessageError for what is no film.
   * @param {ArrayBuffer} file
   */
  constructor(file) {
    super();
    this.#bytes = new Uint8Array(file);
    this.#index();
    this.seat = 0;
    this.inputSeq = 0;
    this.lastEvent = 0;
    this.predictor = null;
    this.sampleInput = null;
    /** @type {Map<number, message.Seat>} */
    this.roster = new Map();
    this.stats = new Stats();
    /** @type {import('./client.js').Status} */
    this.status = 'idle';
    /** @type {message.Welcome | null} */
    this.welcome = null;
    /** @type {State | null} */
    this.state = null;
    /** @type {View | null} */
    this.view = null;
    const states = this.#entries.filter((e) => e.tick > 0);
    if (states.length === 0) throw new MessageError('a film without a picture');
    /** The first and the last moment, in ticks. */
    this.first = states[0].tick;
    this.end = states[states.length - 1].tick;
    /** The moment shown, in ticks with a fraction. */
    this.tick = this.first;
    /** How many times as fast as the match. */
    this.speed = 1;
    this.paused = false;
  }

  /** Begins to play. */
  start() {
    this.status = 'playing';
    this.seek(this.first);
  }

  /** Finds every message, and the tick of every state. */
  #index() {
    const b = this.#bytes;
    const text = String.fromCharCode(...b.subarray(0, MAGIC.length));
    if (text !== MAGIC) throw new MessageError('no film of a match');
    const v = new DataView(b.buffer, b.byteOffset, b.byteLength);
    for (let at = MAGIC.length; at + 4 <= b.length; ) {
      const end = at + 4 + v.getUint32(at, true);
      if (end > b.length) break; // it breaks off here
      const bytes = b.subarray(at + 4, end);
      const type = message.serverType(bytes);
      let tick = 0;
      if (type === Type.snapshot || type === Type.delta) {
        this.#reader.reset(bytes).array();
        this.#reader.int(0, limits.MAX_U8);
        tick = this.#reader.int(0, MAX_TICK);
      }
      this.#entries.push({ at: at + 4, end, type, tick });
      at = end;
    }
    if (this.#entries[0]?.type !== Type.welcome) throw new MessageError('a film without a beginning');
  }

  /**
   * Goes to a moment.
   * @param {number} tick
   */
  seek(tick) {
    const to = Math.max(this.first, Math.min(this.end, tick));
    let from = 0;
    this.#entries.forEach((e, i) => {
      if (e.type === Type.snapshot && e.tick <= to) from = i;
    });
    const w = message.readWelcome(this.#read(0));
    this.welcome = w;
    this.state = new State(w.plan);
    this.view = new View(w.plan, w.tickRate, w.snapshotRate);
    this.roster = new Map();
    for (let i = 1; i < from; i++) if (this.#entries[i].type === Type.roster) this.#apply(i, 0);
    this.#next = Math.max(1, from);
    this.tick = this.#from = to;
    this.#last = -1;
    this.emit('welcome', w);
    this.#run(0);
  }

  /** Seconds from the beginning, and the length. */
  get at() {
    return (this.tick - this.first) / (this.welcome?.tickRate ?? 1);
  }

  get length() {
    return (this.end - this.first) / (this.welcome?.tickRate ?? 1);
  }

  /**
   * Brings everything to the moment of a frame, as Client.frame.
   * @param {number} now performance.now()
   */
  frame(now) {
    const passed = this.#last < 0 ? 0 : Math.min(1000, now - this.#last);
    this.#last = now;
    if (this.welcome === null || this.view === null) return false;
    if (!this.paused && this.status === 'playing') {
      this.tick = Math.min(this.end, this.tick + (passed / 1000) * this.welcome.tickRate * this.speed);
      if (this.tick >= this.end) this.paused = true;
    }
    this.#run(now);
    return this.view.show(this.tick);
  }

  /** @param {number} _now */
  serverTick(_now) {
    return this.tick;
  }

  measure() {
    return this.stats;
  }

  /** Puts it away. */
  leave() {
    if (this.status !== 'closed') {
      this.status = 'closed';
      this.emit('closed', { code: 4001, name: '', text: '', reason: '', resume: null });
    }
    return Promise.resolve();
  }

  /** @param {number} i */
  #read(i) {
    const { at, end } = this.#entries[i];
    return this.#bytes.subarray(at, end);
  }

  /**
   * Takes in what was sent up to the state behind the moment, which the picture is blended with.
   * @param {number} now
   */
  #run(now) {
    while (this.#next < this.#entries.length && (this.state?.tick ?? 0) <= this.tick) {
      this.#apply(this.#next, now);
      this.#next++;
    }
  }

  /**
   * @param {number} i
   * @param {number} now
   */
  #apply(i, now) {
    const { state, view, welcome } = this;
    const bytes = this.#read(i);
    const { type } = this.#entries[i];
    if (!state || !view || !welcome) return;
    if (type === Type.snapshot || type === Type.delta) {
      state.apply(bytes);
      view.push(state, now);
      this.emit('state', state);
    } else if (type === Type.event) {
      const e = message.readEvent(bytes, welcome.plan);
      if (e.tick > this.#from) this.emit('event', e);
    } else if (type === Type.roster) {
      for (const s of message.readRoster(bytes).entries) this.roster.set(s.seat, s);
    }
  }
}
