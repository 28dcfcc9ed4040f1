// How a player gets in: by quick play, or with a ticket in the page's fragment, which never leaves the browser.

/**
 * @typedef {object} Wish
 * @property {string} match
 * @property {boolean} spectate
 * @property {string} token
 * @property {string} url
 */

/** The fragment's wish; a ticket is taken out of the address bar at once, for it works only once. */
export function readFragment() {
  const f = new URLSearchParams(location.hash.slice(1));
  const token = f.get('token') ?? '';
  /** @type {Wish} */
  const wish = { match: f.get('match') ?? '', spectate: f.has('spectate'), token, url: f.get('url') ?? '' };
  if (token !== '') history.replaceState(null, '', location.pathname);
  return wish;
}

/** @param {string} match */
export function showMatch(match) {
  history.replaceState(null, '', match === '' ? location.pathname : '#match=' + encodeURIComponent(match));
}

/** @param {string} match */
export function linkTo(match) {
  return location.origin + location.pathname + '#match=' + encodeURIComponent(match);
}

/** Quick play said no, in a sentence for the player. */
export class JoinError extends Error {}

/** The server's own address when none is given. */
export function defaultUrl() {
  return (location.protocol === 'https:' ? 'wss://' : 'ws://') + location.host + '/play';
}

/**
 * Asks the server for a seat.
 * @param {string} name
 * @param {string} match '' = any
 * @param {boolean} spectate
 * @returns {Promise<{match: string, token: string, url: string}>}
 */
export async function quickPlay(name, match, spectate) {
  /** @type {Record<string, string>} */
  const body = { game: 'arena', role: spectate ? 'spectator' : 'player' };
  if (name !== '') body.name = name;
  if (match !== '') body.match_id = match;
  let response;
  try {
    response = await fetch('/v1/quickplay', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  } catch {
    throw new JoinError('The server cannot be reached. Check that it is running, then try again.');
  }
  const answer = await response.json().catch(() => null);
  if (response.ok && answer) return { match: answer.match_id, token: answer.token, url: answer.url || defaultUrl() };
  const asked = match !== '' && answer?.error?.code === 'not_found' && (await quickPlayIsOn());
  throw new JoinError(sentence(response.status, answer?.error, asked));
}

/**
 * An unknown match and a server without quick play are both not found. A body that is no JSON gets no seat and
 * tells the two apart: only who looks for one refuses it as a bad request.
 */
async function quickPlayIsOn() {
  try {
    const r = await fetch('/v1/quickplay', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '[' });
    return r.status !== 404 && r.status !== 405;
  } catch {
    return false;
  }
}

/**
 * @param {number} status
 * @param {{code?: string, message?: string} | undefined} error
 * @param {boolean} gone it is the match that was not found
 */
function sentence(status, error, gone) {
  switch (error?.code) {
    case 'match_full':
      return 'This match is full. Press Play to join another one, or watch it.';
    case 'match_ended':
      return 'This match has ended. Press Play to join another one.';
    case 'no_capacity':
    case 'draining':
      return 'The server takes no more players right now. Try again in a moment.';
    case 'rate_limited':
      return 'That was too often in a short time. Wait a moment, then try again.';
  }
  if (gone) return 'This match does not exist or has ended. Press Play to join another one.';
  if (status === 404 || status === 405) return 'Quick play is switched off on this server. Open the join link that your matchmaker gave you; it ends in #token=…';
  return `The server refused: ${error?.message ?? 'status ' + status}.`;
}
