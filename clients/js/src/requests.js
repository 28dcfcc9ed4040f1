// Requests are a game's own calls that wait for their replies.

export class Requests {
  #id = 0;
  /** @type {Map<number, {resolve: (payload: Uint8Array) => void, reject: (e: Error) => void}>} */
  #waiting = new Map();

  /**
   * @param {(id: number) => void} send
   * @returns {Promise<Uint8Array>}
   */
  ask(send) {
    const id = ++this.#id;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      send(id);
    });
  }

  /** @param {{id: number, status: number, payload: Uint8Array}} reply */
  answer({ id, status, payload }) {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (status === 0) waiting?.resolve(payload);
    else waiting?.reject(new Error(new TextDecoder().decode(payload) || `the game refused (status ${status})`));
  }

  /** The line is gone: there will be no replies. */
  fail() {
    for (const r of this.#waiting.values()) r.reject(new Error('the connection was lost'));
    this.#waiting.clear();
  }
}
