// Camera follows a ship with a look ahead to where the mouse is, or shows the whole arena.

/** Width of the arena that is seen, units; with the height's, so that no shape of window sees more. */
const SIGHT_WIDTH = 1180;
const SIGHT_HEIGHT = 664;
const LOOK_AHEAD = 0.2;
/** How far beyond the border the view may reach, units. */
const BEYOND = 130;

export class Camera {
  x = 0;
  y = 0;
  /** CSS pixels per unit. */
  scale = 1;
  /** CSS pixels. */
  width = 1;
  height = 1;
  shakeX = 0;
  shakeY = 0;
  #set = false;

  /** Jumps with the next move. */
  cut() {
    this.#set = false;
  }

  /**
   * @param {number} width CSS pixels
   * @param {number} height
   */
  resize(width, height) {
    this.width = width;
    this.height = height;
  }

  /** How much larger the writing is than on a window of 1280 × 720. */
  get ui() {
    return 1 + (Math.max(0.85, Math.min(1.8, this.width / 1280, this.height / 720)) - 1) * 0.7;
  }

  get closeScale() {
    return Math.max(this.width / SIGHT_WIDTH, this.height / SIGHT_HEIGHT);
  }

  /**
   * @param {number} x ship
   * @param {number} y
   * @param {number} mouseX CSS pixels from the middle of the window
   * @param {number} mouseY
   * @param {number} width of the arena
   * @param {number} height of the arena
   * @param {number} dt
   */
  follow(x, y, mouseX, mouseY, width, height, dt) {
    const scale = this.closeScale;
    const k = LOOK_AHEAD / scale;
    const cx = within(x + mouseX * k, this.width / 2 / scale - BEYOND, width);
    const cy = within(y + mouseY * k, this.height / 2 / scale - BEYOND, height);
    this.#move(cx, cy, scale, dt, 9);
  }

  /**
   * @param {number} width of the arena
   * @param {number} height
   * @param {number} dt
   */
  overview(width, height, dt) {
    const scale = Math.min(this.width / (width + 160), this.height / (height + 220));
    this.#move(width / 2, height / 2, scale, dt, 4);
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {number} scale
   * @param {number} dt
   * @param {number} speed
   */
  #move(x, y, scale, dt, speed) {
    const far = Math.hypot(x - this.x, y - this.y) * this.scale > this.width * 2;
    const k = this.#set && !far ? 1 - Math.exp(-speed * dt) : 1;
    this.x += (x - this.x) * k;
    this.y += (y - this.y) * k;
    this.scale += (scale - this.scale) * (this.#set ? 1 - Math.exp(-6 * dt) : 1);
    this.#set = true;
  }

  /**
   * @param {number} amount 0…1
   */
  shake(amount) {
    const s = amount * amount * 14;
    this.shakeX = (Math.random() * 2 - 1) * s;
    this.shakeY = (Math.random() * 2 - 1) * s;
  }

  /** @param {number} x */
  toScreenX(x) {
    return (x - this.x) * this.scale + this.width / 2 + this.shakeX;
  }

  /** @param {number} y */
  toScreenY(y) {
    return (y - this.y) * this.scale + this.height / 2 + this.shakeY;
  }

  /**
   * Whether a circle is in sight.
   * @param {number} x
   * @param {number} y
   * @param {number} r units
   */
  sees(x, y, r) {
    return Math.abs(x - this.x) < this.width / 2 / this.scale + r && Math.abs(y - this.y) < this.height / 2 / this.scale + r;
  }
}

/**
 * Keeps a point off both ends of a length, or in its middle if there is no room.
 * @param {number} v
 * @param {number} margin
 * @param {number} length
 */
function within(v, margin, length) {
  return margin * 2 >= length ? length / 2 : Math.max(margin, Math.min(length - margin, v));
}
