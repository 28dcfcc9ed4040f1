// The arena's floor, its border and its walls. Walls stand up: their tops lie a little nearer to the camera.

/** Height of a wall's top as a part of the distance to the camera. */
const RISE = 0.036;
const GRID = 60;
const STARS = 220;
const STAR_TILE = 1400;

export class Floor {
  #lightWidth = 0;
  #lightHeight = 0;
  /** @type {HTMLCanvasElement | null} a coarse picture of the floor's light */
  #light = null;
  #starX = new Float32Array(STARS);
  #starY = new Float32Array(STARS);
  #starSize = new Float32Array(STARS);

  constructor() {
    let seed = 7;
    const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
    for (let i = 0; i < STARS; i++) {
      this.#starX[i] = random() * STAR_TILE;
      this.#starY[i] = random() * STAR_TILE;
      this.#starSize[i] = 0.5 + random() * random() * 1.6;
    }
  }

  /**
   * @param {CanvasRenderingContext2D} g in arena units
   * @param {import('../camera.js').Camera} camera
   * @param {import('../scene.js').Scene} scene
   */
  draw(g, camera, scene) {
    const { width, height } = scene.round;
    const halfX = camera.width / 2 / camera.scale;
    const halfY = camera.height / 2 / camera.scale;
    const left = camera.x - halfX - 20;
    const top = camera.y - halfY - 20;
    const right = camera.x + halfX + 20;
    const bottom = camera.y + halfY + 20;
    g.fillStyle = '#04060c';
    g.fillRect(left, top, right - left, bottom - top);
    this.#stars(g, camera, left, top, right, bottom);
    if (width === 0) return;
    if (this.#lightWidth !== width || this.#lightHeight !== height) {
      this.#lightWidth = width;
      this.#lightHeight = height;
      this.#light = light(width, height);
    }
    const x1 = Math.max(0, left);
    const y1 = Math.max(0, top);
    const x2 = Math.min(width, right);
    const y2 = Math.min(height, bottom);
    if (x2 > x1 && y2 > y1) {
      if (this.#light) {
        const k = this.#light.width / width;
        g.drawImage(this.#light, x1 * k, y1 * k, (x2 - x1) * k, (y2 - y1) * k, x1, y1, x2 - x1, y2 - y1);
      }
      grid(g, x1, y1, x2, y2, camera.scale);
    }
    border(g, width, height, camera.scale);
  }

  /**
   * Far stars, which follow the camera by a part.
   * @param {CanvasRenderingContext2D} g
   * @param {import('../camera.js').Camera} camera
   * @param {number} left
   * @param {number} top
   * @param {number} right
   * @param {number} bottom
   */
  #stars(g, camera, left, top, right, bottom) {
    g.fillStyle = '#8fa8e0';
    for (let i = 0; i < STARS; i++) {
      const depth = 0.35 + 0.4 * ((i % 5) / 5);
      const ox = camera.x * depth;
      const oy = camera.y * depth;
      const size = this.#starSize[i];
      g.globalAlpha = 0.18 + 0.3 * (size / 2);
      let x = this.#starX[i] + ox;
      x = left + ((((x - left) % STAR_TILE) + STAR_TILE) % STAR_TILE);
      let y = this.#starY[i] + oy;
      y = top + ((((y - top) % STAR_TILE) + STAR_TILE) % STAR_TILE);
      if (x < right && y < bottom) g.fillRect(x, y, size, size);
    }
    g.globalAlpha = 1;
  }
}

/**
 * @param {number} width
 * @param {number} height
 */
function light(width, height) {
  const c = document.createElement('canvas');
  const k = Math.min(1, 512 / Math.max(width, height));
  c.width = Math.max(1, Math.round(width * k));
  c.height = Math.max(1, Math.round(height * k));
  const g = c.getContext('2d');
  if (!g) return null;
  g.scale(c.width / width, c.height / height);
  g.fillStyle = '#0b1122';
  g.fillRect(0, 0, width, height);
  const pools = [
    [0.2, 0.26, 0.42, '30,76,150', 0.46], [0.8, 0.74, 0.44, '74,48,150', 0.42], [0.76, 0.2, 0.34, '18,104,124', 0.36],
    [0.22, 0.82, 0.36, '120,40,96', 0.3], [0.5, 0.5, 0.3, '40,70,140', 0.26],
  ];
  for (const [x, y, r, color, strength] of pools) {
    const cx = Number(x) * width;
    const cy = Number(y) * height;
    const radius = Number(r) * Math.max(width, height);
    const p = g.createRadialGradient(cx, cy, 0, cx, cy, radius);
    p.addColorStop(0, `rgba(${color},${strength})`);
    p.addColorStop(1, `rgba(${color},0)`);
    g.fillStyle = p;
    g.fillRect(0, 0, width, height);
  }
  return c;
}

/**
 * @param {CanvasRenderingContext2D} g
 * @param {number} x1
 * @param {number} y1
 * @param {number} x2
 * @param {number} y2
 * @param {number} scale
 */
function grid(g, x1, y1, x2, y2, scale) {
  const hair = 1 / scale;
  g.lineWidth = hair;
  if (scale > 0.5) {
    g.strokeStyle = 'rgba(130,168,255,.06)';
    g.beginPath();
    lines(g, x1, y1, x2, y2, GRID, true);
    g.stroke();
  }
  g.strokeStyle = 'rgba(130,168,255,.11)';
  g.beginPath();
  lines(g, x1, y1, x2, y2, GRID * 4, false);
  g.stroke();
  g.strokeStyle = 'rgba(160,196,255,.36)';
  g.lineWidth = 1.3 * Math.max(hair, 0.9);
  g.beginPath();
  const step = GRID * 4;
  for (let x = Math.ceil(x1 / step) * step; x <= x2; x += step) {
    for (let y = Math.ceil(y1 / step) * step; y <= y2; y += step) {
      g.moveTo(x - 6, y);
      g.lineTo(x + 6, y);
      g.moveTo(x, y - 6);
      g.lineTo(x, y + 6);
    }
  }
  g.stroke();
}

/**
 * @param {CanvasRenderingContext2D} g
 * @param {number} x1
 * @param {number} y1
 * @param {number} x2
 * @param {number} y2
 * @param {number} step
 * @param {boolean} fine leaves out each fourth line
 */
function lines(g, x1, y1, x2, y2, step, fine) {
  for (let i = Math.ceil(x1 / step); i * step <= x2; i++) {
    if (fine && i % 4 === 0) continue;
    g.moveTo(i * step, y1);
    g.lineTo(i * step, y2);
  }
  for (let i = Math.ceil(y1 / step); i * step <= y2; i++) {
    if (fine && i % 4 === 0) continue;
    g.moveTo(x1, i * step);
    g.lineTo(x2, i * step);
  }
}

/**
 * @param {CanvasRenderingContext2D} g
 * @param {number} width
 * @param {number} height
 * @param {number} scale
 */
function border(g, width, height, scale) {
  const hair = Math.max(1, 1 / scale);
  g.lineJoin = 'miter';
  g.strokeStyle = 'rgba(96,150,255,.1)';
  g.lineWidth = 26;
  g.strokeRect(-13, -13, width + 26, height + 26);
  g.strokeStyle = 'rgba(96,150,255,.22)';
  g.lineWidth = 8 * hair;
  g.strokeRect(-2, -2, width + 4, height + 4);
  g.strokeStyle = '#a9c8ff';
  g.lineWidth = 1.8 * hair;
  g.strokeRect(0, 0, width, height);
}

/**
 * @param {CanvasRenderingContext2D} g
 * @param {import('../camera.js').Camera} camera
 * @param {import('../scene.js').Scene} scene
 */
export function drawWalls(g, camera, scene) {
  const w = scene.walls;
  const hair = Math.max(1, 1 / camera.scale);
  g.lineJoin = 'miter';
  for (let pass = 0; pass < 2; pass++) {
    for (let i = 0; i < scene.wallCount; i++) {
      const x = w[4 * i];
      const y = w[4 * i + 1];
      const dx = w[4 * i + 2];
      const dy = w[4 * i + 3];
      if (!camera.sees(x + dx / 2, y + dy / 2, (dx + dy) / 2 + 60)) continue;
      const ax = x + (x - camera.x) * RISE;
      const ay = y + (y - camera.y) * RISE;
      const bx = x + dx + (x + dx - camera.x) * RISE;
      const by = y + dy + (y + dy - camera.y) * RISE;
      if (pass === 0) sides(g, x, y, x + dx, y + dy, ax, ay, bx, by, hair);
      else roof(g, ax, ay, bx, by, hair);
    }
  }
}

/**
 * @param {CanvasRenderingContext2D} g
 * @param {number} x1
 * @param {number} y1
 * @param {number} x2
 * @param {number} y2
 * @param {number} ax
 * @param {number} ay
 * @param {number} bx
 * @param {number} by
 * @param {number} hair
 */
function sides(g, x1, y1, x2, y2, ax, ay, bx, by, hair) {
  g.fillStyle = '#060a15';
  g.fillRect(x1, y1, x2 - x1, y2 - y1);
  g.fillStyle = '#1b2c63';
  quad(g, x1, y1, x2, y1, bx, ay, ax, ay);
  g.fillStyle = '#14224f';
  quad(g, x1, y2, x2, y2, bx, by, ax, by);
  g.fillStyle = '#172757';
  quad(g, x1, y1, x1, y2, ax, by, ax, ay);
  quad(g, x2, y1, x2, y2, bx, by, bx, ay);
  g.strokeStyle = 'rgba(120,170,255,.4)';
  g.lineWidth = hair;
  g.strokeRect(x1, y1, x2 - x1, y2 - y1);
  g.beginPath();
  g.moveTo(x1, y1);
  g.lineTo(ax, ay);
  g.moveTo(x2, y1);
  g.lineTo(bx, ay);
  g.moveTo(x2, y2);
  g.lineTo(bx, by);
  g.moveTo(x1, y2);
  g.lineTo(ax, by);
  g.stroke();
}

/**
 * @param {CanvasRenderingContext2D} g
 * @param {number} ax
 * @param {number} ay
 * @param {number} bx
 * @param {number} by
 * @param {number} hair
 */
function roof(g, ax, ay, bx, by, hair) {
  g.fillStyle = '#1c2c5e';
  g.fillRect(ax, ay, bx - ax, by - ay);
  const inset = Math.min(9, (bx - ax) / 3, (by - ay) / 3);
  g.fillStyle = '#131f45';
  g.fillRect(ax + inset, ay + inset, bx - ax - 2 * inset, by - ay - 2 * inset);
  g.strokeStyle = 'rgba(120,170,255,.28)';
  g.lineWidth = 5 * hair;
  g.strokeRect(ax, ay, bx - ax, by - ay);
  g.strokeStyle = '#9dc0ff';
  g.lineWidth = 1.5 * hair;
  g.strokeRect(ax, ay, bx - ax, by - ay);
}

/**
 * @param {CanvasRenderingContext2D} g
 * @param {number} ax
 * @param {number} ay
 * @param {number} bx
 * @param {number} by
 * @param {number} cx
 * @param {number} cy
 * @param {number} dx
 * @param {number} dy
 */
function quad(g, ax, ay, bx, by, cx, cy, dx, dy) {
  g.beginPath();
  g.moveTo(ax, ay);
  g.lineTo(bx, by);
  g.lineTo(cx, cy);
  g.lineTo(dx, dy);
  g.fill();
}
