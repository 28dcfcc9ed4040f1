// Screens are what lies over the arena when it is not simply played: start, help, scoreboard, podium, lost, over.

import { byId, make } from './dom.js';
import { HULL } from './draw/ships.js';
import { count, fillPodium, rank, ranking, scoreTables } from './scores.js';

const HELP_SEEN = 'skirmish.help';

/** @param {'start' | 'play'} screen */
export function show(screen) {
  document.body.dataset.screen = screen;
}

/** @param {string} text '' = none */
export function note(text) {
  const p = byId('startNote');
  p.hidden = text === '';
  p.textContent = text;
}

/** @param {boolean} on */
export function busy(on) {
  const b = /** @type {HTMLButtonElement} */ (byId('play'));
  b.disabled = on;
  const span = b.firstElementChild;
  if (span) span.textContent = on ? 'Joining' : 'Play';
}

/** @param {boolean} [on] */
export function help(on = byId('help').hidden === true) {
  byId('help').hidden = !on;
  if (on) byId('helpClose').focus();
}

/** The help is shown by itself the first time. */
export function helpAtFirst() {
  try {
    if (localStorage.getItem(HELP_SEEN)) return;
    localStorage.setItem(HELP_SEEN, '1');
  } catch {
    return; // No storage: nobody wants the help each time.
  }
  help(true);
}

/**
 * @param {import('./scene.js').Scene | null} scene null: hidden
 * @param {string} text beside the title
 */
export function board(scene, text) {
  byId('board').hidden = scene === null;
  if (scene === null) return;
  byId('boardNote').textContent = text;
  byId('boardTables').replaceChildren(...scoreTables(scene));
}

let podiumKey = '';

/**
 * @param {import('./scene.js').Scene | null} scene null: hidden
 * @param {number} secondsLeft
 * @param {{round: number, winner: number}} won
 */
export function podium(scene, secondsLeft, won) {
  byId('podium').hidden = scene === null;
  if (scene === null) {
    podiumKey = '';
    return;
  }
  if (podiumKey === '') help(false);
  const next = secondsLeft < 0 ? '' : `Next round in ${Math.ceil(secondsLeft)}`;
  if (byId('podiumNext').textContent !== next) byId('podiumNext').textContent = next;
  const ships = ranking(scene);
  const key = ships.slice(0, 3).map((s) => s.seat + ':' + s.score).join() + scene.round.red + ',' + scene.round.blue;
  if (key === podiumKey) return;
  podiumKey = key;
  byId('podiumRound').textContent = `Round ${scene.round.number}` + placed(ships);
  byId('podiumTitle').textContent = winner(scene, ships, won);
  fillPodium(byId('podiumPlaces'), scene, HULL);
}

/**
 * Where the own ship came in.
 * @param {import('./actors.js').Ship[]} ships by rank
 */
function placed(ships) {
  const i = ships.findIndex((s) => s.own);
  if (i < 0) return ' is over';
  const place = rank(ships, i);
  const tens = place % 100 >= 11 && place % 100 <= 13;
  const ending = tens ? 'th' : (['th', 'st', 'nd', 'rd'][place % 10] ?? 'th');
  return ` · you came ${place}${ending} of ${ships.length} with ${count(ships[i].score, 'point')}`;
}

/**
 * @param {import('./scene.js').Scene} scene
 * @param {import('./actors.js').Ship[]} ships by rank
 * @param {{round: number, winner: number}} won the server's word, of another round if it was not heard
 */
function winner(scene, ships, won) {
  const r = scene.round;
  const told = won.round === r.number;
  if (r.mode === 1) {
    const team = told ? won.winner : r.red === r.blue ? 0 : r.red > r.blue ? 1 : 2;
    return team === 0 ? 'Draw' : team === 1 ? 'Red wins' : 'Blue wins';
  }
  const first = told ? scene.pilot(won.winner) : ships[0];
  if (!first) return 'Draw';
  return first.own ? 'You win' : `${first.name} wins`;
}

/**
 * @param {boolean} on
 * @param {string} [text]
 */
export function lost(on, text = '') {
  byId('lost').hidden = !on;
  if (text) byId('lostText').textContent = text;
}

/**
 * The end of a stay: a result, or why it ended.
 * @param {string} eyebrow
 * @param {string} title
 * @param {string} text
 * @param {HTMLElement[]} tables
 */
export function over(eyebrow, title, text, tables) {
  help(false);
  byId('overEyebrow').textContent = eyebrow;
  byId('overTitle').textContent = title;
  byId('overText').textContent = text;
  byId('overTable').replaceChildren(...tables);
  byId('over').hidden = false;
  byId('again').focus();
}

/** @param {string} text of the button that goes on */
export function again(text) {
  const span = byId('again').firstElementChild;
  if (span) span.textContent = text;
}

export function hideOver() {
  byId('over').hidden = true;
}

/**
 * The table of a match's result.
 * @param {any} data
 * @param {(playerId: string) => {name: string, color: string, own: boolean}} of
 * @returns {HTMLElement[]}
 */
export function resultTable(data, of) {
  if (!Array.isArray(data?.players) || data.players.length === 0) return [];
  const t = make('table', data.players.length > 12 ? 'scores dense' : 'scores');
  const head = make('tr');
  for (const name of ['#', 'Pilot', 'Score', 'Kills', 'Deaths']) head.append(make('th', '', name));
  t.append(head);
  for (const p of data.players) {
    const { name, color, own } = of(String(p.player_id));
    const tr = make('tr', own ? 'own' : '', '', color);
    const td = make('td');
    td.append(make('i'), document.createTextNode(name));
    tr.append(make('td', '', String(p.rank)), td, make('td', '', String(p.score)), make('td', '', String(p.kills)), make('td', '', String(p.deaths)));
    t.append(tr);
  }
  return [t];
}

let toastTimer = 0;

/** @param {string} text */
export function toast(text) {
  const t = byId('toast');
  t.textContent = text;
  t.classList.add('on');
  clearTimeout(toastTimer);
  toastTimer = window.setTimeout(() => t.classList.remove('on'), 2200);
}
