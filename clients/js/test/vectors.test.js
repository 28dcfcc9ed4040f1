// The golden vectors of the protocol: every message and every sequence of states decodes to its value, every
// client message encodes to its bytes, every hostile message of a server is refused and changes nothing.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { decode, encode } from '@msgpack/msgpack';
import { MessageError, Reader, Writer } from '../src/msgpack.js';
import * as message from '../src/messages.js';
import * as outgoing from '../src/outgoing.js';
import { readPlan } from '../src/plan.js';
import { crc32 } from '../src/rows.js';
import { BaselineError, State } from '../src/state.js';

const vectors = JSON.parse(readFileSync(new URL('../../../protocol/testdata/vectors.json', import.meta.url), 'utf8'));

const hex = (/** @type {string} */ s) => new Uint8Array(Buffer.from(s, 'hex'));
const toHex = (/** @type {Uint8Array} */ b) => Buffer.from(b).toString('hex');

/** @type {Map<string, import('../src/plan.js').Plan>} */
const plans = new Map(vectors.plans.map((/** @type {any} */ p) => [p.name, readPlan(new Reader().reset(hex(p.bytes)))]));
const planOf = (/** @type {any} */ v) => /** @type {import('../src/plan.js').Plan} */ (plans.get(v.plan ?? 'bare'));

/** @param {import('../src/plan.js').Kind} k */
const kindValue = (k) => ({ name: k.name, fields: k.fields });

/** @param {import('../src/plan.js').Plan} p */
const planValue = (p) => ({
  kinds: p.kinds.map(kindValue),
  input: kindValue(p.input),
  private: p.private && kindValue(p.private),
  events: p.events.map(kindValue),
});

test('the vectors are of the version this client speaks', () => {
  assert.equal(vectors.version, 1);
  assert.equal(vectors.subprotocol, 'skirmish.v1');
});

for (const p of vectors.plans) {
  test(`plan ${p.name}`, () => {
    const r = new Reader().reset(hex(p.bytes));
    assert.deepEqual(planValue(readPlan(r)), p.plan);
    assert.equal(r.left, 0);
    assert.equal(crc32(hex(p.bytes)), p.hash);
  });
}

/** @type {Record<number, (w: Writer, v: any) => void>} */
const writers = {
  1: (w, v) => outgoing.writeHello(w, 'resume' in v ? { resume: v.resume, lastEvent: v.last_event_seq } : { token: v.token }, v.sdk, v.version, v.capabilities),
  2: (w, v) => outgoing.writeInput(w, v.base_tick, v.fraction, v.first_seq, v.inputs.flat(), v.inputs.length, v.inputs[0].length),
  3: (w, v) => outgoing.writePing(w, v.id, v.t0),
  4: (w, v) => outgoing.writeRequest(w, v.id, v.op, hex(v.payload)),
  5: (w, v) => outgoing.writeKeyframe(w, v.reason, v.crc),
  6: (w, v) => outgoing.writeBye(w, v.code),
};

/** @type {Record<number, (b: Uint8Array, plan: import('../src/plan.js').Plan) => any>} */
const readers = {
  0x20: (b) => {
    const w = message.readWelcome(b);
    return {
      event_seq: w.eventSeq, game: w.game, game_version: w.gameVersion, match_id: w.matchId, plan: planValue(w.plan), plan_hash: w.planHash,
      limits: {
        inputs_per_message: w.limits.inputsPerMessage, inputs_per_second: w.limits.inputsPerSecond,
        message_bytes: w.limits.messageBytes, seq_ahead: w.limits.seqAhead,
      },
      player_id: w.playerId, reconnect_ms: w.reconnectMs, resume_token: w.resumeToken, role: w.role, seat: w.seat,
      server_time: w.serverTime, snapshot_rate: w.snapshotRate, target_lead_ms: w.targetLeadMs, tick: w.tick,
      tick_rate: w.tickRate, version: w.version,
    };
  },
  0x23: (b, plan) => {
    const e = message.readEvent(b, plan);
    const fields = plan.events[e.op].fields;
    return { op: e.op, seq: e.seq, tick: e.tick, values: fields.map((f) => (f.type === 1 ? Number(e.fields[f.name]) : e.fields[f.name])) };
  },
  0x24: (b) => {
    const { seq, entries } = message.readRoster(b);
    return { seq, entries: entries.map(({ playerId, ...e }) => ({ ...e, player_id: playerId })) };
  },
  0x25: (b) => message.readPong(b),
  0x26: (b) => {
    const m = message.readReply(b);
    return { ...m, payload: toHex(m.payload) };
  },
  0x27: (b) => {
    const m = message.readNotice(b);
    return { kind: m.kind, deadline_ms: m.deadlineMs, url: m.url || null, token: m.token || null };
  },
  0x28: (b) => {
    const m = message.readResult(b);
    return { ...m, payload: toHex(m.payload) };
  },
  0x29: (b) => {
    const { retryAfterMs, ...m } = message.readError(b);
    return { ...m, retry_after_ms: retryAfterMs };
  },
};

for (const v of vectors.messages) {
  if (v.direction === 'client') {
    if (v.decode_only) continue;
    test(`client: ${v.name}`, () => {
      const w = new Writer(4);
      writers[v.type](w, v.value);
      assert.equal(toHex(w.done()), v.bytes);
    });
  } else {
    test(`server: ${v.name}`, () => {
      const bytes = hex(v.bytes);
      assert.equal(message.serverType(bytes), v.type);
      assert.deepEqual(readers[v.type](bytes, planOf(v)), v.value);
    });
  }
}

/**
 * @param {State} s
 * @param {boolean} full
 */
function stateValue(s, full) {
  const rows = [];
  for (let i = 0; i < s.rows.length; i++) rows.push([s.rows.ids[i], s.rows.kinds[i], [...s.rows.values.subarray(s.rows.at[i], s.rows.end(i))]]);
  return {
    tick: s.tick, base_tick: full ? 0 : s.baseTick, server_time: full ? s.serverTime : 0, ack: s.ack, lead_ms: s.leadMs,
    flags: s.flags, crc: s.hasCrc ? s.crc : null, rows, rows_crc: s.check(), private: s.hasPrivate ? [...s.private] : null,
  };
}

for (const q of vectors.sequences) {
  test(`sequence: ${q.name}`, () => {
    const state = new State(planOf(q));
    for (const step of q.steps) {
      const bytes = hex(step.bytes);
      if (step.expect === 'applied') state.apply(bytes);
      else if (step.expect === 'baseline') assert.throws(() => state.apply(bytes), BaselineError, step.name);
      else assert.throws(() => state.apply(bytes), (e) => e instanceof MessageError && !(e instanceof BaselineError), step.name);
      assert.deepEqual(stateValue(state, state.full), step.state, step.name);
    }
  });
}

for (const h of vectors.hostile) {
  if (h.direction !== 'server') continue;
  test(`hostile: ${h.name}`, () => {
    const state = new State(planOf(h));
    for (const b of h.before ?? []) state.apply(hex(b));
    const before = JSON.stringify(stateValue(state, true));
    const bytes = hex(h.bytes);
    const act = () => {
      const type = message.serverType(bytes);
      if (type === 0x21 || type === 0x22) state.apply(bytes);
      else readers[type](bytes, planOf(h));
    };
    assert.throws(act, h.expect === 'baseline' ? BaselineError : MessageError);
    assert.equal(JSON.stringify(stateValue(state, true)), before);
  });
}

test('any cut of a good message is refused, and no byte makes another error than a MessageError', () => {
  const good = vectors.messages.filter((/** @type {any} */ v) => v.direction === 'server' && v.bytes.length < 800);
  for (const v of good) {
    const bytes = hex(v.bytes);
    for (let n = 0; n < bytes.length; n++) {
      const cut = bytes.slice(0, n);
      assert.throws(() => (message.serverType(cut), readers[v.type](cut, planOf(v))), MessageError, `${v.name} cut at ${n}`);
    }
    for (let i = 0; i < bytes.length; i++) {
      for (const x of [0x00, 0x7f, 0x91, 0xc0, 0xc1, 0xd9, 0xdd, 0xff]) {
        const wrong = bytes.slice();
        wrong[i] = x;
        try {
          readers[message.serverType(wrong)]?.(wrong, planOf(v));
        } catch (e) {
          if (!(e instanceof MessageError)) throw e;
        }
      }
    }
  }
});

test('the writer and a foreign library agree on every width of an integer', () => {
  const w = new Writer(2);
  const r = new Reader();
  for (let bits = 0; bits <= 53; bits++) {
    for (const d of [-1, 0, 1]) {
      for (const sign of [1, -1]) {
        const v = sign * (2 ** bits + d) + 0;
        if (!Number.isSafeInteger(v)) continue;
        w.reset().int(v);
        assert.equal(toHex(w.done()), toHex(encode(v)), String(v));
        assert.equal(decode(w.done()), v);
        assert.equal(r.reset(w.done()).int(-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER), v);
      }
    }
  }
});
