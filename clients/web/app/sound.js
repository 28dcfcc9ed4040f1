// Sound makes its few effects from oscillators and noise; nothing is loaded. Silent until it is switched on.

const MOST_PER_MOMENT = 5;
const MOMENT_MS = 50;
const HEARD = 1100;

export class Sound {
  on = false;
  /** Where the listener is, arena units. */
  x = 0;
  y = 0;
  /** @type {AudioContext | null} */
  #context = null;
  /** @type {GainNode | null} */
  #out = null;
  /** @type {AudioBuffer | null} */
  #noise = null;
  #moment = 0;
  #count = 0;

  /** Switches on or off; returns what it is now. Must come from a key or a click, or browsers keep it silent. */
  toggle() {
    this.on = !this.on;
    if (this.on) this.#start();
    return this.on;
  }

  #start() {
    if (this.#context) {
      void this.#context.resume();
      return;
    }
    const c = (this.#context = new AudioContext());
    const press = c.createDynamicsCompressor();
    this.#out = c.createGain();
    this.#out.gain.value = 0.5;
    this.#out.connect(press).connect(c.destination);
    const noise = c.createBuffer(1, c.sampleRate, c.sampleRate);
    const data = noise.getChannelData(0);
    for (let i = 0; i < data.length; i++) data[i] = Math.random() * 2 - 1;
    this.#noise = noise;
  }

  /**
   * A voice at a place: quieter and to the side with the distance. Null when it is not heard.
   * @param {number} x
   * @param {number} y
   * @param {number} loud
   */
  #voice(x, y, loud) {
    const c = this.#context;
    const out = this.#out;
    if (!this.on || !c || !out) return null;
    const now = performance.now();
    if (now - this.#moment > MOMENT_MS) {
      this.#moment = now;
      this.#count = 0;
    }
    const d = Math.hypot(x - this.x, y - this.y);
    if (d > HEARD || this.#count >= MOST_PER_MOMENT) return null;
    this.#count++;
    const gain = c.createGain();
    gain.gain.value = loud * (1 - d / HEARD) ** 2;
    const pan = c.createStereoPanner();
    pan.pan.value = Math.max(-0.8, Math.min(0.8, (x - this.x) / 700));
    gain.connect(pan).connect(out);
    return { c, gain, t: c.currentTime };
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {number} loud
   * @param {OscillatorType} type
   * @param {number} from Hz
   * @param {number} to Hz
   * @param {number} time seconds
   * @param {number} [delay] seconds
   */
  #tone(x, y, loud, type, from, to, time, delay = 0) {
    const v = this.#voice(x, y, loud);
    if (!v) return;
    const o = v.c.createOscillator();
    const env = v.c.createGain();
    const t = v.t + delay;
    o.type = type;
    o.frequency.setValueAtTime(from, t);
    o.frequency.exponentialRampToValueAtTime(to, t + time);
    env.gain.setValueAtTime(0, v.t);
    env.gain.setValueAtTime(1, t);
    env.gain.exponentialRampToValueAtTime(0.001, t + time);
    o.connect(env).connect(v.gain);
    o.start(t);
    o.stop(t + time);
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {number} loud
   * @param {number} from Hz, of the low pass
   * @param {number} to Hz
   * @param {number} time seconds
   */
  #rush(x, y, loud, from, to, time) {
    const v = this.#voice(x, y, loud);
    if (!v || !this.#noise) return;
    const s = v.c.createBufferSource();
    s.buffer = this.#noise;
    const f = v.c.createBiquadFilter();
    f.type = 'lowpass';
    f.frequency.setValueAtTime(from, v.t);
    f.frequency.exponentialRampToValueAtTime(to, v.t + time);
    const env = v.c.createGain();
    env.gain.setValueAtTime(1, v.t);
    env.gain.exponentialRampToValueAtTime(0.001, v.t + time);
    s.connect(f).connect(env).connect(v.gain);
    s.start(v.t, Math.random() * 0.4);
    s.stop(v.t + time);
  }

  /** @param {number} x @param {number} y */
  bolt(x, y) {
    this.#tone(x, y, 0.16, 'sawtooth', 900, 170, 0.11);
  }

  /** @param {number} x @param {number} y */
  rail(x, y) {
    this.#tone(x, y, 0.3, 'square', 1900, 90, 0.32);
    this.#rush(x, y, 0.3, 7000, 400, 0.3);
  }

  /** @param {number} x @param {number} y */
  boom(x, y) {
    this.#rush(x, y, 0.9, 1600, 60, 0.75);
    this.#tone(x, y, 0.5, 'sine', 130, 32, 0.5);
  }

  /** @param {number} x @param {number} y */
  dash(x, y) {
    this.#rush(x, y, 0.4, 500, 3200, 0.22);
  }

  hitMarker() {
    this.#tone(this.x, this.y, 0.24, 'triangle', 1500, 1100, 0.06);
  }

  hurt() {
    this.#rush(this.x, this.y, 0.5, 900, 120, 0.16);
  }

  pickup() {
    this.#tone(this.x, this.y, 0.2, 'triangle', 520, 530, 0.12);
    this.#tone(this.x, this.y, 0.2, 'triangle', 780, 790, 0.16, 0.08);
  }

  kill() {
    this.#tone(this.x, this.y, 0.24, 'square', 440, 445, 0.08);
    this.#tone(this.x, this.y, 0.24, 'square', 880, 890, 0.14, 0.08);
  }

  horn() {
    this.#tone(this.x, this.y, 0.3, 'sawtooth', 220, 222, 0.4);
    this.#tone(this.x, this.y, 0.3, 'sawtooth', 330, 333, 0.6, 0.12);
  }
}
