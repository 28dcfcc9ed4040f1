// The delayed view: what lies between two states, by the hints of the plan; and the parts that count time.

import assert from 'node:assert/strict';
import test from 'node:test';
import { Backoff } from '../src/backoff.js';
import { Clock } from '../src/clock.js';
import { toWire } from '../src/inputs.js';
import { Interp, Kind, Plan } from '../src/plan.js';
import { State } from '../src/state.js';
import { Lateness, Meter } from '../src/stats.js';
import { View } from '../src/view.js';
import { delta, snapshot } from './fake.js';

const fields = [
  { name: 'x', type: 0, min: 0, max: 10000, scale: 10, interp: Interp.linear, wrap: false },
  { name: 'aim', type: 0, min: 0, max: 255, scale: 1, interp: Interp.angle, wrap: true },
  { name: 'hp', type: 0, min: 0, max: 100, scale: 1, interp: Interp.step, wrap: false },
];
const kind = new Kind('ship', fields);
const plan = new Plan([kind], new Kind('input', fields), null, []);
const planArray = [[['ship', fields.map((f) => [f.name, f.type, f.min, f.max, f.scale, f.interp, f.wrap])]], ['input', []], null, []];

/** @param {number[]} values */
const row = (values) => [{ id: 1, kind: 0, values }];

/** Two states, 2 ticks of 10 ms apart, that arrive on time. */
function view() {
  const state = new State(plan);
  const v = new View(plan, 100, 50);
  state.apply(snapshot(100, row([100, 250, 90])));
  v.push(state, 1000);
  state.apply(delta(planArray, 102, { tick: 100, rows: row([100, 250, 90]) }, row([200, 6, 40])));
  v.push(state, 1020);
  return v;
}

/** @param {View} v */
const values = (v) => [...v.table.values.subarray(0, 3)].map((n) => Math.round(n * 100) / 100);

test('before the first state there is nothing to see', () => {
  assert.equal(new View(plan, 100, 50).sample(1), false);
});

test('linear fields are blended, angles the shorter way, others jump', () => {
  const v = view();
  // The delay is two intervals, 40 ms: at 1050 the view stands half way between both.
  assert.equal(v.sample(1050), true);
  assert.deepEqual(values(v), [15, 0, 90]);
  assert.equal(v.baseTick, 100);
  assert.equal(v.fraction, 128);
});

test('before the older and behind the newer state it stands still', () => {
  const v = view();
  v.sample(1000);
  assert.deepEqual(values(v), [10, 250, 90]);
  v.sample(1200);
  assert.deepEqual(values(v), [20, 6, 40]);
});

test('a row that vanishes stays until its last state is over', () => {
  const v = view();
  const state = new State(plan);
  state.apply(snapshot(104, []));
  v.push(state, 1040);
  v.sample(1070);
  assert.equal(v.table.length, 1);
  v.sample(1085);
  assert.equal(v.table.length, 0);
});

test('time in the view never runs backwards while states come late', () => {
  const state = new State(plan);
  const v = new View(plan, 60, 30);
  let last = 0;
  for (let i = 0; i < 300; i++) {
    state.apply(snapshot(100 + 2 * i, row([i, 0, 0])));
    v.push(state, 1000 + i * 33.3 + (i % 7) * 4);
    v.sample(1000 + i * 33.3 + 30);
    assert.ok(v.tick >= last);
    last = v.tick;
  }
});

test('a steady stream re-uses its memory', () => {
  const state = new State(plan);
  const v = new View(plan, 60, 30);
  state.apply(snapshot(2, row([1, 1, 1])));
  state.apply(snapshot(4, row([1, 1, 1])));
  const kept = new Set([state.rows.values, state.nextRows.values]);
  const table = v.table.values;
  for (let i = 3; i < 200; i++) {
    state.apply(snapshot(2 * i, row([i, i, 1])));
    v.push(state, i * 33);
    v.sample(i * 33);
    assert.ok(kept.has(state.rows.values));
    assert.equal(v.table.values, table);
  }
});

test('the clock trusts the quickest ping', () => {
  const c = new Clock();
  const offset = 5_000_000;
  c.add(0, offset + 10_000, offset + 10_000, 20_000);
  c.add(100_000, offset + 180_000, offset + 180_000, 200_000);
  assert.equal(c.offset, offset);
  assert.ok(c.rttMs > 20 && c.rttMs < 100);
  c.add(0, 5, 4, 10);
  assert.equal(c.offset, offset, 'stamps that cannot be are left out');
});

test('a meter counts the last second', () => {
  const m = new Meter();
  for (let i = 0; i < 20; i++) m.add(100, i * 100);
  assert.equal(m.rate(1900), 1000);
  assert.equal(m.total, 2000);
  assert.equal(m.rate(9000), 0);
});

test('lateness is measured against the quickest of the last seconds', () => {
  const l = new Lateness();
  assert.equal(l.add(1000, 0), 0);
  assert.equal(l.add(1130, 100), 30);
  for (let i = 0; i < 200; i++) l.add(1500 + i * 100, 200 + i * 100);
  assert.equal(l.add(21500, 20200), 0, 'a server that dropped ticks is followed');
});

test('attempts to come back space out and stay bounded', () => {
  const b = new Backoff(() => 0.999);
  const waits = Array.from({ length: 8 }, () => b.next());
  for (let i = 1; i < 5; i++) assert.ok(waits[i] > waits[i - 1]);
  assert.ok(waits[7] <= 5000);
  b.reset();
  assert.equal(b.next(true), 0);
  assert.ok(b.next(true) > 0);
  b.reset();
  assert.ok(b.next() < 300);
});

test('values for the wire are rounded, clamped or wrapped', () => {
  assert.equal(toWire(kind, 0, 12.34), 123);
  assert.equal(toWire(kind, 0, 1e9), 10000);
  assert.equal(toWire(kind, 0, NaN), 0);
  assert.equal(toWire(kind, 1, -1), 255);
  assert.equal(toWire(kind, 1, 512), 0);
  assert.equal(toWire(kind, 2, -5), 0);
});
