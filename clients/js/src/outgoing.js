// The messages that a client sends. Each is a msgpack array [type, …].

import { Type } from './codes.js';
import * as limits from './limits.js';

/** @typedef {import('./msgpack.js').Writer} Writer */

/**
 * A first hello with a join ticket, or a later one with a resume token.
 * @typedef {{token: string} | {resume: string, lastEvent: number}} Credential
 */

/**
 * @param {Writer} w
 * @param {Credential} credential
 * @param {string} sdk name and version of this library
 * @param {number} [version]
 * @param {number} [capabilities]
 */
export function writeHello(w, credential, sdk, version = limits.VERSION, capabilities = 0) {
  w.array(5);
  w.int(Type.hello);
  w.int(version);
  if ('token' in credential) w.str(credential.token);
  else {
    w.array(2);
    w.str(credential.resume);
    w.int(credential.lastEvent);
  }
  w.str(sdk);
  w.int(capabilities);
}

/**
 * Inputs that lie one behind the other in values.
 * @param {Writer} w
 * @param {number} baseTick what the player saw, 0 = nothing yet
 * @param {number} fraction in 1/256 of a snapshot interval beyond baseTick
 * @param {number} firstSeq
 * @param {ArrayLike<number>} values
 * @param {number} count
 * @param {number} fields of one input
 */
export function writeInput(w, baseTick, fraction, firstSeq, values, count, fields) {
  w.array(4);
  w.int(Type.input);
  if (baseTick === 0 && fraction === 0) w.nil();
  else {
    w.array(2);
    w.int(baseTick);
    w.int(fraction);
  }
  w.int(firstSeq);
  w.array(count);
  for (let i = 0; i < count; i++) {
    w.array(fields);
    for (let k = 0; k < fields; k++) w.int(values[i * fields + k]);
  }
}

/**
 * @param {Writer} w
 * @param {number} id
 * @param {number} t0 µs on this client's clock
 */
export function writePing(w, id, t0) {
  w.array(3);
  w.int(Type.ping);
  w.int(id);
  w.int(t0);
}

/**
 * @param {Writer} w
 * @param {number} id
 * @param {number} op
 * @param {Uint8Array} payload
 */
export function writeRequest(w, id, op, payload) {
  w.array(4);
  w.int(Type.request);
  w.int(id);
  w.int(op);
  w.bin(payload);
}

/**
 * @param {Writer} w
 * @param {number} reason KeyframeReason
 * @param {number} crc 0 unless the reason is crc
 */
export function writeKeyframe(w, reason, crc) {
  w.array(3);
  w.int(Type.keyframe);
  w.int(reason);
  w.int(crc);
}

/**
 * @param {Writer} w
 * @param {number} code a game's own reason, 0 = none
 */
export function writeBye(w, code) {
  w.array(2);
  w.int(Type.bye);
  w.int(code);
}
