// State is the newest state that a viewer was sent. A snapshot replaces it, a delta changes it:
//
//   snapshot: [0x21, tick, server_time, ack, lead_ms, flags, rows, private, crc]
//   delta:    [0x22, tick, base_tick, ack, lead_ms, flags, removed, rows, private, crc]
//
// A message is applied as a whole or not at all: it is decoded into a second table, then the two swap.

import { MessageError, Reader } from './msgpack.js';
import { Type } from './codes.js';
import { Rows } from './rows.js';
import * as limits from './limits.js';

/** A delta names another baseline than the state the client has: ask for a keyframe. */
export class BaselineError extends MessageError {
  /**
   * @param {number} wanted tick
   * @param {number} have tick
   */
  constructor(wanted, have) {
    super(`delta against tick ${wanted}, the state is of tick ${have}`);
    this.name = 'BaselineError';
  }
}

export class State {
  /** @param {import('./plan.js').Plan} plan */
  constructor(plan) {
    this.plan = plan;
    /** No state has arrived yet. */
    this.empty = true;
    this.tick = 0;
    /** µs since the Unix epoch at the last full snapshot's tick; deltas carry none. */
    this.serverTime = 0;
    /** The tick of serverTime. */
    this.serverTick = 0;
    /** Tick of the state that the last delta was made against; of a snapshot: its own. */
    this.baseTick = 0;
    /** Number of the last input applied, 0 = none yet. */
    this.ack = 0;
    /** ms from the newest input's arrival to the start of the tick that used it. */
    this.leadMs = 0;
    this.flags = 0;
    /** Re-used: valid until the second next apply. */
    this.rows = new Rows();
    this.private = new Int32Array(plan.private?.length ?? 0);
    this.hasPrivate = false;
    this.crc = 0;
    this.hasCrc = false;
    /** The last message was a full snapshot. */
    this.full = false;

    this.nextRows = new Rows();
    this.nextPrivate = new Int32Array(this.private.length);
    this.nextHasPrivate = false;
    this.gone = new Uint8Array(64);
    this.reader = new Reader();
  }

  /**
   * Applies a snapshot or delta. On an error the state is unchanged.
   * @param {Uint8Array} bytes
   */
  apply(bytes) {
    const r = this.reader.reset(bytes);
    const n = r.array();
    const type = r.int(0, limits.MAX_U8);
    if (type === Type.snapshot) this.#snapshot(r, n);
    else if (type === Type.delta) this.#delta(r, n);
    else throw new MessageError('not a state');
  }

  /** The CRC-32 of the rows, to compare with the server's. */
  check() {
    return this.rows.crc();
  }

  /**
   * @param {Reader} r
   * @param {number} n
   */
  #snapshot(r, n) {
    if (n < 9) throw new MessageError('snapshot too short');
    const tick = r.int(0, limits.MAX_U32);
    const serverTime = r.int(0, limits.MAX_TIME);
    const ack = r.int(0, limits.MAX_U32);
    const leadMs = r.int(-0x8000, 0x7fff);
    const flags = r.int(0, limits.MAX_U8);
    this.#all(r);
    this.#own(r, false);
    const crc = readCrc(r);
    r.skip(n - 9);
    r.end();
    this.serverTime = serverTime;
    this.serverTick = tick;
    this.baseTick = tick;
    this.full = true;
    this.#accept(tick, ack, leadMs, flags, crc);
  }

  /**
   * @param {Reader} r
   * @param {number} n
   */
  #delta(r, n) {
    if (n < 10) throw new MessageError('delta too short');
    const tick = r.int(0, limits.MAX_U32);
    const baseTick = r.int(0, limits.MAX_U32);
    const ack = r.int(0, limits.MAX_U32);
    const leadMs = r.int(-0x8000, 0x7fff);
    const flags = r.int(0, limits.MAX_U8);
    if (this.empty || baseTick !== this.tick) throw new BaselineError(baseTick, this.tick);
    if (tick <= baseTick) throw new MessageError('delta that does not go forward');
    this.#removed(r);
    this.#changed(r);
    this.#own(r, true);
    const crc = readCrc(r);
    r.skip(n - 10);
    r.end();
    this.baseTick = baseTick;
    this.full = false;
    this.#accept(tick, ack, leadMs, flags, crc);
  }

  /**
   * @param {number} tick
   * @param {number} ack
   * @param {number} leadMs
   * @param {number} flags
   * @param {number} crc −1 = none
   */
  #accept(tick, ack, leadMs, flags, crc) {
    const rows = this.rows;
    this.rows = this.nextRows;
    this.nextRows = rows;
    const own = this.private;
    this.private = this.nextPrivate;
    this.nextPrivate = own;
    this.hasPrivate = this.nextHasPrivate;
    this.empty = false;
    this.tick = tick;
    this.ack = ack;
    this.leadMs = leadMs;
    this.flags = flags;
    this.hasCrc = crc >= 0;
    this.crc = crc >= 0 ? crc : 0;
  }

  /**
   * The rows of a snapshot: [idΔ, kind, v0 … vn-1, idΔ, …].
   * @param {Reader} r
   */
  #all(r) {
    const out = this.nextRows;
    out.reset();
    let left = r.array();
    let id = -1;
    while (left > 0) {
      id = nextId(r, id);
      left -= 1;
      left = this.#fresh(r, out, id, left);
    }
  }

  /**
   * A whole row behind its id: kind, v0 … vn-1. Returns how many elements of the flat array are left.
   * @param {Reader} r
   * @param {Rows} out
   * @param {number} id
   * @param {number} left
   */
  #fresh(r, out, id, left) {
    if (left < 1) throw new MessageError('row cut short');
    const kind = r.int(0, limits.MAX_U8);
    if (kind >= this.plan.kinds.length) throw new MessageError('row of an unknown kind');
    const k = this.plan.kinds[kind];
    const n = k.min.length;
    left -= 1 + n;
    if (left < 0) throw new MessageError('row cut short');
    if (out.length === limits.MAX_ROWS) throw new MessageError('too many rows');
    const at = out.append(id, kind, n);
    for (let i = 0; i < n; i++) out.values[at + i] = r.int(k.min[i], k.max[i]);
    return left;
  }

  /**
   * The removed rows of a delta, marked in this.gone: [idΔ, …].
   * @param {Reader} r
   */
  #removed(r) {
    const base = this.rows;
    if (this.gone.length < base.length) this.gone = new Uint8Array(base.ids.length);
    this.gone.fill(0, 0, base.length);
    let left = r.array();
    let id = -1;
    let i = 0;
    for (; left > 0; left--) {
      id = nextId(r, id);
      while (i < base.length && base.ids[i] < id) i++;
      if (i === base.length || base.ids[i] !== id) throw new MessageError('removed row does not exist');
      this.gone[i] = 1;
    }
  }

  /**
   * The changed and new rows of a delta, merged with the ones that stay: [idΔ, mask, d …] or
   * [idΔ, 0, kind, v0 … vn-1].
   * @param {Reader} r
   */
  #changed(r) {
    const base = this.rows;
    const out = this.nextRows;
    out.reset();
    let left = r.array();
    let id = -1;
    let i = 0;
    while (left > 0) {
      id = nextId(r, id);
      while (i < base.length && base.ids[i] < id) this.#keep(out, i++);
      const exists = i < base.length && base.ids[i] === id && this.gone[i] === 0;
      if (i < base.length && base.ids[i] === id && this.gone[i] === 1) i++;
      if (left < 2) throw new MessageError('row cut short');
      const mask = r.int(0, limits.MAX_U32);
      left -= 2;
      if (mask === 0) {
        if (exists) throw new MessageError('new row exists already');
        left = this.#fresh(r, out, id, left);
        continue;
      }
      if (!exists) throw new MessageError('changed row does not exist');
      const kind = base.kinds[i];
      const k = this.plan.kinds[kind];
      if (out.length === limits.MAX_ROWS) throw new MessageError('too many rows');
      const at = out.append(id, kind, k.min.length);
      left -= differences(r, k, mask, base.values, base.at[i], out.values, at);
      if (left < 0) throw new MessageError('row cut short');
      i++;
    }
    while (i < base.length) this.#keep(out, i++);
  }

  /**
   * Copies row i of the state as it is, unless it was removed.
   * @param {Rows} out
   * @param {number} i
   */
  #keep(out, i) {
    if (this.gone[i] === 1) return;
    if (out.length === limits.MAX_ROWS) throw new MessageError('too many rows');
    const base = this.rows;
    const from = base.at[i];
    const n = base.end(i) - from;
    const at = out.append(base.ids[i], base.kinds[i], n);
    for (let k = 0; k < n; k++) out.values[at + k] = base.values[from + k];
  }

  /**
   * The private row: nil, [0, v0 … vn-1] or [mask, d …].
   * @param {Reader} r
   * @param {boolean} delta nil means unchanged, differences are allowed
   */
  #own(r, delta) {
    const out = this.nextPrivate;
    if (r.nil()) {
      this.nextHasPrivate = delta && this.hasPrivate;
      if (delta) for (let i = 0; i < out.length; i++) out[i] = this.private[i];
      return;
    }
    const k = this.plan.private;
    if (k === null) throw new MessageError('private row of a game that has none');
    const n = r.array();
    if (n < 1) throw new MessageError('private row cut short');
    const mask = r.int(0, limits.MAX_U32);
    if (mask === 0) {
      if (n !== 1 + k.min.length) throw new MessageError('private row of a wrong length');
      for (let i = 0; i < k.min.length; i++) out[i] = r.int(k.min[i], k.max[i]);
    } else {
      if (!delta || !this.hasPrivate) throw new MessageError('private differences without a baseline');
      if (n !== 1 + differences(r, k, mask, this.private, 0, out, 0)) throw new MessageError('private row of a wrong length');
    }
    this.nextHasPrivate = true;
  }
}

/**
 * Ids rise strictly; the first one counts from 0.
 * @param {Reader} r
 * @param {number} last −1 at first
 */
function nextId(r, last) {
  const d = r.int(0, limits.MAX_U32);
  if (last < 0) return d;
  if (d === 0) throw new MessageError('ids do not rise');
  if (last + d > limits.MAX_U32) throw new MessageError('id out of range');
  return last + d;
}

/**
 * Copies n values and adds the differences that the mask announces. Returns how many were read.
 * @param {Reader} r
 * @param {import('./plan.js').Kind} k
 * @param {number} mask
 * @param {Int32Array} base
 * @param {number} from
 * @param {Int32Array} out
 * @param {number} at
 */
function differences(r, k, mask, base, from, out, at) {
  const n = k.min.length;
  if (n < 32 && mask >= 2 ** n) throw new MessageError('mask names a field that does not exist');
  let read = 0;
  for (let i = 0; i < n; i++) {
    let v = base[from + i];
    if ((mask >>> i) & 1) {
      read++;
      const span = k.span[i];
      if (span > 0) {
        const half = Math.floor(span / 2);
        v += r.int(-half, span - half - 1);
        if (v < k.min[i]) v += span;
        else if (v > k.max[i]) v -= span;
      } else v += r.int(k.min[i] - v, k.max[i] - v);
    }
    out[at + i] = v;
  }
  return read;
}

/**
 * The checksum, −1 if there is none.
 * @param {Reader} r
 */
function readCrc(r) {
  return r.nil() ? -1 : r.int(0, limits.MAX_U32);
}
