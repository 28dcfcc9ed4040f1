// Controls turns keys, mouse and touch into the arena's input. Presses are latched until the next input takes
// them, so that a tap between two ticks is not lost.

export const BOLT = 1;
export const RAIL = 2;
export const DASH = 4;

/** @type {Record<string, [number, number]>} physical keys, so that the layout does not matter */
const MOVES = {
  KeyW: [0, -1], ArrowUp: [0, -1], KeyS: [0, 1], ArrowDown: [0, 1],
  KeyA: [-1, 0], ArrowLeft: [-1, 0], KeyD: [1, 0], ArrowRight: [1, 0],
};
/** @type {Record<string, number>} */
const BUTTONS = { Space: DASH, ShiftLeft: DASH, ShiftRight: DASH, KeyE: RAIL, KeyF: BOLT };
/** @type {Record<number, number>} */
const MOUSE = { 0: BOLT, 2: RAIL };

export class Controls {
  /** CSS pixels. */
  mouseX = 0;
  mouseY = 0;
  /** Where the own ship is on the screen, CSS pixels. */
  shipX = 0;
  shipY = 0;
  /** Radians. */
  aim = 0;
  /** Inputs count; else they are neutral. */
  active = false;
  touch = false;

  #down = new Set();
  #buttons = 0;
  #latched = 0;
  #stickX = 0;
  #stickY = 0;
  #aimX = 0;
  #aimY = 0;

  /**
   * @param {HTMLElement} surface
   */
  constructor(surface) {
    this.mouseX = window.innerWidth / 2;
    this.mouseY = window.innerHeight / 3;
    window.addEventListener('mousemove', (e) => {
      this.mouseX = e.clientX;
      this.mouseY = e.clientY;
    });
    surface.addEventListener('mousedown', (e) => this.#press(MOUSE[e.button] ?? 0));
    window.addEventListener('mouseup', (e) => this.#release(MOUSE[e.button] ?? 0));
    window.addEventListener('contextmenu', (e) => {
      if (this.active) e.preventDefault();
    });
    window.addEventListener('keydown', (e) => this.#key(e, true));
    window.addEventListener('keyup', (e) => this.#key(e, false));
    window.addEventListener('blur', () => this.reset());
  }

  reset() {
    this.#down.clear();
    this.#buttons = this.#latched = 0;
    this.#stickX = this.#stickY = 0;
  }

  /** @param {number} bits */
  #press(bits) {
    this.#buttons |= bits;
    this.#latched |= bits;
  }

  /** @param {number} bits */
  #release(bits) {
    this.#buttons &= ~bits;
  }

  /**
   * @param {KeyboardEvent} e
   * @param {boolean} down
   */
  #key(e, down) {
    if (!down) {
      this.#down.delete(e.code);
      this.#release(BUTTONS[e.code] ?? 0);
      return;
    }
    if (!this.active || e.ctrlKey || e.metaKey || e.altKey || belongs(e)) return;
    if (e.code in MOVES || e.code in BUTTONS) e.preventDefault();
    if (e.repeat) return;
    if (e.code in MOVES) this.#down.add(e.code);
    if (e.code in BUTTONS) this.#press(BUTTONS[e.code]);
  }

  /** Turns the aim to the mouse, or to the right stick. Each frame. */
  point() {
    if (this.touch) {
      if (this.#aimX !== 0 || this.#aimY !== 0) this.aim = Math.atan2(this.#aimY, this.#aimX);
      return;
    }
    const dx = this.mouseX - this.shipX;
    const dy = this.mouseY - this.shipY;
    if (dx * dx + dy * dy > 9) this.aim = Math.atan2(dy, dx);
  }

  /**
   * Fills in the input that is sent next, or only looks at what it would be.
   * @param {Int32Array} values
   * @param {Record<string, number>} at positions of ax, ay, aim, buttons
   * @param {boolean} taken presses are used up
   */
  sample(values, at, taken) {
    let x = this.#stickX;
    let y = this.#stickY;
    for (const code of this.#down) {
      x += MOVES[code][0];
      y += MOVES[code][1];
    }
    const n = Math.hypot(x, y);
    if (n > 1) {
      x /= n;
      y /= n;
    }
    values[at.ax] = this.active ? Math.round(x * 127) : 0;
    values[at.ay] = this.active ? Math.round(y * 127) : 0;
    values[at.aim] = Math.round((this.aim / (2 * Math.PI)) * 65536) & 0xffff;
    values[at.buttons] = this.active ? this.#buttons | this.#latched : 0;
    if (taken) this.#latched = 0;
  }

  /**
   * Two sticks and two buttons for fingers.
   * @param {HTMLElement} left
   * @param {HTMLElement} right
   * @param {HTMLElement} dash
   * @param {HTMLElement} rail
   * @param {HTMLElement} surface
   */
  enableTouch(left, right, dash, rail, surface) {
    /** @type {Map<number, boolean>} pointer → left stick */
    const held = new Map();
    /** @type {Map<boolean, {x: number, y: number}>} */
    const from = new Map();
    const show = (/** @type {HTMLElement} */ stick, /** @type {number} */ x, /** @type {number} */ y) => {
      /** @type {HTMLElement} */ (stick.firstElementChild).style.transform = `translate(${x * 36}px, ${y * 36}px)`;
    };
    const move = (/** @type {PointerEvent} */ e) => {
      const isLeft = held.get(e.pointerId);
      if (isLeft === undefined) return;
      const o = /** @type {{x: number, y: number}} */ (from.get(isLeft));
      let x = (e.clientX - o.x) / 48;
      let y = (e.clientY - o.y) / 48;
      const n = Math.hypot(x, y);
      if (n > 1) {
        x /= n;
        y /= n;
      }
      show(isLeft ? left : right, x, y);
      if (isLeft) {
        this.#stickX = x;
        this.#stickY = y;
      } else {
        this.#aimX = x;
        this.#aimY = y;
        if (n > 0.55) this.#press(BOLT);
        else this.#release(BOLT);
      }
    };
    surface.addEventListener('pointerdown', (e) => {
      if (e.pointerType !== 'touch') return;
      this.touch = true;
      const isLeft = e.clientX < window.innerWidth / 2;
      held.set(e.pointerId, isLeft);
      from.set(isLeft, { x: e.clientX, y: e.clientY });
      move(e);
    });
    surface.addEventListener('pointermove', move);
    const up = (/** @type {PointerEvent} */ e) => {
      const isLeft = held.get(e.pointerId);
      if (isLeft === undefined) return;
      held.delete(e.pointerId);
      show(isLeft ? left : right, 0, 0);
      if (isLeft) this.#stickX = this.#stickY = 0;
      else {
        this.#aimX = this.#aimY = 0;
        this.#release(BOLT);
      }
    };
    surface.addEventListener('pointerup', up);
    surface.addEventListener('pointercancel', up);
    for (const [b, bit] of /** @type {[HTMLElement, number][]} */ ([[dash, DASH], [rail, RAIL]])) {
      b.addEventListener('pointerdown', () => this.#press(bit));
      b.addEventListener('pointerup', () => this.#release(bit));
      b.addEventListener('pointercancel', () => this.#release(bit));
    }
  }
}

/**
 * Keys that a button, switch or slider with the focus wants for itself.
 * @param {KeyboardEvent} e
 */
export function belongs(e) {
  if (!(e.target instanceof HTMLElement)) return false;
  if (e.target instanceof HTMLInputElement && e.target.type === 'text') return true;
  if (e.target.matches('input, button')) return /^(Space|Enter|Arrow|Home|End|Page)/.test(e.code);
  return false;
}
