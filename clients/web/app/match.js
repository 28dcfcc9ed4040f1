// Match is one stay in a match, from the ticket to the end: it holds the connection and turns states and events
// into what is seen and heard.

import { Client, Role } from '/js/index.js';
import { Guns } from './arena/guns.js';
import { Own } from './arena/own.js';
import { Pilot } from './arena/pilot.js';
import { RAIL } from './input.js';
import { Scene } from './scene.js';
import { watcher } from './watcher.js';

/** @typedef {import('/js/index.js').Stats} Stats */

const WEAPON_PUSH = [0.1, 0.3, 0.25];
/** From the middle of a ship to where its shots appear, units. */
const MUZZLE = 18;
/** What happened longer ago, because the page slept, is not shown any more, s. */
const STALE = 2;

/**
 * What a match draws on and speaks to; made once.
 * @typedef {object} Stage
 * @property {import('./effects.js').Effects} effects
 * @property {import('./camera.js').Camera} camera
 * @property {import('./hud.js').Hud} hud
 * @property {import('./sound.js').Sound} sound
 * @property {import('./input.js').Controls} controls
 * @property {import('./tuning.js').Tuning} tuning
 * @property {boolean} calm no shaking
 */

export class Match {
  /** @type {Scene | null} */
  scene = null;
  id = '';
  /** The private row by name, with the prediction's word where there is one. @type {{values: Int32Array, at: Record<string, number>} | null} */
  self = null;
  /** The own ship's prediction, of a game that this page can step. @type {Own | null} */
  own = null;
  /** 1 right after an own shot has hit, fading. */
  hitMark = 0;
  hitKilled = false;
  /** The seat the camera follows when there is no own living ship, 0 = overview. */
  followed = 0;
  /** Who won which round, by the server's word. */
  won = { round: -1, winner: 0 };
  /** @type {{reason: string, data: any} | null} */
  result = null;
  client;

  #stage;
  /** @type {import('/js/messages.js').GameEvent[]} events that the delayed picture has not reached */
  #due = [];
  /** @type {Record<string, number>} */
  #inputAt = {};
  /** @type {Record<string, number>} */
  #selfAt = {};
  /** @type {Guns | null} */
  #guns = null;
  #muzzles = 0;
  #thrusting = false;
  #self = new Int32Array(0);

  /**
   * @param {Stage} stage
   * @param {import('/js/index.js').Film} [film] of a match that is only looked at again
   */
  constructor(stage, film) {
    this.#stage = stage;
    /** A film has all of a Client that a spectator needs. */
    const c = film ? /** @type {Client} */ (/** @type {unknown} */ (film)) : new Client({ WebSocket: stage.tuning.link.wrap(WebSocket) });
    this.client = c;
    c.on('welcome', (w) => this.#welcomed(w));
    c.on('event', (e) => this.#due.push(e));
    c.on('result', (r) => (this.result = r));
    c.on('state', (state) => this.#guns?.heard(state.ack, state.private[this.#selfAt.bolt], state.private[this.#selfAt.rail]));
    c.sampleInput = (values, taken, seq) => this.#input(values, taken, seq);
  }

  /** The own ship is drawn where the prediction has it. */
  get predicting() {
    return this.#stage.tuning.predict && this.own !== null && this.own.predictor.active;
  }

  get spectating() {
    return this.client.welcome?.role === Role.spectator;
  }

  /** @param {import('/js/messages.js').Welcome} w */
  #welcomed(w) {
    this.id = w.matchId;
    const scene = new Scene(w.plan, this.#watcher());
    if (this.scene) {
      scene.ships = this.scene.ships;
      scene.round = this.scene.round;
    }
    scene.ownSeat = w.role === Role.spectator ? 0 : w.seat;
    this.scene = scene;
    this.#inputAt = {};
    w.plan.input.fields.forEach((f, i) => (this.#inputAt[f.name] = i));
    this.#selfAt = {};
    w.plan.private?.fields.forEach((f, i) => (this.#selfAt[f.name] = i));
    this.#self = new Int32Array(w.plan.private?.length ?? 0);
    if (this.spectating || !Pilot.knows(w.plan)) return;
    this.own ??= new Own(w);
    this.#guns = new Guns(w.tickRate);
    this.client.predictor = this.own.predictor;
  }

  /**
   * @param {Int32Array} values
   * @param {boolean} taken
   * @param {number} seq
   */
  #input(values, taken, seq) {
    const { controls } = this.#stage;
    const at = this.#inputAt;
    controls.point();
    controls.sample(values, at, taken);
    this.#thrusting = values[at.ax] !== 0 || values[at.ay] !== 0;
    if (taken && this.#guns && this.own) this.#muzzles |= this.#guns.input(seq, values[at.buttons], this.own.at.overdrive);
  }

  /**
   * Brings the scene to this moment. Returns false before the first state.
   * @param {number} now ms
   * @param {number} dt seconds
   */
  advance(now, dt) {
    const { client, own, scene } = this;
    const { tuning } = this.#stage;
    const { view, state } = client;
    if (!view || !state || !scene) return false;
    view.interpolate = tuning.interpolate;
    if (!client.frame(now)) return false;
    own?.draw(view.table, state, client.seat, tuning.predict, this.#thrusting);
    scene.update(view.table, dt, client.roster);
    this.#tell(state);
    this.#flash(scene);
    this.hitMark = Math.max(0, this.hitMark - dt * 3.2);
    const stale = STALE * (client.welcome?.tickRate ?? 60);
    while (this.#due.length > 0 && this.#due[0].tick <= view.tick) {
      const e = this.#due.shift();
      if (e && (view.tick - e.tick < stale || e.name === 'phase')) this.#happened(e);
    }
    return true;
  }

  /** @param {import('/js/index.js').State} state */
  #tell(state) {
    if (!state.hasPrivate) {
      this.self = null;
      return;
    }
    this.#self.set(state.private);
    if (this.predicting && this.own) this.own.pilot.count(this.own.predictor.drawn, this.#self, this.#selfAt);
    this.self ??= { values: this.#self, at: this.#selfAt };
    this.self.values = this.#self;
    this.self.at = this.#selfAt;
  }

  /**
   * The own guns flash at once.
   * @param {Scene} scene
   */
  #flash(scene) {
    const fired = this.#muzzles;
    this.#muzzles = 0;
    const { effects, sound, controls } = this.#stage;
    const own = scene.own;
    if (fired === 0 || !own || !this.predicting || scene.round.phase === 2) return;
    const x = own.x + Math.cos(controls.aim) * MUZZLE;
    const y = own.y + Math.sin(controls.aim) * MUZZLE;
    effects.light(x, y, fired & RAIL ? 90 : 46, fired & RAIL ? 0.2 : 0.1, own.color);
    if (fired & RAIL) sound.rail(x, y);
    else sound.bolt(x, y);
  }

  /** Seconds until the phase ends, −1 if it is open. */
  secondsLeft() {
    const { view, welcome } = this.client;
    const ends = this.scene?.round.ends ?? 0;
    if (!view || !welcome || ends === 0) return -1;
    return Math.max(0, (ends - view.tick) / welcome.tickRate);
  }

  /** @param {import('/js/messages.js').GameEvent} e */
  #happened({ name, fields }) {
    const scene = this.scene;
    if (!scene) return;
    const { hud, sound, effects } = this.#stage;
    if (name === 'kill') this.#killed(scene, fields.killer, fields.victim, fields.weapon);
    else if (name === 'hit') {
      const victim = scene.ships.get(fields.victim);
      if (fields.by === scene.ownSeat && fields.victim !== scene.ownSeat) {
        this.hitMark = 1;
        this.hitKilled = false;
        sound.hitMarker();
        if (victim) effects.damage(victim.seat, victim.x, victim.y, fields.damage);
      } else if (fields.victim === scene.ownSeat) {
        hud.hurt(0.25 + fields.damage / 90);
        sound.hurt();
        this.#shake(fields.damage / 80);
      }
    } else if (name === 'pickup' && fields.seat === scene.ownSeat && scene.own) {
      const texts = ['Repaired', 'Armor', 'Overdrive'];
      hud.callout('', texts[fields.type] ?? '', ['#63f2a5', '#ffd166', '#ff8df2'][fields.type] ?? '#fff');
      sound.pickup();
    } else if (name === 'phase' && fields.phase === 2) {
      this.won = { round: fields.number, winner: fields.winner };
    } else if (name === 'phase' && fields.phase === 1) {
      hud.banner('Fight', scene.round.number > 1 || fields.number > 1 ? `Round ${fields.number}` : scene.round.mode === 1 ? 'Team against team' : 'Everyone for themselves');
      sound.horn();
    }
  }

  /**
   * @param {Scene} scene
   * @param {number} killerSeat
   * @param {number} victimSeat
   * @param {number} weapon
   */
  #killed(scene, killerSeat, victimSeat, weapon) {
    const { hud, sound } = this.#stage;
    const killer = killerSeat === victimSeat ? undefined : scene.pilot(killerSeat);
    const victim = scene.pilot(victimSeat);
    hud.feed(killer, victim, weapon);
    if (victim?.own) {
      hud.diedBy(killer);
      this.followed = killer?.seat ?? 0;
      this.#shake(0.9);
    } else if (killer?.own && victim) {
      this.hitMark = 1;
      this.hitKilled = true;
      hud.callout('Destroyed ', victim.name, victim.color);
      sound.kill();
      this.#shake(0.3 + (WEAPON_PUSH[weapon] ?? 0));
    }
  }

  /** @param {number} amount 0…1 */
  #shake(amount) {
    const { effects, calm } = this.#stage;
    if (!calm) effects.shake = Math.min(1, Math.max(effects.shake, amount));
  }

  /** @returns {import('./scene.js').Watcher} */
  #watcher() {
    const shake = (/** @type {number} */ x, /** @type {number} */ y, /** @type {number} */ loud) => {
      const d = Math.hypot(x - this.#stage.camera.x, y - this.#stage.camera.y);
      this.#shake(loud * Math.max(0, 1 - d / 700));
    };
    return watcher(this.#stage, shake, (seat) => seat === this.client.seat && this.predicting);
  }
}
