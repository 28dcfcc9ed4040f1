// A server for tests, written from the protocol with a foreign MessagePack library: it shares no code with the
// SDK but the checksum. Rows are plain objects, differences are taken in the simplest way.

import { decode, encode } from '@msgpack/msgpack';
import { WebSocketServer } from 'ws';
import { crc32 } from '../src/rows.js';

/** @typedef {{id: number, kind: number, values: number[]}} Row in rising order of ids */

/** [name, type, min, max, scale, interp, wrap] */
const x = (/** @type {string} */ name, interp = 1) => [name, 0, -8192, 65535, 8, interp, false];
const n = (/** @type {string} */ name, max = 65535, min = 0) => [name, 0, min, max, 1, 0, false];
const aim = ['aim', 0, 0, 255, 1, 2, true];

/** The plan of the arena. */
export const arenaPlan = [
  [
    ['ship', [x('x'), x('y'), aim, n('hp', 100), n('flags', 31), n('score', 9999, -999), n('kills', 9999), n('deaths', 9999), n('team', 2), n('armor', 50)]],
    ['bolt', [x('x'), x('y'), aim, n('owner')]],
    ['beam', [x('x1', 0), x('y1', 0), x('x2', 0), x('y2', 0), n('owner'), n('hit')]],
    ['pickup', [x('x', 0), x('y', 0), n('type', 2)]],
    ['wall', [x('x', 0), x('y', 0), x('w', 0), x('h', 0)]],
    ['round', [n('phase', 2), n('ends', 0x7fffffff), n('number'), n('width'), n('height'), n('mode', 1), n('score_limit'), n('red', 9999, -9999), n('blue', 9999, -9999)]],
  ],
  ['input', [n('ax', 127, -127), n('ay', 127, -127), ['aim', 0, 0, 65535, 1, 0, true], n('buttons', 7)]],
  ['self', [n('x', 0x7fffffff, -0x80000000), n('y', 0x7fffffff, -0x80000000), n('vx', 0x7fffffff, -0x80000000), n('vy', 0x7fffffff, -0x80000000), n('dash'), n('rail'), n('bolt'), n('respawn'), n('overdrive')]],
  [
    ['kill', [n('killer'), n('victim'), n('weapon', 2)]],
    ['pickup', [n('seat'), n('type', 2)]],
    ['phase', [n('phase', 2), n('number'), n('winner')]],
    ['hit', [n('by'), n('victim'), n('damage', 255)]],
  ],
];

/** @param {any} [o] */
export function welcome(o = {}) {
  const plan = o.plan ?? arenaPlan;
  return encode([
    0x20, 1, o.seat ?? 1, o.playerId ?? 'p1', o.role ?? 0, o.tickRate ?? 60, o.snapshotRate ?? 30, o.tick ?? 0,
    Date.now() * 1000, o.resume ?? 'rt1.first', o.reconnectMs ?? 30000, [4096, 32, 120, 120], o.targetLeadMs ?? 20, plan,
    crc32(encode(plan)), ['m1', 'arena', '1'], o.eventSeq ?? 0, ...(o.extra ?? []),
  ]);
}

/**
 * @param {number} tick
 * @param {Row[]} rows
 * @param {{own?: number[] | null, ack?: number, lead?: number, flags?: number, crc?: number | null}} [o]
 */
export function snapshot(tick, rows, { own = null, ack = 0, lead = 20, flags = 0, crc = null } = {}) {
  const flat = [];
  let last = 0;
  for (const r of rows) {
    flat.push(r.id - last, r.kind, ...r.values);
    last = r.id;
  }
  return encode([0x21, tick, Date.now() * 1000, ack, lead, flags, flat, own && [0, ...own], crc]);
}

/**
 * @param {any[]} plan
 * @param {number} tick
 * @param {{tick: number, rows: Row[], own?: number[] | null}} base
 * @param {Row[]} rows
 * @param {{own?: number[] | null, ack?: number, lead?: number, crc?: number | null}} [o]
 */
export function delta(plan, tick, base, rows, { own = null, ack = 0, lead = 20, crc = null } = {}) {
  const before = new Map(base.rows.map((r) => [r.id, r]));
  const now = new Map(rows.map((r) => [r.id, r]));
  const removed = [];
  let last = 0;
  for (const r of base.rows) {
    if (now.get(r.id)?.kind === r.kind) continue;
    removed.push(r.id - last);
    last = r.id;
  }
  const flat = [];
  last = 0;
  for (const r of rows) {
    const b = before.get(r.id);
    if (b?.kind !== r.kind) flat.push(r.id - last, 0, r.kind, ...r.values);
    else {
      const { mask, list } = differences(plan[0][r.kind][1], b.values, r.values);
      if (mask === 0) continue;
      flat.push(r.id - last, mask, ...list);
    }
    last = r.id;
  }
  let self = null;
  if (own !== null) {
    if (base.own) {
      const { mask, list } = differences(plan[2][1], base.own, own);
      if (mask !== 0) self = [mask, ...list];
    } else self = [0, ...own];
  }
  return encode([0x22, tick, base.tick, ack, lead, 0, removed, flat, self, crc]);
}

/**
 * @param {any[]} fields
 * @param {number[]} a
 * @param {number[]} b
 */
function differences(fields, a, b) {
  let mask = 0;
  const list = [];
  for (let i = 0; i < a.length; i++) {
    let d = b[i] - a[i];
    if (d === 0) continue;
    const [, , min, max, , , wrap] = fields[i];
    if (wrap) {
      const span = max - min + 1;
      const half = Math.floor(span / 2);
      if (d < -half) d += span;
      else if (d > span - half - 1) d -= span;
    }
    mask = (mask | (2 ** i)) >>> 0;
    list.push(d);
  }
  return { mask, list };
}

/**
 * @param {number} seq
 * @param {number} tick
 * @param {number} op
 * @param {any[]} values
 */
export const event = (seq, tick, op, values) => encode([0x23, seq, tick, op, values]);

/**
 * @param {number} seq
 * @param {any[][]} entries [seat, player_id, name, team, state, role]
 */
export const roster = (seq, entries) => encode([0x24, seq, entries]);

/** @param {any[]} elements */
export const message = (...elements) => encode(elements);

/**
 * A connection of the fake server: messages queue up until a test takes them.
 */
export class FakeConn {
  #queue = /** @type {any[]} */ ([]);
  #waiting = /** @type {((m: any) => void)[]} */ ([]);

  /**
   * @param {import('ws').WebSocket} socket
   * @param {string} [hello] that came with the handshake, in base64url
   */
  constructor(socket, hello) {
    this.socket = socket;
    this.early = hello !== undefined && hello !== '';
    if (hello) this.#queue.push(decode(Buffer.from(hello, 'base64url')));
    /** @type {Promise<number>} */
    this.closed = new Promise((resolve) => socket.on('close', (code) => resolve(code)));
    socket.on('message', (data, binary) => {
      if (!binary) return socket.close(1003);
      const m = decode(/** @type {Buffer} */ (data));
      const next = this.#waiting.shift();
      if (next) next(m);
      else this.#queue.push(m);
    });
  }

  /**
   * The next message of this type, decoded; others before it are dropped.
   * @param {number} type
   * @returns {Promise<any[]>}
   */
  async take(type) {
    for (;;) {
      const m = this.#queue.shift() ?? (await new Promise((resolve) => this.#waiting.push(resolve)));
      if (m[0] === type) return m;
    }
  }

  /** @param {Uint8Array} bytes */
  send(bytes) {
    this.socket.send(bytes);
  }
}

/** Listens on a free port of the loopback and hands its connections to the test one by one. */
export class FakeServer {
  #conns = /** @type {FakeConn[]} */ ([]);
  #waiting = /** @type {((c: FakeConn) => void)[]} */ ([]);
  /** @type {WebSocketServer} */
  #server;
  /** Handshakes wait for this. @type {Promise<void>} */
  gate = Promise.resolve();
  /**
   * What becomes of a hello in the handshake: a proxy may take it out, or refuse such a handshake.
   * @type {'taken' | 'dropped' | 'refused'}
   */
  early = 'taken';
  /** Handshakes that were refused for it. */
  refused = 0;

  /** @param {WebSocketServer} server */
  constructor(server) {
    this.#server = server;
    server.on('connection', (socket, request) => {
      const c = new FakeConn(socket, this.early === 'taken' ? earlyHello(request) : '');
      const next = this.#waiting.shift();
      if (next) next(c);
      else this.#conns.push(c);
    });
  }

  /** @returns {Promise<FakeServer>} */
  static listen() {
    return new Promise((resolve) => {
      /** @type {FakeServer} */
      let fake;
      const server = new WebSocketServer({
        host: '127.0.0.1', port: 0, path: '/play',
        verifyClient: ({ req }, done) => void fake.gate.then(() => {
          const bad = fake.early === 'refused' && earlyHello(req) !== '';
          if (bad) fake.refused++;
          done(!bad, 400);
        }),
        handleProtocols: (offered) => (offered.has('skirmish.v1') ? 'skirmish.v1' : false),
      });
      fake = new FakeServer(server);
      server.on('listening', () => resolve(fake));
    });
  }

  get url() {
    const a = /** @type {import('node:net').AddressInfo} */ (this.#server.address());
    return `ws://127.0.0.1:${a.port}/play`;
  }

  /** @returns {Promise<FakeConn>} */
  async accept() {
    return this.#conns.shift() ?? new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Connections that nobody has accepted yet. */
  get waiting() {
    return this.#conns.length;
  }

  close() {
    for (const c of this.#server.clients) c.terminate();
    this.#server.close();
  }
}

/** @param {import('node:http').IncomingMessage} request */
function earlyHello(request) {
  const offered = String(request.headers['sec-websocket-protocol']).split(',').map((s) => s.trim());
  return offered.find((s) => s.startsWith('skirmish.hello.'))?.slice('skirmish.hello.'.length) ?? '';
}
