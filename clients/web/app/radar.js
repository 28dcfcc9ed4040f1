// Radar: the whole arena in a corner.

import { PICKUPS } from './palette.js';

const SIZE = 176;
const EVERY_MS = 50;

export class Radar {
  #canvas;
  #g;
  #last = 0;
  #ratio = 0;
  #version = -1;
  /** @type {import('./scene.js').Scene | null} */
  #scene = null;
  /** @type {Path2D | null} */
  #walls = null;

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#canvas = canvas;
    this.#g = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  }

  /**
   * @param {import('./scene.js').Scene} scene
   * @param {import('./camera.js').Camera} camera
   * @param {number} now ms
   */
  draw(scene, camera, now) {
    if (now - this.#last < EVERY_MS || scene.round.width === 0) return;
    this.#last = now;
    const g = this.#g;
    const { width, height } = scene.round;
    const k = SIZE / Math.max(width, height);
    const ratio = Math.min(3, (window.devicePixelRatio || 1) * camera.ui);
    if (ratio !== this.#ratio || this.#scene !== scene || this.#version !== scene.wallVersion) {
      this.#scene = scene;
      this.#ratio = ratio;
      this.#version = scene.wallVersion;
      this.#canvas.width = Math.round(width * k * ratio);
      this.#canvas.height = Math.round(height * k * ratio);
      this.#canvas.style.width = width * k + 'px';
      this.#canvas.style.height = height * k + 'px';
      this.#walls = new Path2D();
      for (let i = 0; i < scene.wallCount; i++) {
        const w = scene.walls;
        this.#walls.rect(w[4 * i] * k, w[4 * i + 1] * k, Math.max(1, w[4 * i + 2] * k), Math.max(1, w[4 * i + 3] * k));
      }
    }
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    g.clearRect(0, 0, SIZE, SIZE);
    g.fillStyle = 'rgba(130,168,255,.07)';
    g.fillRect(0, 0, width * k, height * k);
    g.fillStyle = 'rgba(140,178,255,.42)';
    if (this.#walls) g.fill(this.#walls);
    g.strokeStyle = 'rgba(234,243,255,.3)';
    g.lineWidth = 1;
    const w = (camera.width / camera.scale) * k;
    const h = (camera.height / camera.scale) * k;
    g.strokeRect(camera.x * k - w / 2, camera.y * k - h / 2, w, h);
    for (let i = 0; i < scene.pickupCount; i++) {
      g.fillStyle = PICKUPS[scene.pickups[4 * i + 2]] ?? '#fff';
      g.globalAlpha = 0.75;
      g.fillRect(scene.pickups[4 * i] * k - 1.5, scene.pickups[4 * i + 1] * k - 1.5, 3, 3);
    }
    g.globalAlpha = 1;
    for (const s of scene.list) {
      if (s.dead || s.own) continue;
      g.fillStyle = s.color;
      g.beginPath();
      g.arc(s.x * k, s.y * k, 2.6, 0, 2 * Math.PI);
      g.fill();
    }
    const own = scene.own;
    if (!own || own.dead) return;
    g.save();
    g.translate(own.x * k, own.y * k);
    g.rotate(own.aim);
    g.fillStyle = '#ffffff';
    g.beginPath();
    g.moveTo(6.5, 0);
    g.lineTo(-4.5, 4.5);
    g.lineTo(-2.5, 0);
    g.lineTo(-4.5, -4.5);
    g.fill();
    g.restore();
  }
}
