// Bolts and pickups.

import { glow, PICKUPS } from '../palette.js';

/**
 * With 'lighter', in arena units.
 * @param {CanvasRenderingContext2D} g
 * @param {import('../camera.js').Camera} camera
 * @param {import('../actors.js').Bolt[]} bolts
 */
export function drawBolts(g, camera, bolts) {
  g.lineCap = 'round';
  for (const b of bolts) {
    if (!camera.sees(b.x, b.y, 50)) continue;
    const dx = Math.cos(b.aim);
    const dy = Math.sin(b.aim);
    g.globalAlpha = 0.7;
    g.drawImage(glow(b.color), b.x - 22, b.y - 22, 44, 44);
    g.strokeStyle = b.color;
    g.globalAlpha = 0.3;
    g.lineWidth = 4.5;
    g.beginPath();
    g.moveTo(b.x - dx * 30, b.y - dy * 30);
    g.lineTo(b.x, b.y);
    g.stroke();
    g.globalAlpha = 1;
    g.lineWidth = 5;
    g.beginPath();
    g.moveTo(b.x - dx * 9, b.y - dy * 9);
    g.lineTo(b.x + dx * 5, b.y + dy * 5);
    g.stroke();
    g.strokeStyle = '#ffffff';
    g.lineWidth = 2;
    g.beginPath();
    g.moveTo(b.x - dx * 3, b.y - dy * 3);
    g.lineTo(b.x + dx * 5, b.y + dy * 5);
    g.stroke();
  }
  g.globalAlpha = 1;
}

const cross = new Path2D('M-2.5-8H2.5V-2.5H8V2.5H2.5V8H-2.5V2.5H-8V-2.5H-2.5Z');
const plate = new Path2D('M0-9L8-5.5V1C8 5 4.5 8 0 9.5C-4.5 8-8 5-8 1V-5.5Z');
const bolt = new Path2D('M2-10L-6 2H-0.5L-2 10L6-2H0.5Z');
const SIGNS = [cross, plate, bolt];
const FRAME = new Path2D('M0-19L16.5-9.5V9.5L0 19L-16.5 9.5V-9.5Z');

/**
 * In arena units.
 * @param {CanvasRenderingContext2D} g
 * @param {import('../camera.js').Camera} camera
 * @param {import('../scene.js').Scene} scene
 * @param {number} time seconds
 */
export function drawPickups(g, camera, scene, time) {
  const p = scene.pickups;
  for (let i = 0; i < scene.pickupCount; i++) {
    const x = p[4 * i];
    const y = p[4 * i + 1];
    const type = p[4 * i + 2];
    if (!camera.sees(x, y, 50)) continue;
    const color = PICKUPS[type] ?? '#ffffff';
    const beat = Math.sin(time * 2.6 + p[4 * i + 3]);
    g.save();
    g.translate(x, y);
    g.globalCompositeOperation = 'lighter';
    g.globalAlpha = 0.42 + 0.1 * beat;
    const r = 58 + 4 * beat;
    g.drawImage(glow(color), -r, -r, 2 * r, 2 * r);
    g.globalCompositeOperation = 'source-over';
    g.globalAlpha = 1;
    g.save();
    g.rotate(time * 0.5);
    g.fillStyle = 'rgba(6,11,24,.82)';
    g.fill(FRAME);
    g.lineJoin = 'round';
    g.lineWidth = 1.8;
    g.strokeStyle = color;
    g.stroke(FRAME);
    g.restore();
    g.fillStyle = color;
    const size = 1 + 0.06 * beat;
    g.scale(size, size);
    g.fill(SIGNS[type] ?? cross);
    g.restore();
  }
}
