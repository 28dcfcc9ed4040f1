// Actors are what moves and lives in a scene: ships, bolts, and the round they are in.

import { pilotColor } from './palette.js';

export const THRUST = 1;
export const DASH = 2;
export const DEAD = 4;
export const SHIELDED = 8;
export const OVERDRIVE = 16;

export class Ship {
  /** @param {number} seat */
  constructor(seat) {
    this.seat = seat;
    this.name = '';
    this.color = '#ffffff';
    this.own = false;
    this.x = 0;
    this.y = 0;
    /** Units per second, smoothed. */
    this.vx = 0;
    this.vy = 0;
    /** Radians. */
    this.aim = 0;
    this.hp = 100;
    this.armor = 0;
    this.flags = 0;
    this.score = 0;
    this.kills = 0;
    this.deaths = 0;
    this.team = 0;
    /** Frame in which it was last seen. */
    this.seen = 0;
    /** 1 right after a hit, fading. */
    this.flash = 0;
    /** Length of the flame, 0…1. */
    this.flame = 0;
    /** Direction of the flame. */
    this.flameX = -1;
    this.flameY = 0;
    /** Seconds since it came to life. */
    this.age = 0;
    this.lost = false;
    this.bot = false;
    /** Distance to the own ship; scratch of whoever sorts by it. */
    this.far = 0;
  }

  get dead() {
    return (this.flags & DEAD) !== 0;
  }

  /**
   * Says who flies it.
   * @param {import('/js/messages.js').Seat | undefined} known what the roster says
   * @param {number} team
   * @param {boolean} own
   */
  introduce(known, team, own) {
    if (known) {
      this.name = known.name || `Pilot ${this.seat}`;
      this.lost = known.state === 2;
      this.bot = known.role === 2;
    } else if (this.name === '') this.name = `Pilot ${this.seat}`;
    this.own = own;
    this.team = team;
    this.color = pilotColor(this.seat, team, own);
  }

  /**
   * @param {number} score of this round, as the others
   * @param {number} kills
   * @param {number} deaths
   */
  stands(score, kills, deaths) {
    this.score = score;
    this.kills = kills;
    this.deaths = deaths;
  }

  /**
   * Goes to where it is now; how fast it is follows from that.
   * @param {number} x
   * @param {number} y
   * @param {number} dt seconds
   */
  move(x, y, dt) {
    const dx = x - this.x;
    const dy = y - this.y;
    const jumped = dx * dx + dy * dy > 160 * 160;
    if (dt > 0 && !jumped) {
      const k = Math.min(1, dt * 14);
      this.vx += (dx / dt - this.vx) * k;
      this.vy += (dy / dt - this.vy) * k;
    } else if (jumped) this.vx = this.vy = 0;
    this.x = x;
    this.y = y;
  }

  /**
   * The flame points away from where the ship goes.
   * @param {number} dt seconds
   */
  burn(dt) {
    const want = this.dead ? 0 : this.flags & DASH ? 1.6 : this.flags & THRUST ? 1 : 0;
    this.flame += (want - this.flame) * Math.min(1, dt * 18);
    const speed = Math.hypot(this.vx, this.vy);
    if (speed < 20) return;
    const k = Math.min(1, dt * 10);
    this.flameX += (-this.vx / speed - this.flameX) * k;
    this.flameY += (-this.vy / speed - this.flameY) * k;
  }
}

export class Bolt {
  constructor() {
    this.x = 0;
    this.y = 0;
    this.aim = 0;
    this.owner = 0;
    this.seen = 0;
    this.color = '#ffffff';
  }
}

export class Round {
  phase = 0;
  ends = 0;
  number = 0;
  width = 0;
  height = 0;
  mode = 0;
  scoreLimit = 0;
  red = 0;
  blue = 0;
}
