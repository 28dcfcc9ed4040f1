// Movement of one ship: the server's own rule in JavaScript, equal to the bit. The steps and their order are those
// of Config.Move; the traces of game/arena/testdata/movement.json prove it.

import { UNIT, cos, isqrt, length, scale, sin } from './fixed.js';

// Numbers of the game: units, units per second, milliseconds, percent.
const SHIP_RADIUS = 14;
const THRUST_PER_SECOND = 900;
const DRAG_PERCENT = 160;
const SPEED_CAP = 360;
const EXCESS_PERCENT = 1400;
const HARD_CAP = 1000;
const DASH_SPEED = 900;
const DASH_BURST = 150;
const DASH_COOLDOWN = 1500;
const BOUNCE_PERCENT = 40;
const BOUNCE_FROM = 60;
const OVERDRIVE_THRUST = 140;
const OVERDRIVE_CAP = 125;

const RADIUS = SHIP_RADIUS * UNIT;
const TOP = HARD_CAP * UNIT;
/** A ship never moves further between two looks at the walls. */
const MOST_HOP = 12 * UNIT;
const BOUNCE = Math.trunc((BOUNCE_PERCENT * 256) / 100);
const SLOW = BOUNCE_FROM * UNIT;

export const BUTTON_DASH = 4;

/** Places in a body, an Int32Array: 256 steps to the unit, speeds per second, times in ticks. */
export const X = 0;
export const Y = 1;
export const VX = 2;
export const VY = 3;
/** Ticks until the next dash. */
export const DASH = 4;
/** Ticks of overdrive left. */
export const OVERDRIVE = 5;
/** How many values movement needs; a body may have more. */
export const MOVING = 6;

/**
 * Milliseconds in ticks, at least 1.
 * @param {number} ms
 * @param {number} rate Hz
 */
export function ticks(ms, rate) {
  return Math.max(Math.trunc((ms * rate + 500) / 1000), 1);
}

/** The ground a ship moves on, 256 steps to the unit. */
export class Ground {
  width = 0;
  height = 0;
  /** Flat: x, y, w, h, in the order of the walls' ids. */
  walls = new Int32Array(4 * 128);
  count = 0;

  /** Makes room for one more wall. */
  grow() {
    if (4 * this.count + 4 <= this.walls.length) return;
    const walls = new Int32Array(2 * this.walls.length);
    walls.set(this.walls);
    this.walls = walls;
  }
}

/** The movement at one tick rate. */
export class Movement {
  /** @param {number} rate Hz */
  constructor(rate) {
    this.dt = Math.trunc((65536 + (rate >> 1)) / rate);
    this.thrust = Math.trunc((THRUST_PER_SECOND * UNIT) / rate);
    this.thrustDriven = Math.trunc((this.thrust * OVERDRIVE_THRUST) / 100);
    this.drag = Math.trunc((DRAG_PERCENT * 65536) / (100 * rate));
    this.excess = Math.min(Math.trunc((EXCESS_PERCENT * 65536) / (100 * rate)), 65536);
    this.cap = SPEED_CAP * UNIT;
    this.capDriven = Math.trunc((this.cap * OVERDRIVE_CAP) / 100);
    this.burst = ticks(DASH_BURST, rate);
    this.cooldown = ticks(DASH_COOLDOWN, rate);
  }

  /**
   * In the burst of a dash.
   * @param {ArrayLike<number>} b
   */
  dashing(b) {
    return b[DASH] > this.cooldown - this.burst;
  }

  /**
   * Advances a body by one tick; returns the hardest impact on a wall.
   * @param {Int32Array} b
   * @param {number} ax −127 to 127
   * @param {number} ay −127 to 127
   * @param {number} aim 65,536 to the turn
   * @param {number} buttons
   * @param {Ground} ground
   */
  move(b, ax, ay, aim, buttons, ground) {
    let full = this.thrust;
    let limit = this.cap;
    if (b[OVERDRIVE] > 0) {
      b[OVERDRIVE]--;
      full = this.thrustDriven;
      limit = this.capDriven;
    }
    if (b[DASH] > 0) b[DASH]--;
    if ((buttons & BUTTON_DASH) !== 0 && b[DASH] === 0) this.#dash(b, ax, ay, aim);
    const was = length(b[VX], b[VY]);
    if (this.dashing(b)) limit = TOP;
    else {
      thrust(b, ax, ay, full);
      b[VX] -= scale(b[VX], this.drag);
      b[VY] -= scale(b[VY], this.drag);
    }
    cap(b, was, limit, this.excess);

    const far = scale(Math.max(Math.abs(b[VX]), Math.abs(b[VY])), this.dt);
    const hops = 1 + Math.trunc(far / MOST_HOP);
    let impact = 0;
    for (let i = 0; i < hops; i++) {
      b[X] += Math.trunc(scale(b[VX], this.dt) / hops);
      b[Y] += Math.trunc(scale(b[VY], this.dt) / hops);
      impact = Math.max(impact, collide(b, ground));
    }
    return impact;
  }

  /**
   * The whole speed along the stick, or along the aim if the stick is centred.
   * @param {Int32Array} b
   * @param {number} ax
   * @param {number} ay
   * @param {number} aim
   */
  #dash(b, ax, ay, aim) {
    const speed = DASH_SPEED * UNIT;
    b[DASH] = this.cooldown;
    if (ax === 0 && ay === 0) {
      b[VX] = Math.floor((cos(aim) * speed) / 16384);
      b[VY] = Math.floor((sin(aim) * speed) / 16384);
      return;
    }
    const m = isqrt((ax * ax + ay * ay) * 65536);
    b[VX] = Math.trunc((ax * speed * 256) / m);
    b[VY] = Math.trunc((ay * speed * 256) / m);
  }
}

/**
 * Accelerates along the stick, which beyond the circle of radius 127 is brought back to it.
 * @param {Int32Array} b
 * @param {number} ax
 * @param {number} ay
 * @param {number} full
 */
function thrust(b, ax, ay, full) {
  const d = ax * ax + ay * ay;
  if (d <= 127 * 127) {
    b[VX] += Math.trunc((ax * full) / 127);
    b[VY] += Math.trunc((ay * full) / 127);
    return;
  }
  const m = isqrt(d * 65536);
  b[VX] += Math.trunc((ax * full * 256) / m);
  b[VY] += Math.trunc((ay * full * 256) / m);
}

/**
 * Caps the speed; what a dash or a push brought above the cap fades.
 * @param {Int32Array} b
 * @param {number} was the speed until now
 * @param {number} limit
 * @param {number} excess share of the excess that is lost, 1/65,536
 */
function cap(b, was, limit, excess) {
  const vx = b[VX];
  const vy = b[VY];
  const d = vx * vx + vy * vy;
  if (d <= limit * limit) return;
  const s = isqrt(d);
  const target = Math.min(Math.max(limit, was - 1 - Math.floor(((was - limit) * excess) / 65536)), s, TOP);
  b[VX] = Math.trunc((vx * target) / s);
  b[VY] = Math.trunc((vy * target) / s);
}

/**
 * Pushes the ship out of every wall that it touches, in order, then out of the bounds; all of it a second time if
 * the first time changed anything. Returns the hardest impact.
 * @param {Int32Array} b
 * @param {Ground} ground
 */
function collide(b, ground) {
  const { walls, count, width, height } = ground;
  let impact = 0;
  for (let round = 0; round < 2; round++) {
    let touched = false;
    for (let i = 0; i < 4 * count; i += 4) {
      const left = walls[i];
      const top = walls[i + 1];
      const right = left + walls[i + 2];
      const bottom = top + walls[i + 3];
      const x = b[X];
      const y = b[Y];
      let px = Math.min(Math.max(x, left), right);
      let py = Math.min(Math.max(y, top), bottom);
      let dx = x - px;
      let dy = y - py;
      if (dx >= RADIUS || dx <= -RADIUS || dy >= RADIUS || dy <= -RADIUS) continue;
      const d = dx * dx + dy * dy;
      if (d >= RADIUS * RADIUS) continue;
      touched = true;
      let n = 1;
      if (d !== 0) n = isqrt(d);
      else {
        // The centre is inside: out by the nearest edge, of equals left, right, top, bottom.
        const near = Math.min(x - left, right - x, y - top, bottom - y);
        if (near === x - left) [dx, dy, px, py] = [-1, 0, left, y];
        else if (near === right - x) [dx, dy, px, py] = [1, 0, right, y];
        else if (near === y - top) [dx, dy, px, py] = [0, -1, x, top];
        else [dx, dy, px, py] = [0, 1, x, bottom];
      }
      b[X] = px + Math.trunc((dx * RADIUS) / n);
      b[Y] = py + Math.trunc((dy * RADIUS) / n);
      impact = Math.max(impact, reflect(b, dx, dy, n));
    }
    if (b[X] < RADIUS) {
      b[X] = RADIUS;
      touched = true;
      impact = Math.max(impact, reflect(b, 1, 0, 1));
    } else if (b[X] > width - RADIUS) {
      b[X] = width - RADIUS;
      touched = true;
      impact = Math.max(impact, reflect(b, -1, 0, 1));
    }
    if (b[Y] < RADIUS) {
      b[Y] = RADIUS;
      touched = true;
      impact = Math.max(impact, reflect(b, 0, 1, 1));
    } else if (b[Y] > height - RADIUS) {
      b[Y] = height - RADIUS;
      touched = true;
      impact = Math.max(impact, reflect(b, 0, -1, 1));
    }
    if (!touched) break;
  }
  return impact;
}

/**
 * Turns the part of the speed that goes against a normal of length n around and keeps a part of it, or nothing
 * when slow. Returns that speed, 0 if the ship was leaving.
 * @param {Int32Array} b
 * @param {number} nx
 * @param {number} ny
 * @param {number} n
 */
function reflect(b, nx, ny, n) {
  const a = Math.trunc((b[VX] * nx + b[VY] * ny) / n);
  if (a >= 0) return 0;
  const j = -a >= SLOW ? Math.trunc((a * (256 + BOUNCE)) / 256) : a;
  b[VX] -= Math.trunc((j * nx) / n);
  b[VY] -= Math.trunc((j * ny) / n);
  return -a;
}
