// Integer arithmetic of the arena, as the server does it, to the bit: all values are whole numbers, a division
// truncates, a shift to the right rounds down, and every product stays below 2^53, so that doubles are exact.

/** Fixed point steps in one unit of length. */
export const UNIT = 256;
/** 1.0 as sine and cosine give it. */
export const ONE = 1 << 14;

const TURN = 1 << 16;
const QUARTER = TURN / 4;
const STEPS = 256;
const STEP_BITS = 6;
/** A turn by one of the quarter wave's intervals (2π/1024) in steps of 2^-24: its cosine and its sine. */
const STEP_COS = 16776900;
const STEP_SIN = 102943;

/** The sine of the first quarter turn at each interval, built from integers alone. */
const quarter = new Int32Array(STEPS + 1);
{
  const whole = 2 ** 24;
  const half = 2 ** 23;
  let c = whole;
  let s = 0;
  for (let i = 0; i <= STEPS; i++) {
    quarter[i] = Math.floor((s + 512) / 1024);
    const next = Math.floor((c * STEP_COS - s * STEP_SIN + half) / whole);
    s = Math.floor((s * STEP_COS + c * STEP_SIN + half) / whole);
    c = next;
  }
  quarter[STEPS] = ONE;
}

/**
 * The sine of an angle of the first quarter.
 * @param {number} a 0 to QUARTER
 */
function interpolate(a) {
  const i = a >> STEP_BITS;
  const rest = a & ((1 << STEP_BITS) - 1);
  if (rest === 0) return quarter[i];
  return quarter[i] + (((quarter[i + 1] - quarter[i]) * rest + (1 << (STEP_BITS - 1))) >> STEP_BITS);
}

/**
 * The sine of an aim angle, −ONE to ONE.
 * @param {number} a 65,536 to the turn
 */
export function sin(a) {
  const v = a & (QUARTER - 1);
  switch ((a >> 14) & 3) {
    case 0:
      return interpolate(v);
    case 1:
      return interpolate(QUARTER - v);
    case 2:
      return -interpolate(v);
  }
  return -interpolate(QUARTER - v);
}

/**
 * The cosine of an aim angle, −ONE to ONE.
 * @param {number} a 65,536 to the turn
 */
export function cos(a) {
  return sin(a + QUARTER);
}

/**
 * The square root rounded down, of a number below 2^52.
 * @param {number} n
 */
export function isqrt(n) {
  return n <= 0 ? 0 : Math.floor(Math.sqrt(n));
}

/**
 * @param {number} x
 * @param {number} y
 */
export function length(x, y) {
  return isqrt(x * x + y * y);
}

/**
 * v times a share in 1/65,536, rounded.
 * @param {number} v
 * @param {number} share
 */
export function scale(v, share) {
  return Math.floor((v * share + 32768) / 65536);
}
