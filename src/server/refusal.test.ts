import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { ErrorCode } from '../protocol.js';
import {
  type Answer,
  type IngestHarness,
  ingestHarness,
  NOW_MILLIS,
  SECRET,
} from '../testing/ingest-harness.js';
import { storageDown } from '../testing/memory-storage.js';
import type { IngestOptions } from './ingest-options.js';
import { uuidV7 } from './uuid.js';

const GZIP = new Uint8Array(gzipSync('{"resourceSpans":[]}'));
const BOMB = new Uint8Array(gzipSync(new Uint8Array(1_000_000)));
const FOREIGN = { origin: 'https://evil.example' };

interface Case {
  options?: Partial<IngestOptions>;
  send: (harness: IngestHarness) => Promise<Answer>;
}

/** An exchange whose body is `text`, or has these fields. */
const exchanging = (body: string | object): Case => ({
  send: ({ send }) => send({ body: typeof body === 'string' ? body : JSON.stringify({ v: 1, ...body }) }),
});
const relaying = (query: string, body: Uint8Array<ArrayBuffer> | string = GZIP): Case => ({
  send: ({ send }) => send({ query, body }),
});
const trace = (change: object) => ({
  stored: [
    {
      key: 'k',
      token: 't',
      spanCount: 1,
      bytes: 1,
      traces: [
        {
          traceId: 'a'.repeat(32),
          rootName: '',
          startedAt: 0,
          durationMs: 0,
          spanCount: 1,
          error: false,
          ...change,
        },
      ],
    },
  ],
});
const receipt = (change: object) => ({
  stored: [{ key: 'k', token: 't', spanCount: 1, bytes: 1, traces: [], ...change }],
});
/** A byte, and no end. */
const trickle = () => new ReadableStream({ start: (controller) => controller.enqueue(Uint8Array.of(0x7b)) });
const many = (length: number, item: unknown = 'x') => Array(length).fill(item);

const CASES: Record<ErrorCode, Record<string, Case>> = {
  malformed: {
    'no body': { send: ({ send }) => send({}) },
    'no JSON': exchanging('want=1'),
    'not UTF-8': { send: ({ send }) => send({ body: Uint8Array.of(0x7b, 0xff, 0x7d) }) },
    'not an object': exchanging('[1]'),
    null: exchanging('null'),
    'nested for ever': exchanging(`{"v":1,"x":${'['.repeat(30_000)}`),
    'nested and closed': exchanging(`{"v":1,"x":${`[${' '.repeat(20)}`.repeat(201)}${']'.repeat(201)}}`),
    'brackets only': exchanging(`{"v":1,"x":[${'[],'.repeat(10_000)}0]}`),
    'no version': exchanging('{"want":1}'),
    'another version': exchanging({ v: 3 }),
    'negative want': exchanging({ want: -1 }),
    'fractional want': exchanging({ want: 1.5 }),
    'infinite want': exchanging('{"v":1,"want":1e999}'),
    'want as text': exchanging({ want: '1' }),
    'want null': exchanging({ want: null }),
    'project as number': exchanging({ project: 7 }),
    'long project': exchanging({ project: 'x'.repeat(1025) }),
    'stored no array': exchanging({ stored: {} }),
    'much stored': exchanging({ stored: many(101, receipt({}).stored[0]) }),
    'receipt no object': exchanging({ stored: [null] }),
    'receipt without key': exchanging(receipt({ key: undefined })),
    'receipt without token': exchanging(receipt({ token: undefined })),
    'receipt without count': exchanging(receipt({ spanCount: -1 })),
    'receipt without bytes': exchanging(receipt({ bytes: 0.5 })),
    'receipt without traces': exchanging(receipt({ traces: 'none' })),
    'receipt with many traces': exchanging(receipt({ traces: many(501, trace({}).stored[0]?.traces[0]) })),
    'trace no object': exchanging(receipt({ traces: [[]] })),
    'trace id': exchanging(trace({ traceId: 'A'.repeat(32) })),
    'trace name': exchanging(trace({ rootName: 5 })),
    'trace start': exchanging(trace({ startedAt: 1e16 })),
    'trace duration': exchanging(trace({ durationMs: -1 })),
    'trace spans': exchanging(trace({ spanCount: '1' })),
    'trace error': exchanging(trace({ error: 0 })),
    'confirm no array': exchanging({ confirm: 'x' }),
    'much to confirm': exchanging({ confirm: many(101) }),
    'confirm no text': exchanging({ confirm: [1] }),
    'long token': exchanging({ confirm: ['x'.repeat(1025)] }),
    'much to renew': exchanging({ renew: many(21) }),
    'renew no text': exchanging({ renew: [{}] }),
    'lost no object': exchanging({ lost: [] }),
    'lost reason': exchanging({ lost: { 'Not A Reason': 1 } }),
    'long reason': exchanging({ lost: { ['x'.repeat(41)]: 1 } }),
    'prototype as reason': exchanging('{"v":1,"lost":{"__proto__":1}}'),
    'lost fraction': exchanging({ lost: { paused: 0.1 } }),
    'lost negative': exchanging({ lost: { paused: -1 } }),
    'many reasons': exchanging({
      lost: Object.fromEntries(many(31).map((_, index) => ['a'.repeat(index + 1), 1])),
    }),
    'a body that breaks off': {
      send: ({ send }) => {
        const body = new ReadableStream({ start: (controller) => controller.error(new Error('gone')) });
        return send({ body, duplex: 'half' });
      },
    },
    'relay of no blob': relaying('?relay='),
    'relay of a blob that is none': relaying('?relay=&blob=../../x'),
    'relay of no gzip': {
      send: async ({ send, issue }) => send({ query: `?relay=${(await issue()).token}`, body: 'text' }),
    },
  },
  bad_token: {
    'forged renewal': exchanging({ renew: ['garbage'] }),
    'forged relay': relaying('?relay=garbage'),
    'foreign secret': {
      send: async ({ send }) => {
        const { token } = await ingestHarness({ secret: `not ${SECRET}` }).issue();
        return send({ query: `?relay=${token}`, body: GZIP });
      },
    },
    'expired relay': {
      send: async ({ send, issue, clock }) => {
        const { token } = await issue();
        clock.nowMillis += 7 * 86_400_000 + 1;
        return send({ query: `?relay=${token}`, body: GZIP });
      },
    },
  },
  unknown_project: {
    'no project': { options: { projects: ['shop'] }, ...exchanging({ want: 1 }) },
    'another project': {
      options: { projects: ['shop'] },
      ...exchanging({ want: 1, project: 'constructor' }),
    },
    'relay to no project': { options: { projects: ['shop'] }, ...relaying('?relay=&blob=x') },
  },
  forbidden_origin: {
    exchange: { send: ({ exchange }) => exchange({ want: 1 }, FOREIGN) },
    'exchange with garbage': { send: ({ send }) => send({ body: 'garbage', headers: FOREIGN }) },
    preflight: { send: ({ send }) => send({ method: 'OPTIONS', headers: FOREIGN }) },
    relay: {
      send: async ({ send, issue }) =>
        send({ query: `?relay=${(await issue()).token}`, body: GZIP, headers: FOREIGN }),
    },
    'opaque origin': { send: ({ exchange }) => exchange({ want: 1 }, { origin: 'null' }) },
  },
  // Which path the endpoint has is its host's business.
  not_found: {},
  method_not_allowed: Object.fromEntries(
    ['GET', 'PUT', 'DELETE', 'PATCH'].map((method) => [method, { send: ({ send }) => send({ method }) }]),
  ),
  too_slow: {
    'a body that trickles': {
      options: { bodyTimeoutMillis: 100 },
      send: ({ send }) => send({ body: trickle(), duplex: 'half' }),
    },
    'a relay that trickles': {
      options: { bodyTimeoutMillis: 100 },
      send: async ({ send, issue }) =>
        send({ query: `?relay=${(await issue()).token}`, body: trickle(), duplex: 'half' }),
    },
  },
  too_large: {
    exchange: exchanging({ padding: 'x'.repeat(64 * 1024) }),
    relay: relaying(`?relay=&blob=${uuidV7(NOW_MILLIS, new Uint8Array(10))}`, new Uint8Array(256 * 1024 + 1)),
    'relay of a bomb': {
      send: async ({ send, issue }) => send({ query: `?relay=${(await issue()).token}`, body: BOMB }),
    },
  },
  rate_limited: {
    'a quota that is used up': {
      options: {
        quota: {
          store: { take: async () => ({ granted: [], retryAfterSeconds: 30 }) },
          perProject: { objects: 0 },
        },
      },
      ...exchanging({ want: 1 }),
    },
    'a quota whose store fails': {
      options: {
        quota: { store: { take: () => Promise.reject(new Error(SECRET)) }, perProject: { objects: 0 } },
      },
      ...exchanging({ want: 1 }),
    },
    exchange: { options: { rateLimit: () => ({ retryAfterSeconds: 30 }) }, ...exchanging({ want: 1 }) },
  },
  storage_failed: {
    presign: {
      send: ({ exchange, storage }) => {
        storage.failure = storageDown();
        return exchange({ want: 1 });
      },
    },
    relay: {
      send: async ({ send, issue, storage }) => {
        const { token } = await issue();
        storage.failure = storageDown();
        return send({ query: `?relay=${token}`, body: GZIP });
      },
    },
  },
  internal: {
    'a hook that decides': {
      options: { rateLimit: () => Promise.reject(new Error(`broken ${SECRET}`)) },
      ...exchanging({ want: 1 }),
    },
    'an origin rule': {
      options: {
        allowedOrigins: () => {
          throw new Error(`broken ${SECRET}`);
        },
      },
      send: ({ exchange }) => exchange({ want: 1 }, FOREIGN),
    },
  },
};

const STATUS: Record<ErrorCode, number> = {
  malformed: 400,
  bad_token: 400,
  unknown_project: 401,
  forbidden_origin: 403,
  not_found: 404,
  method_not_allowed: 405,
  too_slow: 408,
  too_large: 413,
  rate_limited: 429,
  storage_failed: 502,
  internal: 500,
};

for (const [code, cases] of Object.entries(CASES) as [ErrorCode, Record<string, Case>][]) {
  for (const [name, { options, send }] of Object.entries(cases)) {
    test(`ingest: ${code}: ${name}`, async () => {
      const harness = ingestHarness(options);
      const { status, headers, body } = await send(harness);
      assert.deepEqual([body.error?.code, status], [code, STATUS[code]]);
      assert.equal(headers.get('content-type'), 'application/json');
      assert.equal(headers.get('cache-control'), 'no-store');
      assert.doesNotMatch(JSON.stringify(body), /secret|https?:|store\.example/);
      assert.equal(headers.get('retry-after'), code === 'rate_limited' ? '30' : null);
      assert.equal(headers.get('allow'), code === 'method_not_allowed' ? 'POST, OPTIONS' : null);
      assert.equal(harness.errors.length > 0, status >= 500 || name === 'a quota whose store fails');
      assert.equal(harness.storage.objects.size, 0);
    });
  }
}
