// Panel shows the network and lets it be tried out: the graph, what is drawn how, and a worse link.

import { byId } from './dom.js';
import { NetGraph } from './netgraph.js';

/** kbit/s that the last slider walks through; 0 = unlimited. */
const BANDWIDTHS = [0, 2000, 1000, 500, 300, 200, 130, 80];

const ms = (/** @type {number} */ v) => (v === 0 ? 'off' : `+${v} ms`);

export class Panel {
  #box = byId('net');
  #graph = new NetGraph(/** @type {HTMLCanvasElement} */ (byId('netGraph')));
  #tuning;
  #cutAt = -Infinity;
  /** @type {(() => void)[]} */
  #show = [];

  /** @param {import('./tuning.js').Tuning} tuning */
  constructor(tuning) {
    this.#tuning = tuning;
    const { link } = tuning;
    this.#switch('netPredict', () => tuning.predict, (on) => (tuning.predict = on));
    this.#switch('netInterpolate', () => tuning.interpolate, (on) => (tuning.interpolate = on));
    this.#switch('netGhost', () => tuning.ghost, (on) => (tuning.ghost = on));
    this.#slider('netDelay', () => link.delayMs, (v) => (link.delayMs = v), ms);
    this.#slider('netJitter', () => link.jitterMs, (v) => (link.jitterMs = v), (v) => (v === 0 ? 'off' : `± ${v} ms`));
    this.#slider('netLoss', () => link.lossPercent * 2, (v) => (link.lossPercent = v / 2), (v) => (v === 0 ? 'off' : `${v / 2} %`));
    this.#slider('netBandwidth', () => BANDWIDTHS.indexOf(link.kbps), (v) => (link.kbps = BANDWIDTHS[v]), (v) => (v === 0 ? 'unlimited' : `${BANDWIDTHS[v]} kbit/s`));
    byId('netReset').addEventListener('click', () => {
      link.reset();
      this.#refresh();
    });
    byId('netCut').addEventListener('click', () => {
      this.#cutAt = performance.now();
      link.cut();
    });
    byId('netClose').addEventListener('click', () => this.toggle());
    byId('toolNet').addEventListener('click', () => this.toggle());
    this.#box.addEventListener('keydown', (e) => {
      if (e.code !== 'Escape') return;
      e.stopPropagation();
      this.#leave();
    });
    // A mouse sets and is done: the keys go back to the ship.
    this.#box.addEventListener('pointerup', () => setTimeout(() => this.#leave()));
    this.#refresh();
  }

  get open() {
    return !this.#box.hidden;
  }

  /** The focus lies in the panel, where Tab goes from one control to the next. */
  get focused() {
    return this.open && this.#box.contains(document.activeElement);
  }

  toggle() {
    this.#box.hidden = !this.#box.hidden;
    document.body.dataset.net = String(this.open);
    byId('toolNet').setAttribute('aria-pressed', String(this.open));
    if (this.open) {
      this.#refresh();
      this.#box.focus({ preventScroll: true });
    } else this.#leave();
  }

  /**
   * @param {import('/js/index.js').Stats} stats
   * @param {number} fps
   * @param {number} now ms
   * @param {number} ui
   */
  draw(stats, fps, now, ui) {
    this.#graph.draw(stats, fps, now, ui, this.open);
    if (!this.open) return;
    const cut = now - this.#cutAt < 1500;
    const text = cut ? 'Broken' : 'Break the line';
    if (byId('netCut').textContent !== text) byId('netCut').textContent = text;
  }

  #leave() {
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
  }

  #refresh() {
    for (const f of this.#show) f();
  }

  /**
   * @param {string} id
   * @param {() => boolean} get
   * @param {(on: boolean) => void} set
   */
  #switch(id, get, set) {
    const e = /** @type {HTMLInputElement} */ (byId(id));
    this.#show.push(() => (e.checked = get()));
    e.addEventListener('change', () => set(e.checked));
  }

  /**
   * @param {string} id
   * @param {() => number} get
   * @param {(v: number) => void} set
   * @param {(v: number) => string} text
   */
  #slider(id, get, set, text) {
    const e = /** @type {HTMLInputElement} */ (byId(id));
    const output = /** @type {HTMLOutputElement} */ (e.parentElement?.querySelector('output'));
    const show = () => {
      const v = Number(e.value);
      output.textContent = text(v);
      e.setAttribute('aria-valuetext', text(v));
      e.style.setProperty('--p', String(v / Number(e.max)));
      const bent = String(!this.#tuning.link.clear);
      if (this.#box.dataset.bent !== bent) this.#box.dataset.bent = bent;
    };
    this.#show.push(() => {
      e.value = String(get());
      show();
    });
    e.addEventListener('input', () => {
      set(Number(e.value));
      show();
    });
  }
}
