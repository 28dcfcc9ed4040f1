// Line is one WebSocket from its opening to its end.

import { HELLO_SUBPROTOCOL, SUBPROTOCOL } from './limits.js';

/**
 * Who holds a line. Nothing is called any more once drop() was.
 * @typedef {object} Holder
 * @property {(line: Line) => void} opened
 * @property {(line: Line, data: unknown) => void} received
 * @property {(line: Line, code: number, reason: string) => void} lost
 */

export class Line {
  #socket;

  /**
   * Throws when the URL is none.
   * @param {any} WebSocket
   * @param {string} url
   * @param {Holder} holder
   * @param {Uint8Array | null} hello travels with the handshake, if there is one: a round trip less
   */
  constructor(WebSocket, url, holder, hello) {
    /** When it began, and when it was last heard of, ms. */
    this.began = this.heard = performance.now();
    /** When the handshake was done, ms; 0 = not yet. */
    this.opened = 0;
    this.early = hello !== null;
    /** The hello was sent: the server may have given this line the seat. */
    this.introduced = this.early;
    const socket = new WebSocket(url, hello === null ? [SUBPROTOCOL] : [SUBPROTOCOL, HELLO_SUBPROTOCOL + base64url(hello)]);
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => {
      this.opened = performance.now();
      holder.opened(this);
    };
    socket.onmessage = (/** @type {{data: unknown}} */ e) => holder.received(this, e.data);
    socket.onerror = () => {};
    socket.onclose = (/** @type {{code: number, reason: string}} */ e) => holder.lost(this, e.code, String(e.reason ?? ''));
  }

  get open() {
    return this.#socket.readyState === 1;
  }

  /**
   * The socket copies the bytes.
   * @param {Uint8Array} bytes
   */
  send(bytes) {
    this.#socket.send(bytes);
  }

  /**
   * Lets go without a word to the holder.
   * @param {number} [code] why, for the server
   */
  drop(code) {
    const socket = this.#socket;
    socket.onopen = socket.onmessage = socket.onclose = null;
    try {
      if (socket.readyState <= 1) socket.close(code);
    } catch {
      // A socket that never opened may refuse to close: it is gone already.
    }
  }
}

/** @param {Uint8Array} bytes */
function base64url(bytes) {
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
