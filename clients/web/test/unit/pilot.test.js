// The own ship, predicted over a simulated link against a server that steps the same movement.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { encode } from '@msgpack/msgpack';
import { Pacer } from '../../../js/src/pacer.js';
import { readPlan } from '../../../js/src/plan.js';
import { Reader } from '../../../js/src/msgpack.js';
import { Predictor } from '../../../js/src/predictor.js';
import { Rows } from '../../../js/src/rows.js';
import { arenaPlan } from '../../../js/test/fake.js';
import { Wire, generator, lossy, uniform } from '../../../js/test/sim.js';
import { DASH, Ground, MOVING, Movement, OVERDRIVE, VX, X } from '../../app/arena/movement.js';
import { Guns } from '../../app/arena/guns.js';
import { Pilot } from '../../app/arena/pilot.js';

const golden = JSON.parse(readFileSync(new URL('../../../../game/arena/testdata/movement.json', import.meta.url), 'utf8'));
const plan = readPlan(new Reader().reset(encode(arenaPlan)));
const RATE = 60;
const EVERY = 2;

/** A ground of the golden traces, and its rows. @param {number} n @param {[number, number][]} boosts units */
function place(n, boosts) {
  const trace = golden.traces[n];
  const ground = new Ground();
  ground.width = trace.width;
  ground.height = trace.height;
  ground.walls = Int32Array.from(trace.walls.flat());
  ground.count = trace.walls.length;
  const rows = (/** @type {number[]} */ there) => {
    const r = new Rows();
    const put = (/** @type {number} */ id, /** @type {number} */ kind, /** @type {number[]} */ values) => r.values.set(values, r.append(id, kind, values.length));
    for (const i of there) put(192 + i, 3, [boosts[i][0] * 8, boosts[i][1] * 8, 2]);
    put(255, 5, [1, 600, 1, ground.width / 256, ground.height / 256, 0, 0, 0, 0]);
    trace.walls.forEach((/** @type {number[]} */ w, /** @type {number} */ i) => put(65536 + i, 4, w.map((v) => v / 32)));
    return r;
  };
  return { ground, rows, start: trace.start };
}

/**
 * A flight of some seconds with keys that change at random.
 * @param {object} o
 * @param {number} o.seed
 * @param {(random: () => number) => (now: number) => number} o.way
 * @param {number} [o.seconds]
 * @param {(tick: number, body: Int32Array) => void} [o.meddle] others' doing, on the server
 * @param {[number, number][]} [o.boosts]
 * @param {boolean} [o.dashes]
 */
function fly({ seed, way, seconds = 30, meddle = () => {}, boosts = [], dashes = true }) {
  const random = generator(seed);
  const { ground, rows, start } = place(0, boosts);
  const server = new Movement(RATE);
  const body = Int32Array.from(start);
  const motion = new Pilot(plan, RATE);
  const predictor = new Predictor(motion);
  const pacer = new Pacer(RATE, 16);
  /** @type {Wire<{seq: number, values: Int32Array}>} */
  const up = new Wire(way(random));
  /** @type {Wire<any>} */
  const down = new Wire(way(random));
  /** @type {{seq: number, values: Int32Array, at: number}[]} */
  const queue = [];
  let used = /** @type {Int32Array} */ (Int32Array.from([0, 0, 0, 0]));
  const keys = Int32Array.from([0, 0, 0, 0]);
  const away = boosts.map(() => 0);
  const r = { predictor, seen: new Set(), errors: /** @type {number[]} */ ([]), step: 0, inputs: 0, settled: { missed: 0, corrections: 0 } };
  let [tick, ack, lead, seq, open, wake, last, lastAt, frameAt] = [0, 0, 0, 0, false, 0, NaN, 0, 0];
  for (let now = 1000; now < 1000 + seconds * 1000; now += 0.5) {
    up.take(now, (m, at) => queue.push({ ...m, at }));
    if (now >= 1003 + (tick * 1000) / RATE) {
      const due = 1003 + (tick++ * 1000) / RATE;
      const next = queue.shift();
      if (next) {
        ack = next.seq;
        used = next.values;
        lead = due - next.at;
      }
      server.move(body, used[0], used[1], used[2], used[3], ground);
      boosts.forEach(([x, y], i) => {
        if (away[i] > 0) away[i]--;
        else if (Math.hypot(body[0] - x * 256, body[1] - y * 256) < 30 * 256) [body[OVERDRIVE], away[i]] = [480, 300];
      });
      meddle(tick, body);
      if (body[DASH] > server.cooldown - server.burst) r.seen.add('dash');
      if (body[OVERDRIVE] > 0) r.seen.add('overdrive');
      if (Math.hypot(body[VX], body[VX + 1]) > 359 * 256) r.seen.add('cap');
      if (nearWall(body, ground)) r.seen.add('wall');
      if (tick % EVERY === 0) {
        const there = boosts.map((_, i) => i).filter((i) => away[i] === 0);
        down.put(now, { tick, ack, lead: Math.round(lead), fresh: next !== undefined, rows: rows(there), private: Int32Array.from([...body.slice(0, 4), body[DASH], 0, 0, 0, body[OVERDRIVE]]), hasPrivate: true });
      }
    }
    down.take(now, (s) => {
      if (!open) pacer.start(now, 1);
      open = true;
      pacer.heard(s.tick, s.ack, s.lead, s.fresh, now);
      const before = predictor.corrections;
      predictor.heard(s);
      if (now < 3000) return void (r.settled = { missed: predictor.missed, corrections: predictor.corrections });
      if (predictor.corrections > before) r.errors.push(predictor.lastError / 256);
    });
    if (open && now >= wake) {
      while (pacer.ready(now)) {
        if (random() < 0.05) keys.set([Math.floor(random() * 3 - 1) * 127, Math.floor(random() * 3 - 1) * 127, Math.floor(random() * 65536), dashes && random() < 0.2 ? 4 : 0]);
        pacer.sent(now);
        const values = Int32Array.from(keys);
        predictor.give(++seq, values);
        up.put(now, { seq, values });
        r.inputs++;
      }
      wake = now + pacer.wait(now);
    }
    if (now >= frameAt && predictor.active) {
      frameAt = now + 16.5;
      predictor.sample(now, pacer.phase(now), keys);
      const x = predictor.drawn[X] / 256;
      if (now > 3000) r.step = Math.max(r.step, Math.abs(x - last) / (now - lastAt));
      [last, lastAt] = [x, now];
    }
  }
  return r;
}

/** @param {Int32Array} b @param {Ground} ground */
function nearWall(b, ground) {
  for (let i = 0; i < 4 * ground.count; i += 4) {
    const [x, y, w, h] = ground.walls.slice(i, i + 4);
    if (Math.hypot(b[0] - Math.max(x, Math.min(b[0], x + w)), b[1] - Math.max(y, Math.min(b[1], y + h))) <= 14 * 256 + 2) return true;
  }
  return false;
}

test('free flight needs no corrections, over walls, dashes, overdrive and the cap', (t) => {
  let [inputs, all] = [0, new Set()];
  for (let seed = 1; seed <= 4; seed++) {
    const r = fly({ seed, way: (g) => uniform(g, 100, 20), boosts: [[400, 400], [720, 480], [1000, 500], [300, 800], [1100, 200]], seconds: 60 });
    inputs += r.inputs;
    all = new Set([...all, ...r.seen]);
    assert.equal(r.predictor.mispredicted, 0);
    assert.equal(r.predictor.missed - r.settled.missed, 0, 'an input was late');
    assert.equal(r.predictor.corrections - r.settled.corrections, 0, `seed ${seed}: off by ${r.errors.map((e) => e.toFixed(2))}`);
    assert.ok(r.step < 1.9, `${r.step} units a millisecond: a dash is seen with the first picture after its key`);
  }
  const calm = fly({ seed: 9, way: (g) => uniform(g, 100, 20), dashes: false });
  assert.ok(calm.step < 0.4, `${calm.step} units a millisecond`);
  t.diagnostic(`0 corrections in ${inputs} inputs at 100 ± 20 ms, which met with ${[...all].sort().join(', ')}`);
  assert.equal(all.size, 4);
});

test('a push by others is one correction, which fades instead of jumping', () => {
  const r = fly({ seed: 5, way: (g) => uniform(g, 100, 20), dashes: false, meddle: (tick, b) => tick === 900 && (b[VX] += 100 * 256) });
  assert.equal(r.predictor.corrections - r.settled.corrections, 1);
  assert.equal(r.predictor.mispredicted, 1);
  assert.ok(r.errors[0] > 2 && r.errors[0] < 30, `${r.errors}`);
  assert.ok(r.step < 1, `${r.step} units a millisecond`);
});

test('lost packets cost corrections, but the step is never at fault', () => {
  const r = fly({ seed: 6, way: (g) => lossy(g, 100, 20, 0.02, 200), seconds: 60 });
  assert.ok(r.predictor.missed > 0 && r.predictor.corrections > 0);
  assert.equal(r.predictor.mispredicted, 0);
});

test('the own ship answers in the next picture, whatever the round trip', () => {
  const { rows, start } = place(0, []);
  const predictor = new Predictor(new Pilot(plan, RATE));
  const neutral = Int32Array.from([0, 0, 0, 0]);
  const state = (/** @type {number} */ tick) => /** @type {any} */ ({ tick, ack: 0, rows: rows([]), hasPrivate: true, private: Int32Array.from([...start.slice(0, 4), 0, 0, 0, 0, 0]) });
  predictor.heard(state(2));
  predictor.give(1, neutral);
  predictor.sample(0, 0.5, neutral);
  const x = predictor.drawn[X];
  predictor.sample(5, 0.6, Int32Array.from([127, 0, 0, 0]));
  assert.ok(predictor.drawn[X] > x, 'thrust');
  predictor.sample(10, 0.6, Int32Array.from([127, 0, 0, 4]));
  assert.ok(predictor.drawn[X] > x + 4 * 256, 'dash');
});

test('a destroyed ship is not predicted, and is back without a correction', () => {
  const { rows, start } = place(0, []);
  const predictor = new Predictor(new Pilot(plan, RATE));
  const state = (/** @type {number} */ tick, /** @type {number} */ respawn, x = start[0]) => /** @type {any} */ ({ tick, ack: tick, rows: rows([]), hasPrivate: true, private: Int32Array.from([x, start[1], 0, 0, 0, 0, 0, respawn, 0]) });
  for (let seq = 1; seq <= 40; seq++) {
    predictor.give(seq, Int32Array.from([0, 0, 0, 0]));
    predictor.heard(state(seq, seq > 10 && seq < 20 ? 20 - seq : 0, seq < 20 ? start[0] : start[0] + 90000));
    assert.equal(predictor.active, !(seq > 10 && seq < 20));
  }
  assert.equal(predictor.corrections, 0);
  assert.equal(predictor.body[X], start[0] + 90000);
});

test('the guns go off when the server lets them, too', () => {
  const g = new Guns(RATE);
  const fired = [];
  for (let seq = 1; seq <= 40; seq++) if (g.input(seq, 1, false) & 1) fired.push(seq);
  assert.deepEqual(fired, [1, 11, 21, 31]);
  g.heard(10, 30, 0);
  assert.equal(g.input(41, 1, false), 1, 'a word from before the last shot does not count');
  g.heard(41, 30, 0);
  assert.equal(g.input(51, 1, false), 0);
  assert.equal(g.input(52, 2, false), 2);
});

test('the pilot knows the arena, and says so of no other game', () => {
  assert.ok(Pilot.knows(plan));
  const other = readPlan(new Reader().reset(encode([arenaPlan[0], ['input', []], null, []])));
  assert.ok(!Pilot.knows(other));
  assert.equal(MOVING, 6);
});
