// The part of MessagePack that the protocol uses: integers, booleans, strings, binaries, arrays and nil.
// Floats, maps and extension types are refused. Reading and writing numbers makes no garbage: a Reader is
// set to the next message, a Writer keeps its buffer.

const text = new TextEncoder();
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The server sent bytes that are no message of the protocol: a bug, or another protocol version. */
export class MessageError extends Error {
  /** @param {string} reason one clause, without a full stop */
  constructor(reason) {
    super('bad message: ' + reason);
    this.name = 'MessageError';
  }
}

/** Reader walks over the bytes of one message. It keeps a reference to them until the next reset. */
export class Reader {
  constructor() {
    /** @type {Uint8Array} */
    this.bytes = new Uint8Array(0);
    this.at = 0;
  }

  /**
   * @param {Uint8Array} bytes
   * @returns {this}
   */
  reset(bytes) {
    this.bytes = bytes;
    this.at = 0;
    return this;
  }

  /** Bytes that are left. */
  get left() {
    return this.bytes.length - this.at;
  }

  /** Refuses bytes behind the message. */
  end() {
    if (this.at !== this.bytes.length) throw new MessageError('bytes after the end');
  }

  /** @param {number} n */
  need(n) {
    if (n > this.bytes.length - this.at) throw new MessageError('cut short');
  }

  byte() {
    if (this.at >= this.bytes.length) throw new MessageError('cut short');
    return this.bytes[this.at++];
  }

  u16() {
    this.need(2);
    const b = this.bytes;
    const i = this.at;
    this.at = i + 2;
    return (b[i] << 8) | b[i + 1];
  }

  u32() {
    this.need(4);
    const b = this.bytes;
    const i = this.at;
    this.at = i + 4;
    return ((b[i] << 24) | (b[i + 1] << 16) | (b[i + 2] << 8) | b[i + 3]) >>> 0;
  }

  /** The next element is nil; it is consumed. */
  nil() {
    if (this.at < this.bytes.length && this.bytes[this.at] === 0xc0) {
      this.at++;
      return true;
    }
    return false;
  }

  /** The length of the array that begins here. Each element takes a byte at least, so a longer one is refused. */
  array() {
    const c = this.byte();
    let n;
    if ((c & 0xf0) === 0x90) n = c & 0x0f;
    else if (c === 0xdc) n = this.u16();
    else if (c === 0xdd) n = this.u32();
    else throw new MessageError('not an array');
    this.need(n);
    return n;
  }

  /**
   * An integer of any width within [min, max]; min and max lie within ±(2^53 − 1).
   * @param {number} min
   * @param {number} max
   */
  int(min, max) {
    const c = this.byte();
    let v;
    if (c < 0x80) v = c;
    else if (c >= 0xe0) v = c - 256;
    else if (c === 0xcc) v = this.byte();
    else if (c === 0xcd) v = this.u16();
    else if (c === 0xce) v = this.u32();
    else if (c === 0xcf) v = this.u32() * 0x100000000 + this.u32();
    else if (c === 0xd0) v = (this.byte() << 24) >> 24;
    else if (c === 0xd1) v = (this.u16() << 16) >> 16;
    else if (c === 0xd2) v = this.u32() | 0;
    else if (c === 0xd3) v = (this.u32() | 0) * 0x100000000 + this.u32();
    else throw new MessageError('not an integer');
    if (!(v >= min && v <= max)) throw new MessageError('integer out of range');
    return v;
  }

  bool() {
    const c = this.byte();
    if (c === 0xc2) return false;
    if (c === 0xc3) return true;
    throw new MessageError('not a boolean');
  }

  /**
   * A string of at most max bytes.
   * @param {number} max
   */
  str(max) {
    const c = this.byte();
    let n;
    if ((c & 0xe0) === 0xa0) n = c & 0x1f;
    else if (c === 0xd9) n = this.byte();
    else if (c === 0xda) n = this.u16();
    else if (c === 0xdb) n = this.u32();
    else throw new MessageError('not a string');
    if (n > max) throw new MessageError('string too long');
    this.need(n);
    const from = this.at;
    this.at += n;
    try {
      return utf8.decode(this.bytes.subarray(from, this.at));
    } catch {
      throw new MessageError('string is not UTF-8');
    }
  }

  /**
   * A binary of at most max bytes: a copy.
   * @param {number} max
   */
  bin(max) {
    const c = this.byte();
    let n;
    if (c === 0xc4) n = this.byte();
    else if (c === 0xc5) n = this.u16();
    else if (c === 0xc6) n = this.u32();
    else throw new MessageError('not a binary');
    if (n > max) throw new MessageError('binary too long');
    this.need(n);
    this.at += n;
    return this.bytes.slice(this.at - n, this.at);
  }

  /**
   * Steps over n elements that this version does not know: nil, booleans, integers, strings, binaries and
   * arrays of those to any depth. It counts instead of recursing.
   * @param {number} n
   */
  skip(n) {
    for (; n > 0; n--) {
      const c = this.byte();
      let size = 0;
      if (c < 0x80 || c >= 0xe0 || c === 0xc0 || c === 0xc2 || c === 0xc3) continue;
      if (c >= 0x90 && c < 0xa0) n += c & 0x0f;
      else if (c === 0xdc) n += this.u16();
      else if (c === 0xdd) n += this.u32();
      else if (c >= 0xa0 && c < 0xc0) size = c & 0x1f;
      else if (c === 0xc4 || c === 0xd9) size = this.byte();
      else if (c === 0xc5 || c === 0xda) size = this.u16();
      else if (c === 0xc6 || c === 0xdb) size = this.u32();
      else if (c >= 0xcc && c <= 0xd3) size = 1 << (c & 3);
      else throw new MessageError('of a type that the protocol does not use');
      this.need(size);
      this.at += size;
      if (n - 1 > this.left) throw new MessageError('cut short');
    }
  }
}

/** Writer puts one message after the other into the same buffer. */
export class Writer {
  /** @param {number} [size] bytes at first; it grows as needed */
  constructor(size = 512) {
    this.bytes = new Uint8Array(size);
    this.at = 0;
  }

  /** @returns {this} */
  reset() {
    this.at = 0;
    return this;
  }

  /** What was written since the reset: a view, valid until the next one. */
  done() {
    return this.bytes.subarray(0, this.at);
  }

  /** @param {number} n */
  room(n) {
    if (this.at + n <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(2 * this.bytes.length, this.at + n));
    grown.set(this.bytes);
    this.bytes = grown;
  }

  nil() {
    this.room(1);
    this.bytes[this.at++] = 0xc0;
  }

  /** @param {number} n */
  array(n) {
    this.room(3);
    if (n < 16) this.bytes[this.at++] = 0x90 | n;
    else {
      this.bytes[this.at++] = 0xdc;
      this.bytes[this.at++] = n >> 8;
      this.bytes[this.at++] = n;
    }
  }

  /**
   * An integer within ±(2^53 − 1) in its shortest form.
   * @param {number} v
   */
  int(v) {
    this.room(9);
    const b = this.bytes;
    if (v >= 0) {
      if (v < 0x80) b[this.at++] = v;
      else if (v < 0x100) {
        b[this.at++] = 0xcc;
        b[this.at++] = v;
      } else if (v < 0x10000) {
        b[this.at++] = 0xcd;
        this.put16(v);
      } else if (v < 0x100000000) {
        b[this.at++] = 0xce;
        this.put32(v);
      } else {
        b[this.at++] = 0xcf;
        this.put32(Math.floor(v / 0x100000000));
        this.put32(v % 0x100000000);
      }
    } else if (v >= -32) b[this.at++] = v;
    else if (v >= -0x80) {
      b[this.at++] = 0xd0;
      b[this.at++] = v;
    } else if (v >= -0x8000) {
      b[this.at++] = 0xd1;
      this.put16(v);
    } else if (v >= -0x80000000) {
      b[this.at++] = 0xd2;
      this.put32(v);
    } else {
      b[this.at++] = 0xd3;
      const high = Math.floor(v / 0x100000000);
      this.put32(high);
      this.put32(v - high * 0x100000000);
    }
  }

  /** @param {number} v */
  put16(v) {
    this.bytes[this.at++] = v >> 8;
    this.bytes[this.at++] = v;
  }

  /** @param {number} v */
  put32(v) {
    this.bytes[this.at++] = v >>> 24;
    this.bytes[this.at++] = v >>> 16;
    this.bytes[this.at++] = v >>> 8;
    this.bytes[this.at++] = v;
  }

  /** @param {string} s */
  str(s) {
    const b = text.encode(s);
    this.room(5 + b.length);
    if (b.length < 32) this.bytes[this.at++] = 0xa0 | b.length;
    else if (b.length < 0x100) {
      this.bytes[this.at++] = 0xd9;
      this.bytes[this.at++] = b.length;
    } else if (b.length < 0x10000) {
      this.bytes[this.at++] = 0xda;
      this.put16(b.length);
    } else {
      this.bytes[this.at++] = 0xdb;
      this.put32(b.length);
    }
    this.bytes.set(b, this.at);
    this.at += b.length;
  }

  /** @param {Uint8Array} b */
  bin(b) {
    this.room(5 + b.length);
    if (b.length < 0x100) {
      this.bytes[this.at++] = 0xc4;
      this.bytes[this.at++] = b.length;
    } else if (b.length < 0x10000) {
      this.bytes[this.at++] = 0xc5;
      this.put16(b.length);
    } else {
      this.bytes[this.at++] = 0xc6;
      this.put32(b.length);
    }
    this.bytes.set(b, this.at);
    this.at += b.length;
  }
}
