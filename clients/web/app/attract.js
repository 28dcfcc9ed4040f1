// Attract is what flies behind the start screen: a handful of ships on set courses that shoot now and then,
// drawn like a match. It speaks to nobody.

import { Interp, Kind, Plan, Table } from '/js/index.js';

const WIDTH = 2200;
const HEIGHT = 1300;
const SHIPS = 9;
const BOLTS = 40;
const WALLS = [
  [360, 300, 260, 46], [360, 346, 46, 170], [1580, 300, 260, 46], [1794, 346, 46, 170], [360, 954, 260, 46], [360, 784, 46, 170],
  [1580, 954, 260, 46], [1794, 784, 46, 170],
];

/**
 * @param {string} name
 * @param {string[]} fields
 */
function kind(name, fields) {
  return new Kind(name, fields.map((f) => ({
    name: f, type: 0, min: 0, max: f === 'aim' ? 65535 : 99999, scale: 1, interp: Interp.step, wrap: f === 'aim',
  })));
}

export const attractPlan = new Plan(
  [
    kind('ship', ['x', 'y', 'aim', 'hp', 'flags', 'score', 'kills', 'deaths', 'team', 'armor']),
    kind('bolt', ['x', 'y', 'aim', 'owner']),
    kind('wall', ['x', 'y', 'w', 'h']),
    kind('round', ['phase', 'ends', 'number', 'width', 'height', 'mode', 'score_limit', 'red', 'blue']),
  ],
  kind('input', []), null, [],
);

export class Attract {
  table = new Table();
  #time = 40;
  #bolts = Array.from({ length: BOLTS }, (_, i) => ({ id: 1000 + i, x: 0, y: 0, a: 0, owner: 0, life: 0 }));
  #next = 0;
  #wait = new Float64Array(SHIPS);

  /** @param {number} dt seconds */
  step(dt) {
    this.#time += dt;
    const t = this.table;
    t.length = 0;
    let used = 0;
    const row = (/** @type {number} */ id, /** @type {number} */ k, /** @type {number} */ n) => {
      t.ids[t.length] = id;
      t.kinds[t.length] = k;
      t.at[t.length++] = used;
      used += n;
      return used - n;
    };
    if (t.ids.length < 128) {
      t.ids = new Uint32Array(128);
      t.kinds = new Uint8Array(128);
      t.at = new Int32Array(128);
      t.values = new Float64Array(1024);
    }
    const v = t.values;
    for (let i = 0; i < SHIPS; i++) {
      const w = this.#time * (0.16 + 0.012 * i);
      const x = WIDTH / 2 + Math.cos(w + i * 2.1) * (330 + 70 * (i % 4)) + Math.cos(w * 2.3 + i) * 180;
      const y = HEIGHT / 2 + Math.sin(w * 1.3 + i * 1.7) * (190 + 50 * (i % 5)) + Math.sin(w * 2.9 + i) * 110;
      const to = (i + 1 + Math.floor(this.#time / 5)) % SHIPS;
      const aim = w * 2.2 + i + Math.sin(w * 3 + to);
      const at = row(i + 1, 0, 10);
      v.fill(0, at, at + 10);
      v[at] = x;
      v[at + 1] = y;
      v[at + 2] = ((aim / (2 * Math.PI)) * 65536) & 0xffff;
      v[at + 3] = 100;
      v[at + 4] = 1;
      this.#wait[i] -= dt;
      if (this.#wait[i] > 0) continue;
      this.#wait[i] = Math.random() < 0.7 ? 0.17 : 1.4 + Math.random() * 2;
      const b = this.#bolts[this.#next++ % BOLTS];
      b.x = x + Math.cos(aim) * 20;
      b.y = y + Math.sin(aim) * 20;
      b.a = aim;
      b.owner = i + 1;
      b.life = 1.5;
    }
    for (const b of this.#bolts) {
      if (b.life <= 0) continue;
      b.life -= dt;
      b.x += Math.cos(b.a) * 540 * dt;
      b.y += Math.sin(b.a) * 540 * dt;
      if (b.life <= 0 || inWall(b.x, b.y)) {
        b.life = 0;
        continue;
      }
      const at = row(b.id, 1, 4);
      v[at] = b.x;
      v[at + 1] = b.y;
      v[at + 2] = ((b.a / (2 * Math.PI)) * 65536) & 0xffff;
      v[at + 3] = b.owner;
    }
    for (let i = 0; i < WALLS.length; i++) {
      const at = row(5000 + i, 2, 4);
      for (let k = 0; k < 4; k++) v[at + k] = WALLS[i][k];
    }
    const at = row(6000, 3, 9);
    v.fill(0, at, at + 9);
    v[at] = 1;
    v[at + 3] = WIDTH;
    v[at + 4] = HEIGHT;
  }

  /**
   * The camera drifts.
   * @param {import('./camera.js').Camera} camera
   * @param {number} dt
   */
  look(camera, dt) {
    const a = this.#time * 0.07;
    camera.follow(WIDTH / 2 + Math.cos(a) * 220, HEIGHT / 2 + Math.sin(a * 1.4) * 130, 0, 0, WIDTH, HEIGHT, dt);
  }
}

/**
 * @param {number} x
 * @param {number} y
 */
function inWall(x, y) {
  for (const [wx, wy, w, h] of WALLS) if (x > wx && x < wx + w && y > wy && y < wy + h) return true;
  return x < 0 || y < 0 || x > WIDTH || y > HEIGHT;
}
