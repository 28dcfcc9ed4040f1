// The hello in the handshake: a round trip less, and never in the way where something between does not like it.

import assert from 'node:assert/strict';
import test from 'node:test';
import { Client } from '../src/index.js';
import { FakeServer, welcome } from './fake.js';
import { next, play, quick } from './play.js';

test('the hello travels with the handshake, and no other follows', async (t) => {
  const { client, conn, server } = await play(t);
  const first = await Promise.race([conn.take(1), conn.take(3)]);
  assert.equal(first[0], 3, 'behind the welcome comes a ping, not another hello');
  conn.socket.terminate();
  const again = await server.accept();
  assert.deepEqual((await again.take(1))[2], ['rt1.first', 0]);
  again.send(welcome({ resume: 'rt1.second' }));
  await next(client, 'welcome');
  assert.equal((await Promise.race([again.take(1), again.take(3)]))[0], 3);
});

test('a hello that something on the way took out is said again, as a message, and so from then on', async (t) => {
  const { client, conn, server, hello } = await play(t, {}, 'dropped');
  assert.equal(hello[2], 'mt1.secret');
  conn.socket.terminate();
  const since = performance.now();
  const again = await server.accept();
  assert.deepEqual((await again.take(1))[2], ['rt1.first', 0]);
  assert.ok(performance.now() - since < 900, 'the next one does not wait for it');
  again.send(welcome({ resume: 'rt1.second' }));
  await next(client, 'welcome');
  assert.equal(client.status, 'playing');
});

test('where such a handshake is refused the next one is plain, and so from then on', async (t) => {
  const { client, conn, server, hello } = await play(t, {}, 'refused');
  assert.equal(hello[2], 'mt1.secret');
  assert.equal(server.refused, 1);
  conn.socket.terminate();
  const again = await server.accept();
  assert.deepEqual((await again.take(1))[2], ['rt1.first', 0]);
  assert.equal(server.refused, 1);
  again.send(welcome());
  await next(client, 'welcome');
});

test('a server that is away for a while does not cost the round trip afterwards', async (t) => {
  const { client, conn, server } = await play(t);
  server.early = 'refused';
  conn.socket.terminate();
  await next(client, 'status');
  while (server.refused < 3) await new Promise((resolve) => setTimeout(resolve, 5));
  server.early = 'taken';
  const again = await server.accept();
  assert.deepEqual((await again.take(1))[2], ['rt1.first', 0]);
  assert.ok(again.early, 'it came with the handshake');
});

test('a long token fits', async (t) => {
  const server = await FakeServer.listen();
  const client = new Client(quick);
  t.after(async () => {
    server.close();
    await client.leave();
  });
  const token = 'mt1.' + 'é+/'.repeat(255);
  const joined = client.connect({ url: server.url, token });
  const conn = await server.accept();
  assert.equal((await conn.take(1))[2], token);
  conn.send(welcome());
  await joined;
});
