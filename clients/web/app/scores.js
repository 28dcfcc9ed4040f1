// Scores: who leads, as short list, full tables and podium.

import { BLUE, RED } from './palette.js';
import { make } from './dom.js';

const SVG = 'http://www.w3.org/2000/svg';

/**
 * Ships by rank.
 * @param {import('./scene.js').Scene} scene
 * @returns {import('./actors.js').Ship[]}
 */
export function ranking(scene) {
  return [...scene.ships.values(), ...scene.away.values()].sort((a, b) => b.score - a.score || b.kills - a.kills || a.deaths - b.deaths || a.seat - b.seat);
}

/**
 * @param {number} n
 * @param {string} noun
 */
export function count(n, noun) {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

/**
 * Ranks count from 1; equal scores share one.
 * @param {import('./actors.js').Ship[]} ships by rank
 * @param {number} i
 */
export function rank(ships, i) {
  while (i > 0 && ships[i - 1].score === ships[i].score) i--;
  return i + 1;
}

/**
 * Fills the list of leaders: the first five, and the own ship if it is not among them.
 * @param {HTMLElement} list
 * @param {import('./actors.js').Ship[]} ships by rank
 */
export function fillLeaders(list, ships) {
  list.replaceChildren();
  ships.forEach((s, i) => {
    if (i >= 5 && !s.own) return;
    const li = make('li', (s.own ? 'own' : '') + (i >= 5 ? ' cut' : ''), '', s.color);
    li.append(make('span', '', String(rank(ships, i))), make('i'), make('b', '', s.name), make('em', '', String(s.score)));
    list.append(li);
  });
}

/**
 * @param {import('./scene.js').Scene} scene
 * @returns {HTMLElement[]} one table, or one per team
 */
export function scoreTables(scene) {
  const ships = ranking(scene);
  if (scene.round.mode !== 1) return [table(ships, '', '')];
  return [
    table(ships.filter((s) => s.team === 1), `Red  ${scene.round.red}`, RED),
    table(ships.filter((s) => s.team === 2), `Blue  ${scene.round.blue}`, BLUE),
  ];
}

/**
 * @param {import('./actors.js').Ship[]} ships by rank
 * @param {string} caption
 * @param {string} color
 */
function table(ships, caption, color) {
  const t = make('table', ships.length > 16 ? 'scores dense' : 'scores', '', color);
  if (caption) t.append(make('caption', '', caption));
  const head = make('tr');
  for (const name of ['#', 'Pilot', 'Score', 'Kills', 'Deaths']) head.append(make('th', '', name));
  const body = make('tbody');
  ships.forEach((s, i) => {
    const tr = make('tr', (s.own ? 'own ' : '') + (s.lost ? 'lost' : ''), '', s.color);
    const name = make('td');
    name.append(make('i'), document.createTextNode(s.name));
    if (s.lost) name.append(make('small', '', 'reconnecting'));
    else if (s.bot) name.append(make('small', '', 'bot'));
    tr.append(make('td', '', String(rank(ships, i))), name, make('td', '', String(s.score)), make('td', '', String(s.kills)), make('td', '', String(s.deaths)));
    body.append(tr);
  });
  t.append(head, body);
  return t;
}

/**
 * The three best, second and third to the sides.
 * @param {HTMLElement} list
 * @param {import('./scene.js').Scene} scene
 * @param {string} hull path of a ship
 */
export function fillPodium(list, scene, hull) {
  const ships = ranking(scene);
  const heights = [150, 104, 74];
  list.replaceChildren();
  for (const place of [1, 0, 2]) {
    const s = ships[place];
    if (!s) continue;
    const li = make('li', '', '', s.color);
    const svg = document.createElementNS(SVG, 'svg');
    svg.setAttribute('viewBox', '-22 -22 44 44');
    const path = document.createElementNS(SVG, 'path');
    path.setAttribute('d', hull);
    path.setAttribute('transform', 'rotate(-90)');
    svg.append(path);
    const step = make('i', '', String(place + 1));
    step.style.setProperty('--h', heights[place] + 'px');
    step.style.animationDelay = [0.25, 0.1, 0][place] + 's';
    const k = `${count(s.score, 'point')} · ${count(s.kills, 'kill')}`;
    li.append(svg, make('b', '', s.name), make('span', '', k), step);
    list.append(li);
  }
}
