// A watcher turns what happens in a scene into light and sound.

/**
 * What appears, is hit and vanishes, as light and sound.
 * @param {Pick<import('./match.js').Stage, 'effects' | 'sound'>} stage
 * @param {(x: number, y: number, loud: number) => void} shake
 * @param {(seat: number) => boolean} [told] this ship's own shots were seen and heard already when they were fired
 * @returns {import('./scene.js').Watcher}
 */
export function watcher({ effects, sound }, shake, told = () => false) {
  return {
    boltBorn(b) {
      if (told(b.owner)) return;
      effects.light(b.x, b.y, 46, 0.1, b.color);
      sound.bolt(b.x, b.y);
    },
    boltGone(b) {
      effects.sparks(b.x, b.y, 7, b.color, 190, b.aim + Math.PI, 1);
      effects.light(b.x, b.y, 54, 0.16, b.color);
    },
    beam(x1, y1, x2, y2, color, owner, hit) {
      effects.beam(x1, y1, x2, y2, color);
      effects.light(x2, y2, 110, 0.3, color);
      effects.sparks(x2, y2, hit ? 26 : 14, color, 300, Math.atan2(y1 - y2, x1 - x2), 1.1);
      effects.ring(x2, y2, 2, hit ? 46 : 26, 0.3, 3, color);
      if (told(owner)) return;
      effects.light(x1, y1, 90, 0.2, color);
      sound.rail(x1, y1);
    },
    shipHit(s, damage) {
      effects.sparks(s.x, s.y, Math.min(24, 4 + (damage >> 1)), '#fff1cf', 240);
      effects.light(s.x, s.y, 70, 0.16, s.color);
    },
    shipDied(s) {
      effects.explosion(s.x, s.y, s.color, s.vx, s.vy);
      sound.boom(s.x, s.y);
      shake(s.x, s.y, 0.5);
    },
    shipBorn(s) {
      effects.ring(s.x, s.y, 90, 16, 0.5, 3, s.color);
      effects.light(s.x, s.y, 120, 0.4, s.color);
    },
    dashed(s) {
      effects.ring(s.x, s.y, 6, 44, 0.3, 3, s.color);
      effects.sparks(s.x, s.y, 12, s.color, 260, Math.atan2(-s.vy, -s.vx), 0.6);
      sound.dash(s.x, s.y);
    },
  };
}
