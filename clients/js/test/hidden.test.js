// A page that the browser has hidden: its timers run once a second, or once a minute; messages arrive as ever. The clock is a
// fake one, and so are the timers and the network.

import assert from 'node:assert/strict';
import test from 'node:test';
import { decode } from '@msgpack/msgpack';
import { Client } from '../src/index.js';
import { message, snapshot, welcome } from './fake.js';
import { own, ships } from './play.js';
import { Wire, generator, uniform } from './sim.js';

const TICK_RATE = 60;
const STATE_EVERY = 2;

/** Time that stands still but for pass(), with timers that are late as a hidden page's are. */
class Time {
  now = 1000;
  /** Timers run at multiples of this only, ms; 0 = when they are due. */
  grain = 0;
  #timers = /** @type {Map<number, {at: number, every: number, fn: () => void}>} */ (new Map());
  #last = 0;

  /** @param {import('node:test').TestContext} t */
  constructor(t) {
    const real = { setTimeout, setInterval, clearTimeout, clearInterval };
    t.after(() => Object.assign(globalThis, real));
    t.mock.method(performance, 'now', () => this.now);
    const add = (/** @type {() => void} */ fn, ms = 0, every = 0) => {
      this.#timers.set(++this.#last, { at: this.now + ms, every, fn });
      return this.#last;
    };
    const end = (/** @type {any} */ id) => void this.#timers.delete(id);
    Object.assign(globalThis, {
      setTimeout: (/** @type {() => void} */ fn, /** @type {number} */ ms) => add(fn, ms),
      setInterval: (/** @type {() => void} */ fn, /** @type {number} */ ms) => add(fn, ms, Math.max(1, ms)),
      clearTimeout: end, clearInterval: end,
    });
  }

  /** A quarter of a millisecond passes. */
  pass() {
    this.now += 0.25;
    if (this.grain > 0 && this.now % this.grain !== 0) return;
    for (const [id, timer] of [...this.#timers]) {
      if (timer.at > this.now) continue;
      if (timer.every > 0) timer.at = this.now + timer.every;
      else this.#timers.delete(id);
      timer.fn();
    }
  }
}

/** A server with one seat, which uses one input per tick, over a link of 80 ± 20 ms, and the client on its page. */
class Story {
  random = generator(7);
  up = /** @type {Wire<any>} */ (new Wire(uniform(this.random, 80, 20)));
  down = /** @type {Wire<() => void>} */ (new Wire(uniform(this.random, 80, 20)));
  /** @type {any} */
  socket = null;
  sockets = 0;
  seated = false;
  /** @type {{seq: number, at: number}[]} */
  queue = [];
  tick = 0;
  ack = 0;
  lead = 0;
  used = 0;
  missed = 0;
  waited = 0;
  pings = 0;

  /**
   * @param {import('node:test').TestContext} t
   * @param {number} role
   */
  constructor(t, role = 0) {
    this.time = new Time(t);
    const story = this;
    class WebSocket {
      readyState = 0;
      /** @type {any} */ onopen;
      /** @type {any} */ onmessage;
      /** @type {any} */ onclose;

      constructor() {
        story.socket = this;
        story.sockets++;
        story.seated = false;
        story.up.put(story.time.now, () => {
          story.seated = true;
          story.send(this, () => {
            this.readyState = 1;
            this.onopen?.();
          });
          story.tell(this, welcome({ role, tickRate: TICK_RATE, snapshotRate: TICK_RATE / STATE_EVERY, tick: story.tick, resume: `rt1.${story.sockets}` }));
        });
      }

      /** @param {Uint8Array} bytes */
      send(bytes) {
        const m = /** @type {any[]} */ (decode(bytes));
        story.up.put(story.time.now, () => story.receive(m));
      }

      close() {
        this.readyState = 3;
      }
    }
    this.client = new Client({ WebSocket, random: () => 0.5 });
    void this.client.connect({ url: 'ws://x/play', token: 't' });
  }

  /**
   * @param {any} socket
   * @param {() => void} fn
   */
  send(socket, fn) {
    this.down.put(this.time.now, () => socket.readyState <= 1 && fn());
  }

  /**
   * @param {any} socket
   * @param {Uint8Array} bytes
   */
  tell(socket, bytes) {
    this.send(socket, () => socket.onmessage?.({ data: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) }));
  }

  /** @param {any[]} m */
  receive(m) {
    if (m[0] === 3) {
      this.pings++;
      this.tell(this.socket, message(0x25, m[1], m[2], Math.round(this.time.now * 1000), Math.round(this.time.now * 1000)));
    }
    if (m[0] === 2) for (let i = 0; i < m[3].length; i++) this.queue.push({ seq: m[2] + i, at: this.time.now });
  }

  cut() {
    const { socket } = this;
    socket.readyState = 3;
    this.seated = false;
    socket.onclose?.({ code: 1006, reason: '' });
  }

  /** @param {number} seconds */
  run(seconds) {
    const period = 1000 / TICK_RATE;
    this.used = this.missed = this.waited = this.pings = 0;
    for (const end = this.time.now + seconds * 1000; this.time.now < end;) {
      const { now } = this.time;
      this.up.take(now, (fn) => fn());
      this.down.take(now, (fn) => fn());
      if (now >= this.tick * period) {
        this.tick++;
        const next = this.queue.shift();
        if (next) {
          this.used++;
          this.ack = next.seq;
          this.lead = now - next.at;
          this.waited += this.lead;
        } else this.missed++;
        if (this.seated && this.tick % STATE_EVERY === 0) {
          const state = snapshot(this.tick, ships(80), { own, ack: this.ack, lead: Math.round(this.lead), flags: next ? 0 : 1 });
          this.tell(this.socket, state);
        }
      }
      this.time.pass();
    }
  }

  get told() {
    return `${((100 * this.used) / (this.used + this.missed)).toFixed(2)} % of ticks had their input, which had waited ${(this.waited / Math.max(1, this.used)).toFixed(0)} ms; ${this.client.measure().inputsLapsed} lapsed in all`;
  }
}

for (const [name, grain] of /** @type {[string, number][]} */ ([['once a second', 1000], ['once a minute', 60000]])) {
  test(`a hidden page whose timers run ${name} goes on playing, and is not late when it is back`, (t) => {
    const s = new Story(t);
    s.run(5);
    s.time.grain = grain;
    s.run(2);
    s.run(30);
    t.diagnostic(`hidden: ${s.told}`);
    assert.ok(s.used / (s.used + s.missed) >= 0.995, s.told);
    assert.equal(s.client.status, 'playing');
    s.time.grain = 0;
    s.run(3);
    s.run(10);
    t.diagnostic(`back: ${s.told}`);
    assert.ok(s.used / (s.used + s.missed) >= 0.995 && s.waited / s.used < 50, s.told);
    assert.equal(s.sockets, 1, 'no second line was opened');
  });
}

test('a hidden page that is cut off comes back without waiting for a timer', (t) => {
  const s = new Story(t);
  s.run(5);
  s.time.grain = 60000;
  s.run(1);
  s.cut();
  s.run(0.3);
  assert.equal(s.client.status, 'playing');
  assert.equal(s.client.stats.resumes, 1);
});

test('a spectator pings every eight seconds', (t) => {
  const s = new Story(t, 1);
  s.run(5);
  s.run(60);
  assert.ok(s.pings >= 7 && s.pings <= 8, `${s.pings} pings in a minute`);
});
