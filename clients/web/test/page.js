// What the browser tests share: a server, a browser, and what the page tells about itself.

import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before } from 'node:test';
import { chromium } from 'playwright-core';
import { server } from './server.js';

const FLAGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];
export const WAIT = { timeout: 20_000 };

/** Starts a server and a browser before the tests of a file, and ends them after. */
export function begin() {
  const shots = mkdtempSync(path.join(tmpdir(), 'skirmish-'));
  /** @type {Awaited<ReturnType<typeof server>>} */
  let target;
  /** @type {import('playwright-core').Browser} */
  let browser;
  before(async () => {
    target = await server();
    browser = await chromium.launch({ executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium', args: FLAGS });
    console.log('# screenshots: ' + shots);
  }, { timeout: 240_000 });
  after(async () => {
    await browser?.close();
    await target?.stop();
  });
  return {
    target: () => target,
    browser: () => browser,
    /** @param {string} name */
    shot: (name) => path.join(shots, name + '.png'),

    /**
     * A page with an empty storage whose errors are collected.
     * @param {import('node:test').TestContext} t
     * @param {string} fragment
     */
    async open(t, fragment = '') {
      const context = await browser.newContext({ viewport: { width: 1280, height: 720 } });
      const page = await context.newPage();
      /** @type {string[]} */
      const errors = [];
      page.on('console', (m) => m.type() === 'error' && errors.push(m.text()));
      page.on('pageerror', (e) => errors.push(String(e.stack)));
      t.after(() => context.close());
      await page.goto(target.url + fragment);
      return { page, errors };
    },
  };
}

/**
 * What the page tells about itself.
 * @param {import('playwright-core').Page} page
 * @returns {Promise<any>}
 */
export const look = (page) => page.evaluate(() => {
  const s = /** @type {any} */ (window).__skirmish;
  const names = ['status', 'matchId', 'seat', 'role', 'tick', 'ship', 'shown', 'roster', 'stats', 'inputSeq', 'ack', 'aim', 'frames', 'own', 'predicting', 'ghost', 'viewTick', 'serverTick', 'link', 'fps'];
  return Object.fromEntries(names.map((n) => [n, s[n]]));
});

/**
 * @param {import('playwright-core').Page} page
 * @param {string} name
 */
export async function join(page, name) {
  await page.fill('#name', name);
  await page.click('#play');
  await playing(page);
}

/**
 * Waits until the own ship is in play, and closes the help.
 * @param {import('playwright-core').Page} page
 */
export async function playing(page) {
  await page.waitForFunction(() => {
    const s = /** @type {any} */ (window).__skirmish;
    return s.status === 'playing' && s.ship !== null && s.shown.ships > 0;
  }, null, WAIT);
  await page.keyboard.press('Escape');
}
