// Own puts the own ship into the picture where it is by the prediction, with all else that the newest state says of
// it. Without prediction the row stays as it is: delayed and blended like all others.

import { DASH, OVERDRIVE, THRUST } from '../actors.js';
import { Pilot, places } from './pilot.js';
import { Predictor } from '/js/index.js';

const PREDICTED = THRUST | DASH | OVERDRIVE;

export class Own {
  /** @type {Pilot} */
  pilot;
  predictor;
  /** The drawn ship, units. */
  at = { x: 0, y: 0, dash: false, overdrive: false };
  /** The ship as the server has it: of the newest state, units and radians. */
  ghost = { shown: false, x: 0, y: 0, aim: 0 };

  #shipKind;
  #places;
  #turn;

  /** @param {import('/js/messages.js').Welcome} w of an arena */
  constructor(w) {
    this.pilot = new Pilot(w.plan, w.tickRate);
    this.predictor = new Predictor(this.pilot);
    this.#shipKind = w.plan.kind('ship');
    const kind = w.plan.kinds[this.#shipKind];
    this.#places = places(kind);
    const aim = this.#places.aim;
    this.#turn = (2 * Math.PI) / (kind.max[aim] - kind.min[aim] + 1);
  }

  /**
   * @param {import('/js/index.js').Table} table of the view
   * @param {import('/js/index.js').State} state the newest
   * @param {number} seat
   * @param {boolean} predict
   * @param {boolean} thrusting the stick is out of its centre
   */
  draw(table, state, seat, predict, thrusting) {
    const i = table.find(seat);
    const n = state.rows.find(seat);
    this.ghost.shown = n >= 0 && this.predictor.active;
    if (n < 0 || state.rows.kinds[n] !== this.#shipKind) return;
    const kind = state.plan.kinds[this.#shipKind];
    const from = state.rows.at[n];
    const { values } = state.rows;
    const p = this.#places;
    this.ghost.x = values[from + p.x] / kind.scale[p.x];
    this.ghost.y = values[from + p.y] / kind.scale[p.y];
    this.ghost.aim = values[from + p.aim] * this.#turn;
    if (!predict || i < 0 || table.kinds[i] !== this.#shipKind) return;
    const to = table.at[i];
    for (let c = 0; c < kind.length; c++) table.values[to + c] = values[from + c] / kind.scale[c];
    if (!this.predictor.active) return;
    this.pilot.tell(this.predictor.drawn, this.at);
    table.values[to + p.x] = this.at.x;
    table.values[to + p.y] = this.at.y;
    const flags = (thrusting ? THRUST : 0) | (this.at.dash ? DASH : 0) | (this.at.overdrive ? OVERDRIVE : 0);
    table.values[to + p.flags] = (values[from + p.flags] & ~PREDICTED) | flags;
  }
}
