// NetGraph draws the connection in numbers and little rolling graphs.

const WIDTH = 256;
const ROW = 22;
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
 * @property {boolean} [change] the graph shows what was added, the number all of it
 */

const ms = (/** @type {number} */ v) => v.toFixed(v < 10 ? 1 : 0) + ' ms';
const bytes = (/** @type {number} */ v) => (v < 1000 ? v.toFixed(0) + ' B/s' : (v / 1000).toFixed(1) + ' kB/s');
const plain = (/** @type {number} */ v) => v.toFixed(0);

/** @type {Line[]} */
const LINES = [
  { name: 'Round trip', color: '#6df3ff', least: 40, value: (s) => s.rttMs, show: ms },
  { name: 'Jitter', color: '#ff8df2', least: 10, value: (s) => s.jitterMs, show: ms },
  { name: 'Input lead', color: '#9aa6ff', least: 40, value: (s) => s.leadMs, show: ms },
  { name: 'Snapshot age', color: '#ffd166', least: 60, value: (s) => s.ageMs, show: ms },
  { name: 'View delay', color: '#ffa24d', least: 60, value: (s) => s.delayMs, show: ms },
  { name: 'Down', color: '#5fb0ff', least: 8000, value: (s) => s.bytesInPerSecond, show: bytes },
  { name: 'Up', color: '#5fb0ff', least: 4000, value: (s) => s.bytesOutPerSecond, show: bytes },
  { name: 'Snapshots', color: '#63f2a5', least: 40, value: (s) => s.snapshotsPerSecond, show: (v) => plain(v) + '/s' },
  { name: 'Corrections', color: '#ff6278', least: 3, value: (s) => s.corrections, show: plain, change: true },
  { name: 'Frames', color: '#eaf3ff', least: 70, value: (_, fps) => fps, show: (v) => plain(v) + '/s' },
];

export class NetGraph {
  #canvas;
  #g;
  #samples = LINES.map(() => new Float32Array(SAMPLES));
  #at = 0;
  #last = 0;
  #ratio = 0;

  #totals = LINES.map(() => 0);

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#canvas = canvas;
    this.#g = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  }

  /**
   * @param {import('/js/index.js').Stats} stats
   * @param {number} fps
   * @param {number} now ms
   * @param {number} ui
   * @param {boolean} shown
   */
  draw(stats, fps, now, ui, shown) {
    if (now - this.#last < EVERY_MS) return;
    this.#last = now;
    this.#at = (this.#at + 1) % SAMPLES;
    for (let i = 0; i < LINES.length; i++) {
      const v = LINES[i].value(stats, fps);
      this.#samples[i][this.#at] = LINES[i].change ? Math.max(0, v - this.#totals[i]) : v;
      this.#totals[i] = v;
    }
    if (!shown) return;
    const g = this.#g;
    const ratio = Math.min(3, (window.devicePixelRatio || 1) * ui);
    const height = LINES.length * ROW + 48;
    if (ratio !== this.#ratio) {
      this.#ratio = ratio;
      this.#canvas.width = WIDTH * ratio;
      this.#canvas.height = height * ratio;
      this.#canvas.style.width = WIDTH + 'px';
      this.#canvas.style.height = height + 'px';
    }
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    g.clearRect(0, 0, WIDTH, height);
    for (let i = 0; i < LINES.length; i++) this.#row(LINES[i], this.#samples[i], this.#totals[i], i * ROW);
    g.font = '500 10.5px ' + FONT;
    g.fillStyle = '#9db0d3';
    g.textAlign = 'left';
    g.fillText(`lead aimed at ${ms(stats.targetLeadMs)} · ${stats.inputsMissed} ticks without input`, 0, height - 32);
    g.fillText(`corrected for: late input ${stats.corrections - stats.mispredicted} · others ${stats.mispredicted}`, 0, height - 18);
    g.fillText(`${stats.full} full · ${stats.delta} deltas · ${stats.crcErrors} bad sums · ${stats.resumes} resumed`, 0, height - 4);
  }

  /**
   * @param {Line} line
   * @param {Float32Array} samples
   * @param {number} value
   * @param {number} y
   */
  #row(line, samples, value, y) {
    const g = this.#g;
    g.font = '600 11px ' + FONT;
    g.textAlign = 'left';
    g.fillStyle = '#9db0d3';
    g.fillText(line.name, 0, y + 14);
    g.textAlign = 'right';
    g.fillStyle = '#eaf3ff';
    g.fillText(line.show(value), WIDTH, y + 14);
    let most = line.least;
    for (let i = 0; i < SAMPLES; i++) most = Math.max(most, samples[i]);
    const left = 92;
    const w = WIDTH - left - 70;
    const h = ROW - 6;
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
