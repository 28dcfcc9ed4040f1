// Message types, roles, seat states and close codes, each close code with the client's rule.

export const Type = Object.freeze({
  hello: 1,
  input: 2,
  ping: 3,
  request: 4,
  keyframe: 5,
  bye: 6,
  welcome: 0x20,
  snapshot: 0x21,
  delta: 0x22,
  event: 0x23,
  roster: 0x24,
  pong: 0x25,
  reply: 0x26,
  notice: 0x27,
  result: 0x28,
  error: 0x29,
});

export const Role = Object.freeze({ player: 0, spectator: 1, bot: 2 });

export const SeatState = Object.freeze({ reserved: 0, active: 1, lost: 2, left: 3, expired: 4, kicked: 5 });

export const Notice = Object.freeze({ slow: 1, throttled: 2, draining: 3, moved: 4, resumed: 5 });

export const KeyframeReason = Object.freeze({ crc: 1, decode: 2, base: 3 });

/** State flags: the newest tick had no new input of this player. */
export const FLAG_INPUT_MISSING = 1;

/**
 * @typedef {object} Closing
 * @property {string} name short, fixed: for logs and metrics
 * @property {boolean} retry whether a client comes back by itself
 * @property {string} text what a player is told
 */

/** @type {Readonly<Record<number, Closing>>} */
const closings = Object.freeze({
  1000: { name: 'normal', retry: false, text: 'The connection was closed.' },
  1001: { name: 'shutdown', retry: true, text: 'The server is shutting down.' },
  1002: { name: 'protocol', retry: false, text: 'The server did not understand the connection. Please reload the page.' },
  1003: { name: 'unsupported', retry: false, text: 'The server did not understand the connection. Please reload the page.' },
  1005: { name: 'no_status', retry: false, text: 'The connection was closed.' },
  1006: { name: 'lost', retry: true, text: 'The connection was lost.' },
  1007: { name: 'invalid_text', retry: false, text: 'The server did not understand the connection. Please reload the page.' },
  1008: { name: 'policy', retry: false, text: 'The server refused this connection.' },
  1009: { name: 'too_big', retry: false, text: 'A message was too large for the server. Please reload the page.' },
  1011: { name: 'internal', retry: false, text: 'The server had an internal fault.' },
  1012: { name: 'restart', retry: true, text: 'The server is restarting.' },
  4000: { name: 'match_over', retry: false, text: 'The match is over.' },
  4001: { name: 'left', retry: false, text: 'You left the match.' },
  4002: { name: 'kicked', retry: false, text: 'You were removed from the match.' },
  4400: { name: 'bad_message', retry: false, text: 'The server did not understand this client. Please reload the page.' },
  4401: { name: 'bad_ticket', retry: false, text: 'The join ticket is invalid, expired or already used. Ask for a new one.' },
  4403: { name: 'forbidden', retry: false, text: 'You are not allowed to join this match.' },
  4404: { name: 'no_match', retry: false, text: 'This match does not exist or has ended.' },
  4408: { name: 'timeout', retry: false, text: 'The server did not hear from you for too long.' },
  4409: { name: 'replaced', retry: false, text: 'You joined from another window; this one has let go.' },
  4410: { name: 'version', retry: false, text: 'The server speaks another version. Please reload the page.' },
  4413: { name: 'events_lost', retry: false, text: 'You fell too far behind. Join again.' },
  4429: { name: 'flood', retry: false, text: 'Too many inputs were sent. Please reload the page.' },
  4500: { name: 'match_failed', retry: false, text: 'The match failed on the server.' },
  4503: { name: 'unavailable', retry: true, text: 'The server is full or about to restart.' },
});

/**
 * What a close code means. Unknown codes are final.
 * @param {number} code
 * @returns {Closing}
 */
export function closing(code) {
  return closings[code] ?? { name: 'unknown', retry: false, text: `The server closed the connection (code ${code}).` };
}
