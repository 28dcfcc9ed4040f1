// Replays of matches: found on the server or dropped on the page, and the bar that moves through one.

import { Film } from '/js/index.js';
import { byId, clockText, make } from './dom.js';

const LIST = '/v1/quickplay/replays';
/** Of a replay that somebody was given a link to: behind it comes the token. */
const LINKED = '/v1/films/';
const TOKEN = 'ft1.';
const SHOWN = 3;
/** The bar follows so often, ms. */
const BAR_MS = 100;

/** @typedef {{match_id: string, game: string, seconds: number}} Replay */

/** Those that this server shows to anybody. @returns {Promise<Replay[]>} */
export async function list() {
  try {
    const res = await fetch(LIST);
    return res.ok ? (await res.json()).replays : [];
  } catch {
    return [];
  }
}

/**
 * Rejects with an Error for the player.
 * @param {string} id of a match, or the token of a link to its replay
 */
export async function load(id) {
  const res = await fetch((id.startsWith(TOKEN) ? LINKED : LIST + '/') + encodeURIComponent(id));
  if (!res.ok) {
    const said = await res.json().then((b) => b.error?.message, () => '');
    throw new Error(said || 'The replay could not be loaded.');
  }
  return read(await res.arrayBuffer());
}

/** @param {ArrayBuffer} file */
export function read(file) {
  try {
    return new Film(file);
  } catch {
    throw new Error('This file is no film of a match: make one with "server replay export".');
  }
}

/**
 * Shows the newest replays on the start screen.
 * @param {(id: string) => void} choose
 */
export async function offer(choose) {
  const p = byId('replays');
  const found = (await list()).filter((r) => r.game === 'arena').slice(0, SHOWN);
  p.hidden = found.length === 0;
  p.replaceChildren(document.createTextNode('Replays'));
  for (const r of found) {
    const a = /** @type {HTMLAnchorElement} */ (make('a', '', clockText(r.seconds)));
    a.href = '#replay=' + encodeURIComponent(r.match_id);
    a.title = 'Match ' + r.match_id;
    a.addEventListener('click', (e) => {
      e.preventDefault();
      choose(r.match_id);
    });
    p.append(a);
  }
}

/** The bar under a replay. */
export class Bar {
  /** @type {Film | null} */
  #film = null;
  #drawn = 0;
  #at = /** @type {HTMLInputElement} */ (byId('replayAt'));
  #speed = /** @type {HTMLSelectElement} */ (byId('replaySpeed'));
  #play = byId('replayPlay');
  /** The hand is on the slider. */
  #held = false;

  constructor() {
    this.#play.addEventListener('click', () => {
      this.toggle();
      this.#play.blur(); // the space bar would press it again
    });
    this.#at.addEventListener('input', () => {
      const f = this.#film;
      this.#held = true;
      if (f) f.seek(f.first + ((f.end - f.first) * Number(this.#at.value)) / 1000);
    });
    this.#at.addEventListener('change', () => {
      this.#held = false;
      this.#at.blur(); // the arrow keys choose a ship
    });
    this.#speed.addEventListener('change', () => {
      if (this.#film) this.#film.speed = Number(this.#speed.value);
      this.#speed.blur();
    });
  }

  /** @param {Film | null} film null: none is played */
  show(film) {
    this.#film = film;
    byId('replay').hidden = film === null;
    this.#held = false;
    this.#speed.value = '1';
  }

  /** Goes on, from the beginning when it was at its end, or holds. */
  toggle() {
    const f = this.#film;
    if (!f) return;
    if (f.paused && f.tick >= f.end) f.seek(f.first);
    f.paused = !f.paused;
  }

  /** @param {number} now ms */
  draw(now) {
    const f = this.#film;
    if (!f || now - this.#drawn < BAR_MS) return;
    this.#drawn = now;
    if (!this.#held) this.#at.value = String(Math.round((1000 * (f.tick - f.first)) / Math.max(1, f.end - f.first)));
    byId('replayTime').textContent = `${clockText(f.at)} / ${clockText(f.length)}`;
    this.#play.textContent = f.paused ? 'Play' : 'Pause';
  }
}
