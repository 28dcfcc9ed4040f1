// The link that makes a good network bad: order is kept, and each knob does what it says.

import assert from 'node:assert/strict';
import test from 'node:test';
import { WebSocket } from 'ws';
import { Client } from '../src/index.js';
import { Lane, Link } from '../src/shaper.js';
import { FakeServer, message, snapshot, welcome } from './fake.js';
import { next, own, ships } from './play.js';
import { generator } from './sim.js';

/**
 * When so many messages come out that go in every interval ms.
 * @param {Link} link
 * @param {number} n
 * @param {number} interval
 * @param {number} bytes
 */
function pass(link, n, interval, bytes) {
  const lane = new Lane();
  return Array.from({ length: n }, (_, i) => link.pass(lane, bytes, 1000 + i * interval) - 1000 - i * interval);
}

/** @param {number[]} v */
const mean = (v) => v.reduce((a, b) => a + b, 0) / v.length;

test('half of the delay each way, jitter around it, in order', () => {
  const link = new Link(generator(1));
  assert.deepEqual(new Set(pass(link, 10, 20, 100)), new Set([0]));
  link.delayMs = 100;
  assert.deepEqual(new Set(pass(link, 10, 20, 100)), new Set([50]));
  link.jitterMs = 40;
  const out = pass(link, 2000, 20, 100);
  assert.ok(Math.abs(mean(out) - 52) < 3, `${mean(out)}`);
  assert.ok(Math.min(...out) >= 30 && Math.max(...out) <= 70);
  out.forEach((d, i) => assert.ok(i === 0 || d + 20 >= out[i - 1], 'order'));
});

test('a loss is a stall, after which everything comes at once', () => {
  const link = new Link(generator(2));
  link.delayMs = 100;
  link.lossPercent = 2;
  const out = pass(link, 3000, 33, 100);
  assert.ok(Math.max(...out) >= 340, `${Math.max(...out)}`);
  const held = out.filter((d) => d > 60).length / out.length;
  assert.ok(held > 0.08 && held < 0.3, `${held} of the messages are held up`);
});

test('a narrow link queues what is too much for it', () => {
  const link = new Link();
  link.kbps = 80;
  const fits = pass(link, 100, 33, 242);
  assert.ok(Math.max(...fits) < 31, `${Math.max(...fits)}`);
  const floods = pass(link, 100, 33, 542);
  assert.ok(floods[99] > 2600, `${floods[99]} ms behind`);
});

test('a client over a link measures it, and a path that broke is replaced', async (t) => {
  const server = await FakeServer.listen();
  const link = new Link();
  link.delayMs = 60;
  const client = new Client({ WebSocket: link.wrap(WebSocket), random: () => 0 });
  t.after(async () => {
    server.close();
    await client.leave();
  });
  const joined = client.connect({ url: server.url, token: 'mt1.x' });
  const conn = await server.accept();
  await conn.take(1);
  conn.send(welcome());
  await joined;
  const [, id, t0] = await conn.take(3);
  const now = Date.now() * 1000;
  conn.send(message(0x25, id, t0, now, now));
  const state = next(client, 'state');
  conn.send(snapshot(100, ships(80), { own }));
  await state;
  assert.ok(client.measure().rttMs >= 58, `${client.measure().rttMs} ms`);
  link.cut();
  conn.send(snapshot(102, ships(80), { own }));
  const second = await server.accept();
  assert.deepEqual((await second.take(1))[2], ['rt1.first', 0]);
  second.send(welcome({ resume: 'rt1.second' }));
  await next(client, 'welcome');
  assert.equal(client.status, 'playing');
});
