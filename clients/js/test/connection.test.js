// A line that falls silent: a second one beside it, the first that delivers wins, and events arrive once each.

import assert from 'node:assert/strict';
import test from 'node:test';
import { Client } from '../src/index.js';
import { FakeServer, event, message, roster, snapshot, welcome } from './fake.js';
import { next, own, play, quick, ships } from './play.js';
import { generator } from './sim.js';

/**
 * A client that plays and whose line has just fallen silent, with all that it was told so far.
 * @param {import('node:test').TestContext} t
 * @param {() => void} [before] the silence
 * @param {'taken' | 'dropped' | 'refused'} [early] what becomes of a hello in the handshake
 */
async function silent(t, before = () => {}, early = /** @type {'taken' | 'dropped' | 'refused'} */ ('taken')) {
  const p = await play(t, {}, early);
  /** @type {number[]} */
  const events = [];
  /** @type {string[]} */
  const statuses = [];
  p.client.on('event', (e) => events.push(e.seq));
  p.client.on('status', (s) => statuses.push(s));
  p.conn.send(event(5, 10, 1, [1, 0]));
  p.conn.send(snapshot(100, ships(80), { own }));
  await next(p.client, 'state');
  before();
  const since = performance.now();
  return { ...p, events, statuses, since };
}

test('after a second of silence a second line takes the seat, and no event comes twice', async (t) => {
  const { client, conn, server, events, statuses, since } = await silent(t);
  const second = await server.accept();
  assert.ok(performance.now() - since > 900 && performance.now() - since < 1600, `${performance.now() - since} ms`);
  assert.equal(client.status, 'silent');
  assert.deepEqual((await second.take(1))[2], ['rt1.first', 5]);
  conn.send(event(6, 11, 1, [2, 0]));
  await next(client, 'event');
  second.send(welcome({ resume: 'rt1.second', eventSeq: 5 }));
  second.send(event(6, 11, 1, [2, 0]));
  second.send(event(7, 12, 1, [3, 0]));
  second.send(snapshot(160, ships(90), { own }));
  await next(client, 'state');
  assert.deepEqual(events, [5, 6, 7]);
  assert.deepEqual(statuses, ['silent', 'playing']);
  assert.equal(client.state?.tick, 160);
  assert.equal(client.resumeToken, 'rt1.second');
  assert.equal(client.measure().silences, 1);
  assert.equal(client.stats.resumes, 1);
  await conn.closed;
  assert.equal(client.status, 'playing', 'the first line is closed without a word');
});

test('where the hello does not travel with the handshake, a first line that speaks again in time keeps the seat', async (t) => {
  const { client, conn, server, statuses } = await silent(t, undefined, 'refused');
  let open = () => {};
  server.gate = new Promise((resolve) => (open = resolve));
  await next(client, 'status');
  assert.equal(client.status, 'silent');
  conn.send(snapshot(102, ships(88), { own }));
  await next(client, 'state');
  assert.deepEqual(statuses, ['silent', 'playing']);
  open();
  conn.send(roster(2, []));
  await next(client, 'roster');
  assert.equal(client.stats.resumes, 0);
  assert.equal(client.resumeToken, 'rt1.first');
  // The second line was given up while it opened: it never says hello.
  if (server.waiting > 0) {
    const second = await server.accept();
    const hello = await Promise.race([second.take(1).then(() => true), second.closed.then(() => false)]);
    assert.equal(hello, false);
  }
});

test('a first line that speaks while the second one is on its way plays on until that is welcomed', async (t) => {
  const { client, conn, server, events, statuses } = await silent(t);
  const second = await server.accept();
  conn.send(event(6, 102, 1, [1, 0]));
  conn.send(snapshot(102, ships(88), { own }));
  await next(client, 'state');
  assert.deepEqual(statuses, ['silent', 'playing']);
  assert.deepEqual((await second.take(1))[2], ['rt1.first', 5], 'the server may have given it the seat');
  second.send(welcome({ resume: 'rt1.second', eventSeq: 5 }));
  second.send(event(6, 102, 1, [1, 0]));
  second.send(snapshot(104, ships(90), { own }));
  await next(client, 'state');
  assert.equal(client.state?.tick, 104);
  assert.deepEqual(events, [5, 6]);
  assert.deepEqual(statuses, ['silent', 'playing']);
});

test('a second line that is lost behind its hello may have taken the seat: 4409 is then no end', async (t) => {
  const { client, conn, server } = await silent(t);
  const second = await server.accept();
  second.socket.terminate();
  conn.send(roster(2, []));
  await next(client, 'roster');
  while (client.status !== 'playing') await next(client, 'status');
  conn.socket.close(4409, 'a newer connection took the seat');
  const third = await server.accept();
  assert.deepEqual((await third.take(1))[2], ['rt1.first', 5]);
  third.send(welcome({ resume: 'rt1.third' }));
  await next(client, 'welcome');
  assert.equal(client.status, 'playing');
});

test('a page that slept does not take the server for silent', async (t) => {
  const { client, conn, statuses } = await silent(t, () => {});
  conn.send(snapshot(102, ships(88), { own }));
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2500); // nothing runs meanwhile, as in a tab that is frozen
  await next(client, 'state');
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.deepEqual(statuses, []);
  assert.equal(client.measure().silences, 0);
});

test('4409 on the first line is the second one\'s doing', async (t) => {
  const { client, conn, server, statuses } = await silent(t);
  const second = await server.accept();
  await second.take(1);
  conn.socket.close(4409, 'a newer connection took the seat');
  await next(client, 'status');
  assert.equal(client.status, 'reconnecting');
  second.send(welcome({ resume: 'rt1.second' }));
  await next(client, 'welcome');
  assert.deepEqual(statuses, ['silent', 'reconnecting', 'playing']);
});

test('a second line that is refused leaves the first one alone', async (t) => {
  const { client, conn, server } = await silent(t);
  const second = await server.accept();
  await second.take(1);
  second.send(message(0x29, 4503, 'full', true, 0));
  second.socket.close(4503);
  await second.closed;
  assert.equal(client.status, 'silent');
  const third = await server.accept();
  await third.take(1);
  conn.send(snapshot(102, ships(88), { own }));
  await next(client, 'state');
  assert.equal(client.state?.tick, 102);
  third.send(welcome({ resume: 'rt1.third' }));
  await next(client, 'welcome');
  assert.equal(client.resumeToken, 'rt1.third');
});

test('a match that is over ends it, second line or not', async (t) => {
  const { client, conn, server } = await silent(t);
  await (await server.accept()).take(1);
  const closed = next(client, 'closed');
  conn.socket.close(4000);
  assert.equal((await closed).code, 4000);
});

test('events come once each and in order over 300 random cuts', { timeout: 60_000 }, async (t) => {
  const server = await FakeServer.listen();
  const client = new Client(quick);
  t.after(async () => {
    server.close();
    await client.leave();
  });
  /** @type {number[]} */
  const events = [];
  client.on('event', (e) => events.push(e.seq));
  const random = generator(7);
  const pick = (/** @type {number} */ n) => Math.floor(random() * n);
  let made = 0;
  let welcomes = 0;
  const joined = client.connect({ url: server.url, token: 'mt1.x' });
  for (let cut = 0; cut <= 300; cut++) {
    const conn = await server.accept();
    const credential = (await conn.take(1))[2];
    const last = cut > 0 && Array.isArray(credential) ? credential[1] : 0;
    assert.equal(last, events.at(-1) ?? 0);
    // Before the first welcome there is no token to come back with, so that one always arrives.
    if (cut > 0 && cut < 300 && pick(6) === 0) {
      conn.socket.terminate();
      continue;
    }
    conn.send(welcome({ resume: `rt1.${++welcomes}`, eventSeq: last }));
    for (let seq = last + 1; seq <= made; seq++) conn.send(event(seq, seq, 1, [1, 0]));
    if (cut === 0) await joined;
    for (let n = pick(8); n > 0; n--) conn.send(event(++made, made, 1, [1, 0]));
    if (cut === 300) {
      conn.send(event(++made, made, 1, [1, 0]));
      while (events.at(-1) !== made) await next(client, 'event');
    } else if (pick(2) === 0) conn.socket.terminate();
    else conn.socket.close(pick(2) === 0 ? 1012 : 1001);
  }
  assert.deepEqual(events, Array.from({ length: made }, (_, i) => i + 1));
  t.diagnostic(`${made} events, ${client.measure().resumes} resumes`);
});
