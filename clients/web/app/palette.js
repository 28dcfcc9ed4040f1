// Colours of everything that is drawn. The own ship is ice; nobody else is.

export const OWN = '#6df3ff';
export const RED = '#ff6278';
export const BLUE = '#5fb0ff';
export const GOLD = '#ffd166';
export const GOOD = '#63f2a5';
export const BOOST = '#ff8df2';

/** Free for all: far from ice and from each other, by seat. */
const PILOTS = ['#ff6b81', '#ffa24d', '#ffd84d', '#b9f05a', '#5fe39b', '#c49bff', '#ff86dc', '#ff8a5c', '#e3ee8f', '#9aa6ff', '#f2b27e', '#7fe0c0'];

/**
 * @param {number} seat
 * @param {number} team 0 = none
 * @param {boolean} own
 */
export function pilotColor(seat, team, own) {
  if (team === 1) return RED;
  if (team === 2) return BLUE;
  return own ? OWN : PILOTS[(seat * 5) % PILOTS.length];
}

/** By type of pickup. */
export const PICKUPS = [GOOD, GOLD, BOOST];

/** @type {Map<string, string>} */
const mixed = new Map();

/**
 * The colour blended with another: part 0 is all of it, 1 all of the other.
 * @param {string} color #rrggbb
 * @param {string} other #rrggbb
 * @param {number} part
 */
export function mix(color, other, part) {
  const key = color + other + part;
  const known = mixed.get(key);
  if (known) return known;
  const a = parseInt(color.slice(1), 16);
  const b = parseInt(other.slice(1), 16);
  let v = 0;
  for (let shift = 16; shift >= 0; shift -= 8) {
    const x = (a >> shift) & 255;
    const y = (b >> shift) & 255;
    v = (v << 8) | Math.round(x + (y - x) * part);
  }
  const s = '#' + v.toString(16).padStart(6, '0');
  mixed.set(key, s);
  return s;
}

/** @type {Map<string, HTMLCanvasElement>} */
const glows = new Map();

/**
 * A soft round light of 128 px, to be drawn with 'lighter'.
 * @param {string} color
 */
export function glow(color) {
  let c = glows.get(color);
  if (c) return c;
  c = document.createElement('canvas');
  c.width = c.height = 128;
  const g = /** @type {CanvasRenderingContext2D} */ (c.getContext('2d'));
  const light = g.createRadialGradient(64, 64, 0, 64, 64, 64);
  light.addColorStop(0, color);
  light.addColorStop(0.22, color + '88');
  light.addColorStop(0.55, color + '22');
  light.addColorStop(1, color + '00');
  g.fillStyle = light;
  g.fillRect(0, 0, 128, 128);
  glows.set(color, c);
  return c;
}
