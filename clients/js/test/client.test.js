// The client against a fake server on the loopback: what it says, what it keeps, when it comes back.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import test from 'node:test';
import { WebSocketServer } from 'ws';
import { Client, ClosedError } from '../src/index.js';
import { FakeServer, arenaPlan, delta, event, message, roster, snapshot, welcome } from './fake.js';
import { next, own, play, quick, ships } from './play.js';

test('a join says hello with the ticket in the message, never in the address', async (t) => {
  const { client, hello, welcome: w, server } = await play(t);
  assert.equal(hello[1], 1);
  assert.equal(hello[2], 'mt1.secret');
  assert.match(hello[3], /^skirmish-js\//);
  assert.equal(hello[4], 0);
  assert.ok(!server.url.includes('secret'));
  assert.equal(w.game, 'arena');
  assert.equal(w.seat, 1);
  assert.equal(client.status, 'playing');
  assert.equal(client.resumeToken, 'rt1.first');
});

test('a snapshot and deltas make the state, the private row included', async (t) => {
  const { client, conn } = await play(t);
  const first = next(client, 'state');
  conn.send(snapshot(100, ships(80), { own, ack: 0 }));
  await first;
  const second = next(client, 'state');
  conn.send(delta(arenaPlan, 102, { tick: 100, rows: ships(80), own }, [...ships(88), { id: 1024, kind: 1, values: [8, 8, 0, 1] }], { own: [9, 2, 3, 4, 5, 0, 0, 0, 0] }));
  const state = await second;
  assert.equal(state.tick, 102);
  assert.equal(state.rows.length, 3);
  assert.deepEqual([...state.rows.ids.subarray(0, 3)], [1, 255, 1024]);
  assert.equal(state.rows.values[0], 88);
  assert.deepEqual([...state.private], [9, 2, 3, 4, 5, 0, 0, 0, 0]);
  assert.equal(client.stats.full, 1);
  assert.equal(client.stats.delta, 1);
});

test('inputs are numbered from 1 without a gap, at the tick rate, in range', async (t) => {
  const { client, conn } = await play(t);
  client.setInput({ ax: 500, ay: -3.4, aim: -1, buttons: 5 });
  assert.throws(() => client.setInput({ jump: 1 }), TypeError);
  const started = performance.now();
  conn.send(snapshot(100, ships(80), { own }));
  let expected = 1;
  while (expected < 31) {
    const [, view, first, inputs] = await conn.take(2);
    assert.equal(first, expected);
    assert.ok(inputs.length >= 1 && inputs.length <= 32);
    assert.ok(view === null || (view.length === 2 && view[1] <= 255));
    for (const i of inputs) assert.deepEqual(i, [127, -3, 65535, 5]);
    expected += inputs.length;
  }
  const took = performance.now() - started;
  assert.ok(took > 300, `30 inputs at 60 Hz within ${took} ms`);
});

test('a spectator sends no inputs', async (t) => {
  const { client, conn } = await play(t, { role: 1 });
  conn.send(snapshot(100, ships(80)));
  await next(client, 'state');
  const later = client.request(1, new Uint8Array([1])).catch(() => {});
  const m = await Promise.race([conn.take(2), conn.take(4)]);
  assert.equal(m[0], 4);
  conn.send(message(0x26, m[1], 0, new Uint8Array(0)));
  await later;
});

test('events arrive as objects, in order, none twice', async (t) => {
  const { client, conn } = await play(t);
  /** @type {any[]} */
  const seen = [];
  client.on('event', (e) => seen.push(e));
  conn.send(event(1, 10, 0, [1, 2, 1]));
  conn.send(event(1, 10, 0, [1, 2, 1]));
  conn.send(event(5, 11, 3, [2, 1, 40]));
  conn.send(roster(1, [[1, 'p1', 'Ada', 0, 1, 0]]));
  await next(client, 'roster');
  assert.deepEqual(seen.map((e) => [e.seq, e.name, e.fields]), [
    [1, 'kill', { killer: 1, victim: 2, weapon: 1 }],
    [5, 'hit', { by: 2, victim: 1, damage: 40 }],
  ]);
  assert.equal(client.lastEvent, 5);
});

test('the roster keeps the newest entry of each seat', async (t) => {
  const { client, conn } = await play(t);
  conn.send(roster(1, [[1, 'p1', 'Ada', 0, 1, 0], [2, 'p2', 'Bo', 0, 1, 2]]));
  await next(client, 'roster');
  conn.send(roster(2, [[2, 'p2', 'Bo', 0, 2, 2]]));
  await next(client, 'roster');
  assert.equal(client.roster.size, 2);
  assert.equal(client.roster.get(1)?.name, 'Ada');
  assert.equal(client.roster.get(2)?.state, 2);
});

test('a lost socket is resumed with the newest token and the last event', async (t) => {
  const { client, conn, server } = await play(t);
  conn.send(snapshot(100, ships(80), { own }));
  conn.send(event(7, 10, 1, [1, 0]));
  await next(client, 'event');
  await conn.take(2);
  conn.socket.terminate();
  const again = await server.accept();
  assert.equal(client.status, 'reconnecting');
  const hello = await again.take(1);
  assert.deepEqual(hello[2], ['rt1.first', 7]);
  const sent = client.inputSeq;
  again.send(welcome({ resume: 'rt1.second', tick: 200, eventSeq: 7 }));
  await next(client, 'welcome');
  assert.equal(client.status, 'playing');
  assert.equal(client.resumeToken, 'rt1.second');
  assert.equal(client.stats.resumes, 1);
  again.send(snapshot(200, ships(90), { own }));
  const [, , first] = await again.take(2);
  assert.equal(first, sent + 1, 'input numbers go on');
});

test('a server that was killed goes on from before what was seen', async (t) => {
  const { client, conn, server } = await play(t);
  /** @type {number[]} */
  const seen = [];
  client.on('event', (e) => seen.push(e.seq));
  conn.send(snapshot(100, ships(80), { own, ack: 40 }));
  for (const seq of [5, 6, 7]) conn.send(event(seq, 90 + seq, 1, [1, 0]));
  while (seen.length < 3) await next(client, 'event');
  conn.socket.terminate();
  const again = await server.accept();
  assert.deepEqual((await again.take(1))[2], ['rt1.first', 7]);
  again.send(welcome({ resume: 'rt1.second', tick: 94, eventSeq: 5 }));
  again.send(event(6, 95, 1, [2, 0]));
  again.send(snapshot(95, ships(70), { own, ack: 37 }));
  await next(client, 'state');
  assert.equal(client.status, 'playing');
  assert.equal(client.state?.tick, 95);
  assert.equal(client.lastEvent, 6);
  again.send(event(7, 96, 1, [2, 0]));
  await next(client, 'event');
  assert.deepEqual(seen, [5, 6, 7, 6, 7]);
});

for (const code of [1001, 1012, 4503]) {
  test(`close ${code} is resumed`, async (t) => {
    const { conn, server } = await play(t);
    conn.socket.close(code);
    const hello = await (await server.accept()).take(1);
    assert.deepEqual(hello[2], ['rt1.first', 0]);
  });
}

for (const code of [1000, 1008, 4000, 4002, 4400, 4401, 4404, 4409, 4410, 4413, 4429, 4500]) {
  test(`close ${code} is final`, async (t) => {
    const { client, conn } = await play(t);
    const closed = next(client, 'closed');
    conn.socket.close(code, 'why');
    const c = await closed;
    assert.equal(c.code, code);
    assert.equal(c.reason, 'why');
    assert.ok(c.text.length > 10);
    assert.equal(client.status, 'closed');
    assert.equal(client.resumeToken, '');
  });
}

test('a refused ticket rejects the join with its code', async (t) => {
  const server = await FakeServer.listen();
  t.after(() => server.close());
  const client = new Client(quick);
  const joined = client.connect({ url: server.url, token: 'x' });
  const conn = await server.accept();
  await conn.take(1);
  conn.send(message(0x29, 4401, 'the ticket has expired', true, 0));
  conn.socket.close(4401, 'the ticket has expired');
  await assert.rejects(joined, (e) => e instanceof ClosedError && e.closed.code === 4401 && /expired/.test(e.message));
});

test('a server that is not there rejects the join', async () => {
  const idle = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(idle, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (idle.address());
  idle.close();
  await once(idle, 'close');
  await assert.rejects(new Client(quick).connect({ url: `ws://127.0.0.1:${port}/play`, token: 'x' }), ClosedError);
});

test('a delta against an unknown baseline asks for a keyframe, and the next snapshot heals', async (t) => {
  const { client, conn } = await play(t);
  conn.send(snapshot(100, ships(80), { own }));
  await next(client, 'state');
  conn.send(delta(arenaPlan, 106, { tick: 104, rows: ships(80), own }, ships(88), { own }));
  assert.deepEqual(await conn.take(5), [5, 3, 0]);
  assert.equal(client.state?.tick, 100);
  conn.send(snapshot(108, ships(96), { own }));
  await next(client, 'state');
  assert.equal(client.state?.tick, 108);
});

test('a wrong checksum asks for a keyframe and tells the own one', async (t) => {
  const { client, conn } = await play(t);
  conn.send(snapshot(100, ships(80), { own, crc: 12345 }));
  const [, reason, crc] = await conn.take(5);
  assert.equal(reason, 1);
  assert.equal(crc, client.state?.check());
  assert.equal(client.measure().crcErrors, 1);
  assert.equal(client.stats.keyframes, 1);
});

test('a state that cannot be decoded is told, counted and asked for anew', async (t) => {
  const { client, conn } = await play(t);
  conn.send(snapshot(100, ships(80), { own }));
  await next(client, 'state');
  const fault = next(client, 'fault');
  conn.send(message(0x22, 102, 100, 0, 0, 0, [77], [], null, null));
  assert.match((await fault).message, /does not exist/);
  assert.deepEqual(await conn.take(5), [5, 2, 0]);
  assert.equal(client.stats.malformed, 1);
  assert.equal(client.state?.tick, 100);
  assert.equal(client.status, 'playing');
});

test('any other message that cannot be decoded ends the connection', async (t) => {
  const { client, conn } = await play(t);
  const closed = next(client, 'closed');
  conn.send(message(0x23, 1, 2, 99, []));
  assert.equal((await closed).code, 4400);
  assert.equal(await conn.closed, 4400);
});

test('a timed out seat is left to the app to take back', async (t) => {
  const { client, conn, server } = await play(t);
  const closed = next(client, 'closed');
  conn.send(message(0x29, 4408, 'you were silent', true, 0));
  conn.socket.close(4408);
  const c = await closed;
  assert.equal(c.reason, 'you were silent');
  assert.deepEqual(c.resume, { url: server.url, resumeToken: 'rt1.first', lastEvent: 0 });
  const again = new Client(quick);
  const joined = again.resume(c.resume);
  const back = await server.accept();
  assert.deepEqual((await back.take(1))[2], ['rt1.first', 0]);
  back.send(welcome({ resume: 'rt1.second' }));
  await joined;
  await again.leave();
});

test('pings measure the round trip', async (t) => {
  const { client, conn } = await play(t);
  const [, id, t0] = await conn.take(3);
  const now = Date.now() * 1000;
  conn.send(message(0x25, id, t0, now, now + 10));
  conn.send(roster(1, []));
  await next(client, 'roster');
  assert.ok(client.clock.synced);
  assert.ok(client.measure().rttMs > 0);
  assert.ok(Math.abs(client.clock.serverTime(performance.now()) - Date.now() * 1000) < 500_000);
});

test('an answer that lay waiting while the page slept is no round trip', async (t) => {
  const { client, conn } = await play(t);
  const [, id, t0] = await conn.take(3);
  conn.send(message(0x25, id, t0, 1, 1));
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2200);
  conn.send(roster(1, []));
  await next(client, 'roster');
  assert.ok(client.clock.rttMs < 1000, `${client.clock.rttMs} ms`);
});

test('a request is answered, or refused with the words of the game', async (t) => {
  const { client, conn } = await play(t);
  const good = client.request(3, new Uint8Array([1, 2]));
  const [, id, op, payload] = await conn.take(4);
  assert.equal(op, 3);
  assert.deepEqual([...payload], [1, 2]);
  conn.send(message(0x26, id, 0, new Uint8Array([9])));
  assert.deepEqual([...(await good)], [9]);
  const bad = client.request(4, new Uint8Array(0));
  const [, second] = await conn.take(4);
  conn.send(message(0x26, second, 2, new TextEncoder().encode('no such thing')));
  await assert.rejects(bad, /no such thing/);
});

test('leaving says bye and ends without coming back', async (t) => {
  const { client, conn } = await play(t);
  const left = client.leave(3);
  assert.deepEqual(await conn.take(6), [6, 3]);
  conn.socket.close(4001);
  await left;
  assert.equal(client.status, 'closed');
});

test('a result arrives as an object before the end', async (t) => {
  const { client, conn } = await play(t);
  const result = next(client, 'result');
  const closed = next(client, 'closed');
  conn.send(message(0x28, 'finished', new TextEncoder().encode('{"winner":"p1"}')));
  conn.socket.close(4000);
  assert.deepEqual(await result, { reason: 'finished', data: { winner: 'p1' } });
  assert.equal((await closed).name, 'match_over');
});
