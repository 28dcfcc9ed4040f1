// Match is one stay in a match, from the ticket to the end: it holds the connection and turns states and events
// into what is seen and heard.

import { Client, Role } from '/js/index.js';
import { Scene } from './scene.js';

/** @typedef {import('/js/index.js').Stats} Stats */

const WEAPON_PUSH = [0.1, 0.3, 0.25];

/**
 * What a match draws on and speaks to; made once.
 * @typedef {object} Stage
 * @property {import('./effects.js').Effects} effects
 * @property {import('./camera.js').Camera} camera
 * @property {import('./hud.js').Hud} hud
 * @property {import('./sound.js').Sound} sound
 * @property {import('./input.js').Controls} controls
 * @property {boolean} calm no shaking
 */

export class Match {
  /** @type {Scene | null} */
  scene = null;
  id = '';
  /** The private row by name. @type {{values: ArrayLike<number>, at: Record<string, number>} | null} */
  self = null;
  /** 1 right after an own shot has hit, fading. */
  hitMark = 0;
  hitKilled = false;
  /** The seat the camera follows when there is no own living ship, 0 = overview. */
  followed = 0;
  /** Who won which round, by the server's word. */
  won = { round: -1, winner: 0 };
  /** @type {{reason: string, data: any} | null} */
  result = null;
  client = new Client();

  #stage;
  /** @type {import('/js/messages.js').GameEvent[]} events that the delayed picture has not reached */
  #due = [];
  /** @type {Record<string, number>} */
  #inputAt = {};
  /** @type {Record<string, number>} */
  #selfAt = {};

  /** @param {Stage} stage */
  constructor(stage) {
    this.#stage = stage;
    const c = this.client;
    c.on('welcome', (w) => this.#welcomed(w));
    c.on('event', (e) => this.#due.push(e));
    c.on('result', (r) => (this.result = r));
    c.sampleInput = (values) => {
      stage.controls.point();
      stage.controls.sample(values, this.#inputAt);
    };
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
    this.#due.length = 0;
    this.#inputAt = {};
    w.plan.input.fields.forEach((f, i) => (this.#inputAt[f.name] = i));
    this.#selfAt = {};
    w.plan.private?.fields.forEach((f, i) => (this.#selfAt[f.name] = i));
  }

  /**
   * Brings the scene to this moment. Returns false before the first state.
   * @param {number} now ms
   * @param {number} dt seconds
   */
  advance(now, dt) {
    const { view, state, roster } = this.client;
    const scene = this.scene;
    if (!view || !scene || !view.sample(now)) return false;
    scene.update(view.table, dt, roster);
    this.self = state?.hasPrivate ? { values: state.private, at: this.#selfAt } : null;
    this.hitMark = Math.max(0, this.hitMark - dt * 3.2);
    while (this.#due.length > 0 && this.#due[0].tick <= view.tick) {
      const e = this.#due.shift();
      if (e) this.#happened(e);
    }
    return true;
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
    const killer = killerSeat === victimSeat ? undefined : scene.ships.get(killerSeat);
    const victim = scene.ships.get(victimSeat);
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
    return watcher(this.#stage, (x, y, loud) => {
      const d = Math.hypot(x - this.#stage.camera.x, y - this.#stage.camera.y);
      this.#shake(loud * Math.max(0, 1 - d / 700));
    });
  }
}

/**
 * What appears, is hit and vanishes, as light and sound.
 * @param {Pick<Stage, 'effects' | 'sound'>} stage
 * @param {(x: number, y: number, loud: number) => void} shake
 * @returns {import('./scene.js').Watcher}
 */
export function watcher({ effects, sound }, shake) {
  return {
    boltBorn(b) {
      effects.light(b.x, b.y, 46, 0.1, b.color);
      sound.bolt(b.x, b.y);
    },
    boltGone(b) {
      effects.sparks(b.x, b.y, 7, b.color, 190, b.aim + Math.PI, 1);
      effects.light(b.x, b.y, 54, 0.16, b.color);
    },
    beam(x1, y1, x2, y2, color, _owner, hit) {
      effects.beam(x1, y1, x2, y2, color);
      effects.light(x1, y1, 90, 0.2, color);
      effects.light(x2, y2, 110, 0.3, color);
      effects.sparks(x2, y2, hit ? 26 : 14, color, 300, Math.atan2(y1 - y2, x1 - x2), 1.1);
      effects.ring(x2, y2, 2, hit ? 46 : 26, 0.3, 3, color);
      sound.rail(x1, y1);
    },
    shipHit(s, damage) {
      effects.sparks(s.x, s.y, Math.min(24, 4 + (damage >> 1)), '#fff1cf', 240);
      effects.light(s.x, s.y, 70, 0.16, s.color);
    },
    shipDied(s) {
      effects.explosion(s.x, s.y, s.color, s.vx, s.vy);
      sound.boom(s.x, s.y);
      shake(s.x, s.y, 0.5);
    },
    shipBorn(s) {
      effects.ring(s.x, s.y, 90, 16, 0.5, 3, s.color);
      effects.light(s.x, s.y, 120, 0.4, s.color);
    },
    dashed(s) {
      effects.ring(s.x, s.y, 6, 44, 0.3, 3, s.color);
      effects.sparks(s.x, s.y, 12, s.color, 260, Math.atan2(-s.vy, -s.vx), 0.6);
      sound.dash(s.x, s.y);
    },
  };
}
