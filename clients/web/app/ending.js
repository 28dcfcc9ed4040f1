// How a stay in a match ended, in words and tables.

import { pilotColor } from './palette.js';
import { resultTable } from './screens.js';

/** @typedef {import('./match.js').Match} Match */

/**
 * @param {Match} m
 * @param {import('/js/client.js').Closed} closed
 */
export function ending(m, closed) {
  if (closed.code === 4000 || m.result) {
    const names = pilots(m);
    const data = m.result?.data;
    return { eyebrow: 'Match over', title: headline(data, names), text: '', tables: resultTable(data, names) };
  }
  return { eyebrow: 'Disconnected', title: closed.text, text: closed.reason || hint(closed.code), tables: [] };
}

/** @param {number} code */
function hint(code) {
  if ([1001, 1006, 1012, 4503].includes(code)) return 'The server could not be reached again in time. Play again to join anew.';
  return '';
}

/**
 * Names and colours by player id, from the roster.
 * @param {Match} m
 */
function pilots(m) {
  const by = new Map([...m.client.roster.values()].map((s) => [s.playerId, s]));
  const own = m.client.welcome?.playerId;
  return (/** @type {string} */ id) => {
    const s = by.get(id);
    const mine = id === own && !m.spectating;
    return { name: s?.name || id, color: pilotColor(s?.seat ?? 0, m.scene?.ships.get(s?.seat ?? 0)?.team ?? 0, mine), own: mine };
  };
}

/**
 * @param {any} data of the result
 * @param {(id: string) => {name: string, own: boolean}} names
 */
function headline(data, names) {
  const w = data?.winner;
  if (typeof w !== 'string') return 'The match is over';
  if (w === '') return 'Draw';
  if (w === 'red') return 'Red wins';
  if (w === 'blue') return 'Blue wins';
  const { name, own } = names(w);
  return own ? 'You win' : `${name} wins`;
}
