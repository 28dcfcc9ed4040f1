// The server the browser test plays on: the one of SKIRMISH_URL, or one of its own on a free port.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));
/** Compilation included. */
const START_MS = 180_000;

/**
 * Where the page is, and the API for matchmakers: '' when it is not known.
 * @returns {Promise<{url: string, api: string, stop: () => Promise<void>}>}
 */
export async function server() {
  const given = process.env.SKIRMISH_URL;
  if (given) return { url: given.endsWith('/') ? given : given + '/', api: process.env.SKIRMISH_API ?? '', stop: async () => {} };
  const child = spawn('go', ['run', './server', '--dev', '--addr', '127.0.0.1:0', '--admin-addr', '127.0.0.1:0'], {
    cwd: root, detached: true, stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit');
  const stop = async () => {
    // go run passes no signal on: its whole group is told.
    if (child.pid && child.exitCode === null) process.kill(-child.pid, 'SIGTERM');
    await ended;
  };
  try {
    return { ...(await printed(child, ended)), stop };
  } catch (e) {
    await stop();
    throw e;
  }
}

/**
 * The addresses that the server prints.
 * @param {import('node:child_process').ChildProcessByStdio<null, import('node:stream').Readable, import('node:stream').Readable>} child
 * @param {Promise<any>} ended
 * @returns {Promise<{url: string, api: string}>}
 */
function printed(child, ended) {
  return new Promise((resolve, reject) => {
    let said = '';
    const timer = setTimeout(() => reject(new Error('the server printed no address:\n' + said)), START_MS);
    const read = (/** @type {Buffer} */ b) => {
      said += b;
      const m = /Play:\s+(http:\/\/\S+)\s+API:\s+(http:\/\/\S+)/.exec(said);
      if (!m) return;
      clearTimeout(timer);
      resolve({ url: m[1], api: m[2] });
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    void ended.then(() => {
      clearTimeout(timer);
      reject(new Error('the server ended:\n' + said));
    });
  });
}
