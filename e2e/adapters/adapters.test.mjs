// The endpoint in every runtime that it is said to run in, by way of the adapter that src/server/README.md shows.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { bun, deno } from '../conformance/runners/process.mjs';
import { bundle, RUNTIMES } from './runtimes.mjs';

// Out of the time that a test has.
before(() => [bun(), deno()]);

const ORIGIN = 'https://shop.example';
const MAX_RELAY_BYTES = 65_536;

/** A good relay of exactly so many bytes: what is only stored grows by the byte. @param {number} length */
function relayOf(length) {
  const pack = (/** @type {number} */ fill) =>
    gzipSync(JSON.stringify({ resourceSpans: [], fill: 'x'.repeat(fill) }), { level: 0 });
  const bytes = pack(length - pack(0).length);
  const packed = bytes.length === length ? bytes : pack(length - pack(0).length - (bytes.length - length));
  assert.equal(packed.length, length);
  return new Uint8Array(packed);
}

const join = (/** @type {Uint8Array[]} */ ...parts) => new Uint8Array(Buffer.concat(parts));
const GOOD = gzipSync('{"resourceSpans":[{"scopeSpans":[]}]}');
const NOTHING = gzipSync('');
/** Its length, as its last four bytes say it: what a reader of several members is told by the last. */
const LENGTH = GOOD.subarray(-4);

/** A member whose header has something of these in it. @param {number} flag @param {Uint8Array} field */
const withField = (flag, field) =>
  join(GOOD.subarray(0, 3), Uint8Array.of(flag), GOOD.subarray(4, 10), field, GOOD.subarray(10));

/** @returns {Record<string, Uint8Array<ArrayBuffer>>} */
function notOneMember() {
  const stored = gzipSync('{"resourceSpans":[]}', { level: 0 });
  return {
    'two of them': join(GOOD, GOOD),
    'halves of one text': join(gzipSync('{"resourceSpans":['), gzipSync(']}')),
    'nothing, then one': join(NOTHING, GOOD),
    'nothing in a stored block, then one': join(gzipSync('', { level: 0 }), GOOD),
    'nothing with a name, then one': join(
      NOTHING.map((byte, at) => (at === 3 ? 0 : byte)),
      NOTHING,
      GOOD,
    ),
    'nothing, many times, then one': join(...Array.from({ length: 100 }, () => NOTHING), GOOD),
    'one, then nothing': join(GOOD, NOTHING),
    'one, nothing, one': join(GOOD, NOTHING, GOOD),
    'one of stored blocks, then another': join(stored, GOOD),
    zeros: join(GOOD, new Uint8Array(8)),
    'one zero': join(GOOD, new Uint8Array(1)),
    'zeros and the length': join(GOOD, new Uint8Array(1), LENGTH),
    'a page of zeros and the length': join(GOOD, new Uint8Array(4_096), LENGTH),
    'zeros, words and the length': join(GOOD, new Uint8Array(1), Buffer.from('<script>'), LENGTH),
    'zeros and a whole member': join(GOOD, new Uint8Array(1), GOOD),
    'the length': join(GOOD, LENGTH),
    'words and the length': join(GOOD, Buffer.from('and more'), LENGTH),
    'the first byte of a member': join(GOOD, Uint8Array.of(0x1f), LENGTH),
    'the header of a member': join(GOOD, NOTHING.subarray(0, 10), LENGTH),
    'past what is read at once': join(
      relayOf(MAX_RELAY_BYTES - 64),
      new Uint8Array(1),
      relayOf(100).subarray(-4),
    ),
  };
}

/** What only looks like several. */
function oneMember() {
  const words = join(GOOD, GOOD.subarray(0, 3), LENGTH, new Uint8Array(2));
  const length = Uint8Array.of(words.length & 255, words.length >> 8);
  return [
    withField(4, join(length, words)),
    withField(8, join(GOOD.subarray(0, 3).filter(Boolean), Uint8Array.of(0))),
    withField(16, join(Buffer.from('a comment'), Uint8Array.of(0))),
    withField(4, join(Uint8Array.of(40, 0), LENGTH, new Uint8Array(36))),
  ];
}

/**
 * Sends the beginning of a request that says it is longer, by hand.
 *
 * @param {string} origin
 * @returns {Promise<import('node:net').Socket>} When it is on its way.
 */
async function beginRequest(origin) {
  const { hostname, port, host } = new URL(origin);
  const socket = connect(Number(port), hostname);
  const head = `POST /spandrel HTTP/1.1\r\nHost: ${host}\r\nOrigin: ${ORIGIN}\r\nContent-Length: 1000\r\n\r\n{"v":1`;
  await new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.write(head, resolve);
  });
  return socket;
}

for (const [name, start] of Object.entries(RUNTIMES)) {
  test(`adapters: ${name} serves the endpoint`, { timeout: 60_000 }, async (context) => {
    const server = await start(await bundle(name));
    const endpoint = `${server.origin}/spandrel`;
    const post = (/** @type {string} */ query, /** @type {BodyInit} */ body) =>
      fetch(endpoint + query, { method: 'POST', body, headers: { origin: ORIGIN } });
    const issue = async () => {
      const response = await post('', '{"v":1,"want":1}');
      assert.equal(response.status, 200);
      return (await response.json()).uploads[0];
    };
    const objects = async () => (await fetch(`${server.origin}/objects`)).json();
    try {
      await context.test('an exchange', async () => {
        const response = await post('', '{"v":1,"want":2}');
        assert.equal(response.status, 200);
        assert.equal(response.headers.get('access-control-allow-origin'), ORIGIN);
        assert.match(response.headers.get('server-timing') ?? '', /^sign;dur=[\d.]+, total;dur=[\d.]+$/);
        assert.equal((await response.json()).uploads.length, 2);
      });

      await context.test('a preflight, and one from elsewhere', async () => {
        const ask = (/** @type {string} */ origin) =>
          fetch(endpoint, { method: 'OPTIONS', headers: { origin } });
        assert.equal((await ask(ORIGIN)).status, 204);
        const refused = await ask('https://evil.example');
        assert.equal(refused.status, 403);
        assert.equal(refused.headers.get('access-control-allow-origin'), null);
      });

      await context.test('a relay at the limit, and beyond it', async () => {
        const { key, token } = await issue();
        for (const over of [1, 3 * MAX_RELAY_BYTES]) {
          const response = await post(`?relay=${token}`, relayOf(MAX_RELAY_BYTES + over));
          assert.equal(response.status, 413);
          assert.equal((await response.json()).error.code, 'too_large');
        }
        assert.deepEqual(await objects(), []);
        const response = await post(`?relay=${token}`, relayOf(MAX_RELAY_BYTES));
        assert.equal(response.status, 200);
        assert.equal((await response.json()).created, true);
        assert.deepEqual(await objects(), [[key, MAX_RELAY_BYTES]]);
      });

      await context.test('a relay that is not one gzip member with nothing behind', async () => {
        const { token } = await issue();
        for (const [what, bytes] of Object.entries(notOneMember())) {
          const response = await post(`?relay=${token}`, bytes);
          assert.equal(response.status, 400, what);
          assert.equal((await response.json()).error.code, 'malformed', what);
        }
        assert.equal((await objects()).length, 1);
        for (const bytes of oneMember()) {
          const { token } = await issue();
          assert.equal((await post(`?relay=${token}`, bytes)).status, 200);
        }
      });

      await context.test('protocol 2: a relay of JSON and one of gzip, once, and what is there', async () => {
        const hex = Date.now().toString(16).padStart(12, '0');
        const ids = ['8000', '8001', '8002'].map(
          (part) => `${hex.slice(0, 8)}-${hex.slice(8)}-7000-${part}-${crypto.randomUUID().slice(24)}`,
        );
        const [plain = '', packed = '', missing = ''] = ids;
        const before = (await objects()).length;
        for (const created of [true, false]) {
          for (const [id, body] of [
            [plain, '{"resourceSpans":[]}'],
            [packed, GOOD],
          ]) {
            const response = await post(`?relay=${id}`, body ?? '');
            assert.equal(response.status, 200);
            const { now, key, ...answer } = await response.json();
            assert.deepEqual(answer, { v: 2, id, created });
            assert.ok(key.endsWith(`/traces_${id}.json.gz`), key);
            assert.ok(Math.abs(now - Date.now()) < 60_000);
          }
        }
        const wants = [...ids, 'x'].map((id) => ({ id, bytes: 100, again: true }));
        const { uploads } = await (await post('', JSON.stringify({ v: 2, wants }))).json();
        const told = Object.fromEntries(uploads.map((/** @type {any} */ one) => [one.id, one]));
        assert.deepEqual(
          [told[plain], told[packed]],
          [plain, packed].map((id) => ({ id, stored: true })),
        );
        assert.ok(told[missing].url.endsWith(`/traces_${missing}.json.gz`));
        assert.equal(told['x'].error.code, 'malformed');
        assert.equal((await objects()).length, before + 2);
      });

      await context.test('a body that does not come', async () => {
        const socket = await beginRequest(server.origin);
        const said = await new Promise((resolve, reject) => {
          let text = '';
          socket.once('error', reject);
          socket.once('end', () => resolve(text));
          socket.on('data', (chunk) => {
            text += chunk;
            if (text.includes('too_slow')) resolve(text);
          });
        });
        assert.match(said, /^HTTP\/1\.1 408 /);
        socket.destroy();
      });

      await context.test('a client that hangs up', async () => {
        for (let times = 0; times < 5; times++) (await beginRequest(server.origin)).destroy();
        await issue();
        assert.equal((await objects()).length, 3 + oneMember().length);
      });

      assert.doesNotMatch(server.said(), /error|unhandled|warning/i);
    } finally {
      await server.close();
    }
  });
}
