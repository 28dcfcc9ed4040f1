// Net graph: the connection in numbers and little rolling graphs.

const WIDTH = 256;
const ROW = 27;
const SAMPLES = 120;
const EVERY_MS = 100;

const FONT = '"Inter","Segoe UI","Roboto","Noto Sans","DejaVu Sans",system-ui,sans-serif';

/**
 * @typedef {object} Line
 * @property {string} name
 * @property {string} color
 * @property {number} least the graph's scale reaches this at least
 * @property {(s: import('/js/index.js').Stats, fps: number) => number} value
 * @property {(v: number) => string} show
 */

const ms = (/** @type {number} */ v) => v.toFixed(v < 10 ? 1 : 0) + ' ms';
const bytes = (/** @type {number} */ v) => (v < 1000 ? v.toFixed(0) + ' B/s' : (v / 1000).toFixed(1) + ' kB/s');
const plain = (/** @type {number} */ v) => v.toFixed(0);

/** @type {Line[]} */
const LINES = [
  { name: 'RTT', color: '#6df3ff', least: 40, value: (s) => s.rttMs, show: ms },
  { name: 'Jitter', color: '#ff8df2', least: 10, value: (s) => s.jitterMs, show: ms },
  { name: 'Snapshot age', color: '#ffd166', least: 60, value: (s) => s.ageMs, show: ms },
  { name: 'Interval', color: '#63f2a5', least: 50, value: (s) => s.intervalMs, show: ms },
  { name: 'Input lead', color: '#9aa6ff', least: 40, value: (s) => s.leadMs, show: ms },
  { name: 'In', color: '#5fb0ff', least: 8000, value: (s) => s.bytesInPerSecond, show: bytes },
  { name: 'Out', color: '#5fb0ff', least: 4000, value: (s) => s.bytesOutPerSecond, show: bytes },
  { name: 'Snapshots/s', color: '#63f2a5', least: 40, value: (s) => s.snapshotsPerSecond, show: plain },
  { name: 'Frames/s', color: '#eaf3ff', least: 70, value: (_, fps) => fps, show: plain },
];

export class NetGraph {
  #box;
  #canvas;
  #g;
  #samples = LINES.map(() => new Float32Array(SAMPLES));
  #at = 0;
  #last = 0;
  #ratio = 0;

  /**
   * @param {HTMLElement} box
   * @param {HTMLCanvasElement} canvas
   */
  constructor(box, canvas) {
    this.#box = box;
    this.#canvas = canvas;
    this.#g = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  }

  toggle() {
    this.#box.hidden = !this.#box.hidden;
  }

  /**
   * @param {import('/js/index.js').Stats} stats
   * @param {number} fps
   * @param {number} now ms
   * @param {number} ui
   */
  draw(stats, fps, now, ui) {
    if (now - this.#last < EVERY_MS) return;
    this.#last = now;
    this.#at = (this.#at + 1) % SAMPLES;
    for (let i = 0; i < LINES.length; i++) this.#samples[i][this.#at] = LINES[i].value(stats, fps);
    if (this.#box.hidden) return;
    const g = this.#g;
    const ratio = Math.min(3, (window.devicePixelRatio || 1) * ui);
    const height = LINES.length * ROW + 16;
    if (ratio !== this.#ratio) {
      this.#ratio = ratio;
      this.#canvas.width = WIDTH * ratio;
      this.#canvas.height = height * ratio;
      this.#canvas.style.width = WIDTH + 'px';
      this.#canvas.style.height = height + 'px';
    }
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    g.clearRect(0, 0, WIDTH, height);
    for (let i = 0; i < LINES.length; i++) this.#row(LINES[i], this.#samples[i], i * ROW);
    g.fillStyle = '#9db0d3';
    g.textAlign = 'left';
    g.fillText(`full ${stats.full} · deltas ${stats.delta} · resumed ${stats.resumes}`, 0, height - 4);
  }

  /**
   * @param {Line} line
   * @param {Float32Array} samples
   * @param {number} y
   */
  #row(line, samples, y) {
    const g = this.#g;
    g.font = '600 11px ' + FONT;
    g.textAlign = 'left';
    g.fillStyle = '#9db0d3';
    g.fillText(line.name, 0, y + 15);
    g.textAlign = 'right';
    g.fillStyle = '#eaf3ff';
    g.fillText(line.show(samples[this.#at]), WIDTH, y + 15);
    let most = line.least;
    for (let i = 0; i < SAMPLES; i++) most = Math.max(most, samples[i]);
    const left = 98;
    const w = WIDTH - left - 66;
    const h = ROW - 8;
    g.beginPath();
    for (let i = 0; i < SAMPLES; i++) {
      const v = samples[(this.#at + 1 + i) % SAMPLES];
      const px = left + (i / (SAMPLES - 1)) * w;
      const py = y + 3 + h - (v / most) * h;
      if (i === 0) g.moveTo(px, py);
      else g.lineTo(px, py);
    }
    g.strokeStyle = line.color;
    g.lineWidth = 1.3;
    g.lineJoin = 'round';
    g.stroke();
    g.lineTo(left + w, y + 3 + h);
    g.lineTo(left, y + 3 + h);
    g.fillStyle = line.color + '22';
    g.fill();
  }
}
