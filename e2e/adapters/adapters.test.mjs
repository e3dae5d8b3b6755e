// The endpoint in every runtime that it is said to run in, by way of the adapter that the README shows.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { bundle, RUNTIMES } from './runtimes.mjs';

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
        assert.equal((await objects()).length, 1);
      });

      assert.doesNotMatch(server.said(), /error|unhandled|warning/i);
    } finally {
      await server.close();
    }
  });
}
