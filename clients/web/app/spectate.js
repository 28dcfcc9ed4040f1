// What a spectator, or who waits to be back in play, looks at.

import { byId } from './dom.js';

/** @typedef {import('./match.js').Match} Match */
/** @typedef {import('./scene.js').Scene} Scene */

/**
 * @param {Match} m
 * @param {Scene} scene
 */
export function watching(m, scene) {
  const b = byId('watching').querySelector('b');
  const s = scene.ships.get(m.followed);
  const text = s ? s.name : 'Overview';
  if (b && b.textContent !== text) {
    b.textContent = text;
    b.style.color = s?.color ?? '';
  }
}

/**
 * The next or the previous ship for a spectator.
 * @param {Match} m
 * @param {Scene} scene
 * @param {number} step 1 or −1
 */
export function follow(m, scene, step) {
  const seats = [...scene.ships.keys()].sort((a, b) => a - b);
  if (seats.length === 0) return;
  const i = seats.indexOf(m.followed);
  m.followed = seats[i < 0 ? (step > 0 ? 0 : seats.length - 1) : (i + step + seats.length) % seats.length];
}

/**
 * A click chooses the ship next to it, or none.
 * @param {Match} m
 * @param {import('./camera.js').Camera} camera
 * @param {MouseEvent} e
 */
export function pick(m, camera, e) {
  const { scene } = m;
  if (!m.spectating || !scene) return;
  let best = 60;
  m.followed = 0;
  for (const s of scene.ships.values()) {
    const d = Math.hypot(camera.toScreenX(s.x) - e.clientX, camera.toScreenY(s.y) - e.clientY);
    if (d < best) {
      best = d;
      m.followed = s.seat;
    }
  }
}
