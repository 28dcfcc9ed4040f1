// The replication plan: what rows, inputs and events of a game are made of. It arrives in the welcome.

import { MessageError } from './msgpack.js';
import * as limits from './limits.js';

export const FieldType = Object.freeze({ int: 0, bool: 1, text: 2 });
export const Interp = Object.freeze({ step: 0, linear: 1, angle: 2 });

/**
 * @typedef {object} Field
 * @property {string} name
 * @property {number} type FieldType
 * @property {number} min smallest wire value
 * @property {number} max largest wire value; of a text: its most bytes
 * @property {number} scale the game's unit = wire value / scale
 * @property {number} interp Interp
 * @property {boolean} wrap differences go the shorter way round max − min + 1 values
 */

/** Kind is a named list of fields. */
export class Kind {
  /**
   * @param {string} name
   * @param {Field[]} fields
   */
  constructor(name, fields) {
    this.name = name;
    this.fields = fields;
    const n = fields.length;
    this.min = new Int32Array(n);
    this.max = new Int32Array(n);
    this.scale = new Float64Array(n);
    this.interp = new Uint8Array(n);
    /** Number of values on the circle of a wrapping field, else 0. */
    this.span = new Float64Array(n);
    fields.forEach((f, i) => {
      this.min[i] = f.min;
      this.max[i] = f.max;
      this.scale[i] = f.scale;
      this.interp[i] = f.interp;
      this.span[i] = f.wrap ? f.max - f.min + 1 : 0;
    });
  }

  get length() {
    return this.fields.length;
  }

  /**
   * The position of a field in a row's values, −1 if there is none of this name.
   * @param {string} name
   */
  index(name) {
    return this.fields.findIndex((f) => f.name === name);
  }
}

/** Plan is immutable once read. */
export class Plan {
  /**
   * @param {Kind[]} kinds
   * @param {Kind} input
   * @param {Kind | null} self what only the player itself is told
   * @param {Kind[]} events
   */
  constructor(kinds, input, self, events) {
    this.kinds = kinds;
    this.input = input;
    this.private = self;
    this.events = events;
  }

  /**
   * The number of a row kind, −1 if the game has none of this name.
   * @param {string} name
   */
  kind(name) {
    return this.kinds.findIndex((k) => k.name === name);
  }
}

/**
 * @param {import('./msgpack.js').Reader} r
 * @returns {Plan}
 */
export function readPlan(r) {
  const n = r.array();
  if (n < 4) throw new MessageError('plan too short');
  const kinds = readKinds(r, limits.MAX_KINDS, false);
  const input = readKind(r, false);
  const self = r.nil() ? null : readKind(r, false);
  const events = readKinds(r, limits.MAX_EVENT_KINDS, true);
  r.skip(n - 4);
  return new Plan(kinds, input, self, events);
}

/**
 * @param {import('./msgpack.js').Reader} r
 * @param {number} max
 * @param {boolean} texts
 */
function readKinds(r, max, texts) {
  const n = r.array();
  if (n > max) throw new MessageError('too many kinds in the plan');
  const kinds = [];
  for (let i = 0; i < n; i++) kinds.push(readKind(r, texts));
  return kinds;
}

/**
 * @param {import('./msgpack.js').Reader} r
 * @param {boolean} texts whether text fields are allowed
 */
function readKind(r, texts) {
  const n = r.array();
  if (n < 2) throw new MessageError('kind too short');
  const name = readName(r);
  const count = r.array();
  if (count > limits.MAX_FIELDS) throw new MessageError('too many fields in the plan');
  const fields = [];
  for (let i = 0; i < count; i++) fields.push(readField(r, texts));
  r.skip(n - 2);
  return new Kind(name, fields);
}

/** @param {import('./msgpack.js').Reader} r */
function readName(r) {
  const name = r.str(limits.MAX_FIELD_NAME_BYTES);
  if (name === '') throw new MessageError('kind or field without a name');
  return name;
}

/**
 * @param {import('./msgpack.js').Reader} r
 * @param {boolean} texts
 * @returns {Field}
 */
function readField(r, texts) {
  const n = r.array();
  if (n < 7) throw new MessageError('field too short');
  const name = readName(r);
  const type = r.int(0, FieldType.text);
  const min = r.int(-0x80000000, 0x7fffffff);
  const max = r.int(-0x80000000, 0x7fffffff);
  const scale = r.int(1, limits.MAX_U32);
  const interp = r.int(0, Interp.angle);
  const wrap = r.bool();
  if (min > max) throw new MessageError('field with an empty range');
  if (type === FieldType.bool && (min < 0 || max > 1)) throw new MessageError('boolean beyond 0 and 1');
  if (type === FieldType.text && !texts) throw new MessageError('text outside an event');
  if (type === FieldType.text && (min < 0 || max > limits.MAX_TEXT_BYTES || wrap)) throw new MessageError('text beyond its limits');
  r.skip(n - 7);
  return { name, type, min, max, scale, interp, wrap };
}
