// Rows is a table of replicated rows in rising order of their ids: columns and one flat run of values, all
// typed arrays that are kept, so that a steady stream of states makes no garbage.

/** Rows is owned by whoever fills it; a reader may look until the next state. */
export class Rows {
  constructor() {
    this.length = 0;
    this.ids = new Uint32Array(64);
    this.kinds = new Uint8Array(64);
    /** Where a row's values begin. */
    this.at = new Int32Array(64);
    this.used = 0;
    this.values = new Int32Array(512);
  }

  reset() {
    this.length = 0;
    this.used = 0;
  }

  /**
   * Adds a row behind the last one and returns where its n values, yet to be set, begin.
   * @param {number} id above the last row's
   * @param {number} kind
   * @param {number} n
   */
  append(id, kind, n) {
    const i = this.length;
    if (i === this.ids.length) this.#growRows(2 * i);
    const at = this.used;
    if (at + n > this.values.length) this.#growValues(2 * (at + n));
    this.ids[i] = id;
    this.kinds[i] = kind;
    this.at[i] = at;
    this.length = i + 1;
    this.used = at + n;
    return at;
  }

  /**
   * The index of the row with this id, or −1.
   * @param {number} id
   */
  find(id) {
    return place(this.ids, this.length, id);
  }

  /**
   * Where the values of row i end.
   * @param {number} i
   */
  end(i) {
    return i + 1 < this.length ? this.at[i + 1] : this.used;
  }

  /** @param {Rows} o */
  copyFrom(o) {
    if (o.length > this.ids.length) this.#growRows(o.ids.length);
    if (o.used > this.values.length) this.#growValues(o.values.length);
    this.length = o.length;
    this.used = o.used;
    for (let i = 0; i < o.length; i++) {
      this.ids[i] = o.ids[i];
      this.kinds[i] = o.kinds[i];
      this.at[i] = o.at[i];
    }
    for (let i = 0; i < o.used; i++) this.values[i] = o.values[i];
  }

  /** @param {Rows} o */
  equal(o) {
    if (o.length !== this.length || o.used !== this.used) return false;
    for (let i = 0; i < o.length; i++) {
      if (this.ids[i] !== o.ids[i] || this.kinds[i] !== o.kinds[i] || this.at[i] !== o.at[i]) return false;
    }
    for (let i = 0; i < o.used; i++) if (this.values[i] !== o.values[i]) return false;
    return true;
  }

  /** CRC-32 (IEEE) over each row: id u32, kind u8, values i32, little endian. */
  crc() {
    let c = -1;
    for (let i = 0; i < this.length; i++) {
      c = word(c, this.ids[i]);
      c = table[(c ^ this.kinds[i]) & 0xff] ^ (c >>> 8);
      const end = this.end(i);
      for (let k = this.at[i]; k < end; k++) c = word(c, this.values[k]);
    }
    return ~c >>> 0;
  }

  /** @param {number} n */
  #growRows(n) {
    const ids = new Uint32Array(n);
    const kinds = new Uint8Array(n);
    const at = new Int32Array(n);
    ids.set(this.ids);
    kinds.set(this.kinds);
    at.set(this.at);
    this.ids = ids;
    this.kinds = kinds;
    this.at = at;
  }

  /** @param {number} n */
  #growValues(n) {
    const values = new Int32Array(n);
    values.set(this.values);
    this.values = values;
  }
}

const table = new Int32Array(256);
for (let i = 0; i < 256; i++) {
  let c = i;
  for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  table[i] = c;
}

/**
 * @param {number} c
 * @param {number} v 32 bits
 */
function word(c, v) {
  c = table[(c ^ v) & 0xff] ^ (c >>> 8);
  c = table[(c ^ (v >>> 8)) & 0xff] ^ (c >>> 8);
  c = table[(c ^ (v >>> 16)) & 0xff] ^ (c >>> 8);
  return table[(c ^ (v >>> 24)) & 0xff] ^ (c >>> 8);
}

/**
 * CRC-32 (IEEE) of bytes: the hash of a plan.
 * @param {Uint8Array} bytes
 */
export function crc32(bytes) {
  let c = -1;
  for (let i = 0; i < bytes.length; i++) c = table[(c ^ bytes[i]) & 0xff] ^ (c >>> 8);
  return ~c >>> 0;
}

/**
 * The index of id among the first length of ids, which rise, or −1.
 * @param {Uint32Array} ids
 * @param {number} length
 * @param {number} id
 */
export function place(ids, length, id) {
  let low = 0;
  let high = length - 1;
  while (low <= high) {
    const mid = (low + high) >> 1;
    const v = ids[mid];
    if (v === id) return mid;
    if (v < id) low = mid + 1;
    else high = mid - 1;
  }
  return -1;
}
