// The page: joins a match, runs the frames, and says what happens when it ends.

import { ClosedError } from '/js/index.js';
import { Attract, attractPlan } from './attract.js';
import { Camera } from './camera.js';
import { byId, clockText } from './dom.js';
import { Picture } from './draw/picture.js';
import { Effects } from './effects.js';
import { ending } from './ending.js';
import { exposeHooks } from './hooks.js';
import { Hud } from './hud.js';
import { Controls, belongs } from './input.js';
import { JoinError, defaultUrl, linkTo, quickPlay, readFragment, showMatch } from './join.js';
import { Match } from './match.js';
import { Panel } from './panel.js';
import { Radar } from './radar.js';
import { Scene } from './scene.js';
import { Bar, list, load, offer, read } from './replays.js';
import * as screens from './screens.js';
import { Sound } from './sound.js';
import { follow, pick, watching } from './spectate.js';
import { Tuning } from './tuning.js';
import { watcher } from './watcher.js';

const NAME = 'skirmish.name';
/** A frame never counts for more than this, s: a page that slept does not fast-forward. */
const LONGEST_FRAME = 0.1;
const BOARD_MS = 250;

const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
const canvas = byId('arena');
const picture = new Picture(/** @type {HTMLCanvasElement} */ (canvas));
const camera = new Camera();
const effects = new Effects(calm);
const controls = new Controls(canvas);
const sound = new Sound();
const hud = new Hud();
const radar = new Radar(/** @type {HTMLCanvasElement} */ (byId('radar')));
const tuning = new Tuning();
const panel = new Panel(tuning);
const stage = { effects, camera, hud, sound, controls, tuning, calm };
const aim = { x: 0, y: 0, angle: 0, rail: 1, hit: 0, killed: false, shown: false };
const attract = new Attract();
const attractScene = new Scene(attractPlan, watcher(stage, () => {}));
const bar = new Bar();
const emptyRoster = new Map();
const NOBODY = { round: -1, winner: 0 };

/** @type {Match | null} */
let match = null;
let wish = readFragment();
let last = performance.now();
let fps = 60;
let frames = 0;
let boardHeld = false;
let boardAt = 0;
let joining = false;
/** A seat that still waits after a time-out. @type {import('/js/client.js').Closed['resume']} */
let held = null;

/**
 * @param {boolean} spectate
 */
async function join(spectate) {
  if (joining) return;
  joining = true;
  screens.note('');
  screens.busy(true);
  screens.hideOver();
  const name = /** @type {HTMLInputElement} */ (byId('name')).value.trim();
  remember(name);
  try {
    const back = held;
    held = null;
    if (back) return await enter(back);
    const seat = wish.token !== ''
      ? { match: '', token: wish.token, url: wish.url || defaultUrl() }
      : await quickPlay(name, wish.match, spectate);
    wish.token = '';
    await enter(seat);
  } catch (e) {
    toStart(e instanceof JoinError ? e.message : e instanceof ClosedError ? e.closed.text : 'The match could not be joined. Please reload the page.');
    wish.match = '';
    showMatch('');
    if (!(e instanceof JoinError || e instanceof ClosedError)) throw e;
  } finally {
    joining = false;
    screens.busy(false);
  }
}

/** @param {{token: string, url: string} | NonNullable<import('/js/client.js').Closed['resume']>} seat */
async function enter(seat) {
  const m = new Match(stage);
  m.client.on('status', (status) => {
    if (m !== match) return;
    screens.lost(status === 'reconnecting');
    hud.silent(status === 'silent');
  });
  m.client.on('closed', (closed) => {
    if (m === match) ended(m, closed);
  });
  await ('token' in seat ? m.client.connect(seat) : m.client.resume(seat));
  match = m;
  bar.show(null);
  hud.reset();
  camera.cut();
  wish = { match: m.id, spectate: m.spectating, token: '', url: '' };
  showMatch(m.id);
  document.body.dataset.role = m.spectating ? 'spectator' : 'player';
  screens.show('play');
  if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
  if (!m.spectating) screens.helpAtFirst();
}

/**
 * Plays a match again.
 * @param {() => Promise<import('/js/index.js').Film> | import('/js/index.js').Film} find
 */
async function watch(find) {
  if (joining) return;
  joining = true;
  try {
    const film = await find();
    const m = new Match(stage, film);
    m.client.on('closed', () => m === match && toStart());
    film.start();
    match = m;
    hud.reset();
    camera.cut();
    screens.hideOver();
    screens.note('');
    document.body.dataset.role = 'spectator';
    bar.show(film);
    screens.show('play');
  } catch (e) {
    toStart(e instanceof Error ? e.message : '');
  } finally {
    joining = false;
  }
}

/**
 * Offers the replay of a match that is over, if there is one.
 * @param {string} id
 */
async function offerReplay(id) {
  const b = byId('watchReplay');
  b.hidden = true;
  if (!(await list()).some((r) => r.match_id === id)) return;
  b.hidden = false;
  b.onclick = () => void watch(() => load(id));
}

/** @param {string} [text] why */
function toStart(text = '') {
  held = null;
  match = null;
  bar.show(null);
  void offer((id) => void watch(() => load(id)));
  screens.lost(false);
  screens.hideOver();
  screens.board(null, '');
  screens.podium(null, 0, NOBODY);
  screens.help(false);
  screens.note(text);
  screens.show('start');
  camera.cut();
}

/**
 * @param {Match} m
 * @param {import('/js/client.js').Closed} closed
 */
function ended(m, closed) {
  screens.lost(false);
  screens.podium(null, 0, NOBODY);
  screens.board(null, '');
  boardHeld = false;
  if (closed.code === 4001) {
    wish.match = '';
    showMatch('');
    toStart();
    return;
  }
  const { eyebrow, title, text, tables } = ending(m, closed);
  screens.over(eyebrow, title, text, tables);
  screens.again(closed.resume ? 'Reconnect' : 'Play again');
  void offerReplay(m.id);
  held = closed.resume;
  if ([4000, 4404, 4500].includes(closed.code)) {
    wish.match = '';
    showMatch('');
  }
}

/** @param {number} now ms */
function frame(now) {
  requestAnimationFrame(frame);
  const dt = Math.min(LONGEST_FRAME, Math.max(0, (now - last) / 1000));
  fps += ((now > last ? 1000 / (now - last) : 60) - fps) * 0.06;
  last = now;
  frames++;
  const m = match;
  const scene = m?.scene;
  if (m && scene && m.advance(now, dt)) {
    look(m, scene, dt);
    hud.update(scene, m.self, m.secondsLeft(), m.client.welcome?.tickRate ?? 60, now, dt);
    effects.update(dt);
    point(m, scene);
    picture.draw(scene, camera, effects, aim, now / 1000, tuning.ghost && m.own?.ghost.shown ? m.own.ghost : null);
    radar.draw(scene, camera, now);
    panel.draw(m.client.measure(), fps, now, camera.ui);
    bar.draw(now);
    if (m.client.status !== 'closed') overlays(m, scene, now);
    return;
  }
  attract.step(dt);
  attractScene.update(attract.table, dt, emptyRoster);
  for (const s of attractScene.ships.values()) s.name = '';
  attract.look(camera, dt);
  effects.update(dt);
  aim.shown = false;
  document.body.dataset.playing = 'false';
  picture.draw(attractScene, camera, effects, aim, now / 1000);
}

/**
 * Where the camera looks: at the own ship, at who destroyed it, or at what a spectator chose.
 * @param {Match} m
 * @param {Scene} scene
 * @param {number} dt
 */
function look(m, scene, dt) {
  const own = scene.own;
  const { width, height } = scene.round;
  const other = scene.ships.get(m.followed);
  const mouseX = controls.touch ? 0 : controls.mouseX - camera.width / 2;
  const mouseY = controls.touch ? 0 : controls.mouseY - camera.height / 2;
  if (own && !own.dead) {
    camera.follow(own.x, own.y, mouseX, mouseY, width, height, dt);
    m.followed = 0;
  } else if (other) camera.follow(other.x, other.y, 0, 0, width, height, dt * (own ? 0.35 : 1));
  else if (own) camera.follow(own.x, own.y, 0, 0, width, height, dt);
  else camera.overview(width, height, dt);
  camera.shake(effects.shake);
  sound.x = camera.x;
  sound.y = camera.y;
}

/**
 * @param {Match} m
 * @param {Scene} scene
 */
function point(m, scene) {
  const own = scene.own;
  const joined = m.client.status === 'playing' || m.client.status === 'silent';
  const playing = own !== null && !own.dead && joined && byId('help').hidden === true && byId('over').hidden === true;
  if (own) {
    controls.shipX = camera.toScreenX(own.x);
    controls.shipY = camera.toScreenY(own.y);
  }
  controls.active = joined && !m.spectating && byId('help').hidden === true;
  controls.point();
  aim.x = controls.mouseX;
  aim.y = controls.mouseY;
  aim.angle = controls.aim;
  aim.rail = hud.railReady;
  aim.hit = m.hitMark;
  aim.killed = m.hitKilled;
  aim.shown = playing && !controls.touch;
  const shown = String(aim.shown);
  if (document.body.dataset.playing !== shown) document.body.dataset.playing = shown;
}

/**
 * @param {Match} m
 * @param {Scene} scene
 * @param {number} now ms
 */
function overlays(m, scene, now) {
  const open = scene.hasRound && scene.round.phase === 2 && !boardHeld;
  if (now - boardAt > BOARD_MS) {
    boardAt = now;
    screens.podium(open ? scene : null, m.secondsLeft(), m.won);
    if (boardHeld) {
      const left = m.secondsLeft();
      screens.board(scene, `${scene.ships.size + scene.away.size} pilots${left < 0 ? '' : ' · ' + clockText(left) + ' left'}`);
    }
    if (m.spectating) watching(m, scene);
  }
}

/** @param {KeyboardEvent} e */
function key(e) {
  if (belongs(e) || e.ctrlKey || e.metaKey || e.altKey) return;
  const m = match;
  if (!m || document.body.dataset.screen !== 'play') return;
  if (!byId('help').hidden && /^(Key[WASD]|Arrow|Space|Escape)/.test(e.code)) {
    e.preventDefault();
    screens.help(false);
    return;
  }
  if (e.code === 'Space' && !byId('replay').hidden) {
    e.preventDefault();
    bar.toggle();
  } else if (e.code === 'Tab') {
    if (!byId('help').hidden || !byId('over').hidden || panel.focused) return;
    e.preventDefault();
    boardHeld = true;
    boardAt = 0;
  } else if (e.code === 'KeyH') screens.help();
  else if (e.code === 'KeyM') toggleSound();
  else if (e.code === 'KeyN' || e.code === 'F3') {
    e.preventDefault();
    panel.toggle();
  } else if (m.spectating && m.scene) {
    if (e.code === 'ArrowRight') follow(m, m.scene, 1);
    else if (e.code === 'ArrowLeft') follow(m, m.scene, -1);
    else if (e.code === 'Escape') m.followed = 0;
  }
}

function toggleSound() {
  const on = sound.toggle();
  const b = byId('toolSound');
  b.textContent = on ? 'Sound on' : 'Sound off';
  b.setAttribute('aria-pressed', String(on));
  screens.toast(on ? 'Sound on' : 'Sound off');
}

async function copyLink() {
  if (!match) return;
  const link = linkTo(match.id);
  try {
    await navigator.clipboard.writeText(link);
    screens.toast('Link to this match copied');
  } catch {
    screens.toast(link);
  }
}

/** @param {string} name */
function remember(name) {
  try {
    localStorage.setItem(NAME, name);
  } catch {
    // No storage: the name is asked for again next time.
  }
}

function recall() {
  try {
    return localStorage.getItem(NAME) ?? '';
  } catch {
    return '';
  }
}

/** @param {(m: Match) => void} then */
const afterLeaving = (then) => {
  const m = match;
  if (m) then(m);
};

/** @type {HTMLInputElement} */ (byId('name')).value = recall();
byId('join').addEventListener('submit', (e) => {
  e.preventDefault();
  void join(wish.spectate);
});
byId('spectate').addEventListener('click', (e) => {
  e.preventDefault();
  void join(true);
});
byId('help').addEventListener('click', (e) => {
  if (e.target === byId('help') || byId('helpClose').contains(/** @type {Node} */ (e.target))) screens.help(false);
});
byId('toolHelp').addEventListener('click', () => screens.help());
byId('toolSound').addEventListener('click', toggleSound);
byId('toolLink').addEventListener('click', () => void copyLink());
byId('toolLeave').addEventListener('click', () => afterLeaving((m) => void m.client.leave()));
byId('again').addEventListener('click', () => void join(wish.spectate));
byId('toStart').addEventListener('click', () => toStart());
canvas.addEventListener('click', (e) => {
  if (match) pick(match, camera, e);
});
window.addEventListener('keydown', key);
window.addEventListener('keyup', (e) => {
  if (e.code !== 'Tab') return;
  boardHeld = false;
  screens.board(null, '');
});
window.addEventListener('blur', () => {
  boardHeld = false;
  screens.board(null, '');
});
window.addEventListener('resize', () => picture.resize(camera));
window.addEventListener('hashchange', () => location.reload());
window.addEventListener('pointerdown', (e) => {
  if (e.pointerType !== 'touch' || document.body.dataset.touch) return;
  document.body.dataset.touch = 'true';
  byId('touch').hidden = false;
});
controls.enableTouch(byId('stickMove'), byId('stickAim'), byId('touchDash'), byId('touchRail'), canvas);
window.addEventListener('dragover', (e) => e.preventDefault());
window.addEventListener('drop', (e) => {
  e.preventDefault();
  const file = e.dataTransfer?.files[0];
  if (file) void watch(async () => read(await file.arrayBuffer()));
});
exposeHooks(() => match, () => fps, controls, tuning, () => frames);
picture.resize(camera);
requestAnimationFrame(frame);
const again = new URLSearchParams(location.hash.slice(1)).get('replay');
if (again) void watch(() => load(again));
else void offer((id) => void watch(() => load(id)));
if (wish.token !== '' || (wish.match !== '' && wish.spectate)) void join(wish.spectate);
else if (!controls.touch) byId('name').focus();

