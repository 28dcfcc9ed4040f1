// A frame makes no garbage to speak of: the picture of sixteen ships, and the own one predicted among them.

import assert from 'node:assert/strict';
import test from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { encode } from '@msgpack/msgpack';
import { Reader } from '../../../js/src/msgpack.js';
import { readPlan } from '../../../js/src/plan.js';
import { Predictor } from '../../../js/src/predictor.js';
import { State } from '../../../js/src/state.js';
import { View } from '../../../js/src/view.js';
import { arenaPlan, delta, snapshot } from '../../../js/test/fake.js';
import { Pilot } from '../../app/arena/pilot.js';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc');

const FRAMES = 4000;

/** @param {number} tick */
const rows = (tick) => [
  ...Array.from({ length: 16 }, (_, i) => ({ id: i + 1, kind: 0, values: [2000 + 300 * i + (tick % 400), 3000 + tick % 300, (tick * 3) % 256, 100, 1, 0, 0, 0, 0, 0] })),
  { id: 255, kind: 5, values: [1, 600, 1, 1440, 960, 0, 0, 0, 0] },
  ...Array.from({ length: 30 }, (_, i) => ({ id: 65536 + i, kind: 4, values: [800 + 320 * i, 800, 160, 160] })),
];

test('decoding, blending and predicting re-use their memory', (t) => {
  const plan = readPlan(new Reader().reset(encode(arenaPlan)));
  const state = new State(plan);
  const view = new View(plan, 60, 30);
  const predictor = new Predictor(new Pilot(plan, 60));
  const own = [368640 / 2, 245760 / 2, 0, 0, 0, 0, 0, 0, 0];
  /** @type {Uint8Array[]} */
  const messages = [snapshot(2, rows(2), { own })];
  for (let tick = 4; tick < FRAMES; tick += 2) messages.push(delta(arenaPlan, tick, { tick: tick - 2, rows: rows(tick - 2), own }, rows(tick), { own, ack: tick - 4 }));
  const input = Int32Array.from([127, 0, 0, 0]);
  let [seq, at] = [0, 0];
  const frame = (/** @type {number} */ i) => {
    const now = 1000 + i * 16.5;
    if (i % 2 === 0) {
      state.apply(messages[at++]);
      predictor.heard(state);
      view.push(state, now);
    }
    predictor.give(++seq, input);
    view.sample(now);
    predictor.sample(now, 0.5, input);
  };
  let i = 0;
  while (i < FRAMES / 2) frame(i++);
  gc();
  const before = process.memoryUsage().heapUsed;
  while (i < FRAMES - 10) frame(i++);
  const each = (process.memoryUsage().heapUsed - before) / (FRAMES / 2);
  t.diagnostic(`${each.toFixed(0)} bytes of garbage in a frame, states and ${predictor.corrections} corrections included`);
  assert.ok(predictor.corrections > 100);
  assert.ok(each < 1500, `${each} bytes in a frame`);
});
