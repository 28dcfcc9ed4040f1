// The messages that a server sends, but for states. Each is a msgpack array [type, …]; elements behind the known ones
// are stepped over.

import { MessageError, Reader } from './msgpack.js';
import { Notice, Type } from './codes.js';
import { FieldType, readPlan } from './plan.js';
import { crc32 } from './rows.js';
import * as limits from './limits.js';

const reader = new Reader();

/**
 * The type of a server message. The rest of it is not looked at.
 * @param {Uint8Array} bytes
 */
export function serverType(bytes) {
  if (bytes.length > limits.MAX_SERVER_MESSAGE_BYTES) throw new MessageError('too big');
  const r = reader.reset(bytes);
  if (r.array() < 1) throw new MessageError('empty');
  const type = r.int(0, limits.MAX_U8);
  if (type < Type.welcome || type > Type.error) throw new MessageError('of an unknown type');
  return type;
}

/**
 * Opens a message of this type that has n elements at least; returns how many it has.
 * @param {Uint8Array} bytes
 * @param {number} type
 * @param {number} n
 */
function open(bytes, type, n) {
  const have = reader.reset(bytes).array();
  if (have < n) throw new MessageError('too short');
  if (reader.int(0, limits.MAX_U8) !== type) throw new MessageError('of another type');
  return have;
}

/** @param {number} unknown elements behind the known ones */
function close(unknown) {
  reader.skip(unknown);
  reader.end();
}

/**
 * @typedef {object} Welcome
 * @property {number} version
 * @property {number} seat
 * @property {string} playerId
 * @property {number} role Role
 * @property {number} tickRate Hz
 * @property {number} snapshotRate Hz
 * @property {number} tick
 * @property {number} serverTime µs since the Unix epoch, at tick
 * @property {string} resumeToken
 * @property {number} reconnectMs how long a lost seat is held
 * @property {{messageBytes: number, inputsPerMessage: number, inputsPerSecond: number, seqAhead: number}} limits
 * @property {number} targetLeadMs
 * @property {import('./plan.js').Plan} plan
 * @property {number} planHash
 * @property {string} matchId
 * @property {string} game
 * @property {string} gameVersion
 * @property {number} eventSeq the events behind this one follow
 */

/**
 * @param {Uint8Array} bytes
 * @returns {Welcome}
 */
export function readWelcome(bytes) {
  const n = open(bytes, Type.welcome, 17);
  const r = reader;
  const version = r.int(0, limits.MAX_U32);
  if (version !== limits.VERSION) throw new MessageError(`of version ${version}`);
  const seat = r.int(0, limits.MAX_U16);
  const playerId = r.str(limits.MAX_PLAYER_ID_BYTES);
  const role = r.int(0, 2);
  const tickRate = r.int(1, limits.MAX_TICK_RATE);
  const snapshotRate = r.int(1, limits.MAX_TICK_RATE);
  if (tickRate % snapshotRate !== 0) throw new MessageError('snapshot rate that does not divide the tick rate');
  const tick = r.int(0, limits.MAX_U32);
  const serverTime = r.int(0, limits.MAX_TIME);
  const resumeToken = r.str(limits.MAX_TOKEN_BYTES);
  const reconnectMs = r.int(0, limits.MAX_U32);
  const has = r.array();
  if (has < 4) throw new MessageError('limits too short');
  const allowed = {
    messageBytes: r.int(0, limits.MAX_U32),
    inputsPerMessage: r.int(0, limits.MAX_U32),
    inputsPerSecond: r.int(0, limits.MAX_U32),
    seqAhead: r.int(0, limits.MAX_U32),
  };
  r.skip(has - 4);
  const targetLeadMs = r.int(0, limits.MAX_U16);
  const from = r.at;
  const plan = readPlan(r);
  const hash = crc32(bytes.subarray(from, r.at));
  const planHash = r.int(0, limits.MAX_U32);
  if (hash !== planHash) throw new MessageError('the plan does not have its hash');
  const about = r.array();
  if (about < 3) throw new MessageError('match info too short');
  const matchId = r.str(limits.MAX_MATCH_ID_BYTES);
  const game = r.str(limits.MAX_GAME_BYTES);
  const gameVersion = r.str(limits.MAX_GAME_BYTES);
  r.skip(about - 3);
  const eventSeq = r.int(0, limits.MAX_U32);
  close(n - 17);
  return {
    version, seat, playerId, role, tickRate, snapshotRate, tick, serverTime, resumeToken, reconnectMs,
    limits: allowed, targetLeadMs, plan, planHash, matchId, game, gameVersion, eventSeq,
  };
}

/**
 * An event with its fields by name: integers in the game's unit, booleans and texts.
 * @typedef {object} GameEvent
 * @property {number} seq
 * @property {number} tick
 * @property {number} op index of its kind among the plan's events
 * @property {string} name of its kind
 * @property {Record<string, any>} fields
 */

/**
 * @param {Uint8Array} bytes
 * @param {import('./plan.js').Plan} plan
 * @returns {GameEvent}
 */
export function readEvent(bytes, plan) {
  const n = open(bytes, Type.event, 5);
  const r = reader;
  const seq = r.int(0, limits.MAX_U32);
  const tick = r.int(0, limits.MAX_U32);
  const op = r.int(0, limits.MAX_U16);
  if (op >= plan.events.length) throw new MessageError('unknown event');
  const kind = plan.events[op];
  const has = r.array();
  if (has !== kind.length) throw new MessageError('event with a wrong number of fields');
  /** @type {Record<string, any>} */
  const fields = {};
  for (const f of kind.fields) {
    if (f.type === FieldType.text) fields[f.name] = r.str(f.max);
    else {
      const v = r.int(f.min, f.max);
      fields[f.name] = f.type === FieldType.bool ? v !== 0 : v / f.scale;
    }
  }
  close(n - 5);
  return { seq, tick, op, name: kind.name, fields };
}

/**
 * @typedef {object} Seat
 * @property {number} seat
 * @property {string} playerId
 * @property {string} name
 * @property {number} team
 * @property {number} state SeatState
 * @property {number} role Role
 */

/**
 * @param {Uint8Array} bytes
 * @returns {{seq: number, entries: Seat[]}}
 */
export function readRoster(bytes) {
  const n = open(bytes, Type.roster, 3);
  const r = reader;
  const seq = r.int(0, limits.MAX_U32);
  const count = r.array();
  if (count > limits.MAX_ROSTER_ENTRIES) throw new MessageError('roster too long');
  const entries = [];
  for (let i = 0; i < count; i++) {
    const has = r.array();
    if (has < 6) throw new MessageError('roster entry too short');
    entries.push({
      seat: r.int(0, limits.MAX_U16),
      playerId: r.str(limits.MAX_PLAYER_ID_BYTES),
      name: r.str(limits.MAX_NAME_BYTES),
      team: r.int(0, limits.MAX_U8),
      state: r.int(0, 5),
      role: r.int(0, 2),
    });
    r.skip(has - 6);
  }
  close(n - 3);
  return { seq, entries };
}

/**
 * @param {Uint8Array} bytes
 * @returns {{id: number, t0: number, t1: number, t2: number}} t1 and t2 in µs since the Unix epoch on the server's clock
 */
export function readPong(bytes) {
  const n = open(bytes, Type.pong, 5);
  const id = reader.int(0, limits.MAX_U32);
  const t0 = reader.int(0, limits.MAX_TIME);
  const t1 = reader.int(0, limits.MAX_TIME);
  const t2 = reader.int(0, limits.MAX_TIME);
  close(n - 5);
  return { id, t0, t1, t2 };
}

/**
 * @param {Uint8Array} bytes
 * @returns {{id: number, status: number, payload: Uint8Array}}
 */
export function readReply(bytes) {
  const n = open(bytes, Type.reply, 4);
  const id = reader.int(0, limits.MAX_U32);
  const status = reader.int(0, limits.MAX_U16);
  const payload = reader.bin(limits.MAX_REPLY_BYTES);
  close(n - 4);
  return { id, status, payload };
}

/**
 * @param {Uint8Array} bytes
 * @returns {{kind: number, deadlineMs: number, url: string, token: string}}
 */
export function readNotice(bytes) {
  const n = open(bytes, Type.notice, 5);
  const kind = reader.int(Notice.slow, Notice.resumed);
  const deadlineMs = reader.int(0, limits.MAX_U32);
  const url = reader.nil() ? '' : reader.str(limits.MAX_URL_BYTES);
  const token = reader.nil() ? '' : reader.str(limits.MAX_TOKEN_BYTES);
  close(n - 5);
  return { kind, deadlineMs, url, token };
}

/**
 * @param {Uint8Array} bytes
 * @returns {{reason: string, payload: Uint8Array}} the payload is JSON
 */
export function readResult(bytes) {
  const n = open(bytes, Type.result, 3);
  const reason = reader.str(limits.MAX_REASON_BYTES);
  const payload = reader.bin(limits.MAX_SERVER_MESSAGE_BYTES);
  close(n - 3);
  return { reason, payload };
}

/**
 * @param {Uint8Array} bytes
 * @returns {{code: number, message: string, fatal: boolean, retryAfterMs: number}}
 */
export function readError(bytes) {
  const n = open(bytes, Type.error, 5);
  const code = reader.int(0, limits.MAX_U16);
  const message = reader.str(limits.MAX_ERROR_BYTES);
  const fatal = reader.bool();
  const retryAfterMs = reader.int(0, limits.MAX_U32);
  close(n - 5);
  return { code, message, fatal, retryAfterMs };
}
