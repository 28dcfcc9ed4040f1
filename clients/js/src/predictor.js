// Predictor lets the own body answer at once: it steps it with each input that is sent, and with each state takes
// the server's word for the inputs that the server has used and steps the others anew. What the game must give is
// a step that does what the server's does; a game without one is drawn interpolated.

const INPUTS = 256;
/** A correction fades so fast that after 100 ms a twentieth is left. */
const FADE_MS = 100 / 3;

/**
 * What a game tells about its own movement. A body is an Int32Array of size values; what they mean is the game's.
 * @typedef {object} Motion
 * @property {number} size
 * @property {(body: Int32Array, input: Int32Array) => void} step advances a body by one tick with an input's wire values
 * @property {(body: Int32Array, state: import('./state.js').State) => boolean} read fills a body with the server's word;
 *   false: there is nothing to predict now, such as a destroyed ship
 * @property {(a: Int32Array, b: Int32Array) => boolean} [equal] the prediction a was right; by default all values count
 * @property {number[]} smooth places in a body, such as its position, whose corrections fade instead of jumping
 * @property {number} snap a correction of these longer than this jumps
 */

export class Predictor {
  #motion;
  #fields = 0;
  // The inputs since the last one that the server has used, that one included, with the body behind each; rings by number.
  #inputs = new Int32Array(0);
  #scratch = new Int32Array(0);
  #bodies;
  #first = 0;
  #last = 0;
  /** Number of the first input of this connection. */
  #from = 0;
  #server;
  #ahead;
  #before;
  #offset;
  #sampled = 0;
  #tick = 0;
  #ack = 0;

  /** @param {Motion} motion */
  constructor(motion) {
    this.#motion = motion;
    this.#bodies = new Int32Array(INPUTS * motion.size);
    this.#server = new Int32Array(motion.size);
    this.#ahead = new Int32Array(motion.size);
    this.#before = new Int32Array(motion.size);
    this.#offset = new Float64Array(motion.smooth.length);
    /** There is a body to predict. */
    this.active = false;
    /** The body behind the newest input. */
    this.body = new Int32Array(motion.size);
    /** The body at the moment of the last sample, to be drawn. */
    this.drawn = new Float64Array(motion.size);
    /** Times the server's word was another than the prediction. */
    this.corrections = 0;
    /** Those among them where the server had used an input for each tick: others had a hand in it, or the step is wrong. */
    this.mispredicted = 0;
    /** Ticks for which the server had no input. */
    this.missed = 0;
    /** How far off the last correction was, along the smooth places, in the body's unit. */
    this.lastError = 0;
  }

  /** A connection begins: inputs that the last one still carried are gone. */
  begin() {
    this.active = false;
    this.#first = this.#last = this.#from = 0;
    this.#tick = this.#ack = 0;
    this.#offset.fill(0);
  }

  /**
   * An input was sent.
   * @param {number} seq
   * @param {Int32Array} values
   */
  give(seq, values) {
    if (this.#fields !== values.length) {
      this.#fields = values.length;
      this.#inputs = new Int32Array(INPUTS * values.length);
      this.#scratch = new Int32Array(values.length);
    }
    if (this.#from === 0) this.#from = seq;
    if (this.#first === 0) this.#first = seq;
    this.#last = seq;
    if (seq - this.#first >= INPUTS) this.#first = seq - INPUTS + 1;
    const i = seq % INPUTS;
    for (let k = 0; k < values.length; k++) this.#inputs[i * values.length + k] = values[k];
    if (!this.active) return;
    this.#motion.step(this.body, values);
    this.#bodies.set(this.body, i * this.body.length);
  }

  /**
   * The server's word.
   * @param {import('./state.js').State} state
   */
  heard(state) {
    const { ack, tick } = state;
    const behind = this.#tick === 0 ? 0 : tick - this.#tick - (ack - this.#ack);
    const missed = Math.max(0, behind);
    this.#tick = tick;
    this.#ack = ack;
    const begun = this.#from > 0 && ack >= this.#from;
    if (begun) this.missed += missed;
    if (!this.#motion.read(this.#server, state)) {
      this.active = false;
      return;
    }
    if (!this.active) {
      this.active = true;
      this.#offset.fill(0);
      this.#replay(ack);
      return;
    }
    if (ack >= this.#first && ack <= this.#last && begun && this.#right(ack)) {
      this.#first = ack;
      return;
    }
    this.#before.set(this.body);
    this.#replay(ack);
    const { smooth, snap } = this.#motion;
    let squares = 0;
    for (let i = 0; i < smooth.length; i++) {
      const d = this.#before[smooth[i]] - this.body[smooth[i]];
      this.#offset[i] += d;
      squares += d * d;
    }
    const error = Math.sqrt(squares);
    if (error > snap) this.#offset.fill(0);
    if (!begun) return; // Nothing was predicted yet for what the server did.
    this.lastError = error;
    this.corrections++;
    if (behind === 0) this.mispredicted++; // else ticks went without input, or inputs were passed over
  }

  /**
   * Fills drawn with the body at this moment: on its way from behind the newest input to where the next one, as it
   * would be now, will take it.
   * @param {number} nowMs
   * @param {number} phase how far the time from the newest input to the next one has passed, −1 to 1
   * @param {Int32Array} input what the next input would be
   */
  sample(nowMs, phase, input) {
    const { smooth } = this.#motion;
    const ahead = this.#ahead;
    ahead.set(this.body);
    this.#motion.step(ahead, input);
    const fade = Math.exp(-Math.max(0, nowMs - this.#sampled) / FADE_MS);
    this.#sampled = nowMs;
    for (let i = 0; i < ahead.length; i++) this.drawn[i] = ahead[i];
    for (let i = 0; i < smooth.length; i++) {
      const at = smooth[i];
      this.#offset[i] *= fade;
      this.drawn[at] = this.body[at] + (ahead[at] - this.body[at]) * phase + this.#offset[i];
    }
  }

  /**
   * Whether the server's body is the one predicted behind this input.
   * @param {number} seq
   */
  #right(seq) {
    const server = this.#server;
    const at = (seq % INPUTS) * server.length;
    if (this.#motion.equal) {
      for (let k = 0; k < server.length; k++) this.#ahead[k] = this.#bodies[at + k];
      return this.#motion.equal(this.#ahead, server);
    }
    for (let k = 0; k < server.length; k++) if (this.#bodies[at + k] !== server[k]) return false;
    return true;
  }

  /**
   * Steps the inputs behind this one on the server's body.
   * @param {number} ack
   */
  #replay(ack) {
    const n = this.#fields;
    this.body.set(this.#server);
    if (this.#last === 0) return;
    if (ack >= this.#first) {
      this.#first = ack;
      this.#bodies.set(this.body, (ack % INPUTS) * this.body.length);
    }
    for (let seq = Math.max(this.#first, ack + 1); seq <= this.#last; seq++) {
      const i = seq % INPUTS;
      for (let k = 0; k < n; k++) this.#scratch[k] = this.#inputs[i * n + k];
      this.#motion.step(this.body, this.#scratch);
      this.#bodies.set(this.body, i * this.body.length);
    }
  }
}
