// Picture draws one frame from back to front.

import { Floor, drawWalls } from './floor.js';
import { Trails, drawGhost, drawShip } from './ships.js';
import { drawBolts, drawPickups } from './things.js';
import { drawArrows, drawCrosshair, drawTags } from './labels.js';

/** More pixels than these per CSS pixel cost more than they show. */
const MOST_RATIO = 2;

/**
 * @typedef {object} Aim
 * @property {number} x CSS pixels
 * @property {number} y
 * @property {number} angle radians, of the own ship
 * @property {number} rail how ready the rail is, 0…1
 * @property {number} hit 1 right after a hit, fading
 * @property {boolean} killed
 * @property {boolean} shown
 */

export class Picture {
  #canvas;
  #g;
  #ratio = 1;
  #floor = new Floor();
  #trails = new Trails();

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#canvas = canvas;
    this.#g = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d', { alpha: false }));
  }

  /** @param {import('../camera.js').Camera} camera */
  resize(camera) {
    this.#ratio = Math.min(MOST_RATIO, window.devicePixelRatio || 1);
    this.#canvas.width = Math.round(window.innerWidth * this.#ratio);
    this.#canvas.height = Math.round(window.innerHeight * this.#ratio);
    camera.resize(window.innerWidth, window.innerHeight);
    document.documentElement.style.setProperty('--ui', camera.ui.toFixed(3));
  }

  /**
   * @param {import('../scene.js').Scene} scene
   * @param {import('../camera.js').Camera} camera
   * @param {import('../effects.js').Effects} effects
   * @param {Aim} aim
   * @param {number} time seconds
   * @param {{x: number, y: number, aim: number} | null} [ghost] the own ship as the server has it
   */
  draw(scene, camera, effects, aim, time, ghost = null) {
    const g = this.#g;
    const r = this.#ratio;
    const k = camera.scale * r;
    g.setTransform(k, 0, 0, k, (camera.width / 2 - camera.x * camera.scale + camera.shakeX) * r, (camera.height / 2 - camera.y * camera.scale + camera.shakeY) * r);
    this.#floor.draw(g, camera, scene);
    drawWalls(g, camera, scene);
    drawPickups(g, camera, scene, time);
    this.#trails.update(scene, time);
    g.globalCompositeOperation = 'lighter';
    this.#trails.draw(g, camera, scene);
    drawBolts(g, camera, scene.boltList);
    g.globalCompositeOperation = 'source-over';
    for (const s of scene.list) {
      if (!s.dead && !s.own && camera.sees(s.x, s.y, 60)) drawShip(g, s, time, s.aim);
    }
    if (scene.own && !scene.own.dead) drawShip(g, scene.own, time, aim.shown ? aim.angle : scene.own.aim);
    if (ghost && scene.own && !scene.own.dead) drawGhost(g, ghost, time);
    g.globalCompositeOperation = 'lighter';
    effects.draw(g);
    g.globalCompositeOperation = 'source-over';
    g.setTransform(r, 0, 0, r, 0, 0);
    drawTags(g, camera, scene);
    effects.drawNumbers(g, camera);
    drawArrows(g, camera, scene);
    if (aim.shown) drawCrosshair(g, aim.x, aim.y, scene.own?.color ?? '#ffffff', aim.rail, aim.hit, aim.killed, camera.ui);
  }
}
