// Client of the Skirmish game server, for browsers and Node.

export { Client, ClosedError } from './client.js';
export { Film } from './film.js';
export { Notice, Role, SeatState, closing } from './codes.js';
export { toWire } from './inputs.js';
export { MessageError } from './msgpack.js';
export { Link } from './shaper.js';
export { FieldType, Interp, Kind, Plan } from './plan.js';
export { Predictor } from './predictor.js';
export { Rows } from './rows.js';
export { BaselineError, State } from './state.js';
export { Stats } from './stats.js';
export { Table } from './blend.js';
export { View } from './view.js';
