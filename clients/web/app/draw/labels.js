// What is drawn in screen pixels above the arena: name tags, arrows to what is out of sight, the crosshair.

const FONT = '"Inter","Segoe UI","Roboto","Noto Sans","DejaVu Sans",system-ui,sans-serif';
const MOST_ARROWS = 8;
const ARROW_RANGE = 1700;

/**
 * @param {CanvasRenderingContext2D} g
 * @param {import('../camera.js').Camera} camera
 * @param {import('../scene.js').Scene} scene
 */
export function drawTags(g, camera, scene) {
  g.textAlign = 'center';
  g.textBaseline = 'alphabetic';
  const ui = camera.ui;
  g.font = `600 ${Math.round(12 * ui)}px ${FONT}`;
  const lift = 26 * camera.scale + 12;
  for (const s of scene.list) {
    if (s.dead || s.own || !camera.sees(s.x, s.y, 40)) continue;
    const x = camera.toScreenX(s.x);
    const y = camera.toScreenY(s.y) - lift;
    g.globalAlpha = s.lost ? 0.5 : 1;
    g.fillStyle = 'rgba(3,6,14,.75)';
    g.fillText(s.name, x + 1, y + 1);
    g.fillStyle = s.color;
    g.fillText(s.name, x, y);
    if (s.hp < 100 || s.armor > 0) bar(g, x, y + 5, s.hp / 100, s.color, ui);
  }
  g.globalAlpha = 1;
}

/**
 * @param {CanvasRenderingContext2D} g
 * @param {number} x middle
 * @param {number} y
 * @param {number} part
 * @param {string} color
 * @param {number} ui
 */
function bar(g, x, y, part, color, ui) {
  const w = 38 * ui;
  const h = 3 * ui;
  g.fillStyle = 'rgba(3,6,14,.8)';
  g.fillRect(x - w / 2 - 1, y - 1, w + 2, h + 2);
  g.fillStyle = part <= 0.3 ? '#ff6278' : color;
  g.fillRect(x - w / 2, y, w * part, h);
}

/** Re-used. @type {import('../actors.js').Ship[]} */
const far = [];

/**
 * @param {import('../actors.js').Ship} a
 * @param {import('../actors.js').Ship} b
 */
const nearest = (a, b) => a.far - b.far;

/**
 * How far from the edge an arrow stays: clear of the clock above and of the vitals below.
 * @param {number} x CSS pixels from the middle of the window
 * @param {boolean} below
 * @param {number} ui
 */
function insetAt(x, below, ui) {
  if (below) return Math.abs(x) < 270 * ui ? 118 * ui : 34;
  return Math.abs(x) < 120 * ui ? 88 * ui : 34;
}

/**
 * Arrows at the edge to the nearest ships out of sight.
 * @param {CanvasRenderingContext2D} g
 * @param {import('../camera.js').Camera} camera
 * @param {import('../scene.js').Scene} scene
 */
export function drawArrows(g, camera, scene) {
  const own = scene.own;
  if (!own || own.dead) return;
  far.length = 0;
  for (const s of scene.list) {
    if (s.own || s.dead || camera.sees(s.x, s.y, -10)) continue;
    s.far = Math.hypot(s.x - own.x, s.y - own.y);
    if (s.far < ARROW_RANGE) far.push(s);
  }
  far.sort(nearest);
  const cx = camera.width / 2;
  const cy = camera.height / 2;
  const ui = camera.ui;
  for (let i = 0; i < far.length && i < MOST_ARROWS; i++) {
    const s = far[i];
    const dx = camera.toScreenX(s.x) - cx;
    const dy = camera.toScreenY(s.y) - cy;
    const inset = insetAt(dx * (cy / Math.abs(dy || 1)), dy > 0, ui);
    const k = Math.min((cx - 34) / Math.abs(dx || 1), (cy - inset) / Math.abs(dy || 1));
    const near = 1 - s.far / ARROW_RANGE;
    g.save();
    g.translate(cx + dx * k, cy + dy * k);
    g.rotate(Math.atan2(dy, dx));
    g.globalAlpha = 0.3 + 0.65 * near;
    const z = (0.85 + 0.6 * near) * ui;
    g.scale(z, z);
    g.fillStyle = s.color;
    g.beginPath();
    g.moveTo(12, 0);
    g.lineTo(-7, 8.5);
    g.lineTo(-2.5, 0);
    g.lineTo(-7, -8.5);
    g.fill();
    g.strokeStyle = 'rgba(3,6,14,.8)';
    g.lineWidth = 1.4;
    g.stroke();
    g.restore();
  }
}

/**
 * @param {CanvasRenderingContext2D} g
 * @param {number} x
 * @param {number} y
 * @param {string} color
 * @param {number} rail how ready the rail is, 0…1
 * @param {number} hit 1 right after a hit, fading
 * @param {boolean} killed the hit destroyed it
 * @param {number} ui
 */
export function drawCrosshair(g, x, y, color, rail, hit, killed, ui) {
  g.save();
  g.translate(x, y);
  g.scale(ui, ui);
  g.lineCap = 'butt';
  g.lineWidth = 4;
  g.strokeStyle = 'rgba(3,6,14,.55)';
  ticks(g, 6, 13);
  g.lineWidth = 2;
  g.strokeStyle = '#ffffff';
  ticks(g, 6, 13);
  g.lineWidth = 2;
  g.strokeStyle = color;
  g.globalAlpha = rail >= 1 ? 0.95 : 0.5;
  g.beginPath();
  g.arc(0, 0, 18, -Math.PI / 2, -Math.PI / 2 + 2 * Math.PI * rail);
  g.stroke();
  if (hit > 0) {
    g.globalAlpha = hit;
    g.rotate(Math.PI / 4);
    g.strokeStyle = killed ? '#ff6278' : '#ffffff';
    g.lineWidth = killed ? 4 : 3;
    const out = 24 + 6 * (1 - hit);
    ticks(g, out - 11, out);
  }
  g.restore();
}

/**
 * @param {CanvasRenderingContext2D} g
 * @param {number} from
 * @param {number} to
 */
function ticks(g, from, to) {
  g.beginPath();
  g.moveTo(from, 0);
  g.lineTo(to, 0);
  g.moveTo(-from, 0);
  g.lineTo(-to, 0);
  g.moveTo(0, from);
  g.lineTo(0, to);
  g.moveTo(0, -from);
  g.lineTo(0, -to);
  g.stroke();
}
