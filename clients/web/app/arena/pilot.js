// Pilot is what the arena tells the SDK's Predictor: how the own ship moves, and what the server last said of it. Walls,
// dashes, overdrive and the caps of speed are predicted; other ships, pushes by shots and spawns are not.

import { UNIT, length } from './fixed.js';
import { DASH, Ground, MOVING, Movement, OVERDRIVE, VX, VY, X, Y, ticks } from './movement.js';

/** The pickup of overdrive that the body has just taken by itself, until the server has taken it away. */
const TAKEN = MOVING;
const SIZE = MOVING + 1;

const OVERDRIVE_TIME = 8000;
const OVERDRIVE_TYPE = 2;
const PICKUP_REACH = (14 + 16) * UNIT;
const INTERMISSION = 2;
/** Rows carry 1/8 unit. */
const ROW = UNIT / 8;

/** @typedef {import('/js/index.js').Plan} Plan */
/** @typedef {import('/js/index.js').State} State */

/**
 * Positions of fields by their names.
 * @param {import('/js/index.js').Kind | null | undefined} kind
 */
export function places(kind) {
  /** @type {Record<string, number>} */
  const at = {};
  kind?.fields.forEach((f, i) => (at[f.name] = i));
  return at;
}

export class Pilot {
  size = SIZE;
  smooth = [X, Y];
  /** A ship that is off by more than this jumps: eight times its radius. */
  snap = 112 * UNIT;
  ground = new Ground();
  movement;

  #self;
  #input;
  #wall;
  #pickup;
  #round;
  #wallKind;
  #pickupKind;
  #roundKind;
  #phase = 0;
  #boost;
  /** Flat: id, x, y of the pickups of overdrive that lie ready. */
  #boosts = new Int32Array(3 * 64);
  #boostCount = 0;

  /**
   * @param {Plan} plan of the arena
   * @param {number} tickRate Hz
   */
  constructor(plan, tickRate) {
    this.movement = new Movement(tickRate);
    this.#boost = ticks(OVERDRIVE_TIME, tickRate);
    this.#self = places(plan.private);
    this.#input = places(plan.input);
    this.#wallKind = plan.kind('wall');
    this.#pickupKind = plan.kind('pickup');
    this.#roundKind = plan.kind('round');
    this.#wall = places(plan.kinds[this.#wallKind]);
    this.#pickup = places(plan.kinds[this.#pickupKind]);
    this.#round = places(plan.kinds[this.#roundKind]);
  }

  /**
   * Whether this game's own ship can be predicted by this code at all.
   * @param {Plan} plan
   */
  static knows(plan) {
    const self = places(plan.private);
    const input = places(plan.input);
    return ['x', 'y', 'vx', 'vy', 'dash', 'overdrive', 'respawn'].every((f) => f in self)
      && ['ax', 'ay', 'aim', 'buttons'].every((f) => f in input)
      && ['ship', 'wall', 'pickup', 'round'].every((k) => plan.kind(k) >= 0);
  }

  /**
   * @param {Int32Array} body
   * @param {Int32Array} input
   */
  step(body, input) {
    const at = this.#input;
    this.movement.move(body, input[at.ax], input[at.ay], input[at.aim], input[at.buttons], this.ground);
    this.#collect(body);
  }

  /**
   * A pickup of overdrive is taken when it is touched, unless another ship is quicker.
   * @param {Int32Array} b
   */
  #collect(b) {
    if (this.#phase === INTERMISSION) return;
    const p = this.#boosts;
    let there = false;
    for (let i = 0; i < 3 * this.#boostCount; i += 3) {
      if (p[i] === b[TAKEN]) {
        there = true;
        continue;
      }
      const dx = b[X] - p[i + 1];
      const dy = b[Y] - p[i + 2];
      if (Math.abs(dx) >= PICKUP_REACH || Math.abs(dy) >= PICKUP_REACH || length(dx, dy) >= PICKUP_REACH) continue;
      b[OVERDRIVE] = this.#boost;
      b[TAKEN] = p[i];
      there = true;
    }
    if (!there) b[TAKEN] = 0;
  }

  /**
   * @param {Int32Array} body
   * @param {State} state
   */
  read(body, state) {
    if (!state.hasPrivate) return false;
    this.#look(state);
    const v = state.private;
    const at = this.#self;
    if (v[at.respawn] > 0 || this.ground.width === 0) return false;
    body[X] = v[at.x];
    body[Y] = v[at.y];
    body[VX] = v[at.vx];
    body[VY] = v[at.vy];
    body[DASH] = v[at.dash];
    body[OVERDRIVE] = v[at.overdrive];
    body[TAKEN] = 0;
    return true;
  }

  /**
   * @param {Int32Array} a
   * @param {Int32Array} b
   */
  equal(a, b) {
    for (let i = 0; i < MOVING; i++) if (a[i] !== b[i]) return false;
    return true;
  }

  /**
   * Takes over the ground from a state's rows.
   * @param {State} state
   */
  #look({ rows }) {
    const { ground } = this;
    const { values } = rows;
    ground.count = 0;
    this.#boostCount = 0;
    for (let i = 0; i < rows.length; i++) {
      const kind = rows.kinds[i];
      const at = rows.at[i];
      if (kind === this.#wallKind) {
        const w = this.#wall;
        ground.grow();
        const n = 4 * ground.count++;
        ground.walls[n] = values[at + w.x] * ROW;
        ground.walls[n + 1] = values[at + w.y] * ROW;
        ground.walls[n + 2] = values[at + w.w] * ROW;
        ground.walls[n + 3] = values[at + w.h] * ROW;
      } else if (kind === this.#roundKind) {
        const r = this.#round;
        this.#phase = values[at + r.phase];
        ground.width = values[at + r.width] * UNIT;
        ground.height = values[at + r.height] * UNIT;
      } else if (kind === this.#pickupKind && values[at + this.#pickup.type] === OVERDRIVE_TYPE && this.#boostCount < 64) {
        const n = 3 * this.#boostCount++;
        this.#boosts[n] = rows.ids[i];
        this.#boosts[n + 1] = values[at + this.#pickup.x] * ROW;
        this.#boosts[n + 2] = values[at + this.#pickup.y] * ROW;
      }
    }
  }

  /**
   * Where and how a drawn body is, in the units of the rows.
   * @param {ArrayLike<number>} drawn
   * @param {{x: number, y: number, dash: boolean, overdrive: boolean}} out
   */
  tell(drawn, out) {
    out.x = drawn[X] / UNIT;
    out.y = drawn[Y] / UNIT;
    out.dash = this.movement.dashing(drawn);
    out.overdrive = drawn[OVERDRIVE] > 0;
  }

  /**
   * Puts the predicted times into a private row.
   * @param {ArrayLike<number>} drawn
   * @param {Int32Array} self
   * @param {Record<string, number>} at places in it
   */
  count(drawn, self, at) {
    self[at.dash] = drawn[DASH];
    self[at.overdrive] = drawn[OVERDRIVE];
  }
}
