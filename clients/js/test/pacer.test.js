// The input clock on simulated links, in virtual time.

import assert from 'node:assert/strict';
import test from 'node:test';
import { Pacer } from '../src/pacer.js';
import { Traffic, Stats } from '../src/stats.js';
import { Wire, generator, uniform } from './sim.js';

/**
 * A seat for so many seconds: the server uses one input per tick, oldest first, and tells every so many ticks.
 * @param {object} o
 * @param {number} o.rate Hz
 * @param {number} o.every ticks per state
 * @param {number} [o.seed]
 * @param {(random: () => number) => (now: number) => number} o.way
 * @param {number} [o.seconds]
 * @param {number} [o.settle] seconds that do not count
 * @param {(now: number) => number} [o.timer] how late the client's timer is, ms
 * @param {(now: number) => boolean} [o.asleep]
 * @param {number} [o.drift] how much faster the client's clock runs than the server's
 */
function seat({ rate, every, seed = 1, way, seconds = 60, settle = 5, timer = () => 0, asleep = () => false, drift = 0 }) {
  const random = generator(seed);
  const period = 1000 / rate;
  const pacer = new Pacer(rate, Math.floor(period));
  const traffic = new Traffic(new Stats());
  /** @type {Wire<number>} */
  const up = new Wire(way(random));
  /** @type {Wire<{tick: number, ack: number, lead: number, fresh: boolean}>} */
  const down = new Wire(way(random));
  /** @type {{seq: number, at: number}[]} */
  const queue = [];
  const begun = 1000 + random() * period;
  let tick = 0;
  let ack = 0;
  let lead = 0;
  let seq = 0;
  let open = false;
  let wake = 0;
  const r = { pacer, used: 0, missed: 0, waited: 0, most: 0, off: 0, tickError: 0, burst: 0 };
  for (let server = 1000; server < 1000 + (seconds + settle) * 1000; server += 0.25) {
    const now = server * (1 + drift);
    const counts = server > 1000 + settle * 1000;
    up.take(server, (n, at) => queue.push({ seq: n, at }));
    if (server >= begun + tick * period) {
      const due = begun + tick * period;
      tick++;
      const next = queue.shift();
      if (next) {
        ack = next.seq;
        lead = due - next.at;
        if (counts) {
          r.used++;
          r.waited += lead;
          r.most = Math.max(r.most, lead);
        }
      } else if (ack > 0 && counts) r.missed++;
      if (tick % every === 0) down.put(server, { tick, ack, lead: Math.round(lead), fresh: next !== undefined });
    }
    if (asleep(server)) continue;
    down.take(server, (s) => {
      if (!open) pacer.start(now, 1);
      open = true;
      const state = /** @type {any} */ ({ tick: s.tick, full: false, leadMs: s.lead });
      traffic.state(state, now, rate);
      pacer.heard(s.tick, s.ack, s.lead, s.fresh, now);
    });
    if (open && counts && server % 100 === 0) r.tickError = Math.max(r.tickError, Math.abs(traffic.serverTick(now, 2 * way(() => 0)(0), rate) - (server - begun) / period - 1));
    if (!open || server < wake) continue;
    const before = seq;
    while (pacer.ready(now)) {
      pacer.sent(now);
      up.put(server, ++seq);
    }
    r.burst = Math.max(r.burst, seq - before);
    wake = server + pacer.wait(now) + timer(server);
  }
  return { ...r, own: r.used / (r.used + r.missed), wait: r.waited / r.used / period };
}

/** @param {ReturnType<typeof seat>} r */
const told = (r) => `${(100 * r.own).toFixed(3)} % on their own tick, waiting ${r.wait.toFixed(2)} ticks (${r.most.toFixed(0)} ms at most), target ${r.pacer.targetMs.toFixed(1)} ms, ${r.pacer.snaps} snaps, ${r.pacer.lapsed} lapsed`;

for (const [name, rate, every, rtt, spread, timer] of /** @type {[string, number, number, number, number, number][]} */ ([
  ['60 Hz, 80 ± 20 ms', 60, 2, 80, 20, 0],
  ['60 Hz, 80 ± 20 ms, timers up to 2 ms late', 60, 2, 80, 20, 2],
  ['30 Hz, 80 ± 20 ms', 30, 1, 80, 20, 0],
  ['20 Hz, 80 ± 20 ms', 20, 1, 80, 20, 0],
  ['60 Hz, 2 ms', 60, 2, 2, 0, 1],
  ['60 Hz, 250 ± 20 ms', 60, 2, 250, 20, 0],
])) {
  test(`inputs are used on their own tick: ${name}`, (t) => {
    for (let seed = 1; seed <= 3; seed++) {
      const random = generator(seed + 99);
      const r = seat({ rate, every, seed, way: (g) => uniform(g, rtt, spread), timer: () => timer * random() });
      t.diagnostic(told(r));
      assert.ok(r.own >= 0.995, told(r));
      assert.ok(r.wait <= 1.5, told(r));
    }
  });
}

for (const frame of [16.7, 28, 50]) {
  test(`a page that does nothing between its frames, each ${frame} ms, loses no inputs`, (t) => {
    for (let seed = 1; seed <= 3; seed++) {
      const r = seat({ rate: 60, every: 2, seed, way: (g) => uniform(g, 100, 4), asleep: (now) => now % frame >= 0.25 });
      t.diagnostic(told(r));
      assert.ok(r.own >= 0.995, told(r));
      assert.ok(r.wait * (1000 / 60) <= 25 + frame, told(r));
    }
  });
}

test('the tick of the server is known to half a tick', (t) => {
  const r = seat({ rate: 60, every: 2, way: (g) => uniform(g, 80, 20) });
  t.diagnostic(`${r.tickError.toFixed(2)} ticks off at most`);
  assert.ok(r.tickError < 0.5, `${r.tickError} ticks off`);
});

test('a clock that runs wrong is followed by bending, not by jumps', (t) => {
  for (const drift of [0.002, -0.002]) {
    const r = seat({ rate: 60, every: 2, way: (g) => uniform(g, 80, 20), drift, seconds: 30 });
    t.diagnostic(told(r));
    assert.ok(r.own >= 0.995 && r.wait <= 1.5 && r.pacer.snaps === 0, told(r));
  }
});

test('after half a second without a network the waiting is over within a second', () => {
  const stalled = (/** @type {number} */ now) => now > 20000 && now < 20500;
  const r = seat({
    rate: 60, every: 2, seconds: 5, settle: 22,
    way: (g) => (now) => uniform(g, 80, 20)() + (stalled(now) ? 20500 - now : 0),
  });
  assert.ok(r.own >= 0.995 && r.wait <= 1.6, told(r));
});

test('what a page slept through is not sent in a burst', () => {
  const asleep = (/** @type {number} */ now) => now > 20000 && now < 20800;
  const r = seat({ rate: 60, every: 2, seconds: 5, settle: 21.5, way: (g) => uniform(g, 80, 20), asleep });
  assert.ok(r.burst <= 3, `${r.burst} inputs at once`);
  assert.ok(r.own >= 0.99 && r.wait <= 1.6, told(r));
});

test('nothing is sent into a silence for longer than a second', () => {
  const p = new Pacer(60, 16);
  p.start(0, 1);
  let n = 0;
  for (let now = 0; now < 10000; now += 5) {
    while (p.ready(now)) {
      p.sent(now);
      n++;
    }
  }
  assert.ok(n >= 60 && n <= 62, `${n} inputs without an answer`);
  assert.ok(p.wait(10000) > 0, 'and no timer spins');
});
