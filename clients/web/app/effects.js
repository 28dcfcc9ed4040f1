// Effects is all that flashes, flies and fades and has no meaning to the game: particles, rings, beams, numbers.
// Everything lives in arrays of a fixed size; when they are full the oldest goes.

import { glow } from './palette.js';

const PARTICLES = 1400;
const RINGS = 48;
const BEAMS = 48;
const NUMBERS = 32;

const SPARK = 0;
const LIGHT = 1;
const SHARD = 2;

const BEAM_LIFE = 0.42;
const NUMBER_LIFE = 0.8;

export class Effects {
  #x = new Float32Array(PARTICLES);
  #y = new Float32Array(PARTICLES);
  #vx = new Float32Array(PARTICLES);
  #vy = new Float32Array(PARTICLES);
  #life = new Float32Array(PARTICLES);
  #span = new Float32Array(PARTICLES);
  #size = new Float32Array(PARTICLES);
  #kind = new Uint8Array(PARTICLES);
  /** @type {string[]} */
  #color = new Array(PARTICLES).fill('#ffffff');
  #next = 0;

  #rings = Array.from({ length: RINGS }, () => ({ x: 0, y: 0, life: 0, span: 1, from: 0, to: 0, width: 1, color: '#ffffff' }));
  #nextRing = 0;
  #beams = Array.from({ length: BEAMS }, () => ({ x1: 0, y1: 0, x2: 0, y2: 0, life: 0, color: '#ffffff' }));
  #nextBeam = 0;
  #numbers = Array.from({ length: NUMBERS }, () => ({ x: 0, y: 0, life: 0, value: 0, text: '', seat: 0 }));
  #nextNumber = 0;

  /** @param {boolean} calm fewer particles */
  constructor(calm) {
    this.calm = calm;
    /** 0…1, fades by itself. */
    this.shake = 0;
  }

  /**
   * @param {number} kind
   * @param {number} x
   * @param {number} y
   * @param {number} vx
   * @param {number} vy
   * @param {number} span seconds
   * @param {number} size
   * @param {string} color
   */
  #add(kind, x, y, vx, vy, span, size, color) {
    const i = this.#next;
    this.#next = (i + 1) % PARTICLES;
    this.#kind[i] = kind;
    this.#x[i] = x;
    this.#y[i] = y;
    this.#vx[i] = vx;
    this.#vy[i] = vy;
    this.#life[i] = this.#span[i] = span;
    this.#size[i] = size;
    this.#color[i] = color;
  }

  /**
   * Sparks in a cone.
   * @param {number} x
   * @param {number} y
   * @param {number} n
   * @param {string} color
   * @param {number} speed
   * @param {number} angle middle of the cone
   * @param {number} spread half its width, π = all around
   */
  sparks(x, y, n, color, speed, angle = 0, spread = Math.PI) {
    if (this.calm) n >>= 1;
    for (let i = 0; i < n; i++) {
      const a = angle + (Math.random() * 2 - 1) * spread;
      const v = speed * (0.25 + Math.random() * 0.85);
      this.#add(SPARK, x, y, Math.cos(a) * v, Math.sin(a) * v, 0.18 + Math.random() * 0.34, 1 + Math.random() * 1.4, color);
    }
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {number} size
   * @param {number} span
   * @param {string} color
   */
  light(x, y, size, span, color) {
    this.#add(LIGHT, x, y, 0, 0, span, size, color);
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {number} from
   * @param {number} to
   * @param {number} span
   * @param {number} width
   * @param {string} color
   */
  ring(x, y, from, to, span, width, color) {
    const r = this.#rings[this.#nextRing];
    this.#nextRing = (this.#nextRing + 1) % RINGS;
    r.x = x;
    r.y = y;
    r.from = from;
    r.to = to;
    r.life = r.span = span;
    r.width = width;
    r.color = color;
  }

  /**
   * @param {number} x1
   * @param {number} y1
   * @param {number} x2
   * @param {number} y2
   * @param {string} color
   */
  beam(x1, y1, x2, y2, color) {
    const b = this.#beams[this.#nextBeam];
    this.#nextBeam = (this.#nextBeam + 1) % BEAMS;
    b.x1 = x1;
    b.y1 = y1;
    b.x2 = x2;
    b.y2 = y2;
    b.life = BEAM_LIFE;
    b.color = color;
    const dx = x2 - x1;
    const dy = y2 - y1;
    const long = Math.hypot(dx, dy);
    const n = Math.min(40, long / 18) * (this.calm ? 0.3 : 1);
    for (let i = 0; i < n; i++) {
      const f = Math.random();
      const side = (Math.random() - 0.5) * 46;
      this.#add(SPARK, x1 + dx * f, y1 + dy * f, (-dy / long) * side, (dx / long) * side, 0.25 + Math.random() * 0.5, 1, color);
    }
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {string} color
   * @param {number} vx of what breaks up
   * @param {number} vy
   */
  explosion(x, y, color, vx, vy) {
    this.light(x, y, 150, 0.34, '#ffffff');
    this.light(x, y, 260, 0.7, color);
    this.ring(x, y, 8, 120, 0.6, 5, color);
    this.ring(x, y, 4, 64, 0.38, 3, '#ffffff');
    this.sparks(x, y, 54, color, 430);
    this.sparks(x, y, 22, '#fff3d6', 260);
    const n = this.calm ? 5 : 12;
    for (let i = 0; i < n; i++) {
      const a = Math.random() * 2 * Math.PI;
      const v = 40 + Math.random() * 150;
      this.#add(SHARD, x, y, vx * 0.4 + Math.cos(a) * v, vy * 0.4 + Math.sin(a) * v, 0.6 + Math.random() * 0.7, 4 + Math.random() * 6, color);
    }
  }

  /**
   * Damage done by the own ship; hits on the same ship in a row add up.
   * @param {number} seat
   * @param {number} x
   * @param {number} y
   * @param {number} value
   */
  damage(seat, x, y, value) {
    for (const n of this.#numbers) {
      if (n.seat !== seat || n.life < NUMBER_LIFE * 0.45) continue;
      n.value += value;
      n.text = String(n.value);
      n.life = NUMBER_LIFE;
      n.x = x;
      n.y = y;
      return;
    }
    const n = this.#numbers[this.#nextNumber];
    this.#nextNumber = (this.#nextNumber + 1) % NUMBERS;
    n.seat = seat;
    n.x = x;
    n.y = y;
    n.value = value;
    n.text = String(value);
    n.life = NUMBER_LIFE;
  }

  /** @param {number} dt seconds */
  update(dt) {
    const slow = Math.exp(-3.2 * dt);
    for (let i = 0; i < PARTICLES; i++) {
      if (this.#life[i] <= 0) continue;
      this.#life[i] -= dt;
      this.#x[i] += this.#vx[i] * dt;
      this.#y[i] += this.#vy[i] * dt;
      this.#vx[i] *= slow;
      this.#vy[i] *= slow;
    }
    for (const r of this.#rings) if (r.life > 0) r.life -= dt;
    for (const b of this.#beams) if (b.life > 0) b.life -= dt;
    for (const n of this.#numbers) {
      if (n.life <= 0) continue;
      n.life -= dt;
      n.y -= 34 * dt;
    }
    this.shake = Math.max(0, this.shake - dt * 2.6);
  }

  /**
   * In arena units, with 'lighter'.
   * @param {CanvasRenderingContext2D} g
   */
  draw(g) {
    g.lineCap = 'round';
    for (const b of this.#beams) if (b.life > 0) drawBeam(g, b);
    for (const r of this.#rings) {
      if (r.life <= 0) continue;
      const f = 1 - r.life / r.span;
      const out = 1 - (1 - f) * (1 - f);
      g.globalAlpha = 1 - f;
      g.strokeStyle = r.color;
      g.lineWidth = r.width * (1 - f) + 0.4;
      g.beginPath();
      g.arc(r.x, r.y, r.from + (r.to - r.from) * out, 0, 2 * Math.PI);
      g.stroke();
    }
    let last = '';
    for (let i = 0; i < PARTICLES; i++) {
      if (this.#life[i] <= 0) continue;
      const f = this.#life[i] / this.#span[i];
      const color = this.#color[i];
      const x = this.#x[i];
      const y = this.#y[i];
      const size = this.#size[i];
      if (this.#kind[i] === LIGHT) {
        g.globalAlpha = f * f;
        g.drawImage(glow(color), x - size / 2, y - size / 2, size, size);
        continue;
      }
      if (color !== last) {
        g.strokeStyle = color;
        last = color;
      }
      g.globalAlpha = Math.min(1, f * 1.6);
      g.lineWidth = size * (this.#kind[i] === SHARD ? 0.3 : 0.5 + f * 0.5);
      g.beginPath();
      g.moveTo(x, y);
      if (this.#kind[i] === SHARD) {
        const a = f * 9 + size * 7;
        g.lineTo(x + Math.cos(a) * size * 1.6, y + Math.sin(a) * size * 1.6);
      } else g.lineTo(x - this.#vx[i] * 0.045, y - this.#vy[i] * 0.045);
      g.stroke();
    }
    g.globalAlpha = 1;
  }

  /**
   * Damage numbers, in screen pixels.
   * @param {CanvasRenderingContext2D} g
   * @param {import('./camera.js').Camera} camera
   */
  drawNumbers(g, camera) {
    g.textAlign = 'center';
    g.font = `800 ${Math.round(17 * camera.ui)}px ${FONT}`;
    for (const n of this.#numbers) {
      if (n.life <= 0) continue;
      g.globalAlpha = Math.min(1, (n.life / NUMBER_LIFE) * 2);
      const x = camera.toScreenX(n.x) + 20;
      const y = camera.toScreenY(n.y) - 22;
      g.fillStyle = 'rgba(3,6,14,.7)';
      g.fillText(n.text, x + 1, y + 1);
      g.fillStyle = '#ffffff';
      g.fillText(n.text, x, y);
    }
    g.globalAlpha = 1;
  }
}

const FONT = '"Inter","Segoe UI","Roboto","Noto Sans","DejaVu Sans",system-ui,sans-serif';

/**
 * @param {CanvasRenderingContext2D} g
 * @param {{x1: number, y1: number, x2: number, y2: number, life: number, color: string}} b
 */
function drawBeam(g, b) {
  const f = b.life / BEAM_LIFE;
  g.strokeStyle = b.color;
  g.beginPath();
  g.moveTo(b.x1, b.y1);
  g.lineTo(b.x2, b.y2);
  g.globalAlpha = 0.16 * f;
  g.lineWidth = 22 * f + 4;
  g.stroke();
  g.globalAlpha = 0.42 * f;
  g.lineWidth = 9 * f + 1;
  g.stroke();
  g.strokeStyle = '#ffffff';
  g.globalAlpha = f * f;
  g.lineWidth = 3.2 * f + 0.3;
  g.stroke();
}
