// Hud is what lies over the arena while it is played: vitals, clock, leaders, feed. An element is touched only
// when what it shows has changed.

import { byId, clockText, make, replay } from './dom.js';
import { fillLeaders, ranking } from './scores.js';

const FEED = 5;
const FEED_MS = 6000;
const SLOW_MS = 200;
const PHASES = ['Warm-up', 'Round', 'Intermission'];
const WEAPONS = ['M2 8h9M14 4l4 4-4 4', 'M1 8h18M15 4v8M10 5v6', 'M3 3l6 5-6 5M17 3l-6 5 6 5'];
const SVG = 'http://www.w3.org/2000/svg';

/** What a bar or ring showed last, so that it is set only when it changes. */
class Gauge {
  #element;
  #property;
  #last = -1;

  /**
   * @param {HTMLElement} element
   * @param {'scale' | 'ring'} property
   */
  constructor(element, property) {
    this.#element = element;
    this.#property = property;
  }

  /** @param {number} part 0…1 */
  set(part) {
    const v = Math.round(part * 200) / 200;
    if (v === this.#last) return;
    this.#last = v;
    if (this.#property === 'scale') this.#element.style.transform = `scaleX(${v})`;
    else this.#element.style.setProperty('--p', String(v));
  }
}

/** How ready something is whose remaining ticks are told: the longest wait seen is the whole. */
class Cooldown {
  #last = 0;
  #most = 1;

  /** @param {number} ticks until ready */
  ready(ticks) {
    if (ticks > this.#last) this.#most = ticks;
    this.#last = ticks;
    return ticks <= 0 ? 1 : 1 - ticks / this.#most;
  }
}

export class Hud {
  #hp = new Gauge(/** @type {HTMLElement} */ (byId('hp').firstElementChild), 'scale');
  #armor = new Gauge(/** @type {HTMLElement} */ (byId('armor').firstElementChild), 'scale');
  #dash = new Gauge(byId('dash'), 'ring');
  #rail = new Gauge(byId('rail'), 'ring');
  #overdrive = new Gauge(byId('overdrive'), 'ring');
  #dashWait = new Cooldown();
  #railWait = new Cooldown();
  #overdriveWait = new Cooldown();
  /** @type {Record<string, string>} */
  #shown = {};
  #slow = 0;
  #leaders = '';
  #hurt = 0;
  /** How ready the rail is, 0…1. */
  railReady = 1;

  /**
   * @param {import('./scene.js').Scene} scene
   * @param {{values: ArrayLike<number>, at: Record<string, number>} | null} self the private row
   * @param {number} secondsLeft of the phase, −1 = open
   * @param {number} tickRate
   * @param {number} now ms
   * @param {number} dt seconds
   */
  update(scene, self, secondsLeft, tickRate, now, dt) {
    const own = scene.own;
    if (own) this.#vitals(own, self, tickRate);
    this.#body('dead', String(own?.dead ?? false));
    this.#hurt = Math.max(0, this.#hurt - dt * 1.9);
    this.#style('hurt', 'opacity', this.#hurt.toFixed(2));
    if (now - this.#slow < SLOW_MS) return;
    this.#slow = now;
    this.#clock(scene, secondsLeft);
    const ships = ranking(scene);
    let key = '';
    for (const s of ships) key += s.seat + ',' + s.score + ',' + s.name + ',' + s.own + ';';
    if (key !== this.#leaders) {
      this.#leaders = key;
      fillLeaders(byId('leaders'), ships);
    }
  }

  /** Forgets what a match before this one showed. */
  reset() {
    byId('feed').replaceChildren();
    byId('leaders').replaceChildren();
    byId('banner').classList.remove('on');
    byId('callout').classList.remove('on');
    this.#leaders = '';
    this.#hurt = 0;
  }

  /**
   * @param {import('./actors.js').Ship} own
   * @param {{values: ArrayLike<number>, at: Record<string, number>} | null} self
   * @param {number} tickRate
   */
  #vitals(own, self, tickRate) {
    this.#hp.set(own.hp / 100);
    this.#armor.set(own.armor / 50);
    this.#text('hpText', String(own.hp));
    this.#text('armorText', own.armor > 0 ? `Armor ${own.armor}` : '');
    this.#class('hp', 'low', own.hp <= 30);
    if (!self) return;
    const { values, at } = self;
    const dash = this.#dashWait.ready(values[at.dash]);
    const rail = this.#railWait.ready(values[at.rail]);
    this.#dash.set(dash);
    this.#rail.set(rail);
    this.railReady = rail;
    this.#class('dash', 'ready', dash >= 1);
    this.#class('rail', 'ready', rail >= 1);
    this.#class('touchDash', 'ready', dash >= 1);
    this.#class('touchRail', 'ready', rail >= 1);
    const left = values[at.overdrive];
    this.#class('overdrive', 'on', left > 0);
    this.#overdrive.set(left > 0 ? 1 - this.#overdriveWait.ready(left) : 0);
    if (left <= 0) this.#overdriveWait.ready(0);
    if (own.dead) this.#respawn(Math.ceil(values[at.respawn] / tickRate));
  }

  /** @param {number} seconds */
  #respawn(seconds) {
    const text = String(Math.max(0, seconds));
    if (this.#shown.respawn === text) return;
    this.#shown.respawn = text;
    const b = byId('respawn').querySelector('b');
    if (b) b.textContent = text;
  }

  /**
   * @param {import('./scene.js').Scene} scene
   * @param {number} secondsLeft
   */
  #clock(scene, secondsLeft) {
    const r = scene.round;
    const phase = r.phase === 1 && r.number > 1 ? `Round ${r.number}` : (PHASES[r.phase] ?? '');
    this.#text('phase', r.scoreLimit > 0 && r.phase === 1 ? `${phase} · to ${r.scoreLimit}` : phase);
    this.#text('timer', secondsLeft < 0 ? '–:––' : clockText(secondsLeft));
    this.#class('clock', 'hot', r.phase === 1 && secondsLeft >= 0 && secondsLeft <= 10);
    this.#class('clock', 'teams', r.mode === 1);
    if (r.mode !== 1) return;
    for (const [id, score, team] of /** @type {[string, number, number][]} */ ([['red', r.red, 1], ['blue', r.blue, 2]])) {
      const text = String(score);
      if (this.#shown[id] !== text) {
        this.#shown[id] = text;
        const b = byId(id).firstElementChild;
        if (b) b.textContent = text;
      }
      this.#class(id, 'mine', scene.own?.team === team);
    }
  }

  /**
   * Who destroyed whom.
   * @param {import('./actors.js').Ship | undefined} killer
   * @param {import('./actors.js').Ship | undefined} victim
   * @param {number} weapon
   */
  feed(killer, victim, weapon) {
    if (!victim) return;
    const li = make('li', victim.own ? 'died' : killer?.own ? 'own' : '');
    if (killer && killer !== victim) li.append(make('b', '', killer.name, killer.color));
    const svg = document.createElementNS(SVG, 'svg');
    svg.setAttribute('viewBox', '0 0 20 16');
    const path = document.createElementNS(SVG, 'path');
    path.setAttribute('d', WEAPONS[weapon] ?? WEAPONS[0]);
    svg.append(path);
    li.append(svg, make('b', '', victim.name, victim.color));
    const list = byId('feed');
    list.append(li);
    while (list.children.length > FEED) list.firstElementChild?.remove();
    setTimeout(() => li.classList.add('old'), FEED_MS);
    setTimeout(() => li.remove(), FEED_MS + 600);
  }

  /**
   * Who destroyed the own ship.
   * @param {import('./actors.js').Ship | undefined} killer undefined: nobody else
   */
  diedBy(killer) {
    const em = byId('respawn').querySelector('em');
    if (!em) return;
    if (!killer) em.replaceChildren('by your own flying');
    else em.replaceChildren('by ', make('b', '', killer.name, killer.color));
  }

  /**
   * @param {string} title
   * @param {string} text
   */
  banner(title, text) {
    const [b, span] = byId('banner').children;
    b.textContent = title;
    span.textContent = text;
    replay(byId('banner'));
  }

  /**
   * A short line above the vitals.
   * @param {string} text
   * @param {string} name
   * @param {string} color of the name
   */
  callout(text, name, color) {
    byId('callout').replaceChildren(text, make('b', '', name, color));
    replay(byId('callout'));
  }

  /**
   * Nothing comes from the server just now.
   * @param {boolean} on
   */
  silent(on) {
    byId('silent').hidden = !on;
  }

  /** @param {number} strength 0…1 */
  hurt(strength) {
    this.#hurt = Math.min(1, this.#hurt + strength);
  }

  /**
   * @param {string} id
   * @param {string} text
   */
  #text(id, text) {
    if (this.#shown[id] === text) return;
    this.#shown[id] = text;
    byId(id).textContent = text;
  }

  /**
   * @param {string} id
   * @param {string} name
   * @param {boolean} on
   */
  #class(id, name, on) {
    const key = id + '.' + name;
    const text = String(on);
    if (this.#shown[key] === text) return;
    this.#shown[key] = text;
    byId(id).classList.toggle(name, on);
  }

  /**
   * @param {string} id
   * @param {string} name
   * @param {string} value
   */
  #style(id, name, value) {
    const key = id + ':' + name;
    if (this.#shown[key] === value) return;
    this.#shown[key] = value;
    byId(id).style.setProperty(name, value);
  }

  /**
   * @param {string} name
   * @param {string} value
   */
  #body(name, value) {
    if (document.body.dataset[name] !== value) document.body.dataset[name] = value;
  }
}
