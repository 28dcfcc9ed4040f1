// Ships, their flames, shields and trails.

import { glow, mix, BOOST, GOLD } from '../palette.js';
import { DASH, OVERDRIVE, SHIELDED } from '../actors.js';

/** Nose to +x; the game's ship has a radius of 14. */
export const HULL = 'M19 0L6 5L0 13L-11 15L-6 6L-10 0L-6-6L-11-15L0-13L6-5Z';
const hull = new Path2D(HULL);
const canopy = new Path2D('M10 0L2 2.8L-4 0L2-2.8Z');
const wings = new Path2D('M4 6L-6 11M4-6L-6-11');
const FULL = 2 * Math.PI;

/**
 * @param {CanvasRenderingContext2D} g in arena units
 * @param {import('../actors.js').Ship} s
 * @param {number} time seconds
 * @param {number} aim radians; of the own ship the local one
 */
export function drawShip(g, s, time, aim) {
  g.save();
  g.translate(s.x, s.y);
  flame(g, s, time);
  lights(g, s, time);
  g.rotate(aim);
  g.lineJoin = 'round';
  const flash = s.flash > 0 ? s.flash : 0;
  g.fillStyle = flash > 0.25 ? '#ffffff' : mix(s.color, '#0a1020', s.own ? 0.55 : 0.66);
  g.fill(hull);
  g.lineWidth = s.own ? 2 : 1.7;
  g.strokeStyle = s.color;
  g.stroke(hull);
  g.lineWidth = 1.1;
  g.globalAlpha = 0.7;
  g.stroke(wings);
  g.globalAlpha = 1;
  g.fillStyle = s.own ? '#ffffff' : mix(s.color, '#ffffff', 0.55);
  g.fill(canopy);
  g.restore();
}

/**
 * The own ship where the server has it: an outline.
 * @param {CanvasRenderingContext2D} g in arena units
 * @param {{x: number, y: number, aim: number}} ghost
 * @param {number} time seconds
 */
export function drawGhost(g, ghost, time) {
  g.save();
  g.translate(ghost.x, ghost.y);
  g.rotate(ghost.aim);
  g.lineJoin = 'round';
  g.lineWidth = 1.6;
  g.strokeStyle = '#ffffff';
  g.globalAlpha = 0.85;
  g.setLineDash(GHOST_DASH);
  g.lineDashOffset = -time * 12;
  g.stroke(hull);
  g.setLineDash(NO_DASH);
  g.restore();
}

const GHOST_DASH = [4, 3];

/**
 * @param {CanvasRenderingContext2D} g
 * @param {import('../actors.js').Ship} s
 * @param {number} time
 */
function flame(g, s, time) {
  if (s.flame < 0.05) return;
  const boosted = (s.flags & OVERDRIVE) !== 0;
  const long = s.flame * (22 + 5 * Math.sin(time * 61 + s.seat * 3)) * (boosted ? 1.35 : 1);
  const n = Math.hypot(s.flameX, s.flameY) || 1;
  const dx = s.flameX / n;
  const dy = s.flameY / n;
  const from = 9;
  const w = 5.6;
  g.globalCompositeOperation = 'lighter';
  const size = 34 + long;
  g.globalAlpha = 0.5 * Math.min(1, s.flame);
  const color = boosted ? BOOST : s.color;
  g.drawImage(glow(color), dx * (from + long * 0.35) - size / 2, dy * (from + long * 0.35) - size / 2, size, size);
  g.globalAlpha = 0.9;
  g.fillStyle = color;
  tongue(g, dx, dy, from, w, long);
  g.fillStyle = '#ffffff';
  tongue(g, dx, dy, from, w * 0.5, long * 0.55);
  g.globalAlpha = 1;
  g.globalCompositeOperation = 'source-over';
}

/**
 * @param {CanvasRenderingContext2D} g
 * @param {number} dx
 * @param {number} dy
 * @param {number} from
 * @param {number} w
 * @param {number} long
 */
function tongue(g, dx, dy, from, w, long) {
  g.beginPath();
  g.moveTo(dx * from - dy * w, dy * from + dx * w);
  g.quadraticCurveTo(dx * (from + long * 0.4) - dy * w, dy * (from + long * 0.4) + dx * w, dx * (from + long), dy * (from + long));
  g.quadraticCurveTo(dx * (from + long * 0.4) + dy * w, dy * (from + long * 0.4) - dx * w, dx * from + dy * w, dy * from - dx * w);
  g.fill();
}

/**
 * What surrounds the hull: the own ship's light, shield, armor, overdrive.
 * @param {CanvasRenderingContext2D} g
 * @param {import('../actors.js').Ship} s
 * @param {number} time
 */
function lights(g, s, time) {
  g.globalCompositeOperation = 'lighter';
  const r = s.own ? 62 : 40;
  g.globalAlpha = s.own ? 0.4 : 0.26;
  g.drawImage(glow(s.color), -r, -r, 2 * r, 2 * r);
  if (s.flags & OVERDRIVE) {
    g.globalAlpha = 0.5 + 0.18 * Math.sin(time * 12);
    g.drawImage(glow(BOOST), -44, -44, 88, 88);
  }
  if (s.flags & DASH) {
    g.globalAlpha = 0.8;
    g.drawImage(glow('#ffffff'), -40, -40, 80, 80);
  }
  g.globalCompositeOperation = 'source-over';
  if (s.own) {
    g.globalAlpha = 0.4;
    g.strokeStyle = '#ffffff';
    g.lineWidth = 1.1;
    g.beginPath();
    g.arc(0, 0, 26.5, 0, FULL);
    g.stroke();
  }
  if (s.armor > 0) {
    g.globalAlpha = 0.9;
    g.strokeStyle = GOLD;
    g.lineWidth = 1.8;
    g.beginPath();
    g.arc(0, 0, 23, -Math.PI / 2, -Math.PI / 2 + FULL * (s.armor / 50));
    g.stroke();
  }
  if (s.flags & SHIELDED) {
    g.globalAlpha = 0.5 + 0.25 * Math.sin(time * 9);
    g.strokeStyle = '#ffffff';
    g.lineWidth = 1.4;
    g.setLineDash([9, 6]);
    g.lineDashOffset = -time * 26;
    g.beginPath();
    g.arc(0, 0, 28, 0, FULL);
    g.stroke();
    g.setLineDash(NO_DASH);
    g.globalAlpha = 0.1;
    g.fillStyle = '#dff6ff';
    g.fill();
  }
  g.globalAlpha = 1;
}

/** @type {number[]} */
const NO_DASH = [];

const POINTS = 22;
const EVERY = 0.018;

/** Trails remember where ships were a moment ago. */
export class Trails {
  /** @type {Map<number, {x: Float32Array, y: Float32Array, hot: Float32Array, at: number, n: number, next: number}>} */
  #of = new Map();

  /**
   * @param {import('../scene.js').Scene} scene
   * @param {number} time seconds
   */
  update(scene, time) {
    for (const s of scene.list) {
      let t = this.#of.get(s.seat);
      if (!t) this.#of.set(s.seat, (t = { x: new Float32Array(POINTS), y: new Float32Array(POINTS), hot: new Float32Array(POINTS), at: 0, n: 0, next: 0 }));
      if (s.dead) t.n = 0;
      if (s.dead || time < t.next) continue;
      t.next = time + EVERY;
      if (t.n > 0 && Math.hypot(s.x - t.x[t.at], s.y - t.y[t.at]) > 160) t.n = 0;
      t.at = (t.at + 1) % POINTS;
      t.x[t.at] = s.x;
      t.y[t.at] = s.y;
      t.hot[t.at] = s.flags & DASH ? 1 : Math.min(0.4, s.flame * 0.26);
      t.n = Math.min(POINTS, t.n + 1);
    }
    if (this.#of.size > scene.ships.size) for (const seat of this.#of.keys()) if (!scene.ships.has(seat)) this.#of.delete(seat);
  }

  /**
   * With 'lighter', in arena units.
   * @param {CanvasRenderingContext2D} g
   * @param {import('../camera.js').Camera} camera
   * @param {import('../scene.js').Scene} scene
   */
  draw(g, camera, scene) {
    g.lineCap = 'butt';
    for (const s of scene.list) {
      const t = this.#of.get(s.seat);
      if (!t || t.n < 2 || !camera.sees(s.x, s.y, 260)) continue;
      g.strokeStyle = s.color;
      for (let i = 0; i + 1 < t.n; i++) {
        const a = (t.at - i + POINTS) % POINTS;
        const b = (t.at - i - 1 + POINTS) % POINTS;
        const f = 1 - i / POINTS;
        const alpha = f * f * t.hot[b] * 0.7;
        if (alpha < 0.02) continue;
        g.globalAlpha = alpha;
        g.lineWidth = 2 + 10 * f * t.hot[b];
        g.beginPath();
        g.moveTo(t.x[a], t.y[a]);
        g.lineTo(t.x[b], t.y[b]);
        g.stroke();
      }
    }
    g.globalAlpha = 1;
  }
}
