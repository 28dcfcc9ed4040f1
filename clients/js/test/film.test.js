// A film can be looked at from any moment, and nothing that is no film gets further than its constructor.

import assert from 'node:assert/strict';
import test from 'node:test';
import { Film, MessageError } from '../src/index.js';
import { arenaPlan, delta, event, roster, snapshot, welcome } from './fake.js';

const TICKS = 100;
/** @param {number} tick */
const rows = (tick) => [{ id: 1, kind: 0, values: [1000 + 10 * tick, 2000, 0, 100, 1, 0, 0, 0, 0, 0] }];

/** @param {Uint8Array[]} messages */
function file(messages) {
  const parts = [Buffer.from('SKRFILM1')];
  for (const m of messages) {
    const size = Buffer.alloc(4);
    size.writeUInt32LE(m.length);
    parts.push(size, Buffer.from(m));
  }
  const all = Buffer.concat(parts);
  return all.buffer.slice(all.byteOffset, all.byteOffset + all.length);
}

function messages() {
  const list = [welcome({ role: 1, seat: 0 }), roster(1, [[1, 'ann', 'Ann', 0, 1, 0]])];
  for (let tick = 1; tick <= TICKS; tick++) {
    if (tick === 50) list.push(event(1, tick, 0, [1, 2, 0]));
    if (tick === 60) list.push(roster(2, [[1, 'ann', 'Ann', 0, 3, 0]]));
    list.push(tick % 20 === 1 ? snapshot(tick, rows(tick)) : delta(arenaPlan, tick, { tick: tick - 1, rows: rows(tick - 1) }, rows(tick)));
  }
  return list;
}

test('any moment of a film', () => {
  const film = new Film(file(messages()));
  let events = 0;
  film.on('event', () => events++);
  film.start();
  assert.equal(film.frame(1000), true);
  assert.deepEqual([film.first, film.end, film.roster.get(1)?.state], [1, TICKS, 1]);
  const first = film.view?.table.values[film.view.table.at[0]] ?? 0;
  for (const tick of [70, 20, 21, 55.5, 100, 1]) {
    film.seek(tick);
    film.paused = true;
    film.frame(2000);
    const x = film.view?.table.values[film.view.table.at[0]] ?? 0;
    const scale = film.welcome?.plan.kinds[0].scale[0] ?? 1;
    assert.ok(Math.abs((x - first) * scale - 10 * (tick - 1)) < 1e-6, `tick ${tick}: ${x}`);
    assert.equal(film.roster.get(1)?.state, tick >= 70 ? 3 : 1);
  }
  assert.equal(events, 0, 'what lies between is not told');
  film.seek(49);
  film.paused = false;
  film.speed = 4;
  film.frame(3000);
  film.frame(3900);
  assert.equal(events, 1);
  for (let now = 4000; now < 9000; now += 100) film.frame(now);
  assert.deepEqual([film.tick, film.paused], [TICKS, true]);
});

test('no film', () => {
  const good = new Uint8Array(file(messages()));
  const refused = (/** @type {Uint8Array} */ b) => assert.throws(() => new Film(b.slice().buffer), MessageError);
  refused(new Uint8Array(0));
  refused(new TextEncoder().encode('{"json": true}'));
  refused(good.subarray(0, 20));
  for (let i = 0; i < 3000; i++) {
    const b = good.slice(0, 100 + ((i * 7919) % (good.length - 100)));
    b[(i * 104729) % b.length] ^= 1 << i % 8;
    try {
      const film = new Film(b.buffer);
      film.start();
      film.seek(60);
      film.frame(i);
    } catch (e) {
      assert.ok(e instanceof MessageError, String(/** @type {Error} */ (e).stack));
    }
  }
});
