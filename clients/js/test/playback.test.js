// What is drawn of the others while the stream wavers and stalls, in virtual time: no jumps.

import assert from 'node:assert/strict';
import test from 'node:test';
import { Interp, Kind, Plan } from '../src/plan.js';
import { Rows } from '../src/rows.js';
import { View } from '../src/view.js';
import { Wire, generator, lossy } from './sim.js';

const RATE = 60;
const EVERY = 2;
const SPEED = 360;
const SCALE = 8;

/** @type {import('../src/plan.js').Field[]} */
const fields = ['x', 'y'].map((name) => ({ name, type: 0, min: -0x80000, max: 0x7ffff, scale: SCALE, interp: Interp.linear, wrap: false }));
fields.push({ name: 'aim', type: 0, min: 0, max: 255, scale: 1, interp: Interp.angle, wrap: true });
const plan = new Plan([new Kind('ship', fields)], new Kind('input', []), null, []);

/** Where ships are at a time in seconds: straight on, in a circle, to and fro between walls. @type {((t: number) => [number, number])[]} */
const courses = [
  (t) => [SPEED * t, 100],
  (t) => [150 * Math.cos((SPEED / 150) * t), 150 * Math.sin((SPEED / 150) * t)],
  (t) => {
    const s = (SPEED * t) % 800;
    return [s < 400 ? s : 800 - s, 300];
  },
];

/**
 * Draws a minute at 60 frames per second and tells the largest step of each course between two frames, as a part of
 * what its speed allows in that time.
 * @param {{rtt: number, jitter: number, loss: number, stall: number, seed: number, fps?: number}} o
 */
function watch({ rtt, jitter, loss, stall, seed, fps = 60 }) {
  const random = generator(seed);
  const view = new View(plan, RATE, RATE / EVERY);
  /** @type {Wire<number>} */
  const wire = new Wire(lossy(random, rtt, jitter, loss, stall));
  const last = courses.map(() => [NaN, NaN]);
  const r = { steps: courses.map(() => 0), off: courses.map(() => 0), delay: 0, frames: 0, view, turn: 0 };
  let aim = NaN;
  let tick = 0;
  let frameAt = 1000;
  let before = 0;
  for (let now = 1000; now < 61000; now += 1) {
    if (now - 1000 >= (tick * 1000) / RATE) {
      if (++tick % EVERY === 0) wire.put(now, tick);
    }
    wire.take(now, (n) => view.push(/** @type {any} */ ({ tick: n, rows: rowsAt(n) }), now));
    if (now < frameAt) continue;
    frameAt += (1000 / fps) * (0.7 + 0.6 * random());
    if (!view.sample(now)) continue;
    const counts = now > 6000;
    courses.forEach((course, i) => {
      const at = view.table.at[i];
      const x = view.table.values[at];
      const y = view.table.values[at + 1];
      const step = Math.hypot(x - last[i][0], y - last[i][1]) / (SPEED * ((now - before) / 1000));
      const [tx, ty] = course(view.tick / RATE);
      if (counts) {
        r.steps[i] = Math.max(r.steps[i], step);
        r.off[i] = Math.max(r.off[i], Math.hypot(x - tx, y - ty));
      }
      last[i] = [x, y];
    });
    const a = view.table.values[view.table.at[0] + 2];
    const turned = Math.abs(((a - aim + 384) % 256) - 128) / (now - before);
    if (counts) {
      r.turn = Math.max(r.turn, turned);
      r.delay += view.playback.delayMs;
      r.frames++;
    }
    aim = a;
    before = now;
  }
  r.delay /= r.frames;
  return r;
}

/** @param {number} tick */
function rowsAt(tick) {
  const rows = new Rows();
  courses.forEach((course, i) => {
    const [x, y] = course(tick / RATE);
    const at = rows.append(i + 1, 0, 3);
    rows.values[at] = Math.round(x * SCALE);
    rows.values[at + 1] = Math.round(y * SCALE);
    rows.values[at + 2] = (tick * 2) % 256;
  });
  return rows;
}

for (const [name, o, most] of /** @type {[string, {rtt: number, jitter: number, loss: number, stall: number}, number[]][]} */ ([
  ['a quiet network', { rtt: 20, jitter: 2, loss: 0, stall: 0 }, [1.2, 1.2, 1.2]],
  ['100 ± 20 ms', { rtt: 100, jitter: 20, loss: 0, stall: 0 }, [1.2, 1.2, 1.2]],
  ['100 ± 20 ms, 2 % loss that stalls for 200 ms', { rtt: 100, jitter: 20, loss: 0.02, stall: 200 }, [1.2, 1.3, 2]],
  ['100 ± 40 ms, 5 % loss that stalls for 200 ms', { rtt: 100, jitter: 40, loss: 0.05, stall: 200 }, [1.2, 1.3, 2]],
])) {
  test(`nothing jumps: ${name}`, (t) => {
    for (let seed = 1; seed <= 3; seed++) {
      const r = watch({ ...o, seed });
      const told = `largest step ${r.steps.map((s) => s.toFixed(2)).join(', ')} × the speed (straight, circle, to and fro), `
        + `off by ${r.off.map((s) => s.toFixed(1)).join(', ')} units at most, delay ${r.delay.toFixed(0)} ms, `
        + `${r.view.ahead} of ${r.frames} frames ahead of the stream, ${r.view.held} held, ${r.view.playback.jumps} jumps in time`;
      t.diagnostic(told);
      assert.equal(r.view.playback.jumps, 0);
      r.steps.forEach((s, i) => assert.ok(s <= most[i], told));
      assert.ok(r.turn < 0.25, `an angle turned by ${r.turn} a millisecond instead of 0.12`);
    }
  });
}

test('a stall longer than a tenth of a second holds the picture, and time catches up without a jump', () => {
  const view = new View(plan, RATE, RATE / EVERY);
  let now = 1000;
  let tick = 0;
  const run = (/** @type {number} */ ms, /** @type {boolean} */ stream, /** @type {(x: number, passed: number) => void} */ each) => {
    let last = NaN;
    for (const end = now + ms; now < end; now += 10) {
      tick += stream && now % 30 === 10 ? EVERY : 0;
      if (stream && now % 30 === 10) view.push(/** @type {any} */ ({ tick, rows: rowsAt(tick) }), now);
      if (!view.sample(now)) continue;
      const x = view.table.values[0];
      each(x - last, view.tick);
      last = x;
    }
  };
  run(2000, true, () => {});
  const newest = tick;
  run(400, false, (_, at) => assert.ok(at <= newest + 6.01, `${at} is over 100 ms behind ${newest}`));
  assert.ok(view.held > 5);
  tick += 24;
  run(1500, true, (step) => assert.ok(!(step > SPEED * 0.01 * 1.6), `a step of ${step}`));
});

test('without interpolation the newest state is shown as it came', () => {
  const view = new View(plan, RATE, RATE / EVERY);
  view.interpolate = false;
  view.push(/** @type {any} */ ({ tick: 10, rows: rowsAt(10) }), 1000);
  view.push(/** @type {any} */ ({ tick: 12, rows: rowsAt(12) }), 1033);
  view.sample(1034);
  assert.equal(view.tick, 12);
  assert.equal(view.baseTick, 12);
  assert.equal(view.table.values[0], SPEED * 12 / RATE);
});

test('what turned or jumped does not fly off when the stream stalls', () => {
  const view = new View(plan, 100, 50);
  for (const [i, x] of [0, 80, 8000].entries()) {
    const rows = new Rows();
    const at = rows.append(1, 0, 3);
    rows.values[at] = x;
    view.push(/** @type {any} */ ({ tick: 2 * i, rows }), 1000 + 20 * i);
  }
  view.sample(1000);
  for (let now = 1010; now < 1150; now += 10) view.sample(now);
  assert.ok(view.tick > 4, 'ahead of the stream');
  assert.ok(view.table.values[0] <= 1000 + 10 * 5, `at ${view.table.values[0]}`);
});
