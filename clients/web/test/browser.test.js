// A browser plays on a real server: through the page as a newcomer sees it, to a moving ship among bots,
// through the scoreboard, a lost connection, spectating, and the ways in that fail.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WAIT, begin, join, look } from './page.js';

const { browser, open, shot, target } = begin();

/**
 * Holds keys until the ship has moved by more than 40 units; a wall may be in one way, never in all.
 * @param {import('playwright-core').Page} page
 */
async function fly(page) {
  for (const key of ['d', 's', 'a', 'w']) {
    const from = (await look(page)).ship;
    await page.keyboard.down(key);
    const moved = await page.waitForFunction(({ x, y }) => {
      const s = /** @type {any} */ (window).__skirmish.ship;
      return s !== null && Math.hypot(s.x - x, s.y - y) > 40;
    }, from, { timeout: 4000 }).then(() => true, () => false);
    await page.keyboard.up(key);
    if (moved) return true;
  }
  return false;
}

test('a newcomer clicks Play and flies among bots', { timeout: 90_000 }, async (t) => {
  const { page, errors } = await open(t);
  assert.match(await page.title(), /Skirmish/);
  assert.equal(await page.isVisible('#play'), true);
  await page.screenshot({ path: shot('start') });

  const clicked = Date.now();
  await join(page, 'Browser');
  t.diagnostic(`playing ${Date.now() - clicked} ms after the click`);
  const joined = await look(page);
  assert.equal(joined.role, 0);
  assert.ok(joined.roster.some((/** @type {any} */ s) => s.seat === joined.seat && s.name === 'Browser'));
  assert.ok(joined.shown.ships > 1, 'there are others');
  assert.ok(joined.shown.walls > 0);
  assert.ok(joined.roster.some((/** @type {any} */ s) => s.role === 2), 'there are bots');

  assert.ok(await fly(page), 'the own ship moves');
  const flown = await look(page);
  assert.ok(flown.ack > 0 && flown.ack <= flown.inputSeq, 'inputs are applied');
  assert.ok(flown.stats.snapshotsPerSecond > 5);
  assert.ok(flown.stats.delta > flown.stats.full);
  assert.equal(flown.stats.malformed, 0);

  await page.mouse.move(1200, 360);
  await page.mouse.down();
  await page.waitForFunction(() => /** @type {any} */ (window).__skirmish.shown.bolts > 0, null, WAIT);
  await page.screenshot({ path: shot('play') });
  await page.mouse.up();
  assert.ok(Math.abs((await look(page)).aim) < 0.7, 'the aim follows the mouse');

  await page.keyboard.down('Tab');
  await page.waitForSelector('#board:not([hidden]) .scores tr.own', WAIT);
  assert.match(await page.innerText('#board .scores tr.own'), /Browser/);
  await page.screenshot({ path: shot('board') });
  await page.keyboard.up('Tab');
  assert.equal(await page.isHidden('#board'), true);
  await page.keyboard.press('n');
  assert.equal(await page.isVisible('#net'), true);
  await page.waitForFunction(() => /** @type {any} */ (window).__skirmish.stats.rttMs > 0, null, WAIT);
  await page.screenshot({ path: shot('net') });
  await page.keyboard.press('m');
  assert.equal(await page.getAttribute('#toolSound', 'aria-pressed'), 'true');
  await page.mouse.down();
  await page.mouse.down({ button: 'right' });
  await page.waitForTimeout(1000);
  await page.mouse.up({ button: 'right' });
  await page.mouse.up();
  assert.deepEqual(errors, []);
});

test('a lost connection is resumed in the same seat', { timeout: 60_000 }, async (t) => {
  const context = await browser().newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  await page.addInitScript(() => {
    const Real = window.WebSocket;
    /** @type {any} */ (window).sockets = [];
    window.WebSocket = class extends Real {
      /**
       * @param {string | URL} url
       * @param {string | string[]} [protocols]
       */
      constructor(url, protocols) {
        super(url, protocols);
        /** @type {any} */ (window).sockets.push(this);
      }
    };
  });
  await page.goto(target().url);
  await join(page, 'Comeback');
  const was = await look(page);
  await page.evaluate(() => /** @type {any} */ (window).sockets.at(-1).onclose({ code: 1006, reason: '' }));
  await page.waitForFunction(() => {
    const s = /** @type {any} */ (window).__skirmish;
    return s.status === 'playing' && s.stats.resumes === 1;
  }, null, WAIT);
  const now = await look(page);
  assert.equal(now.seat, was.seat);
  assert.equal(now.matchId, was.matchId);
  assert.equal(await page.isHidden('#lost'), true);
  assert.ok(await fly(page), 'it flies on');
});

test('a link to spectate shows the match without a ship of its own', { timeout: 60_000 }, async (t) => {
  const player = await open(t);
  await join(player.page, 'Watched');
  const { matchId } = await look(player.page);
  const { page, errors } = await open(t, `#match=${matchId}&spectate`);
  await page.waitForFunction(() => {
    const s = /** @type {any} */ (window).__skirmish;
    return s.status === 'playing' && s.shown.ships > 1;
  }, null, WAIT);
  const seen = await look(page);
  assert.equal(seen.matchId, matchId);
  assert.equal(seen.role, 1);
  assert.equal(seen.ship, null);
  assert.equal(seen.inputSeq, 0);
  assert.ok(seen.roster.some((/** @type {any} */ s) => s.name === 'Watched'));
  await page.keyboard.press('ArrowRight');
  await page.waitForFunction(() => document.querySelector('#watching b')?.textContent !== 'Overview', null, WAIT);
  await page.screenshot({ path: shot('spectate') });
  assert.deepEqual(errors, []);
});

test('leaving goes back to the start', { timeout: 60_000 }, async (t) => {
  const { page, errors } = await open(t);
  await join(page, 'Leaver');
  await page.click('#toolLeave');
  await page.waitForSelector('#play', { state: 'visible', ...WAIT });
  assert.equal((await look(page)).status, 'idle');
  assert.equal(await page.isHidden('#startNote'), true);
  assert.deepEqual(errors, []);
});

test('a ticket that is not one ends in a sentence, and is gone from the address', { timeout: 60_000 }, async (t) => {
  const { page } = await open(t, `#token=mt1.none.AA.AA&url=${encodeURIComponent(target().url.replace(/^http/, 'ws') + 'play')}`);
  await page.waitForSelector('#startNote:not([hidden])', WAIT);
  assert.match(await page.innerText('#startNote'), /ticket/);
  assert.doesNotMatch(page.url(), /token/);
});

test('without quick play the page tells how to get in', { timeout: 60_000 }, async (t) => {
  const { page } = await open(t);
  await page.route('**/v1/quickplay', (route) => route.fulfill({
    status: 404, contentType: 'application/json', body: JSON.stringify({ error: { code: 'not_found', message: 'Quick play is off on this server.' } }),
  }));
  await page.click('#play');
  await page.waitForSelector('#startNote:not([hidden])', WAIT);
  assert.match(await page.innerText('#startNote'), /join link/);
});

test('a link to a match that is gone says so, where quick play is on', { timeout: 60_000 }, async (t) => {
  const { page } = await open(t, '#match=no-such-match');
  await page.click('#play');
  await page.waitForSelector('#startNote:not([hidden])', WAIT);
  assert.match(await page.innerText('#startNote'), /does not exist or has ended/);
});
