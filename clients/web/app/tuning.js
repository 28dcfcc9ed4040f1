// Tuning is what the network panel sets; it outlives a match.

import { Link } from '/js/index.js';

export class Tuning {
  /** The own ship answers at once. */
  predict = true;
  /** The others are drawn between two states. */
  interpolate = true;
  /** The own ship is also drawn where the server has it. */
  ghost = false;
  /** Between page and server. */
  link = new Link();
}
