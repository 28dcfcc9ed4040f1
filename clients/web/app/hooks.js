// Hooks let a test in a browser look at the game: read only, nothing in the page uses them.

/**
 * @param {() => import('./match.js').Match | null} match
 * @param {() => number} fps
 * @param {import('./input.js').Controls} controls
 * @param {import('./tuning.js').Tuning} tuning
 * @param {() => number} frames drawn so far
 */
export function exposeHooks(match, fps, controls, tuning, frames) {
  const hooks = {
    get status() {
      return match()?.client.status ?? 'idle';
    },
    get matchId() {
      return match()?.id ?? '';
    },
    get seat() {
      return match()?.client.seat ?? 0;
    },
    get role() {
      return match()?.client.welcome?.role ?? -1;
    },
    get tick() {
      return match()?.client.state?.tick ?? 0;
    },
    /** The own ship in the newest state: arena units, radians. */
    get ship() {
      const c = match()?.client;
      const state = c?.state;
      const kind = state?.plan.kinds[state.plan.kind('ship')];
      if (!c || !state || !kind) return null;
      const i = state.rows.find(c.seat);
      if (i < 0) return null;
      /** @type {Record<string, number>} */
      const ship = {};
      kind.fields.forEach((f, k) => (ship[f.name] = state.rows.values[state.rows.at[i] + k] / f.scale));
      return ship;
    },
    /** How many rows of each kind are on the screen. */
    get shown() {
      const s = match()?.scene;
      return { ships: s?.ships.size ?? 0, bolts: s?.bolts.size ?? 0, pickups: s?.pickupCount ?? 0, walls: s?.wallCount ?? 0, phase: s?.round.phase ?? -1 };
    },
    get roster() {
      return [...(match()?.client.roster.values() ?? [])].map((s) => ({ ...s }));
    },
    get stats() {
      const c = match()?.client;
      return c ? { ...c.measure() } : null;
    },
    get inputSeq() {
      return match()?.client.inputSeq ?? 0;
    },
    get ack() {
      return match()?.client.state?.ack ?? 0;
    },
    get aim() {
      return controls.aim;
    },
    get fps() {
      return fps();
    },
    /** Frames drawn so far. */
    get frames() {
      return frames();
    },
    /** The own ship as it was drawn last: arena units, units per second. */
    get own() {
      const s = match()?.scene?.own;
      return s ? { x: s.x, y: s.y, vx: s.vx, vy: s.vy, dead: s.dead, flags: s.flags } : null;
    },
    get predicting() {
      return match()?.predicting ?? false;
    },
    /** The own ship as the server has it, if it is drawn. */
    get ghost() {
      const g = match()?.own?.ghost;
      return g && tuning.ghost ? { ...g } : null;
    },
    /** The moment of the others' picture, in ticks. */
    get viewTick() {
      return match()?.client.view?.tick ?? 0;
    },
    get serverTick() {
      return match()?.client.serverTick(performance.now()) ?? 0;
    },
    get link() {
      const { delayMs, jitterMs, lossPercent, kbps } = tuning.link;
      return { delayMs, jitterMs, lossPercent, kbps };
    },
  };
  Object.defineProperty(window, '__skirmish', { value: Object.freeze(hooks) });
}
