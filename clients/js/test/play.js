// A client on a fake server: how most stories begin.

import { WebSocket } from 'ws';
import { Client } from '../src/index.js';
import { FakeServer, welcome } from './fake.js';

export const quick = { WebSocket, random: () => 0 };

/** @type {(x: number) => import('./fake.js').Row[]} */
export const ships = (x) => [{ id: 1, kind: 0, values: [x, 80, 250, 100, 0, 0, 0, 0, 0, 0] }, { id: 255, kind: 5, values: [1, 600, 1, 1280, 800, 0, 0, 0, 0] }];
export const own = [1, 2, 3, 4, 0, 0, 0, 0, 0];

/**
 * @param {Client} client
 * @param {keyof import('../src/client.js').Events} name
 * @returns {Promise<any>}
 */
export const next = (client, name) => new Promise((resolve) => {
  const stop = client.on(name, (v) => {
    stop();
    resolve(v);
  });
});

/**
 * A client that plays, and its connection on the server.
 * @param {import('node:test').TestContext} t
 * @param {any} [o] of the welcome
 * @param {'taken' | 'dropped' | 'refused'} [early] what becomes of a hello in the handshake
 */
export async function play(t, o = {}, early = 'taken') {
  const server = await FakeServer.listen();
  server.early = early;
  const client = new Client(quick);
  t.after(async () => {
    server.close();
    if (client.status !== 'closed') await client.leave();
  });
  const joined = client.connect({ url: server.url, token: 'mt1.secret' });
  const conn = await server.accept();
  const hello = await conn.take(1);
  conn.send(welcome(o));
  return { server, client, conn, hello, welcome: await joined };
}
