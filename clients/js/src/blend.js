// What lies between two states, or a little behind the newest one, field by field as the plan says.

import { Interp } from './plan.js';
import { place } from './rows.js';

/** Table holds blended rows: like Rows, but with values in the game's unit. Re-used by each sample. */
export class Table {
  constructor() {
    this.length = 0;
    this.ids = new Uint32Array(64);
    this.kinds = new Uint8Array(64);
    /** Where a row's values begin. */
    this.at = new Int32Array(64);
    this.values = new Float64Array(512);
  }

  /**
   * Makes room for as many rows and values as rows has.
   * @param {{ids: ArrayLike<number>, values: ArrayLike<number>}} rows
   */
  fit({ ids, values }) {
    if (this.ids.length < ids.length) {
      this.ids = new Uint32Array(ids.length);
      this.kinds = new Uint8Array(ids.length);
      this.at = new Int32Array(ids.length);
    }
    if (this.values.length < values.length) this.values = new Float64Array(values.length);
  }

  /**
   * The index of the row with this id, or −1.
   * @param {number} id
   */
  find(id) {
    return place(this.ids, this.length, id);
  }

  /** @param {Table} o */
  copyFrom(o) {
    this.fit(o);
    this.length = o.length;
    for (let i = 0; i < o.length; i++) {
      this.ids[i] = o.ids[i];
      this.kinds[i] = o.kinds[i];
      this.at[i] = o.at[i];
    }
    for (let i = 0; i < o.values.length; i++) this.values[i] = o.values[i];
  }
}

/**
 * A difference on a circle of span values, the shorter way round; span 0: no circle.
 * @param {number} d
 * @param {number} span
 */
export function shorter(d, span) {
  if (span <= 0) return d;
  if (2 * d > span) return d - span;
  if (2 * d < -span) return d + span;
  return d;
}

/**
 * Back into min … min + span of a circle.
 * @param {number} v
 * @param {number} min
 * @param {number} span 0: no circle
 */
export function wrapped(v, min, span) {
  if (span <= 0) return v;
  if (v < min) return v + span;
  if (v >= min + span) return v - span;
  return v;
}

/**
 * The rows of a, moved towards those of b by f.
 * @param {Table} out
 * @param {import('./plan.js').Plan} plan
 * @param {import('./rows.js').Rows} a
 * @param {import('./rows.js').Rows} b
 * @param {number} f 0 to 1
 */
export function between(out, plan, a, b, f) {
  out.fit(a);
  out.length = a.length;
  let j = 0;
  for (let i = 0; i < a.length; i++) {
    const id = a.ids[i];
    const kind = a.kinds[i];
    const at = a.at[i];
    out.ids[i] = id;
    out.kinds[i] = kind;
    out.at[i] = at;
    while (j < b.length && b.ids[j] < id) j++;
    const moving = j < b.length && b.ids[j] === id && b.kinds[j] === kind;
    const to = moving ? b.at[j] : at;
    const next = moving ? b.values : a.values;
    const k = plan.kinds[kind];
    const n = k.min.length;
    for (let c = 0; c < n; c++) {
      let v = a.values[at + c];
      const hint = k.interp[c];
      if (hint !== Interp.step) {
        const span = hint === Interp.angle ? k.span[c] : 0;
        v = wrapped(v + shorter(next[to + c] - v, span) * f, k.min[c], span);
      }
      out.values[at + c] = v / k.scale[c];
    }
  }
}

/**
 * The rows of a, moved on in the way of late: by what they did between c and b and between b and a, whichever is
 * less, and not at all where the two disagree on the direction. So a row that has just turned, jumped or appeared
 * does not fly off.
 * @param {Table} out
 * @param {import('./plan.js').Plan} plan
 * @param {import('./rows.js').Rows} a the newest
 * @param {import('./rows.js').Rows} b before it
 * @param {import('./rows.js').Rows} c before that
 * @param {number} ab ticks from b to a
 * @param {number} bc ticks from c to b
 * @param {number} ahead ticks behind a
 */
export function beyond(out, plan, a, b, c, ab, bc, ahead) {
  out.fit(a);
  out.length = a.length;
  let j = 0;
  let l = 0;
  for (let i = 0; i < a.length; i++) {
    const id = a.ids[i];
    const kind = a.kinds[i];
    const at = a.at[i];
    out.ids[i] = id;
    out.kinds[i] = kind;
    out.at[i] = at;
    while (j < b.length && b.ids[j] < id) j++;
    while (l < c.length && c.ids[l] < id) l++;
    const known = j < b.length && b.ids[j] === id && b.kinds[j] === kind && l < c.length && c.ids[l] === id && c.kinds[l] === kind;
    const k = plan.kinds[kind];
    const n = k.min.length;
    for (let f = 0; f < n; f++) {
      let v = a.values[at + f];
      const hint = k.interp[f];
      if (known && hint !== Interp.step) {
        const span = hint === Interp.angle ? k.span[f] : 0;
        const was = b.values[b.at[j] + f];
        const now = shorter(v - was, span) / ab;
        const before = shorter(was - c.values[c.at[l] + f], span) / bc;
        const speed = now * before <= 0 ? 0 : Math.abs(now) < Math.abs(before) ? now : before;
        v += speed * ahead;
        v = span > 0 ? wrapped(v, k.min[f], span) : Math.max(k.min[f], Math.min(k.max[f], v));
      }
      out.values[at + f] = v / k.scale[f];
    }
  }
}
