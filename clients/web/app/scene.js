// Scene is what is on the screen this frame: the rows of the view as objects that live on from frame to
// frame, so that what appears, changes and vanishes can be told from one to the next.

import { Bolt, DASH, Round, Ship } from './actors.js';

/** A standing's id is that and the seat. */
const FIRST_STANDING = 66816;

/** @typedef {import('/js/index.js').Table} Table */
/** @typedef {import('/js/index.js').Plan} Plan */

/**
 * What Scene reports to; all in arena units.
 * @typedef {object} Watcher
 * @property {(b: Bolt) => void} boltBorn
 * @property {(b: Bolt) => void} boltGone
 * @property {(x1: number, y1: number, x2: number, y2: number, color: string, owner: number, hit: number) => void} beam
 * @property {(s: Ship, damage: number) => void} shipHit
 * @property {(s: Ship) => void} shipDied
 * @property {(s: Ship) => void} shipBorn
 * @property {(s: Ship) => void} dashed
 */

/** @param {import('/js/index.js').Kind | undefined} kind */
function columns(kind) {
  /** @type {Record<string, number>} */
  const c = {};
  kind?.fields.forEach((f, i) => (c[f.name] = i));
  return c;
}

export class Scene {
  /** @type {Map<number, Ship>} every ship that has a row, dead or alive */
  ships = new Map();
  /** In a big match, by their standings: those too far away to be seen. They have no place. @type {Map<number, Ship>} */
  away = new Map();
  /** The same ships as a list, re-used: walking it makes no garbage. @type {Ship[]} */
  list = [];
  /** @type {Map<number, Bolt>} */
  bolts = new Map();
  /** @type {Bolt[]} */
  boltList = [];
  /** Flat: x, y, w, h. */
  walls = new Float64Array(0);
  wallCount = 0;
  /** Rises with each change of the walls or the size. */
  wallVersion = 0;
  /** Flat: x, y, type, id. */
  pickups = new Float64Array(4 * 96);
  pickupCount = 0;
  round = new Round();
  hasRound = false;
  ownSeat = 0;
  /** @type {Ship | null} */
  own = null;
  frame = 0;

  /** @type {Map<number, number>} beam id → frame in which it was last seen */
  #beams = new Map();
  /** @type {Bolt[]} */
  #spareBolts = [];
  /** @type {(string | undefined)[]} */
  #kinds;
  #ship;
  #bolt;
  #beam;
  #pickup;
  #wall;
  #roundColumns;
  #standing;
  #watcher;
  #aimStep;
  #primed = false;

  /**
   * @param {Plan} plan
   * @param {Watcher} watcher
   */
  constructor(plan, watcher) {
    const of = (/** @type {string} */ name) => plan.kinds[plan.kind(name)];
    this.#kinds = plan.kinds.map((k) => k.name);
    this.#ship = columns(of('ship'));
    this.#bolt = columns(of('bolt'));
    this.#beam = columns(of('beam'));
    this.#pickup = columns(of('pickup'));
    this.#wall = columns(of('wall'));
    this.#roundColumns = columns(of('round'));
    this.#standing = columns(of('standing'));
    this.#watcher = watcher;
    const ship = of('ship');
    const aim = this.#ship.aim ?? 0;
    this.#aimStep = ship ? (2 * Math.PI * ship.scale[aim]) / (ship.max[aim] - ship.min[aim] + 1) : 0;
  }

  /**
   * @param {Table} t
   * @param {number} dt seconds
   * @param {ReadonlyMap<number, import('/js/messages.js').Seat>} roster
   */
  update(t, dt, roster) {
    this.frame++;
    this.pickupCount = 0;
    this.list.length = 0;
    this.boltList.length = 0;
    let walls = 0;
    let changed = false;
    for (let i = 0; i < t.length; i++) {
      const v = t.values;
      const at = t.at[i];
      const kind = this.#kinds[t.kinds[i]];
      if (kind === 'ship') this.#readShip(t.ids[i], v, at, dt, roster);
      else if (kind === 'bolt') this.#readBolt(t.ids[i], v, at);
      else if (kind === 'beam') this.#readBeam(t.ids[i], v, at);
      else if (kind === 'pickup') this.#readPickup(t.ids[i], v, at);
      else if (kind === 'wall') changed = this.#readWall(walls++, v, at) || changed;
      else if (kind === 'round') changed = this.#readRound(v, at) || changed;
      else if (kind === 'standing') this.#readStanding(t.ids[i] - FIRST_STANDING, v, at, roster);
    }
    if (changed || walls !== this.wallCount) {
      this.wallCount = walls;
      this.wallVersion++;
    }
    this.#forget();
    this.own = this.ships.get(this.ownSeat) ?? null;
    this.#primed = true;
  }

  /**
   * @param {number} seat
   * @param {Float64Array} v
   * @param {number} at
   * @param {number} dt
   * @param {ReadonlyMap<number, import('/js/messages.js').Seat>} roster
   */
  #readShip(seat, v, at, dt, roster) {
    const c = this.#ship;
    let s = this.ships.get(seat);
    const x = v[at + c.x];
    const y = v[at + c.y];
    const flags = v[at + c.flags];
    const fresh = s === undefined;
    if (s === undefined) {
      s = new Ship(seat);
      this.ships.set(seat, s);
      s.x = x;
      s.y = y;
      s.flags = flags;
      s.hp = v[at + c.hp];
      s.armor = v[at + c.armor];
    }
    s.introduce(roster.get(seat), v[at + c.team], seat === this.ownSeat);
    const wasDead = s.dead;
    const hp = v[at + c.hp];
    const armor = v[at + c.armor];
    const damage = s.hp + s.armor - hp - armor;
    s.move(x, y, dt);
    s.aim = v[at + c.aim] * this.#aimStep;
    s.hp = hp;
    s.armor = armor;
    s.stands(v[at + c.score], v[at + c.kills], v[at + c.deaths]);
    const dashes = (flags & DASH) !== 0 && (s.flags & DASH) === 0;
    s.flags = flags;
    s.age += dt;
    s.flash = Math.max(0, s.flash - dt * 5);
    s.burn(dt);
    s.seen = this.frame;
    this.list.push(s);
    if (!this.#primed || fresh) return;
    if (s.dead && !wasDead) {
      this.#watcher.shipDied(s);
      s.age = 0;
    } else if (!s.dead && wasDead) {
      s.age = 0;
      s.vx = s.vy = 0;
      this.#watcher.shipBorn(s);
    } else if (damage > 0 && !s.dead) {
      s.flash = 1;
      this.#watcher.shipHit(s, damage);
    }
    if (dashes) this.#watcher.dashed(s);
  }

  /**
   * @param {number} seat
   * @param {Float64Array} v
   * @param {number} at
   * @param {ReadonlyMap<number, import('/js/messages.js').Seat>} roster
   */
  #readStanding(seat, v, at, roster) {
    if (this.ships.get(seat)?.seen === this.frame) return;
    const c = this.#standing;
    let s = this.away.get(seat);
    if (s === undefined) {
      s = new Ship(seat);
      this.away.set(seat, s);
    }
    s.introduce(roster.get(seat), v[at + c.team], false);
    s.stands(v[at + c.score], v[at + c.kills], v[at + c.deaths]);
    s.seen = this.frame;
  }

  /**
   * The ship of a seat, near or far.
   * @param {number} seat
   */
  pilot(seat) {
    return this.ships.get(seat) ?? this.away.get(seat);
  }

  /**
   * @param {number} id
   * @param {Float64Array} v
   * @param {number} at
   */
  #readBolt(id, v, at) {
    const c = this.#bolt;
    let b = this.bolts.get(id);
    const fresh = b === undefined;
    if (b === undefined) {
      b = this.#spareBolts.pop() ?? new Bolt();
      this.bolts.set(id, b);
    }
    b.x = v[at + c.x];
    b.y = v[at + c.y];
    b.aim = v[at + c.aim] * this.#aimStep;
    b.owner = v[at + c.owner];
    b.color = this.ships.get(b.owner)?.color ?? '#ffffff';
    b.seen = this.frame;
    this.boltList.push(b);
    if (fresh && this.#primed) this.#watcher.boltBorn(b);
  }

  /**
   * @param {number} id
   * @param {Float64Array} v
   * @param {number} at
   */
  #readBeam(id, v, at) {
    const c = this.#beam;
    const fresh = !this.#beams.has(id);
    this.#beams.set(id, this.frame);
    if (!fresh || !this.#primed) return;
    const owner = v[at + c.owner];
    const color = this.ships.get(owner)?.color ?? '#ffffff';
    this.#watcher.beam(v[at + c.x1], v[at + c.y1], v[at + c.x2], v[at + c.y2], color, owner, v[at + c.hit]);
  }

  /**
   * @param {number} id
   * @param {Float64Array} v
   * @param {number} at
   */
  #readPickup(id, v, at) {
    const c = this.#pickup;
    const n = this.pickupCount * 4;
    if (n + 4 > this.pickups.length) return;
    this.pickups[n] = v[at + c.x];
    this.pickups[n + 1] = v[at + c.y];
    this.pickups[n + 2] = v[at + c.type];
    this.pickups[n + 3] = id;
    this.pickupCount++;
  }

  /**
   * @param {number} i
   * @param {Float64Array} v
   * @param {number} at
   * @returns {boolean} it differs from the last frame's
   */
  #readWall(i, v, at) {
    const c = this.#wall;
    if (4 * i + 4 > this.walls.length) {
      const grown = new Float64Array(Math.max(64, this.walls.length * 2));
      grown.set(this.walls);
      this.walls = grown;
    }
    const w = this.walls;
    const n = 4 * i;
    const x = v[at + c.x];
    const y = v[at + c.y];
    const dx = v[at + c.w];
    const dy = v[at + c.h];
    if (w[n] === x && w[n + 1] === y && w[n + 2] === dx && w[n + 3] === dy) return false;
    w[n] = x;
    w[n + 1] = y;
    w[n + 2] = dx;
    w[n + 3] = dy;
    return true;
  }

  /**
   * @param {Float64Array} v
   * @param {number} at
   */
  #readRound(v, at) {
    const c = this.#roundColumns;
    const r = this.round;
    const width = v[at + c.width];
    const height = v[at + c.height];
    const changed = width !== r.width || height !== r.height;
    r.phase = v[at + c.phase];
    r.ends = v[at + c.ends];
    r.number = v[at + c.number];
    r.width = width;
    r.height = height;
    r.mode = v[at + c.mode];
    r.scoreLimit = v[at + c.score_limit];
    r.red = v[at + c.red];
    r.blue = v[at + c.blue];
    this.hasRound = true;
    return changed;
  }

  /** Lets go of what was not seen in this frame. */
  #forget() {
    this.bolts.forEach(this.#forgetBolt);
    this.#beams.forEach(this.#forgetBeam);
    this.ships.forEach(this.#forgetShip);
    this.away.forEach(this.#forgetAway);
  }

  #forgetBolt = (/** @type {Bolt} */ b, /** @type {number} */ id) => {
    if (b.seen === this.frame) return;
    this.bolts.delete(id);
    this.#watcher.boltGone(b);
    this.#spareBolts.push(b);
  };

  #forgetBeam = (/** @type {number} */ seen, /** @type {number} */ id) => {
    if (seen !== this.frame) this.#beams.delete(id);
  };

  #forgetAway = (/** @type {Ship} */ s, /** @type {number} */ seat) => {
    if (s.seen !== this.frame) this.away.delete(seat);
  };

  #forgetShip = (/** @type {Ship} */ s, /** @type {number} */ seat) => {
    if (s.seen !== this.frame) this.ships.delete(seat);
  };
}
