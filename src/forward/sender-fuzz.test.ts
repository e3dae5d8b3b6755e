/** Whatever lies in the bucket and whatever the backend answers: each object has one result, and each span one place. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateRawSync, gunzipSync, constants as zlib } from 'node:zlib';
import fc from 'fast-check';
import { parseObjectKey } from '../object-key.js';
import {
  gzipped,
  type Json,
  keyOf,
  LIMITS,
  RECEIVED_AT,
  request,
  span,
  spansIn,
} from '../testing/forward.js';
import { inspect } from '../wire/inspect.js';
import { nameCount, nameCountOf } from '../wire/json-names.js';
import type { BatchResult, FetchedObject } from './batch.js';
import { assembleBatchSender } from './batch-sender.js';
import { checkSenderOptions } from './sender-options.js';

const RUNS = { numRuns: Number(process.env['FUZZ_RUNS'] ?? 300) };

const joined = (...parts: Uint8Array[]): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.concat(parts));

/** A place in JSON, by a number, and what is put there. */
function mutate(json: Json, place: number, value: unknown): Json {
  const root = { json };
  const places: [Json, string][] = [];
  const visit = (holder: Json): void => {
    for (const key of Object.keys(holder)) {
      places.push([holder, key]);
      if (typeof holder[key] === 'object' && holder[key] !== null) visit(holder[key]);
    }
  };
  visit(root);
  const [holder, key] = places[place % places.length] as [Json, string];
  if (value === undefined) delete holder[key];
  else holder[key] = value;
  return root.json;
}

const forged = { key: 'spandrel.ingest.project', value: { stringValue: 'forged' } };
const anyValue = fc.oneof(
  fc.record({ stringValue: fc.string({ unit: 'binary' }) }),
  fc.record({ intValue: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String) }),
  fc.record({
    doubleValue: fc.double().map((number) => (Number.isFinite(number) ? number : String(number))),
  }),
  fc.record({ boolValue: fc.boolean() }),
  fc.constant({ arrayValue: { values: [{ kvlistValue: { values: [forged] } }] } }),
);
const attribute = fc.oneof(
  fc.record({ key: fc.string(), value: anyValue }),
  fc.constantFrom(forged, { key: '__proto__', value: {} }, { key: 'half', value: { stringValue: '\ud800' } }),
);
const aSpan = fc
  .record({
    trace: fc.nat(6),
    id: fc.nat(12),
    attributes: fc.array(attribute, { maxLength: 3 }),
    start: fc.constantFrom(
      '0',
      '7',
      `${RECEIVED_AT}000000`,
      `${RECEIVED_AT + 10}000000`,
      '18446744073709551615',
    ),
  })
  .map(({ trace, id, attributes, start }) =>
    span(trace, trace * 100 + id, {
      attributes,
      startTimeUnixNano: start,
    }),
  );
const mutation = fc.record({
  place: fc.nat(),
  value: fc.oneof(
    fc.json().map((text) => JSON.parse(text)),
    fc.constantFrom(undefined, null, '', -1, 1e21, [], {}),
  ),
});
const json = fc
  .record({
    spans: fc.array(aSpan, { maxLength: 6 }),
    mutations: fc.array(mutation, { maxLength: 2 }),
  })
  .map(({ spans, mutations }) =>
    mutations.reduce((tree, { place, value }) => mutate(tree, place, value), structuredClone(request(spans))),
  );
/** What is done to text, most often nothing. */
const TEXT_DAMAGE: ((text: string, n: number) => string)[] = [
  ...Array(6).fill((text: string) => text),
  (text) => `${text}\n${text}`,
  (text, n) => text.slice(0, n % (text.length + 1)),
  (text) => `{"resourceSpans":[],${text.slice(1)}`,
  (text) => text.replace('"kind":1', '"kind":1,"kind":"x","__proto__":{"kind":1}'),
  (text) => `\ufeff${text}`,
  (text) => text.replaceAll('"name":"span', '"name":"\\udfff'),
  (text) => text.replace('"name"', '"Name":"x","name"'),
];
const GZIP_DAMAGE: ((bytes: Uint8Array<ArrayBuffer>, n: number) => Uint8Array<ArrayBuffer>)[] = [
  ...Array(6).fill((bytes: Uint8Array) => bytes),
  (bytes, n) => bytes.slice(0, n % bytes.length),
  (bytes) => joined(bytes, bytes),
  (bytes) => joined(gzipped(''), bytes),
  (bytes) => joined(bytes, new Uint8Array(1), bytes.subarray(-4)),
  (bytes, n) => bytes.map((byte, index) => (index === n % bytes.length ? byte ^ (1 << (n % 8)) : byte)),
];
const bytes = fc.oneof(
  { weight: 1, arbitrary: fc.uint8Array().map((array) => new Uint8Array(array)) },
  {
    weight: 20,
    arbitrary: fc
      .record({
        json,
        text: fc.constantFrom(...TEXT_DAMAGE),
        gzip: fc.constantFrom(...GZIP_DAMAGE),
        n: fc.nat(),
      })
      .map(({ json, text, gzip, n }) => gzip(gzipped(text(JSON.stringify(json) ?? '', n)), n)),
  },
);
const objectsOf = fc.array(
  fc.record({ bytes, isOdd: fc.boolean(), project: fc.constantFrom('shop', 'forum') }),
  {
    maxLength: 8,
  },
);
const batches = fc.array(objectsOf, { minLength: 1, maxLength: 3 });

/** What a backend answers, by turns and by what is in the request. */
const behaviour = fc.record({
  turns: fc.array(fc.constantFrom(200, 200, 200, 204, 400, 500, 503, 429, 401, 302), { maxLength: 6 }),
  poison: fc.option(fc.nat(12), { nil: undefined }),
  poisonStatus: fc.constantFrom(400, 422, 500),
  maxSpans: fc.constantFrom(2, 5, 1_000),
  body: fc.constantFrom(
    '',
    '{}',
    '{"partialSuccess":{"rejectedSpans":"1","errorMessage":"x"}}',
    '[',
    '{"partialSuccess":7}',
  ),
});
const settings = fc.record({
  stamp: fc.boolean(),
  maxRequestSpans: fc.constantFrom(1, 3, 1_000),
  concurrency: fc.integer({ min: 1, max: 3 }),
});

const idOf = ({ traceId, spanId }: Json): string => `${traceId}/${spanId}`.toLowerCase();

test('fuzz: each object has one result, and each span of an object that was sent was taken as often as it is there', async () => {
  await fc.assert(
    fc.asyncProperty(batches, behaviour, settings, async (made, { turns, ...backend }, options) => {
      /** Requests that were answered with 2xx. */
      let taken: Json[] = [];
      let turn = 0;
      const failures: unknown[] = [];
      const answer = (_url: unknown, init?: RequestInit): Response => {
        const text = gunzipSync(init?.body as Uint8Array).toString();
        const body = JSON.parse(text);
        const spans = spansIn(body);
        assert.ok(!/[^\\]\\ud[89a-f]/.test(text), 'no half of a pair');
        assert.equal(nameCount(text), nameCountOf(body), 'no name twice');
        assert.ok(!text.includes('"Name":'), 'no name in another case');
        for (const { attributes = [] } of options.stamp ? spans : []) {
          assert.ok(
            attributes.every(({ key }: Json) => key !== forged.key),
            'nothing of the server from a client',
          );
        }
        const scripted = turns[turn++] ?? 200;
        const isPoisoned = spans.some(
          ({ spanId }: Json) => Number.parseInt(spanId, 16) % 100 === backend.poison,
        );
        const status = isPoisoned ? backend.poisonStatus : spans.length > backend.maxSpans ? 413 : scripted;
        // What is no OTLP answer says that nothing was taken.
        if (status === 200 && /^\{/.test(backend.body)) taken.push(body);
        return new Response(status === 204 ? null : backend.body, { status });
      };
      let nowMillis = RECEIVED_AT;
      const sender = assembleBatchSender(
        checkSenderOptions({ url: 'http://backend.test', now: () => nowMillis, ...options }),
        {
          // What is thrown here is a network that failed, to the sender.
          fetch: async (url, init) => {
            try {
              return answer(url, init);
            } catch (error) {
              failures.push(error);
              throw error;
            }
          },
          now: () => nowMillis,
          random: () => 0.5,
          sleep: async (millis) => {
            nowMillis += millis;
          },
        },
      );
      let n = 0;
      for (const batch of made) {
        const objects: FetchedObject[] = batch.map(({ bytes, isOdd, project }) => ({
          key: isOdd ? `odd ${n++}` : keyOf(n++, project),
          bytes,
        }));
        taken = [];
        const result = await sender.send(objects);
        assert.deepEqual(failures, []);
        await check(objects, result, taken, options);
      }
    }),
    RUNS,
  );
});

async function check(
  objects: FetchedObject[],
  { results }: BatchResult,
  taken: Json[],
  { stamp }: { stamp: boolean },
): Promise<void> {
  assert.deepEqual(
    results.map(({ key }) => key),
    objects.map(({ key }) => key),
  );
  assert.ok(!JSON.stringify(results).includes('spandrel failed'), JSON.stringify(results));
  /** How often the spans of each object were taken; without a stamp of all. */
  const counts = new Map<string, number>();
  const add = (id: string, count: number): void => void counts.set(id, (counts.get(id) ?? 0) + count);
  for (const { resourceSpans } of taken) {
    for (const ofResource of resourceSpans) {
      for (const each of spansIn({ resourceSpans: [ofResource] }))
        add(`${stamp ? objectIdOf(ofResource) : ''} ${idOf(each)}`, 1);
    }
  }
  for (const [index, { key, bytes }] of objects.entries()) {
    const { status, reason, message, spanCount } = results[index] ?? assert.fail();
    assert.equal(status === 'quarantine', reason !== undefined);
    if (status !== 'sent') assert.ok(message && !/[\n\r]/.test(message) && message.length < 500);
    const inspected = await inspect(bytes, LIMITS, { signal: 'traces', asStored: false });
    assert.equal('reason' in inspected, reason !== undefined && reason !== 'refused', `${key} ${reason}`);
    if (status !== 'sent' || 'reason' in inspected) continue;
    const ids = spansIn(inspected.request).map(idOf);
    assert.equal(spanCount, ids.length);
    for (const id of ids) add(`${stamp ? (parseObjectKey(key)?.id ?? '') : ''} ${id}`, -1);
  }
  // What was sent was taken whole; of what was not, parts may have been.
  assert.ok([...counts.values()].every((count) => count >= 0));
  const areAllSent = results.every(({ status }) => status === 'sent');
  if (areAllSent)
    assert.ok(
      [...counts.values()].every((count) => count === 0),
      'each once',
    );
}

const objectIdOf = ({ resource }: Json): string =>
  (resource?.attributes ?? []).find(({ key }: Json) => key === 'spandrel.ingest.object_id')?.value
    .stringValue ?? '';

test('fuzz: what inspection puts aside never reaches the backend, and what it passes does whole', async () => {
  await fc.assert(
    fc.asyncProperty(
      objectsOf,
      fc.boolean(),
      fc.constantFrom(1, 3, 1_000),
      async (made, stamp, maxRequestSpans) => {
        const texts: string[] = [];
        const sender = assembleBatchSender(
          checkSenderOptions({ url: 'http://backend.test', stamp, maxRequestSpans, now: () => RECEIVED_AT }),
          {
            fetch: async (_url, init) => {
              texts.push(gunzipSync(init?.body as Uint8Array).toString());
              return new Response('{}');
            },
            now: () => RECEIVED_AT,
            random: () => 0,
            sleep: async () => {},
          },
        );
        // Spans are told apart by their object.
        const objects = made.map(({ bytes }, n) => ({ key: keyOf(n), bytes }));
        const kept: Json[] = [];
        const { results } = await sender.send(objects);
        for (const [index, { bytes }] of objects.entries()) {
          const inspected = await inspect(bytes, LIMITS, { signal: 'traces', asStored: false });
          if ('request' in inspected) kept.push(...spansIn(inspected.request));
          else assert.equal(results[index]?.reason, inspected.reason);
        }
        const sent = texts.flatMap((text) => spansIn(JSON.parse(text)));
        assert.deepEqual(sent.map(idOf).sort(), kept.map(idOf).sort());
      },
    ),
    RUNS,
  );
});

test('fuzz: nothing that is mutated makes inspection throw', async () => {
  await fc.assert(
    fc.asyncProperty(bytes, fc.boolean(), async (each, asStored) => {
      const result = await inspect(each, LIMITS, { signal: 'traces', asStored });
      if ('reason' in result) assert.ok(result.message.length <= 300);
      else assert.ok(Array.isArray(result.request.resourceSpans));
      assert.equal(({} as { kind?: unknown }).kind, undefined);
    }),
    RUNS,
  );
});

test('fuzz: bombs of gzip are left alone after the limit', async () => {
  // A flushed block of a MiB of zeros, again and again: 10 GB in 10 MB.
  const block = deflateRawSync(new Uint8Array(1_048_576), { finishFlush: zlib.Z_FULL_FLUSH });
  const header = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255);
  const end = new Uint8Array([3, 0, ...new Uint8Array(8)]);
  const bomb = joined(header, ...Array<Buffer>(10_000).fill(block), end);
  assert.ok(bomb.length > 9e6 && bomb.length < 13e6, `${bomb.length}`);
  const limits = { ...LIMITS, maxObjectBytes: 64 * 1_048_576, maxInflateRatio: 1_100 };
  const before = process.memoryUsage();
  for (const each of [bomb, joined(bomb.subarray(0, 5e6)), joined(gzipped('{}'), bomb)]) {
    const result = await inspect(each, limits, { signal: 'traces', asStored: true });
    assert.ok('reason' in result && result.reason === 'too-large');
  }
  const after = process.memoryUsage();
  assert.ok(after.rss - before.rss < 200e6, `${after.rss - before.rss} bytes`);
});
