// The arena's movement in JavaScript repeats the server's traces to the bit.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { crc32 } from '../../../js/src/rows.js';
import { Ground, MOVING, Movement, OVERDRIVE } from '../../app/arena/movement.js';

const golden = JSON.parse(readFileSync(new URL('../../../../game/arena/testdata/movement.json', import.meta.url), 'utf8'));

test('every step of the golden traces is the same to the bit', (t) => {
  let steps = 0;
  for (const [n, trace] of golden.traces.entries()) {
    const movement = new Movement(trace.rate);
    const ground = new Ground();
    ground.width = trace.width;
    ground.height = trace.height;
    ground.walls = Int32Array.from(trace.walls.flat());
    ground.count = trace.walls.length;
    const body = Int32Array.from(trace.start);
    for (const [i, [count, ax, ay, aim, buttons, overdrive, ...end]] of trace.runs.entries()) {
      if (overdrive >= 0) body[OVERDRIVE] = overdrive;
      const passed = new DataView(new ArrayBuffer(count * 28));
      for (let k = 0; k < count; k++) {
        const impact = movement.move(body, ax, ay, aim, buttons, ground);
        for (let f = 0; f < MOVING; f++) passed.setInt32(k * 28 + 4 * f, body[f], true);
        passed.setInt32(k * 28 + 24, impact, true);
      }
      steps += count;
      const crc = end.pop();
      assert.deepEqual([...body], end, `trace ${n} at ${trace.rate} Hz, run ${i}`);
      assert.equal(crc32(new Uint8Array(passed.buffer)), crc, `trace ${n} at ${trace.rate} Hz, run ${i}, on the way`);
    }
  }
  t.diagnostic(`${steps} steps`);
  assert.ok(steps >= 10_000);
});
