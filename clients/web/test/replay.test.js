// A match is recorded, ends, and is watched again: through the page's list, with the bar, and as a file that is dropped.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WAIT, begin, join, look } from './page.js';

const { open, shot, target } = begin();

test('a match is played again', { timeout: 90_000 }, async (t) => {
  const { page, errors } = await open(t);
  await join(page, 'Recorded');
  const { matchId } = await look(page);
  await page.keyboard.down('d');
  await page.waitForFunction(() => /** @type {any} */ (window).__skirmish.tick > 240, null, WAIT);
  await page.keyboard.up('d');
  const ended = await fetch(`${target().api}/${matchId}?mode=force`, { method: 'DELETE' });
  assert.ok(ended.ok);
  await page.waitForSelector('#over:not([hidden])', WAIT);
  await page.waitForSelector('#watchReplay:not([hidden])', WAIT);
  await page.screenshot({ path: shot('replay-offer') });

  await page.click('#watchReplay');
  await page.waitForFunction(() => { // until then the match itself is shown
    const s = /** @type {any} */ (window).__skirmish;
    return s.role === 1 && s.shown.ships > 1;
  }, null, WAIT);
  const first = await look(page);
  assert.ok(first.roster.some((/** @type {any} */ s) => s.name === 'Recorded'));
  await page.waitForFunction((tick) => /** @type {any} */ (window).__skirmish.viewTick > tick + 30, first.viewTick, WAIT);

  await page.keyboard.press('Space');
  await page.waitForFunction(() => document.getElementById('replayPlay')?.textContent === 'Play', null, WAIT);
  const held = await look(page);
  await page.waitForTimeout(300);
  assert.equal((await look(page)).viewTick, held.viewTick, 'it holds still');

  await page.fill('#replayAt', '500');
  await page.waitForFunction((tick) => /** @type {any} */ (window).__skirmish.viewTick !== tick, held.viewTick, WAIT);
  const middle = await look(page);
  await page.keyboard.press('ArrowRight');
  await page.waitForFunction(() => document.querySelector('#watching b')?.textContent !== 'Overview', null, WAIT);
  await page.screenshot({ path: shot('replay') });
  await page.fill('#replayAt', '100');
  await page.waitForFunction((tick) => /** @type {any} */ (window).__skirmish.viewTick < tick, middle.viewTick, WAIT);
  await page.selectOption('#replaySpeed', '8');
  await page.click('#replayPlay');
  await page.waitForFunction(() => { // the bar is drawn now and then: just after the click it still says Play
    const at = /** @type {HTMLInputElement} */ (document.getElementById('replayAt'));
    return Number(at.value) >= 999 && document.getElementById('replayPlay')?.textContent === 'Play';
  }, null, WAIT);

  await page.click('#toolLeave');
  await page.waitForSelector(`#replays a[title="Match ${matchId}"]`, WAIT);
  await page.screenshot({ path: shot('replay-list') });

  const film = Buffer.from(await (await fetch(`${target().api}/${matchId}/film`)).arrayBuffer());
  const drop = await page.evaluateHandle((text) => {
    const data = new DataTransfer();
    data.items.add(new File([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], 'match.film'));
    return data;
  }, film.toString('base64'));
  await page.dispatchEvent('body', 'drop', { dataTransfer: drop });
  await page.waitForFunction(() => /** @type {any} */ (window).__skirmish.shown.ships > 1, null, WAIT);

  const link = await (await fetch(`${target().api}/${matchId}/replay/link`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"ttl_ms":60000}',
  })).json();
  await page.goto('about:blank');
  await page.goto(link.url);
  await page.waitForFunction(() => /** @type {any} */ (window).__skirmish?.shown.ships > 1, null, WAIT);
  assert.deepEqual(errors, []);
});
